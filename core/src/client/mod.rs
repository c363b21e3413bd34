//! The handle that users hold.
//!
//! A [`Client`] belongs to no runtime: it leaves requests for its driver and waits for what comes back.
//! Clones share one driver; when the last is dropped, the driver ends.
//!
//! ```
//! use std::time::Duration;
//!
//! use redstart_core::client::{Client, Options};
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::*;
//!
//! async fn example(client: &Client) -> redstart_core::Result<()> {
//!     client.set("name", "redstart").await?;
//!     // A batch is a tuple, an array or a vector of commands; its replies have the same shape.
//!     let (name, hits) = client.pipeline((p.get::<String>("name"), p.incr("hits"))).await?;
//!     let (a, b) = client.transaction((p.incr("a"), p.decr("b"))).await?;
//!     // A result for each, where one may fail and the others still count.
//!     let (wrong, right) = client.try_pipeline((p.incr("name"), p.incr("hits"))).await;
//!     assert!(wrong.is_err() && right.is_ok());
//!     // Some calls by other options, on the same connection.
//!     let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
//!     let name: Option<String> = hasty.get("name").await?;
//!     Ok(())
//! }
//! ```

mod alarms;
mod handle;
mod inbox;
mod leased;
pub mod lock;
mod mailbox;
mod misuse;
pub mod monitor;
mod optimistic;
mod post;
mod queue;
mod reply;
pub mod session;
mod slots;
mod subscription;
#[cfg(test)]
mod tests;
mod wall_clock;

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

pub use handle::{Handle, Wait};
pub use leased::SilentReply;
use mailbox::Status;
pub(crate) use mailbox::{Inbox, Mailbox};
pub(crate) use post::Post;
pub use reply::{PipelineReply, Reply, TransactionReply};
pub use subscription::{NoEvent, Subscription};

use crate::command::{Batch, Command, FromReply, Run};
use crate::config::{Config, Deployment, ReadFrom};
use crate::connection::{ConnId, ServerInfo};
use crate::engine::Patience;
use crate::error::{Delivery, Error, ErrorKind};
use crate::time::Instant;

/// What [`Client::with`] can change for the calls of one handle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    patience: Patience,
    read_from: Option<ReadFrom>,
    /// The calls are those of the session that has this connection.
    session: Option<ConnId>,
}

impl Options {
    /// As the client is configured.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every call ends within `timeout`, whatever the client's response timeout, unless its command has a
    /// [timeout of its own](Command::timeout).
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.patience = Patience::Within(timeout);
        self
    }

    /// Reads go to these nodes of a cluster, whatever the client's [`read_from`](Config::read_from).
    #[must_use]
    pub const fn read_from(mut self, read_from: ReadFrom) -> Self {
        self.read_from = Some(read_from);
        self
    }

    /// The same options for a call that has a timeout of its own, perhaps.
    const fn within(mut self, timeout: Option<Duration>) -> Self {
        if let Some(timeout) = timeout {
            self.patience = Patience::Within(timeout);
        }
        self
    }

    /// The same options for the calls of a session.
    const fn in_session(mut self, conn: ConnId) -> Self {
        self.session = Some(conn);
        self
    }

    /// The same options for calls that have to end by then.
    const fn until(mut self, deadline: Instant) -> Self {
        self.patience = Patience::Until(deadline);
        self
    }

    /// The same options for a call whose command spends up to `wait` at the server.
    const fn beyond(mut self, wait: Duration) -> Self {
        if matches!(self.patience, Patience::Default) {
            let is_endless = wait.as_nanos() == Duration::MAX.as_nanos();
            self.patience = if is_endless { Patience::Unbounded } else { Patience::Beyond(wait) };
        }
        self
    }

    /// Calls wait for as long as it takes, unless their commands have a timeout of their own.
    #[must_use]
    pub const fn no_timeout(mut self) -> Self {
        self.patience = Patience::Unbounded;
        self
    }
}

/// A handle to the server or servers: cheap to clone, shared by tasks and threads.
///
/// All methods take `&self`. Calls made at the same time share one connection and are answered in the
/// order in which they were sent. See [`commands`](crate::commands) for what can be called.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    options: Options,
}

/// Ends the driver with the last handle.
struct Shared(Arc<Mailbox>);

impl Drop for Shared {
    fn drop(&mut self) {
        self.0.close(self.0.config().close_timeout);
    }
}

impl Client {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { shared: Arc::new(Shared(mailbox)), options: Options::default() }
    }

    fn mailbox(&self) -> &Mailbox {
        &self.shared.0
    }

    /// A handle to the same connections whose calls go by other options.
    #[must_use]
    pub fn with(&self, options: Options) -> Self {
        Self { shared: Arc::clone(&self.shared), options }
    }

    /// Sends several commands at once, without waiting between them, and returns their replies in the
    /// same shape. Other callers' commands may run between them. They run in their order, except that one
    /// which the server turns away for a while (`LOADING`, say) is sent again when the others may have run.
    ///
    /// On a cluster each command goes to its own node, and those for one node run in their order. It says
    /// nothing of commands for different nodes, nor of reads that go [to replicas](Options::read_from).
    ///
    /// # Errors
    /// The first error among the commands. Those after it may have run:
    /// use [`try_pipeline`](Self::try_pipeline) to see each result. [`ErrorKind::CrossSlot`] if the keys of a
    /// command are in slots of a cluster that [do not go together](crate::commands#keys-in-several-slots): then
    /// nothing was sent, and it names that command.
    pub async fn pipeline<B: Batch>(&self, batch: B) -> Result<B::Replies, Error> {
        self.try_pipeline(batch).replies().await
    }

    /// Sends several commands at once and returns a result for each, in the same shape.
    pub fn try_pipeline<B: Batch>(&self, batch: B) -> PipelineReply<'_, B> {
        PipelineReply::new(self.mailbox(), self.options, batch)
    }

    /// Runs several commands as one transaction (`MULTI`, `EXEC`): nobody's commands run between them.
    ///
    /// On a cluster all keys must be in one slot, and all commands run at the node that serves it, those too that
    /// go to several nodes elsewhere.
    ///
    /// # Errors
    /// [`ErrorKind::CrossSlot`] if keys are in different slots of a cluster: then nothing was sent.
    /// [`ErrorKind::TransactionAborted`] if one was refused before the transaction ran: then none has run.
    /// Otherwise the first error among the commands; the others have run all the same, since Redis does
    /// not undo.
    pub async fn transaction<B: Batch>(&self, batch: B) -> Result<B::Replies, Error> {
        B::replies(self.try_transaction(batch).await?)
    }

    /// Runs several commands as one transaction and returns a result for each.
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction), but for the errors of single commands.
    pub fn try_transaction<B: Batch>(&self, batch: B) -> TransactionReply<'_, B> {
        TransactionReply::new(self.mailbox(), self.options, batch)
    }

    /// Waits until a connection is ready, or was; returns what the server said of itself.
    ///
    /// # Errors
    /// No attempt has succeeded yet, and the last one failed for this reason, the network's or the server's.
    /// The client goes on trying, and calls may be made meanwhile: they wait, within their deadlines.
    pub async fn connected(&self) -> Result<ServerInfo, Error> {
        let verdict = |status: &Status| match status {
            Status::Connecting => Poll::Pending,
            Status::Connected(info) => Poll::Ready(Ok(info.clone())),
            Status::Failed(error) => Poll::Ready(Err(error.clone())),
            Status::Closed => Poll::Ready(Err(Error::new(ErrorKind::Closed, Delivery::NotSent))),
        };
        poll_fn(|cx| self.mailbox().poll_status(cx.waker(), verdict)).await
    }

    /// Closes the client for all its handles: new calls fail, those under way may end within the
    /// configured close timeout. Returns when all is closed; calling it again is harmless.
    pub async fn close(&self) {
        self.mailbox().close(self.mailbox().config().close_timeout);
        let verdict = |status: &Status| match status {
            Status::Closed => Poll::Ready(()),
            _ => Poll::Pending,
        };
        poll_fn(|cx| self.mailbox().poll_status(cx.waker(), verdict)).await;
    }

    /// Sends a command, if there is room for it, and does not wait for the reply.
    fn post<T>(&self, command: Command<T>) {
        self.mailbox().post(command.packed(), self.options);
    }

    /// What this client was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.mailbox().config()
    }
}

impl<'a> Run for &'a Client {
    type Output<T: FromReply> = Reply<'a, T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Reply<'a, T> {
        Reply::new(self.mailbox(), self.options, command)
    }

    fn deployed(&self) -> &Deployment {
        self.config().deployed()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", self.config()).field("options", &self.options).finish()
    }
}
