//! Whether a server's certificate is accepted.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError as Refusal, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::ocsp;
use crate::config::{Accepted, Ocsp, Tls};
use crate::error::CertificateError;

/// Checks certificates as the settings want it.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    accepted: Accepted,
    ocsp: Ocsp,
}

impl Verifier {
    pub(super) const fn new(roots: RootCertStore, algorithms: WebPkiSupportedAlgorithms, tls: &Tls) -> Self {
        Self { roots, algorithms, accepted: tls.accepted, ocsp: tls.ocsp }
    }

    fn check_ocsp(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        response: &[u8],
        now: UnixTime,
    ) -> Result<(), CertificateError> {
        match (self.ocsp, response) {
            (Ocsp::Ignored, _) | (Ocsp::IfStapled, []) => Ok(()),
            (Ocsp::Required, []) => Err(CertificateError::OcspMissing),
            _ => {
                let chain = ocsp::Chain { end_entity, intermediates, roots: &self.roots.roots };
                ocsp::check(response, &chain, self.algorithms.all, now)
            }
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.accepted != Accepted::AnyCertificate {
            let certificate = ParsedCertificate::try_from(end_entity)?;
            let (roots, algorithms) = (&self.roots, self.algorithms.all);
            verify_server_cert_signed_by_trust_anchor(&certificate, roots, intermediates, now, algorithms)?;
            if self.accepted == Accepted::Verified {
                verify_server_name(&certificate, name)?;
            }
            self.check_ocsp(end_entity, intermediates, ocsp_response, now).map_err(refused)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn refused(error: CertificateError) -> Error {
    Error::InvalidCertificate(match error {
        CertificateError::Revoked => Refusal::Revoked,
        other => Refusal::Other(OtherError(Arc::new(other))),
    })
}
