//! Which node a request goes to, and what a node's refusal means.
//!
//! A topology decides; the engine's links connect and carry. One kind exists per way of deployment, and
//! the engine asks only through the methods here.

use alloc::boxed::Box;

pub mod cluster;
mod host;
mod reads;
pub mod sentinel;
mod single;

pub(crate) use cluster::Cluster;
pub(crate) use reads::Health;
pub(crate) use sentinel::Service;
pub(crate) use single::Single;

/// Names a node within its topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// The number of the node: small, so that a table of nodes can be a plain list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// What to do with a request that a node has turned away without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The caller gets the error.
    Deliver,
    /// The reason passes by itself: the same node again, a little later.
    Later,
    /// The node is not what it was: connect anew, resolving its name again, then send again.
    Reconnect,
}

/// How the servers are deployed.
#[derive(Debug)]
pub(crate) enum Topology {
    /// One server behind one endpoint.
    Single(Single),
    /// Servers that share the slots.
    Cluster(Box<Cluster>),
    /// Servers of which one is the primary, and sentinels that watch over them.
    Sentinel(Box<Service>),
}
