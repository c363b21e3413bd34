//! Errors of rustls in the client's words.

use alloc::string::ToString;
use std::io;

use rustls::{CertificateError as Refusal, Error};

use crate::error::{CertificateError, ConnectionError, TlsAlert, TlsError};

/// What ends the connection; `is_greeted` says whether the peer has spoken TLS before.
pub(super) fn fault(error: &Error, is_greeted: bool) -> TlsError {
    match error {
        Error::InvalidCertificate(refusal) => TlsError::Certificate(certificate_error(refusal)),
        Error::NoCertificatesPresented => TlsError::Certificate(CertificateError::Invalid),
        Error::AlertReceived(alert) => TlsError::Refused(TlsAlert(u8::from(*alert))),
        Error::PeerIncompatible(_) => TlsError::Incompatible,
        Error::InvalidMessage(_) if !is_greeted => TlsError::NotTls,
        _ => TlsError::Other(error.to_string()),
    }
}

fn certificate_error(refusal: &Refusal) -> CertificateError {
    match refusal {
        Refusal::NotValidForName | Refusal::NotValidForNameContext { .. } => CertificateError::WrongName,
        Refusal::Expired | Refusal::ExpiredContext { .. } => CertificateError::Expired,
        Refusal::NotValidYet | Refusal::NotValidYetContext { .. } => CertificateError::NotYetValid,
        Refusal::UnknownIssuer => CertificateError::UnknownIssuer,
        Refusal::Revoked => CertificateError::Revoked,
        Refusal::Other(other) => other.0.downcast_ref().copied().unwrap_or(CertificateError::Invalid),
        _ => CertificateError::Invalid,
    }
}

/// In a form that the driver tells from an error of the socket.
pub(super) fn broken(error: TlsError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, ConnectionError::Tls(error))
}
