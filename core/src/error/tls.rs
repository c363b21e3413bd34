//! What is wrong with a connection that is to be secured by TLS.

use alloc::string::String;
use core::fmt;

/// What is wrong with a connection that is to be secured by TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// The server's certificate is refused.
    Certificate(CertificateError),
    /// The server refuses the client, or what it has sent. With TLS 1.3 that is said after the handshake,
    /// in place of the first reply.
    Refused(TlsAlert),
    /// The two have no version of TLS, or nothing else that it takes, in common.
    Incompatible,
    /// The server has taken the connection and not shaken hands: most likely its port is one without TLS, where
    /// Redis waits for the end of a line that never comes. It is the cause of a timeout.
    Unanswered,
    /// What the server says is not TLS: most likely its port is one without.
    NotTls,
    /// The stream ended without the peer's word that it is the end: what follows may have been cut off. So it is
    /// when a server is killed.
    Truncated,
    /// Anything else, in the words of the TLS library.
    Other(String),
}

/// Why a certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateError {
    /// It is for other hosts than the one that is connected to.
    WrongName,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is issued by nobody who is trusted.
    UnknownIssuer,
    /// Its issuer has revoked it.
    Revoked,
    /// It cannot be understood, or is not for servers, or breaks another rule.
    Invalid,
    /// A response of OCSP is required and the server sends none.
    OcspMissing,
    /// The response of OCSP is out of date, or from the future.
    OcspStale,
    /// The response of OCSP is signed by nobody who may, or not at all.
    OcspSigner,
    /// The response of OCSP cannot be understood, or is not about this certificate, or says that the certificate
    /// is not known.
    OcspInvalid,
}

/// A reason that the peer gives, by its number (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsAlert(pub u8);

impl TlsAlert {
    /// What the two can do has nothing in common; or, before TLS 1.3, the client's certificate is missing.
    pub const HANDSHAKE_FAILURE: Self = Self(40);
    /// The client's certificate cannot be understood.
    pub const BAD_CERTIFICATE: Self = Self(42);
    /// The client's certificate is revoked.
    pub const CERTIFICATE_REVOKED: Self = Self(44);
    /// The time of the client's certificate is over, or has not come.
    pub const CERTIFICATE_EXPIRED: Self = Self(45);
    /// The client's certificate is issued by nobody whom the server trusts.
    pub const UNKNOWN_CA: Self = Self(48);
    /// The client speaks no version of TLS that the server does.
    pub const PROTOCOL_VERSION: Self = Self(70);
    /// The server knows nothing of the name that the client asks for.
    pub const UNRECOGNISED_NAME: Self = Self(112);
    /// The client has shown no certificate.
    pub const CERTIFICATE_REQUIRED: Self = Self(116);

    const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl TlsError {
    /// Whether the next attempt will most likely fail in the same way.
    pub(crate) const fn is_permanent(&self) -> bool {
        !matches!(self, Self::Truncated | Self::Refused(TlsAlert(80 | 90)))
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => error.fmt(f),
            Self::Refused(alert) => write!(f, "TLS refused by the server: {alert}"),
            Self::Incompatible => f.write_str("no version of TLS, or no cipher, in common with the server"),
            Self::Unanswered => f.write_str("no TLS handshake: the port may be one without TLS"),
            Self::NotTls => f.write_str("the server does not speak TLS here"),
            Self::Truncated => f.write_str("connection closed by the server without a word of TLS"),
            Self::Other(text) => write!(f, "TLS failed: {}", text.escape_default()),
        }
    }
}

impl core::error::Error for TlsError {}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongName => "the server's certificate is for another host",
            Self::Expired => "the server's certificate has expired",
            Self::NotYetValid => "the server's certificate is not valid yet",
            Self::UnknownIssuer => "the server's certificate is issued by nobody who is trusted",
            Self::Revoked => "the server's certificate is revoked",
            Self::Invalid => "the server's certificate is invalid",
            Self::OcspMissing => "the server sends no OCSP response",
            Self::OcspStale => "the server's OCSP response is out of date",
            Self::OcspSigner => "the server's OCSP response is signed by nobody who may",
            Self::OcspInvalid => "the server's OCSP response is invalid",
        })
    }
}

impl core::error::Error for CertificateError {}

impl fmt::Display for TlsAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}
