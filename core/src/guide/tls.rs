use redstart_tokio::config::{Config, Endpoint, Tls, TlsVersion};
use redstart_tokio::error::{CertificateError, ConnectionError, TlsAlert, TlsError};
use redstart_tokio::{Error, ErrorKind};

/// For a server with an authority of one's own, which asks for a certificate. The files are in one folder.
pub fn config(host: &str, port: u16, folder: &str) -> Config {
    let tls = Tls::new()
        .ca_file(format!("{folder}/ca.pem"))
        .identity_files(format!("{folder}/client.pem"), format!("{folder}/client.key"))
        .min_version(TlsVersion::V1_3);
    Config::new(Endpoint::tcp(host, port)).tls(tls)
}

/// The same as a URL.
pub fn url(host: &str, port: u16, folder: &str) -> String {
    format!(
        "rediss://{host}:{port}/?tls_ca_file={folder}/ca.pem&tls_min_version=1.3\
         &tls_cert_file={folder}/client.pem&tls_key_file={folder}/client.key"
    )
}

/// What to do about a connection that could not be made.
pub fn advice(error: &Error) -> &'static str {
    let Some(ErrorKind::Connection(ConnectionError::Tls(reason))) =
        [Some(error), error.cause()].into_iter().flatten().map(Error::kind).find(|kind| is_tls(kind))
    else {
        return "it is not TLS that failed";
    };
    match reason {
        TlsError::Certificate(CertificateError::WrongName) => "connect by a name that is in the certificate",
        TlsError::Certificate(CertificateError::UnknownIssuer) => "give the authority with ca_file",
        TlsError::Certificate(_) => "look at the server's certificate",
        TlsError::Refused(TlsAlert::CERTIFICATE_REQUIRED) => "give a certificate with identity_files",
        TlsError::Unanswered | TlsError::NotTls => "find the port for TLS",
        _ => "look at the server's log",
    }
}

fn is_tls(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Connection(ConnectionError::Tls(_)))
}
