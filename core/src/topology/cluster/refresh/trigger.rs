//! What calls for a refresh.

use crate::config::Endpoint;
use crate::error::ServerCode;

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
