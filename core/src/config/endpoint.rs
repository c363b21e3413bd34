//! Where to connect.

use alloc::sync::Arc;
use core::fmt;

/// The address of a node.
///
/// It is shown as `host:port`, as `[host]:port` if the host is an IPv6 address, or as the path of a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A host and a port.
    Tcp {
        /// A name or an address; an IPv6 address stands without brackets.
        host: Arc<str>,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// The path of the socket.
        path: Arc<str>,
    },
}

impl Endpoint {
    /// The port where servers listen unless they are told otherwise.
    pub const DEFAULT_PORT: u16 = 6379;

    /// The endpoint at `port` of `host`, which is a name or an address. An IPv6 address is given without
    /// brackets.
    #[must_use]
    pub fn tcp(host: impl Into<Arc<str>>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port }
    }

    /// The endpoint at the Unix socket `path`.
    #[must_use]
    pub fn unix(path: impl Into<Arc<str>>) -> Self {
        Self::Unix { path: path.into() }
    }
}

impl Default for Endpoint {
    /// 127.0.0.1:6379.
    fn default() -> Self {
        Self::tcp("127.0.0.1", Self::DEFAULT_PORT)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => f.write_str(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn shown_as_it_is_dialled() {
        assert_eq!(Endpoint::default().to_string(), "127.0.0.1:6379");
        assert_eq!(Endpoint::tcp("cache.example", 7000).to_string(), "cache.example:7000");
        assert_eq!(Endpoint::tcp("::1", 6379).to_string(), "[::1]:6379");
        assert_eq!(Endpoint::unix("/run/redis.sock").to_string(), "/run/redis.sock");
    }
}
