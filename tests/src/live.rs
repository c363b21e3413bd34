//! Running one test against every combination of server version and protocol.
//!
//! Each combination gets a server of its own, started empty in about 10 ms and ended afterwards. Nothing is
//! shared, so tests run side by side, may change any configuration, and leave nothing behind for the next.

use std::fmt;
use std::ops::Deref;

use crate::server::{Server, ServerConfig, Version};

/// The protocol that a client is to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, the only one before Redis 6.
    Resp2,
    /// RESP3.
    Resp3,
}

impl Protocol {
    /// Both protocols.
    pub const ALL: [Self; 2] = [Self::Resp2, Self::Resp3];

    /// The number in `HELLO` and in a URL's `protocol` parameter.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}

/// A fresh [`Server`] and the protocol to speak with it.
#[derive(Debug)]
pub struct Target {
    server: Server,
    protocol: Protocol,
}

impl Target {
    /// The protocol to speak.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// `redis://[:PASSWORD@]127.0.0.1:PORT/?protocol=N`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}?protocol={}", self.server.url(), self.protocol.number())
    }
}

/// Everything else about a target is its server's: its version, its port, [`cli`](Server::cli).
impl Deref for Target {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis {}, {:?}", self.server.version().number(), self.protocol)
    }
}

/// Runs the test against both versions with both protocols: four fresh servers, one after the other.
///
/// # Panics
/// If the test does, after naming the target on standard error; or if a server does not start.
pub fn for_each_target(mut test: impl FnMut(&Target)) {
    for version in Version::ALL {
        for_each_protocol(&ServerConfig::new(version), &mut test);
    }
}

/// Runs the test against this configuration with both protocols, for what one version or a module alone has.
///
/// # Panics
/// If the test does, after naming the target on standard error; or if a server does not start.
pub fn for_each_protocol(config: &ServerConfig, mut test: impl FnMut(&Target)) {
    for protocol in Protocol::ALL {
        let target = Target { server: config.start(), protocol };
        // Shown by the test runner when the test fails.
        eprintln!("target: {target}");
        test(&target);
    }
}
