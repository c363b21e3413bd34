//! Replication: who follows whom, and how far.
//!
//! What a server's part is now is said by [`role`](super::ServerCommands::role). `PSYNC`, `SYNC` and `REPLCONF` are
//! what replicas say to primaries, and not here.
//!
//! ```
//! use std::time::Duration;
//!
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{FailoverOptions, ReplicationCommands};
//!
//! let command = p.failover(FailoverOptions::new().timeout(Duration::from_secs(5)));
//! assert_eq!(command.packed().name(), "FAILOVER");
//! ```

use alloc::string::String;
use core::time::Duration;

use crate::command::{ArgSink, Args, Command, FromReply, Join, Route, Run, block_millis, whole_millis};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands about replication, of the server that they are given to.
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/replication/>
pub trait ReplicationCommands: Run {
    /// Makes the server, a primary, change places with one of its replicas, during which writes wait. It has
    /// begun, not ended, with the reply.
    ///
    /// Fails when no replica is fit for it, when a failover is under way, and in cluster mode.
    ///
    /// `FAILOVER [TO host port [FORCE]] [TIMEOUT milliseconds]` · 6.2.0 · O(1)
    fn failover(self, options: FailoverOptions) -> Self::Output<()> {
        self.run(Command::new("FAILOVER").args(options))
    }

    /// Gives up the failover that is under way: the server goes on as the primary.
    ///
    /// `FAILOVER ABORT` · 6.2.0 · O(1)
    fn failover_abort(self) -> Self::Output<()> {
        self.run(Command::new("FAILOVER").arg("ABORT"))
    }

    /// Makes the server follow a primary, whose data take the place of its own, or nobody.
    ///
    /// The data are not there yet with the reply. Fails in cluster mode.
    ///
    /// `REPLICAOF <host port | NO ONE>` · 5.0.0 · O(1)
    fn replicaof(self, primary: ReplicaOf) -> Self::Output<()> {
        self.run(Command::new("REPLICAOF").args(primary))
    }

    /// Deprecated since 5.0.0: [`replicaof`](Self::replicaof) under its old name.
    ///
    /// `SLAVEOF <host port | NO ONE>` · 1.0.0 · O(1)
    fn slaveof(self, primary: ReplicaOf) -> Self::Output<()> {
        self.run(Command::new("SLAVEOF").args(primary))
    }

    /// Waits until so many replicas have the writes that the connection has made before, but no longer than `time`, for
    /// ever if that is zero; returns how many have them, which may be fewer or more.
    ///
    /// It is for a [session](crate::client::session) that has made the writes: a client, whose calls share connections,
    /// refuses it. In a transaction it does not wait.
    ///
    /// A write that replicas have can still be lost in a failover. Fails on a replica.
    ///
    /// `WAIT numreplicas timeout` · 3.0.0 · O(1)
    fn wait(self, replicas: u64, time: Duration) -> Self::Output<u64> {
        let command = Command::new("WAIT").arg(replicas).arg(block_millis(time)).blocking(time);
        self.run(command.route(Route::AllPrimaries).join(Join::Min))
    }

    /// As [`wait`](Self::wait), until the writes are on disk: on the server's own if `local`, and on those of so many
    /// replicas.
    ///
    /// Fails on a replica, and with `local` where the server keeps no append-only file.
    ///
    /// `WAITAOF numlocal numreplicas timeout` · 7.2.0 · O(1)
    fn waitaof(self, local: bool, replicas: u64, time: Duration) -> Self::Output<OnDisk> {
        let command = Command::new("WAITAOF").arg(u32::from(local)).arg(replicas);
        let command = command.arg(block_millis(time)).blocking(time);
        self.run(command.route(Route::AllPrimaries).join(Join::Min))
    }
}

impl<R: Run> ReplicationCommands for R {}

/// Where writes are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OnDisk {
    /// Whether they are on that of the server itself.
    pub local: bool,
    /// On those of how many replicas they are.
    pub replicas: u64,
}

impl FromReply for OnDisk {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (local, replicas) = FromReply::from_reply(item)?;
        Ok(Self { local, replicas })
    }
}

/// Whom a server follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReplicaOf {
    /// Nobody: it is a primary, and keeps the data that it has (`NO ONE`).
    NoOne,
    /// The server there.
    Primary {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl ReplicaOf {
    /// The server at this host and port.
    pub fn primary(host: impl Into<String>, port: u16) -> Self {
        Self::Primary { host: host.into(), port }
    }
}

impl Args for ReplicaOf {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::NoOne => out.arg("NO").arg("ONE"),
            Self::Primary { host, port } => out.arg(host).arg(port),
        };
    }
}

/// Choices for [`failover`](ReplicationCommands::failover).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct FailoverOptions {
    to: Option<Target>,
    timeout: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Target {
    host: String,
    port: u16,
    force: bool,
}

impl FailoverOptions {
    /// To the replica that catches up first, however long it takes.
    pub const fn new() -> Self {
        Self { to: None, timeout: None }
    }

    /// To this replica (`TO`).
    pub fn to(mut self, host: impl Into<String>, port: u16) -> Self {
        self.to = Some(Target { host: host.into(), port, force: false });
        self
    }

    /// To this replica, even if it has not caught up when `timeout` is over: then what it lacks is lost
    /// (`TO`, `TIMEOUT`, `FORCE`).
    pub fn force_to(mut self, host: impl Into<String>, port: u16, timeout: Duration) -> Self {
        self.to = Some(Target { host: host.into(), port, force: true });
        self.timeout = Some(timeout);
        self
    }

    /// Ends the attempt when `time` is over, in whole milliseconds rounded up (`TIMEOUT`).
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }
}

impl Args for FailoverOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        if let Some(Target { host, port, force }) = &self.to {
            out.arg("TO").arg(host).arg(port).args(force.then_some("FORCE"));
        }
        out.args(self.timeout.map(|time| ("TIMEOUT", whole_millis(time))));
    }
}
