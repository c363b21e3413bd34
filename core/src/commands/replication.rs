//! Replication: who follows whom.
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

use crate::command::{ArgSink, Args, Command, Run, whole_millis};

/// Commands that change who replicates whom, of the server that they are given to.
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
}

impl<R: Run> ReplicationCommands for R {}

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
