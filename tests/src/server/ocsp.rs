//! Responses of OCSP as an authority makes them, or as somebody else does.

use std::time::{SystemTime, UNIX_EPOCH};

use rcgen::{KeyPair, PublicKeyData, SigningKey};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use x509_cert::Certificate;
use x509_cert::der::asn1::{BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use x509_cert::der::oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_SHA_1, ID_SHA_256};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, ResponderId, ResponseData,
    RevokedInfo, SingleResponse, Version,
};

use super::pki::{Authority, Identity};

const MINUTE: i64 = 60;

/// What is said of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is good.
    Good,
    /// It was revoked.
    Revoked,
    /// Nothing is known of it.
    Unknown,
}

/// A response of OCSP that is being made.
#[derive(Debug)]
pub struct Staple<'a> {
    issuer: &'a Authority,
    serial: u64,
    status: Status,
    /// Since when and until when it counts, in seconds from now.
    times: (i64, Option<i64>),
    by_name: bool,
    hash: (&'static Algorithm, ObjectIdentifier),
    critical: bool,
    tampered: bool,
}

impl<'a> Staple<'a> {
    /// A good one for a certificate that this authority has issued: since an hour ago, for a day.
    #[must_use]
    pub fn new(issuer: &'a Authority, identity: &Identity) -> Self {
        Self {
            issuer,
            serial: identity.serial,
            status: Status::Good,
            times: (-60 * MINUTE, Some(23 * 60 * MINUTE)),
            by_name: false,
            hash: (&SHA1_FOR_LEGACY_USE_ONLY, ID_SHA_1),
            critical: false,
            tampered: false,
        }
    }

    /// Says something else of it.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Counts from and until so many minutes from now; or says nothing of the end.
    #[must_use]
    pub fn minutes(mut self, from: i64, until: Option<i64>) -> Self {
        self.times = (from * MINUTE, until.map(|until| until * MINUTE));
        self
    }

    /// Is about another certificate.
    #[must_use]
    pub fn about(mut self, identity: &Identity) -> Self {
        self.serial = identity.serial;
        self
    }

    /// Names the signer by its name, instead of its key.
    #[must_use]
    pub fn by_name(mut self) -> Self {
        self.by_name = true;
        self
    }

    /// Names the certificate by SHA-256, instead of SHA-1.
    #[must_use]
    pub fn sha256(mut self) -> Self {
        self.hash = (&SHA256, ID_SHA_256);
        self
    }

    /// Has an extension that must be understood.
    #[must_use]
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Is changed after it was signed.
    #[must_use]
    pub fn tampered(mut self) -> Self {
        self.tampered = true;
        self
    }

    /// The response, signed by the issuer.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn signed(&self) -> Vec<u8> {
        let issuer = certificate(&self.issuer.der());
        self.build(&issuer, self.issuer.public_key(), |message| self.issuer.sign(message), Vec::new())
    }

    /// The response, signed by somebody whose certificate comes with it.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn signed_by(&self, signer: &Identity) -> Vec<u8> {
        let own = certificate(&signer.certificates()[0]);
        let key = KeyPair::from_pem(&signer.key).expect("PEM");
        let sign = |message: &[u8]| key.sign(message).expect("a signature");
        self.build(&own, key.der_bytes(), sign, vec![own.clone()])
    }

    fn build(
        &self,
        signer: &Certificate,
        key: &[u8],
        sign: impl Fn(&[u8]) -> Vec<u8>,
        certs: Vec<Certificate>,
    ) -> Vec<u8> {
        let responder_id = match self.by_name {
            true => ResponderId::ByName(signer.tbs_certificate.subject.clone()),
            false => ResponderId::ByKey(octets(digest(&SHA1_FOR_LEGACY_USE_ONLY, key).as_ref())),
        };
        let critical = Extension {
            extn_id: ObjectIdentifier::new_unwrap("1.2.3.4"),
            critical: true,
            extn_value: octets(b"\x05\x00"),
        };
        let mut data = ResponseData {
            version: Version::V1,
            responder_id,
            produced_at: time(0),
            responses: vec![self.single()],
            response_extensions: self.critical.then(|| vec![critical]),
        };
        let signature = sign(&data.to_der().expect("DER"));
        if self.tampered {
            data.responses[0].this_update = time(-MINUTE);
        }
        let response = BasicOcspResponse {
            tbs_response_data: data,
            signature_algorithm: AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA_256, parameters: None },
            signature: BitString::from_bytes(&signature).expect("bits"),
            certs: (!certs.is_empty()).then_some(certs),
        };
        OcspResponse::successful(response).expect("DER").to_der().expect("DER")
    }

    fn single(&self) -> SingleResponse {
        let issuer = certificate(&self.issuer.der());
        let name = issuer.tbs_certificate.subject.to_der().expect("DER");
        let (hash, oid) = self.hash;
        let cert_id = CertId {
            hash_algorithm: AlgorithmIdentifierOwned { oid, parameters: Some(Null.into()) },
            issuer_name_hash: octets(digest(hash, &name).as_ref()),
            issuer_key_hash: octets(digest(hash, self.issuer.public_key()).as_ref()),
            serial_number: SerialNumber::new(&self.serial.to_be_bytes()).expect("a number"),
        };
        let revoked = RevokedInfo { revocation_time: time(-90 * MINUTE), revocation_reason: None };
        SingleResponse {
            cert_id,
            cert_status: match self.status {
                Status::Good => CertStatus::good(),
                Status::Revoked => CertStatus::revoked(revoked),
                Status::Unknown => CertStatus::unknown(),
            },
            this_update: time(self.times.0),
            next_update: self.times.1.map(time),
            single_extensions: None,
        }
    }
}

/// What a responder says that refuses to answer.
#[must_use]
pub fn refusal() -> Vec<u8> {
    OcspResponse::unauthorized().to_der().expect("DER")
}

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).expect("a certificate")
}

fn octets(bytes: &[u8]) -> OctetString {
    OctetString::new(bytes).expect("octets")
}

/// So many seconds from now.
fn time(seconds: i64) -> OcspGeneralizedTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let at = std::time::Duration::from_secs(now.saturating_add_signed(seconds));
    OcspGeneralizedTime(GeneralizedTime::from_unix_duration(at).expect("a date"))
}
