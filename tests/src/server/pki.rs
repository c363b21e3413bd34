//! Certificates of the tests' own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SerialNumber, SignatureAlgorithm, SigningKey,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// Where this process keeps the certificates that servers and clients read from files.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    tempfile::Builder::new().prefix("redstart-pki-").tempdir().expect("a folder for certificates")
});

/// Somebody who issues certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    name: String,
    keys: &'static SignatureAlgorithm,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The chain, the certificate first, without the root.
    pub chain: String,
    /// The key.
    pub key: String,
    /// The certificate's number.
    pub serial: u64,
    files: Arc<(PathBuf, PathBuf)>,
}

/// What is in a certificate.
#[derive(Clone, Debug)]
pub struct Issue {
    names: Vec<String>,
    years: (i32, i32),
    usages: Vec<ExtendedKeyUsagePurpose>,
}

impl Issue {
    /// For a host of these names or addresses; valid now.
    #[must_use]
    pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        Self { names: names.into_iter().map(str::to_owned).collect(), years: (2020, 2100), usages }
    }

    /// For this machine.
    #[must_use]
    pub fn localhost() -> Self {
        Self::names(["localhost", "127.0.0.1", "::1"])
    }

    /// From the first day of one year to that of another.
    #[must_use]
    pub fn valid(mut self, from: i32, to: i32) -> Self {
        self.years = (from, to);
        self
    }

    /// For signing responses of OCSP, and nothing else.
    #[must_use]
    pub fn for_ocsp(mut self) -> Self {
        self.usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        self
    }
}

impl Authority {
    /// A root of this name.
    ///
    /// # Panics
    /// If there is no randomness to be had.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self::root_with(name, &PKCS_ECDSA_P256_SHA256)
    }

    /// A root whose signatures, and those of whom it certifies, all have one length. OpenSSL cannot read its keys.
    ///
    /// # Panics
    /// As [`root`](Self::root).
    #[must_use]
    pub fn even_root(name: &str) -> Self {
        Self::root_with(name, &PKCS_ED25519)
    }

    fn root_with(name: &str, keys: &'static SignatureAlgorithm) -> Self {
        let issuer = CertifiedIssuer::self_signed(authority(name), key(keys)).expect("a root");
        Self { issuer, name: name.to_owned(), keys }
    }

    /// An authority that this one has made one.
    ///
    /// # Panics
    /// As [`root`](Self::root).
    #[must_use]
    pub fn intermediate(&self, name: &str) -> Self {
        let issuer = CertifiedIssuer::signed_by(authority(name), key(self.keys), &self.issuer);
        Self { issuer: issuer.expect("an authority"), name: name.to_owned(), keys: self.keys }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate, in the form of PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its certificate.
    #[must_use]
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// The file that holds [`pem`](Self::pem).
    #[must_use]
    pub fn file(&self) -> PathBuf {
        write("ca", &self.pem())
    }

    /// The bits of its key.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.issuer.key().public_key_raw()
    }

    /// What its key makes of a message.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.issuer.key().sign(message).expect("a signature")
    }

    /// Issues a certificate.
    ///
    /// # Panics
    /// If a name is none.
    #[must_use]
    pub fn issue(&self, issue: &Issue) -> Identity {
        let serial = fastrand::u64(1 << 56..1 << 62);
        let mut params = CertificateParams::new(issue.names.clone()).expect("names");
        params.distinguished_name.push(DnType::CommonName, format!("number {serial}"));
        params.serial_number = Some(SerialNumber::from(serial));
        params.not_before = date_time_ymd(issue.years.0, 1, 1);
        params.not_after = date_time_ymd(issue.years.1, 1, 1);
        params.extended_key_usages.clone_from(&issue.usages);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = key(self.keys);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        // A root more in the chain does no harm.
        let (chain, key) = (certificate.pem() + &self.pem(), key.serialize_pem());
        let files = Arc::new((write("chain", &chain), write("key", &key)));
        Identity { chain, key, serial, files }
    }
}

impl Identity {
    /// The file with the chain.
    #[must_use]
    pub fn chain_file(&self) -> &Path {
        &self.files.0
    }

    /// The file with the key.
    #[must_use]
    pub fn key_file(&self) -> &Path {
        &self.files.1
    }

    /// The chain.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>().expect("PEM")
    }

    /// A server that shows it, together with this response of OCSP, if there is one.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn server_config(&self, ocsp: Vec<u8>) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert_with_ocsp(self.certificates(), self.private_key(), ocsp)
            .expect("a key that fits")
    }

    /// The key.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("PEM")
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2200, 1, 1);
    params
}

fn key(keys: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(keys).expect("a key")
}

fn write(kind: &str, text: &str) -> PathBuf {
    let path = FOLDER.path().join(format!("{kind}-{:016x}.pem", fastrand::u64(..)));
    std::fs::write(&path, text).expect("the folder can be written");
    path
}
