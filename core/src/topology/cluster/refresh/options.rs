//! How refreshes are spaced, and what calls for one.

use core::time::Duration;

use crate::config::Endpoint;
use crate::error::ServerCode;

/// How refreshes are spaced and how long they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshOptions {
    /// The shortest time between the starts of two refreshes, at least 1 ms. Default 250 ms.
    pub interval: Duration,
    /// The time between refreshes that nothing calls for, give or take a quarter. `None` for none of
    /// these. Default 60 s.
    pub period: Option<Duration>,
    /// The longest time of one refresh. Default 5 s.
    pub deadline: Duration,
    /// How many nodes are asked at once, at least 1. Default 3.
    pub asks: usize,
    /// How long a node may be silent before another one is asked in its place. Default 500 ms.
    pub patience: Duration,
    /// How long to wait for the other nodes when one has answered. Default 100 ms.
    pub linger: Duration,
    /// How many requests in a row must time out at a node to make it a suspect. Default 3.
    pub timeouts: u32,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            period: Some(Duration::from_secs(60)),
            deadline: Duration::from_secs(5),
            asks: 3,
            patience: Duration::from_millis(500),
            linger: Duration::from_millis(100),
            timeouts: 3,
        }
    }
}

/// What tells that the topology may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger<'a> {
    /// A node said that a slot has moved.
    Moved,
    /// A request is for a slot that nobody is known to serve. While a refresh is under way it is no cause
    /// for another: the outcome may answer it, or else it is to be said again.
    UnknownSlot,
    /// This node said that the cluster is down, which may be true of its part of a split network only.
    ClusterDown(&'a Endpoint),
    /// This node is not the primary that it was taken for, or serves nothing yet (`READONLY`, `MASTERDOWN`,
    /// `LOADING`).
    NotPrimary(&'a Endpoint),
    /// The connection to this node was lost or could not be made, or the node is silent.
    Lost(&'a Endpoint),
}

impl<'a> Trigger<'a> {
    /// What an error that `node` answered tells, if anything.
    #[must_use]
    pub const fn of(code: ServerCode, node: &'a Endpoint) -> Option<Self> {
        match code {
            ServerCode::Moved => Some(Self::Moved),
            ServerCode::ClusterDown => Some(Self::ClusterDown(node)),
            ServerCode::ReadOnly | ServerCode::MasterDown | ServerCode::Loading => {
                Some(Self::NotPrimary(node))
            }
            _ => None,
        }
    }
}
