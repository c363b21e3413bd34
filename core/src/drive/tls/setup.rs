//! From settings to what rustls wants.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::io;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, version};

use super::TlsStream;
use super::fault::{broken, fault};
use super::verify::Verifier;
use crate::config::{Accepted, Config, Deployment, Endpoint, Ocsp, Pem, Tls, TlsVersion};
use crate::drive::net::Socket;
use crate::error::{CertificateError, ConfigError, TlsError};

/// The settings of a client, ready to be used: one for servers, perhaps another for sentinels.
#[derive(Debug)]
pub(in crate::drive) struct Sessions(Vec<(Arc<Tls>, Arc<ClientConfig>)>);

impl Sessions {
    /// Reads the files that are named.
    ///
    /// # Errors
    /// One of them cannot be used.
    pub(in crate::drive) fn new(config: &Config) -> Result<Self, ConfigError> {
        let sentinels = match &config.deployment {
            Deployment::Sentinel(options) => options.tls.as_ref().and_then(|own| own.0.as_ref()),
            _ => None,
        };
        let wanted = config.tls.iter().chain(sentinels);
        wanted.map(|tls| Ok((Arc::clone(tls), client_config(tls)?))).collect::<Result<_, _>>().map(Self)
    }

    /// What a connection to `endpoint` needs to be secured, if it is to be.
    pub(in crate::drive) fn find(&self, tls: Option<&Arc<Tls>>, endpoint: &Endpoint) -> Option<Session> {
        let tls = tls?;
        let known = self.0.iter().find(|(known, _)| known == tls);
        let config = known.map(|(_, config)| Arc::clone(config));
        let host = match (&tls.server_name, endpoint) {
            (Some(name), _) => name,
            (None, Endpoint::Tcp { host, .. }) => host,
            (None, Endpoint::Unix { path }) => path,
        };
        Some(Session { config, name: server_name(host) })
    }
}

/// The name to ask for and to check. An address may have a zone, which is nobody else's business, and a name a
/// last dot, which certificates do not have.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    let host = host.split_once('%').map_or(host, |(address, _zone)| address);
    let host = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(host).ok().map(|name| name.to_owned())
}

/// What secures one connection.
#[derive(Debug)]
pub(in crate::drive) struct Session {
    config: Option<Arc<ClientConfig>>,
    /// `None`: the host has a name that no certificate can have.
    name: Option<ServerName<'static>>,
}

impl Session {
    /// # Errors
    /// There can be no secure connection with this host.
    pub(in crate::drive) fn over<S: Socket>(&self, socket: S) -> io::Result<TlsStream<S>> {
        let name = self.name.clone();
        let name = name.ok_or_else(|| broken(TlsError::Certificate(CertificateError::WrongName)))?;
        let config = self.config.clone().ok_or_else(|| broken(TlsError::Incompatible))?;
        let session = ClientConnection::new(config, name).map_err(|error| broken(fault(&error, true)))?;
        Ok(TlsStream::new(socket, session))
    }
}

fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, ConfigError> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[_] = match tls.min_version {
        TlsVersion::V1_2 => &[&version::TLS12, &version::TLS13],
        TlsVersion::V1_3 => &[&version::TLS13],
    };
    let roots = roots(tls)?;
    let verifier = Verifier::new(roots, provider.signature_verification_algorithms, tls);
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|_| refused("tls_min_version", "not supported"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity(tls)? {
        Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => refused("tls_key_file", "not the key of the certificate"),
            _ => refused("tls_key_file", "not a key of a kind that is supported"),
        })?,
        None => config.with_no_client_auth(),
    };
    if tls.no_resumption || tls.ocsp == Ocsp::Required {
        config.resumption = Resumption::disabled();
    }
    Ok(Arc::new(config))
}

fn roots(tls: &Tls) -> Result<RootCertStore, ConfigError> {
    let mut store = RootCertStore::empty();
    for pem in &tls.roots {
        for root in certificates("tls_ca_file", pem)? {
            store.add(root).map_err(|_| refused("tls_ca_file", "a certificate that is none"))?;
        }
    }
    if tls.system_roots.unwrap_or(tls.roots.is_empty()) {
        // Of the system's, of which there are many, those that cannot be read are left out.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if store.is_empty() && tls.accepted != Accepted::AnyCertificate {
            return Err(refused("tls_system_roots", "the system has none"));
        }
    }
    Ok(store)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(tls: &Tls) -> Result<Option<Identity>, ConfigError> {
    let (Some(chain), Some(key)) = (&tls.chain, &tls.key) else { return Ok(None) };
    let chain = certificates("tls_cert_file", chain)?;
    let key = match key {
        Pem::Text(text) => PrivateKeyDer::from_pem_slice(text.expose().as_bytes()),
        Pem::File(path) => PrivateKeyDer::from_pem_file(&**path),
    };
    let key =
        key.map_err(|error| unreadable("tls_key_file", &error, "no key in it that is not encrypted"))?;
    Ok(Some((chain, key)))
}

fn certificates(option: &str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let found = match pem {
        Pem::Text(text) => {
            CertificateDer::pem_slice_iter(text.expose().as_bytes()).collect::<Result<Vec<_>, _>>()
        }
        Pem::File(path) => CertificateDer::pem_file_iter(&**path).and_then(Iterator::collect),
    };
    match found {
        Ok(found) if found.is_empty() => Err(refused(option, NO_CERTIFICATE)),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(option, &error, NO_CERTIFICATE)),
    }
}

const NO_CERTIFICATE: &str = "no certificate in it";

fn unreadable(option: &str, error: &PemError, nothing: &'static str) -> ConfigError {
    refused(
        option,
        match error {
            PemError::Io(_) => "the file cannot be read",
            PemError::NoItemsFound => nothing,
            _ => "not in the form of PEM",
        },
    )
}

fn refused(option: &str, reason: &'static str) -> ConfigError {
    ConfigError { option: option.into(), reason }
}
