//! Who was asked, and how that reads the addresses in the answer.

use crate::config::{AddressMap, Endpoint};
use crate::topology::host::parse_host;

/// What the node said of a host cannot be one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoHost;

/// The node that an answer comes from, and how to read the addresses in it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    endpoint: &'a Endpoint,
    tls: bool,
    map: Option<&'a AddressMap>,
}

impl<'a> Asked<'a> {
    /// The node at `endpoint`, by the name that the client has for it.
    #[must_use]
    pub const fn new(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, tls: false, map: None }
    }

    /// Whether nodes are connected to by TLS. `CLUSTER SHARDS` has two ports for each node;
    /// `CLUSTER SLOTS`, `MOVED` and `ASK` have the one that fits the connection they come on.
    #[must_use]
    pub const fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// What turns an endpoint that the cluster gives into the one to connect to, where the client reaches
    /// the nodes by other names.
    #[must_use]
    pub const fn address_map(mut self, map: Option<&'a AddressMap>) -> Self {
        self.map = map;
        self
    }

    /// The node that was asked.
    #[must_use]
    pub const fn endpoint(&self) -> &'a Endpoint {
        self.endpoint
    }

    pub(super) const fn is_tls(&self) -> bool {
        self.tls
    }

    /// Where a node is that the answer gives as `host` and `port`, or `None` if that is not known.
    ///
    /// No host is the host of the node that was asked: the server says so if it does not know its own
    /// address yet, or is told by `cluster-preferred-endpoint-type unknown-endpoint` to say nothing, when
    /// `CLUSTER SLOTS` has nil. `?` is a node whose name is wanted and that has none.
    pub(super) fn locate(&self, host: &[u8], port: u16) -> Result<Option<Endpoint>, NoHost> {
        let endpoint = match (host, self.endpoint) {
            (b"?", _) => return Ok(None),
            (b"", Endpoint::Tcp { host, .. }) => Endpoint::tcp(host.clone(), port),
            (b"", Endpoint::Unix { .. }) => return Ok(None),
            (host, _) => Endpoint::tcp(parse_host(host).ok_or(NoHost)?, port),
        };
        Ok(Some(match self.map {
            Some(map) => map.map(&endpoint),
            None => endpoint,
        }))
    }
}
