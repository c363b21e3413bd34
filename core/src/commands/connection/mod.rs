//! Connections: who is connected to the server, and is it there.
//!
//! Commands that change the state of the connection they come on, such as `SELECT` or
//! `CLIENT SETNAME`, are not here: a client's connection is shared and replaced at any time, so its
//! state belongs to the client's configuration.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{ClientKillFilter, ConnectionCommands};
//!
//! let command = p.client_kill(ClientKillFilter::new().user("guest"));
//! assert_eq!(command.packed().name(), "CLIENT KILL");
//! ```

mod client_info;
mod options;
mod tracking;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

pub use client_info::ClientInfo;
pub use options::{ClientFilter, ClientKillFilter, ClientKind, PauseMode, UnblockMode};
pub use tracking::{TrackingInfo, TrackingRedirect};

use crate::command::{Arg, Command, FromReply, Join, Route, Run, whole_millis};

/// Commands about connections. <https://redis.io/docs/latest/commands/?group=connection>
pub trait ConnectionCommands: Run {
    /// Returns the server's number of the connection that this command came on.
    ///
    /// A client's connection is replaced after a failure, and its number with it.
    ///
    /// `CLIENT ID` · 5.0.0 · O(1)
    fn client_id(self) -> Self::Output<u64> {
        self.run(Command::new("CLIENT ID").read_only())
    }

    /// Returns what the server knows of the connection that this command came on.
    ///
    /// `CLIENT INFO` · 6.2.0 · O(1)
    fn client_info(self) -> Self::Output<ClientInfo> {
        self.run(Command::new("CLIENT INFO").read_only())
    }

    /// Returns the name of the connection that this command came on.
    ///
    /// `CLIENT GETNAME` · 2.6.9 · O(1)
    fn client_getname(self) -> Self::Output<Option<String>> {
        self.run(Command::new("CLIENT GETNAME").read_only())
    }

    /// Returns where the invalidation messages of the connection go that this command came on.
    ///
    /// `CLIENT GETREDIR` · 6.0.0 · O(1)
    fn client_getredir(self) -> Self::Output<TrackingRedirect> {
        self.run(Command::new("CLIENT GETREDIR").read_only())
    }

    /// Returns how the server tracks the keys read on the connection that this command came on.
    ///
    /// `CLIENT TRACKINGINFO` · 6.2.0 · O(1)
    fn client_trackinginfo(self) -> Self::Output<TrackingInfo> {
        self.run(Command::new("CLIENT TRACKINGINFO").read_only())
    }

    /// Returns the connections of one server, in the order in which they were made.
    ///
    /// `CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB> | ID id [id ...]]` · 2.4.0 · O(n) in the connections
    fn client_list(self, filter: ClientFilter) -> Self::Output<Vec<ClientInfo>> {
        self.run(Command::new("CLIENT LIST").args(filter).read_only())
    }

    /// Closes the connections that pass all conditions of `filter`; returns how many.
    ///
    /// `CLIENT KILL [ID id] [TYPE type] [USER name] [ADDR ip:port] [LADDR ip:port] [SKIPME <YES | NO>]
    /// [MAXAGE seconds]` · 2.8.12 · O(n) in the connections
    fn client_kill(self, filter: ClientKillFilter) -> Self::Output<u64> {
        self.run(Command::new("CLIENT KILL").args(filter))
    }

    /// Makes commands of all clients wait at the server for `time`, this client's own included.
    ///
    /// The time is sent in whole milliseconds, rounded up.
    ///
    /// `CLIENT PAUSE milliseconds [WRITE | ALL]` · 3.0.0 · O(1)
    fn client_pause(self, time: Duration, mode: PauseMode) -> Self::Output<()> {
        self.run(Command::new("CLIENT PAUSE").arg(whole_millis(time)).args(mode))
    }

    /// Ends a pause of writes. Under [`PauseMode::All`] this command waits as any other does.
    ///
    /// `CLIENT UNPAUSE` · 6.2.0 · O(n) in the waiting clients
    fn client_unpause(self) -> Self::Output<()> {
        self.run(Command::new("CLIENT UNPAUSE"))
    }

    /// Ends the waiting of another connection's blocking command; returns whether one was waiting.
    ///
    /// `CLIENT UNBLOCK id [TIMEOUT | ERROR]` · 5.0.0 · O(log n) in the connections
    fn client_unblock(self, id: u64, mode: UnblockMode) -> Self::Output<bool> {
        self.run(Command::new("CLIENT UNBLOCK").arg(id).args(mode))
    }

    /// Returns `message`.
    ///
    /// `ECHO message` · 1.0.0 · O(1)
    fn echo<T: FromReply>(self, message: impl Arg) -> Self::Output<T> {
        self.run(Command::new("ECHO").arg(message).read_only().route(Route::AnyNode))
    }

    /// Asks for a sign of life, on a cluster of every primary.
    ///
    /// `PING` · 1.0.0 · O(1)
    fn ping(self) -> Self::Output<()> {
        self.run(Command::new("PING").read_only().route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Asks for a sign of life, on a cluster of every primary; returns `message`.
    ///
    /// `PING message` · 1.0.0 · O(1)
    fn ping_with<T: FromReply>(self, message: impl Arg) -> Self::Output<T> {
        let command = Command::new("PING").arg(message).read_only();
        self.run(command.route(Route::AllPrimaries).join(Join::AllSucceeded))
    }
}

impl<R: Run> ConnectionCommands for R {}
