//! Choices for the commands about connections.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::command::{Arg, ArgSink, ArgSlot, Args, whole_secs};

/// What a connection is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientKind {
    /// Commands, those that run `MONITOR` included.
    Normal,
    /// The link of a replica to its primary, seen from the replica.
    Primary,
    /// The link of a replica, seen from its primary.
    Replica,
    /// At least one subscription.
    PubSub,
}

impl Arg for ClientKind {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::Normal => b"NORMAL",
            Self::Primary => b"MASTER",
            Self::Replica => b"REPLICA",
            Self::PubSub => b"PUBSUB",
        });
    }
}

/// Choices for [`client_list`](super::ConnectionCommands::client_list).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ClientFilter {
    /// All connections.
    #[default]
    All,
    /// Those of one kind (`TYPE`).
    Kind(ClientKind),
    /// Those with one of these numbers (`ID`); unknown numbers are passed over.
    Ids(Vec<u64>),
}

impl Args for ClientFilter {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::All => {}
            Self::Kind(kind) => {
                out.arg("TYPE").arg(kind);
            }
            Self::Ids(ids) => {
                out.arg("ID").args(ids);
            }
        }
    }
}

/// Conditions for [`client_kill`](super::ConnectionCommands::client_kill), all of which must hold.
///
/// The server refuses a filter without any condition.
#[derive(Clone, Debug, Default)]
pub struct ClientKillFilter {
    id: Option<u64>,
    kind: Option<ClientKind>,
    user: Option<String>,
    addr: Option<String>,
    laddr: Option<String>,
    skip_me: Option<bool>,
    max_age: Option<Duration>,
}

impl ClientKillFilter {
    /// No condition yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The connection has this number (`ID`).
    #[must_use]
    pub const fn id(mut self, id: u64) -> Self {
        self.id = Some(id);
        self
    }

    /// The connection is of this kind (`TYPE`).
    #[must_use]
    pub const fn kind(mut self, kind: ClientKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The connection belongs to this user (`USER`).
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// The connection comes from this `ip:port` (`ADDR`).
    #[must_use]
    pub fn addr(mut self, addr: impl Into<String>) -> Self {
        self.addr = Some(addr.into());
        self
    }

    /// The connection goes to this `ip:port` of the server (`LADDR`).
    #[must_use]
    pub fn laddr(mut self, addr: impl Into<String>) -> Self {
        self.laddr = Some(addr.into());
        self
    }

    /// Whether the connection that this command comes on is spared, as it is by default (`SKIPME`).
    #[must_use]
    pub const fn skip_me(mut self, skip: bool) -> Self {
        self.skip_me = Some(skip);
        self
    }

    /// The connection is at least this old, in whole seconds rounded up (`MAXAGE`, since 7.4).
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }
}

impl Args for ClientKillFilter {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.id.map(|id| ("ID", id)));
        out.args(self.kind.map(|kind| ("TYPE", kind)));
        out.args(self.user.as_ref().map(|name| ("USER", name)));
        out.args(self.addr.as_ref().map(|addr| ("ADDR", addr)));
        out.args(self.laddr.as_ref().map(|addr| ("LADDR", addr)));
        out.args(self.skip_me.map(|skip| ("SKIPME", if skip { "YES" } else { "NO" })));
        out.args(self.max_age.map(|age| ("MAXAGE", whole_secs(age))));
    }
}

/// Choices for [`client_pause`](super::ConnectionCommands::client_pause).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum PauseMode {
    /// Every command waits (`ALL`).
    #[default]
    All,
    /// Commands that can write wait, publishing and scripts among them (`WRITE`).
    Writes,
}

impl Args for PauseMode {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::All => "ALL",
            Self::Writes => "WRITE",
        });
    }
}

/// Choices for [`client_unblock`](super::ConnectionCommands::client_unblock): how the blocking command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum UnblockMode {
    /// As if its time were over (`TIMEOUT`).
    #[default]
    Timeout,
    /// With an `UNBLOCKED` error (`ERROR`).
    Error,
}

impl Args for UnblockMode {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(match self {
            Self::Timeout => "TIMEOUT",
            Self::Error => "ERROR",
        });
    }
}
