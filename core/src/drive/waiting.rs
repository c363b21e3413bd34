//! A client whose calls wait for their replies, and drive meanwhile.

use alloc::sync::Arc;
use core::fmt;
use core::future::Future;

use super::{Sleep, Subscription, Turn};
use crate::client::{Client, Options};
use crate::command::{Args, Batch, Command, FromReply, Run};
use crate::config::{Config, Deployment};
use crate::engine::ServerInfo;
use crate::error::Error;
use crate::pubsub::KeyChannel;

type Result<T> = core::result::Result<T, Error>;

/// What a client for blocking code has besides the ways to connect. Each call waits for its reply, and moves the
/// bytes of all if nobody else does.
pub struct Waiting<N: Sleep> {
    client: Client,
    turn: Arc<Turn<N>>,
}

impl<N: Sleep> Waiting<N> {
    /// A client whose calls wait at `turn`, which has its driver, or none if that is driven elsewhere.
    #[must_use]
    pub fn new(client: Client, turn: Turn<N>) -> Self {
        Self { client, turn: Arc::new(turn) }
    }

    /// The client whose calls are futures.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for a future of this client.
    pub fn wait<F: Future>(&self, call: F) -> F::Output {
        self.turn.wait(call)
    }

    /// A handle to the same connections whose calls go by other options.
    #[must_use]
    pub fn with(&self, options: Options) -> Self {
        Self { client: self.client.with(options), turn: Arc::clone(&self.turn) }
    }

    /// Sends several commands at once, without waiting between them, and returns their replies in the
    /// same shape. Other callers' commands may run between them.
    ///
    /// # Errors
    /// The first error among the commands. All of them were sent, and those after it may have run:
    /// use [`try_pipeline`](Self::try_pipeline) to see each result.
    pub fn pipeline<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        self.turn.wait(self.client.pipeline(batch))
    }

    /// Sends several commands at once and returns a result for each.
    pub fn try_pipeline<B: Batch>(&self, batch: B) -> B::Results {
        self.turn.wait(self.client.try_pipeline(batch))
    }

    /// Runs several commands as one transaction (`MULTI`, `EXEC`): nobody's commands run between them.
    ///
    /// # Errors
    /// [`ErrorKind::TransactionAborted`](crate::ErrorKind::TransactionAborted) if one was refused before the transaction ran: then none has run.
    /// Otherwise the first error among the commands; the others have run all the same.
    pub fn transaction<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        self.turn.wait(self.client.transaction(batch))
    }

    /// Runs several commands as one transaction and returns a result for each.
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction), but for the errors of single commands.
    pub fn try_transaction<B: Batch>(&self, batch: B) -> Result<B::Results> {
        self.turn.wait(self.client.try_transaction(batch))
    }

    /// Waits until a connection is ready; returns what the server says of itself.
    ///
    /// # Errors
    /// The first attempt failed. The client goes on trying with the next call.
    pub fn connected(&self) -> Result<ServerInfo> {
        self.turn.wait(self.client.connected())
    }

    /// Closes the client for all its handles: new calls fail, those under way may end within the
    /// configured close timeout. Calling it again is harmless.
    pub fn close(&self) {
        self.turn.wait(self.client.close());
    }

    /// What this client was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.client.config()
    }

    /// Subscribes to channels (`SUBSCRIBE`). Returns once the server has confirmed all of them.
    ///
    /// # Errors
    /// As [there](Client::subscribe).
    pub fn subscribe(&self, channels: impl Args) -> Result<Subscription<N>> {
        Subscription::wait_for(&self.turn, self.client.subscribe(channels))
    }

    /// As [`subscribe`](Self::subscribe), to all channels that match a pattern, such as `news.*` (`PSUBSCRIBE`).
    ///
    /// # Errors
    /// As [there](Client::psubscribe).
    pub fn psubscribe(&self, patterns: impl Args) -> Result<Subscription<N>> {
        Subscription::wait_for(&self.turn, self.client.psubscribe(patterns))
    }

    /// As [`subscribe`](Self::subscribe), to sharded channels (`SSUBSCRIBE`, since 7.0).
    ///
    /// # Errors
    /// As [there](Client::ssubscribe).
    pub fn ssubscribe(&self, channels: impl Args) -> Result<Subscription<N>> {
        Subscription::wait_for(&self.turn, self.client.ssubscribe(channels))
    }

    /// Subscribes to notifications of what happens to keys, on every primary of a cluster.
    ///
    /// # Errors
    /// As [there](Client::notifications).
    pub fn notifications(&self, channels: impl IntoIterator<Item = KeyChannel>) -> Result<Subscription<N>> {
        Subscription::wait_for(&self.turn, self.client.notifications(channels))
    }
}

impl<N: Sleep> Run for &Waiting<N> {
    type Output<T: FromReply> = Result<T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Result<T> {
        self.turn.wait(self.client.run(command))
    }

    fn deployed(&self) -> &Deployment {
        self.client.config().deployed()
    }
}

impl<N: Sleep> Clone for Waiting<N> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), turn: Arc::clone(&self.turn) }
    }
}

impl<N: Sleep> fmt::Debug for Waiting<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("client", &self.client).field("turn", &self.turn).finish()
    }
}
