//! Commands that change the connection they come on: for sessions, which have one to themselves.
//!
//! ```no_run
//! use redstart_core::client::session::Sessions;
//! use redstart_core::commands::{SessionCommands, StringCommands};
//!
//! # async fn example(client: redstart_core::Client) -> redstart_core::Result<()> {
//! let session = client.session().await?;
//! session.select(3).await?;
//! session.set("k", "in database 3").await?;
//! # Ok(())
//! # }
//! ```

use crate::command::{Arg, ArgSink, Args, Command, FromReply, OnSession};

/// Commands that change the connection they come on. They exist on a
/// [session](https://redis.io/docs/latest/develop/using-commands/transactions/) alone: elsewhere, connections are
/// shared and replaced at any time.
pub trait SessionCommands: OnSession {
    /// Makes the next [`exec`](Self::exec) fail if one of `keys` is changed until then, by whomever.
    ///
    /// `WATCH key [key ...]` · 2.2.0 · O(n) in the keys
    fn watch(self, keys: impl Args) -> Self::Output<()> {
        self.run(Command::new("WATCH").keys(keys))
    }

    /// Forgets all keys that are watched.
    ///
    /// `UNWATCH` · 2.2.0 · O(1)
    fn unwatch(self) -> Self::Output<()> {
        self.run(Command::new("UNWATCH"))
    }

    /// Begins a transaction by hand: what follows is queued, and answered with `QUEUED`, until
    /// [`exec`](Self::exec). Commands are queued by
    /// [`queue`](crate::client::session::Session::queue).
    ///
    /// A transaction whose commands are known beforehand is better sent as one
    /// [batch](crate::client::session::Session::transaction).
    ///
    /// `MULTI` · 1.2.0 · O(1)
    fn multi(self) -> Self::Output<()> {
        self.run(Command::new("MULTI"))
    }

    /// Runs what was queued since [`multi`](Self::multi); returns the replies, as a tuple or a vector, or `None` if a
    /// key was changed that is watched: then nothing has run.
    ///
    /// An error among the replies is an error of the whole, unless the type takes it: a
    /// `Result<T, `[`ServerError`](crate::error::ServerError)`>` does.
    ///
    /// `EXEC` · 1.2.0 · the cost of the commands
    fn exec<T: FromReply>(self) -> Self::Output<Option<T>> {
        self.run(Command::new("EXEC"))
    }

    /// Drops what was queued since [`multi`](Self::multi), and forgets all keys that are watched.
    ///
    /// `DISCARD` · 2.0.0 · O(n) in the queued commands
    fn discard(self) -> Self::Output<()> {
        self.run(Command::new("DISCARD"))
    }

    /// Goes to another logical database, for as long as the session lasts: its connection is closed at the end.
    ///
    /// From here on, what a call such as `BLPOP` has taken is lost if that call is given up: it cannot be put back by
    /// another connection, which is in another database. So it is after every command that sets something that stays.
    ///
    /// `SELECT index` · 1.0.0 · O(1)
    fn select(self, database: u32) -> Self::Output<()> {
        self.run(Command::new("SELECT").arg(database))
    }

    /// Becomes another user. It is refused, as [`ErrorKind::Usage`](crate::ErrorKind::Usage), while replies are due on
    /// this session: some servers lose track of them then.
    ///
    /// `AUTH username password` · 6.0.0 · O(n) in the passwords of the user
    fn auth(self, username: impl Arg, password: impl Arg) -> Self::Output<()> {
        self.run(Command::new("AUTH").arg(username).arg(password))
    }

    /// Makes the connection as it was when it was new: nobody in particular, database 0, RESP2. Refused as
    /// [`auth`](Self::auth) is.
    ///
    /// `RESET` · 6.2.0 · O(1)
    fn reset(self) -> Self::Output<()> {
        self.run(Command::new("RESET"))
    }

    /// Reads from a replica of a cluster, which serves none else.
    ///
    /// `READONLY` · 3.0.0 · O(1)
    fn readonly(self) -> Self::Output<()> {
        self.run(Command::new("READONLY"))
    }

    /// Reads no longer from a replica of a cluster.
    ///
    /// `READWRITE` · 3.0.0 · O(1)
    fn readwrite(self) -> Self::Output<()> {
        self.run(Command::new("READWRITE"))
    }

    /// Names the connection.
    ///
    /// `CLIENT SETNAME connection-name` · 2.6.9 · O(1)
    fn client_setname(self, name: &str) -> Self::Output<()> {
        self.run(Command::new("CLIENT SETNAME").arg(name))
    }

    /// Spares the connection, or no longer, when the server closes some for want of memory.
    ///
    /// `CLIENT NO-EVICT <ON | OFF>` · 7.0.0 · O(1)
    fn client_no_evict(self, on: bool) -> Self::Output<()> {
        self.run(Command::new("CLIENT NO-EVICT").arg(switch(on)))
    }

    /// Leaves the times of last use of keys as they are, or no longer.
    ///
    /// `CLIENT NO-TOUCH <ON | OFF>` · 7.2.0 · O(1)
    fn client_no_touch(self, on: bool) -> Self::Output<()> {
        self.run(Command::new("CLIENT NO-TOUCH").arg(switch(on)))
    }

    /// Has the server note which keys are read here, to tell when they change.
    ///
    /// What it tells goes to the connection of the server's number `redirect`.
    ///
    /// `CLIENT TRACKING ON REDIRECT client-id [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]` · 6.0.0 · O(1)
    fn client_tracking(self, redirect: u64, options: TrackingOptions) -> Self::Output<()> {
        self.run(Command::new("CLIENT TRACKING").arg("ON").arg("REDIRECT").arg(redirect).args(options))
    }

    /// Has the server note no longer which keys are read here.
    ///
    /// `CLIENT TRACKING OFF` · 6.0.0 · O(1)
    fn client_tracking_off(self) -> Self::Output<()> {
        self.run(Command::new("CLIENT TRACKING").arg("OFF"))
    }

    /// Has the keys of the next command noted, or not, under `OPTIN` or `OPTOUT`.
    ///
    /// `CLIENT CACHING <YES | NO>` · 6.0.0 · O(1)
    fn client_caching(self, yes: bool) -> Self::Output<()> {
        self.run(Command::new("CLIENT CACHING").arg(if yes { "YES" } else { "NO" }))
    }
}

impl<R: OnSession> SessionCommands for R {}

const fn switch(on: bool) -> &'static str {
    if on { "ON" } else { "OFF" }
}

/// Which keys are noted by [`client_tracking`](SessionCommands::client_tracking).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Tracked {
    /// All that are read.
    #[default]
    Read,
    /// Those read by commands after [`client_caching`](SessionCommands::client_caching) with `true` (`OPTIN`).
    OptIn,
    /// All that are read, but by commands after [`client_caching`](SessionCommands::client_caching) with `false`
    /// (`OPTOUT`).
    OptOut,
    /// All keys, whether read or not (`BCAST`).
    Broadcast,
}

/// Choices for [`client_tracking`](SessionCommands::client_tracking).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TrackingOptions {
    tracked: Tracked,
    prefixes: alloc::vec::Vec<alloc::vec::Vec<u8>>,
    no_loop: bool,
}

impl TrackingOptions {
    /// All keys that are read.
    pub fn new() -> Self {
        Self::default()
    }

    /// These keys.
    pub const fn tracked(mut self, tracked: Tracked) -> Self {
        self.tracked = tracked;
        self
    }

    /// Of all keys, those that begin with one of these. Given more than once, with all of them
    /// (`BCAST`, `PREFIX`).
    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.tracked = Tracked::Broadcast;
        self.prefixes.push(prefix.as_ref().to_vec());
        self
    }

    /// Tells nothing of changes that this connection makes itself (`NOLOOP`).
    pub const fn no_loop(mut self) -> Self {
        self.no_loop = true;
        self
    }
}

impl Args for TrackingOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        for prefix in &self.prefixes {
            out.arg("PREFIX").arg(prefix.as_slice());
        }
        let word = match self.tracked {
            Tracked::Read => None,
            Tracked::OptIn => Some("OPTIN"),
            Tracked::OptOut => Some("OPTOUT"),
            Tracked::Broadcast => Some("BCAST"),
        };
        out.args(word).args(self.no_loop.then_some("NOLOOP"));
    }
}
