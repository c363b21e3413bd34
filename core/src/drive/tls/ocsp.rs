//! Whether a response of OCSP (RFC 6960) says that a certificate is good.
//!
//! The word counts of the certificate's issuer, or of somebody to whom the issuer has given a certificate for that
//! purpose. Whether the latter was revoked itself is not asked, as nobody could be asked without a connection more.

use alloc::vec::Vec;
use core::time::Duration;

use ring::digest;
use rustls::pki_types::{
    CertificateDer, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, TrustAnchor, UnixTime,
};
use webpki::{EndEntityCert, KeyUsage};
use x509_cert::certificate::Certificate;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::oid::db::{rfc5912, rfc6960::ID_PKIX_OCSP_BASIC};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader, Tag};
use x509_cert::ext::Extensions;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoRef};
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, OcspResponseStatus,
    ResponderId, SingleResponse,
};

use crate::error::CertificateError::{self, OcspInvalid, OcspSigner, OcspStale, Revoked};

/// What the clocks of client and responder may differ by.
const SKEW: Duration = Duration::from_secs(300);
/// How long a response counts that does not say it.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// 1.3.6.1.5.5.7.3.9, id-kp-OCSPSigning, as its bytes are in a certificate.
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// A certificate, and how it leads to somebody who is trusted.
pub(super) struct Chain<'a> {
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) roots: &'a [TrustAnchor<'static>],
}

type Algorithms<'a> = &'a [&'a dyn SignatureVerificationAlgorithm];

/// Checks the response for the first certificate of a chain that is valid `now`.
///
/// # Errors
/// What is wrong with the response, or that the certificate is revoked.
pub(super) fn check(
    response: &[u8],
    chain: &Chain<'_>,
    algorithms: Algorithms<'_>,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let end_entity = EndEntityCert::try_from(chain.end_entity).map_err(|_| OcspInvalid)?;
    let issuer = Issuer::of(&end_entity, chain, algorithms, now)?;
    let signed = basic_response(response).map_err(|_| OcspInvalid)?;
    let response = BasicOcspResponse::from_der(&signed).map_err(|_| OcspInvalid)?;
    let key = issuer.signer(&response, algorithms, now)?;
    check_signature(&key, &signed, &response, algorithms).ok_or(OcspSigner)?;
    let all = &response.tbs_response_data;
    let about = all.responses.iter().find(|about| issuer.is_about(&about.cert_id, end_entity.serial()));
    let about = about.ok_or(OcspInvalid)?;
    if demands(all.response_extensions.as_ref()) || demands(about.single_extensions.as_ref()) {
        return Err(OcspInvalid);
    }
    if !is_timely(about, now) {
        return Err(OcspStale);
    }
    match about.cert_status {
        CertStatus::Good(_) => Ok(()),
        CertStatus::Revoked(_) => Err(Revoked),
        CertStatus::Unknown(_) => Err(OcspInvalid),
    }
}

/// The part of a response that is signed, and its signature.
fn basic_response(response: &[u8]) -> der::Result<Vec<u8>> {
    let response = OcspResponse::from_der(response)?;
    match response.response_bytes {
        Some(bytes)
            if response.response_status == OcspResponseStatus::Successful
                && bytes.response_type == ID_PKIX_OCSP_BASIC =>
        {
            Ok(bytes.response.into_bytes())
        }
        _ => Err(der::ErrorKind::Failed.into()),
    }
}

/// Whether there is an extension that must be understood: none is.
fn demands(extensions: Option<&Extensions>) -> bool {
    extensions.is_some_and(|extensions| extensions.iter().any(|extension| extension.critical))
}

fn is_timely(about: &SingleResponse, now: UnixTime) -> bool {
    let now = Duration::from_secs(now.as_secs());
    let time = |time: &OcspGeneralizedTime| time.0.to_unix_duration();
    let from = time(&about.this_update);
    let until = about.next_update.as_ref().map_or(from + FRESH, time);
    from <= now + SKEW && now <= until + SKEW
}

/// Who has issued the certificate.
struct Issuer {
    /// In the form of DER.
    name: Vec<u8>,
    key: SubjectPublicKeyInfoDer<'static>,
    /// The bits of the key alone.
    key_bits: Vec<u8>,
}

impl Issuer {
    fn of(
        end_entity: &EndEntityCert<'_>,
        chain: &Chain<'_>,
        algorithms: Algorithms<'_>,
        now: UnixTime,
    ) -> Result<Self, CertificateError> {
        let usage = KeyUsage::server_auth();
        let path = end_entity
            .verify_for_usage(algorithms, chain.roots, chain.intermediates, now, usage, None, None)
            .map_err(|_| OcspInvalid)?;
        let key = path.issuer_spki().into_owned();
        let name = AnyRef::new(Tag::Sequence, end_entity.issuer()).and_then(|name| name.to_der());
        let key_bits = key_bits(&key);
        match (name, key_bits) {
            (Ok(name), Some(key_bits)) => Ok(Self { name, key, key_bits }),
            _ => Err(OcspInvalid),
        }
    }

    /// Whether a response is about the certificate of this number.
    fn is_about(&self, id: &CertId, serial: &[u8]) -> bool {
        let digest = |bytes| hash(&id.hash_algorithm, bytes);
        let stripped =
            |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
        stripped(id.serial_number.as_bytes()) == stripped(serial)
            && digest(&self.name).is_some_and(|it| it.as_ref() == id.issuer_name_hash.as_bytes())
            && digest(&self.key_bits).is_some_and(|it| it.as_ref() == id.issuer_key_hash.as_bytes())
    }

    /// The key of who says to have signed the response, if he may.
    fn signer(
        &self,
        response: &BasicOcspResponse,
        algorithms: Algorithms<'_>,
        now: UnixTime,
    ) -> Result<SubjectPublicKeyInfoDer<'static>, CertificateError> {
        let id = &response.tbs_response_data.responder_id;
        if is_named(id, &self.name, &self.key_bits) {
            return Ok(self.key.clone());
        }
        let named = |certificate: &&Certificate| {
            let certificate = &certificate.tbs_certificate;
            let key = &certificate.subject_public_key_info.subject_public_key;
            certificate.subject.to_der().is_ok_and(|name| is_named(id, &name, key.raw_bytes()))
        };
        let delegate = response.certs.iter().flatten().find(named).ok_or(OcspSigner)?;
        let der = CertificateDer::from(delegate.to_der().map_err(|_| OcspInvalid)?);
        let delegate = EndEntityCert::try_from(&der).map_err(|_| OcspSigner)?;
        self.has_delegated(&delegate, algorithms, now).ok_or(OcspSigner)?;
        Ok(delegate.subject_public_key_info())
    }

    /// Whether the issuer has given this certificate for signing such responses.
    fn has_delegated(
        &self,
        delegate: &EndEntityCert<'_>,
        algorithms: Algorithms<'_>,
        now: UnixTime,
    ) -> Option<()> {
        let contents = |der| AnyRef::from_der(der).ok().map(|any| any.value());
        let issuer = TrustAnchor {
            subject: contents(&self.name)?.into(),
            subject_public_key_info: contents(&self.key)?.into(),
            name_constraints: None,
        };
        let usage = KeyUsage::required(OCSP_SIGNING);
        delegate.verify_for_usage(algorithms, &[issuer], &[], now, usage, None, None).ok().map(drop)
    }
}

fn is_named(id: &ResponderId, name: &[u8], key: &[u8]) -> bool {
    match id {
        ResponderId::ByName(named) => named.to_der().is_ok_and(|named| named == name),
        ResponderId::ByKey(hash) => {
            hash.as_bytes() == digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key).as_ref()
        }
    }
}

fn key_bits(key: &SubjectPublicKeyInfoDer<'_>) -> Option<Vec<u8>> {
    Some(SubjectPublicKeyInfoRef::from_der(key).ok()?.subject_public_key.raw_bytes().to_vec())
}

fn hash(algorithm: &AlgorithmIdentifierOwned, bytes: &[u8]) -> Option<digest::Digest> {
    let algorithm = match algorithm.oid {
        // It names the issuer, and proves nothing.
        rfc5912::ID_SHA_1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        rfc5912::ID_SHA_256 => &digest::SHA256,
        rfc5912::ID_SHA_384 => &digest::SHA384,
        rfc5912::ID_SHA_512 => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, bytes))
}

fn check_signature(
    key: &SubjectPublicKeyInfoDer<'_>,
    signed: &[u8],
    response: &BasicOcspResponse,
    algorithms: Algorithms<'_>,
) -> Option<()> {
    let key = SubjectPublicKeyInfoRef::from_der(key).ok()?;
    let (key_algorithm, signature_algorithm) =
        (key.algorithm.to_der().ok()?, response.signature_algorithm.to_der().ok()?);
    let contents = |der| AnyRef::from_der(der).ok().map(|any| any.value());
    let (key_algorithm, signature_algorithm) = (contents(&key_algorithm)?, contents(&signature_algorithm)?);
    // What was signed, byte for byte, is the first part of the response.
    let message = SliceReader::new(contents(signed)?).ok()?.tlv_bytes().ok()?;
    algorithms
        .iter()
        .filter(|it| it.public_key_alg_id().as_ref() == key_algorithm)
        .filter(|it| it.signature_alg_id().as_ref() == signature_algorithm)
        .find_map(|it| {
            it.verify_signature(key.subject_public_key.raw_bytes(), message, response.signature.raw_bytes())
                .ok()
        })
}
