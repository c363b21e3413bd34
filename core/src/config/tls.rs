//! How connections are secured.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Secret;

/// The oldest version of TLS to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2. Older ones are broken and never spoken.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// What is asked of a response of OCSP that the server sends with its certificate ("stapled"): the word of the
/// certificate's issuer that it has not been revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ocsp {
    /// Nothing: it is not looked at.
    #[default]
    Ignored,
    /// One that is sent must be good. A server that sends none is trusted; so is who has stolen a key and
    /// leaves the response out.
    IfStapled,
    /// There must be one and it must be good. No session is resumed, so that this holds of each connection.
    Required,
}

/// TLS, by which settings. See [`Config::tls`](super::Config::tls).
///
/// The defaults trust who the system trusts, and check the certificate's chain, its time and its name: that of the
/// host that is connected to, be it given by you, or told by a node of a cluster or a sentinel. A host that is told
/// as an address must be in the certificate as an address. Where the certificates have names and the nodes tell
/// addresses, an [`AddressMap`](super::AddressMap) turns the latter into the former, or
/// [`server_name`](Self::server_name) says the one name that all of them have.
///
/// Once a client has TLS, nothing that a server says makes it connect without. `Debug` shows no key.
///
/// It needs the feature `tls`, without which [`Config::validate`](super::Config::validate) refuses it. Files are
/// read once, when the client is made.
///
/// ```
/// use redstart_core::config::{Config, Endpoint, Tls, TlsVersion};
///
/// let tls = Tls::new()
///     .ca_file("/etc/redis/ca.pem")
///     .identity_files("/etc/redis/client.pem", "/etc/redis/client.key")
///     .min_version(TlsVersion::V1_3);
/// let config = Config::new(Endpoint::tcp("cache.example", 6380)).tls(tls);
/// # let url = "rediss://cache.example:6380?tls_ca_file=/etc/redis/ca.pem&tls_min_version=1.3\
/// #   &tls_cert_file=/etc/redis/client.pem&tls_key_file=/etc/redis/client.key";
/// # if cfg!(feature = "tls") { assert_eq!(Config::from_url(url), Ok(config)); }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    pub(crate) roots: Vec<Pem>,
    pub(crate) system_roots: Option<bool>,
    pub(crate) chain: Option<Pem>,
    pub(crate) key: Option<Pem>,
    pub(crate) server_name: Option<Arc<str>>,
    pub(crate) min_version: TlsVersion,
    pub(crate) no_resumption: bool,
    pub(crate) ocsp: Ocsp,
    pub(crate) accepted: Accepted,
}

/// Text in the form of PEM, or the file that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pem {
    Text(Secret),
    File(Arc<str>),
}

/// Whose certificates are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// Those that are issued by who is trusted, for the host, and for now.
    #[default]
    Verified,
    /// The same, whatever host they are for.
    AnyName,
    /// All.
    AnyCertificate,
}

impl Tls {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities whose certificates are in this file, in the form of PEM; besides others that are
    /// given, and *instead* of those that the system trusts, unless [`system_roots`](Self::system_roots) says
    /// otherwise.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<Arc<str>>) -> Self {
        self.roots.push(Pem::File(path.into()));
        self
    }

    /// As [`ca_file`](Self::ca_file), with the text itself.
    #[must_use]
    pub fn ca_pem(mut self, text: &str) -> Self {
        self.roots.push(Pem::Text(text.into()));
        self
    }

    /// Whether to trust the authorities that the system trusts. Default: if no others are given.
    #[must_use]
    pub fn system_roots(mut self, trusted: bool) -> Self {
        self.system_roots = Some(trusted);
        self
    }

    /// Shows servers this certificate, of which the file has the whole chain, the client's own first, and proves
    /// with the key in the other file that it is one's own. Default: none, which servers refuse unless
    /// their `tls-auth-clients` is `no` or `optional`. An encrypted key is not understood.
    #[must_use]
    pub fn identity_files(mut self, chain: impl Into<Arc<str>>, key: impl Into<Arc<str>>) -> Self {
        self.chain = Some(Pem::File(chain.into()));
        self.key = Some(Pem::File(key.into()));
        self
    }

    /// As [`identity_files`](Self::identity_files), with the texts themselves.
    #[must_use]
    pub fn identity_pem(mut self, chain: &str, key: impl Into<Secret>) -> Self {
        self.chain = Some(Pem::Text(chain.into()));
        self.key = Some(Pem::Text(key.into()));
        self
    }

    /// The name, or address, that every server's certificate must have, whatever host is connected to; it is also
    /// what servers are asked for (SNI). Default: the host.
    #[must_use]
    pub fn server_name<'a>(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.server_name = name.into().map(Arc::from);
        self
    }

    /// The oldest version to speak. Default [`TlsVersion::V1_2`].
    #[must_use]
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.min_version = version;
        self
    }

    /// Whether a later connection may take up the session of an earlier one, which saves the servers work. The
    /// certificate is not sent again then, so it counts as it was seen before. Default `true`.
    #[must_use]
    pub fn resumption(mut self, allowed: bool) -> Self {
        self.no_resumption = !allowed;
        self
    }

    /// What is asked of the response of OCSP that servers send. Responders are never asked. Default
    /// [`Ocsp::Ignored`].
    #[must_use]
    pub fn ocsp(mut self, ocsp: Ocsp) -> Self {
        self.ocsp = ocsp;
        self
    }

    /// What makes TLS insecure.
    #[must_use]
    pub fn dangerous(self) -> DangerousTls {
        DangerousTls(self)
    }

    /// Whether some checks are turned off.
    #[must_use]
    pub fn is_dangerous(&self) -> bool {
        self.accepted != Accepted::Verified
    }
}

/// [Settings](Tls::dangerous) that let others read and change what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DangerousTls(Tls);

impl DangerousTls {
    /// Accepts certificates for any host: whoever has one of the trusted authorities can be in the middle.
    #[must_use]
    pub fn accept_any_name(mut self) -> Tls {
        self.0.accepted = Accepted::AnyName;
        self.0
    }

    /// Accepts any certificate: anybody can be in the middle.
    #[must_use]
    pub fn accept_any_certificate(mut self) -> Tls {
        self.0.accepted = Accepted::AnyCertificate;
        self.0
    }
}

#[cfg(test)]
mod tests;
