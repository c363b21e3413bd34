//! Choices for the commands about a cluster.

use alloc::string::String;

use crate::command::{ArgSink, Args};

/// Choices for [`cluster_failover`](super::ClusterCommands::cluster_failover): who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ClusterFailover {
    /// The primary, which stops writes until the replica has all of them, and the other primaries.
    #[default]
    Agreed,
    /// The other primaries only: the primary may be down, and what the replica lacks is lost (`FORCE`).
    Force,
    /// Nobody: for when most primaries are down (`TAKEOVER`).
    Takeover,
}

impl Args for ClusterFailover {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(match self {
            Self::Agreed => None,
            Self::Force => Some("FORCE"),
            Self::Takeover => Some("TAKEOVER"),
        });
    }
}

/// Choices for [`cluster_reset`](super::ClusterCommands::cluster_reset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ClusterReset {
    /// The node keeps its id and its epochs (`SOFT`).
    #[default]
    Soft,
    /// The node gets a new id, and its epochs begin at 0 (`HARD`).
    Hard,
}

impl Args for ClusterReset {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::Soft => "SOFT",
            Self::Hard => "HARD",
        });
    }
}

/// Choices for [`cluster_setslot`](super::ClusterCommands::cluster_setslot). Nodes are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetSlot {
    /// The slot is on its way to this node, to which questions for keys that are not here any more are sent
    /// (`MIGRATING`).
    Migrating(String),
    /// The slot is on its way from this node; until it is here only those are answered who were sent
    /// (`IMPORTING`).
    Importing(String),
    /// The slot is served by this node (`NODE`).
    Node(String),
    /// The slot is not on its way (`STABLE`).
    Stable,
}

impl Args for SetSlot {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Migrating(node) => out.arg("MIGRATING").arg(node),
            Self::Importing(node) => out.arg("IMPORTING").arg(node),
            Self::Node(node) => out.arg("NODE").arg(node),
            Self::Stable => out.arg("STABLE"),
        };
    }
}
