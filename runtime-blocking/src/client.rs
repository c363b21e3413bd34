//! The handle that users hold.

use std::future::Future;
use std::io;
use std::sync::Arc;

use redstart_core::client::{Handle, Options, Wait};
use redstart_core::command::{Batch, Command, FromReply, Run};
use redstart_core::config::{Deployment, IntoConfig};
use redstart_core::drive::{self, Turn};
use redstart_core::error::{ConnectionError, Delivery};
use redstart_core::{Config, Error, ErrorKind, Result, engine::ServerInfo};

use crate::net::BlockingNet;
use crate::{Driver, core};

/// A client for blocking code: cheap to clone, shared by threads.
///
/// Calls made at the same time share one connection. While no call is made nothing moves: a connection
/// that is lost is made anew by the next call, unless [`connect_in_background`](Self::connect_in_background)
/// gave the client a thread of its own.
#[derive(Clone, Debug)]
pub struct Client {
    core: core::Client,
    turn: Arc<Turn<BlockingNet>>,
}

impl Client {
    /// Connects to what a URL or a [`Config`] says.
    ///
    /// # Errors
    /// The configuration cannot be used, or the first attempt to connect fails.
    pub fn connect(config: impl IntoConfig) -> Result<Self> {
        let (client, driver) = Self::with_driver(config)?;
        let client = Self { turn: Arc::new(Turn::new(driver)), ..client };
        client.turn.wait(client.core.connected())?;
        Ok(client)
    }

    /// As [`connect`](Self::connect), with a thread that moves the bytes, also while no call is made. It
    /// ends when the last clone is dropped.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); or the thread cannot be started.
    pub fn connect_in_background(config: impl IntoConfig) -> Result<Self> {
        let (client, driver) = Self::with_driver(config)?;
        let thread = std::thread::Builder::new().name("redstart".into());
        thread.spawn(|| driver.run()).map_err(|error| unavailable(&error))?;
        client.turn.wait(client.core.connected())?;
        Ok(client)
    }

    /// A client and the driver that it needs, for those who have a thread for it:
    /// [`Driver::run`](drive::Driver::run) needs one of its own.
    ///
    /// # Errors
    /// The configuration cannot be used, or the system has no file descriptor left.
    pub fn with_driver(config: impl IntoConfig) -> Result<(Self, Driver)> {
        let config = config.into_config()?;
        let net = BlockingNet::new(&config).map_err(|error| unavailable(&error))?;
        let (core, driver) = drive::Driver::new(config, net, drive::random_seed())?;
        Ok((Self { core, turn: Arc::new(Turn::new(None)) }, driver))
    }

    /// A handle to the same connections whose calls go by other options.
    #[must_use]
    pub fn with(&self, options: Options) -> Self {
        Self { core: self.core.with(options), turn: Arc::clone(&self.turn) }
    }

    /// Sends several commands at once, without waiting between them, and returns their replies in the
    /// same shape. Other callers' commands may run between them.
    ///
    /// # Errors
    /// The first error among the commands. All of them were sent, and those after it may have run:
    /// use [`try_pipeline`](Self::try_pipeline) to see each result.
    pub fn pipeline<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        self.turn.wait(self.core.pipeline(batch))
    }

    /// Sends several commands at once and returns a result for each.
    pub fn try_pipeline<B: Batch>(&self, batch: B) -> B::Results {
        self.turn.wait(self.core.try_pipeline(batch))
    }

    /// Runs several commands as one transaction (`MULTI`, `EXEC`): nobody's commands run between them.
    ///
    /// # Errors
    /// [`ErrorKind::TransactionAborted`] if one was refused before the transaction ran: then none has run.
    /// Otherwise the first error among the commands; the others have run all the same.
    pub fn transaction<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        self.turn.wait(self.core.transaction(batch))
    }

    /// Runs several commands as one transaction and returns a result for each.
    ///
    /// # Errors
    /// As [`transaction`](Self::transaction), but for the errors of single commands.
    pub fn try_transaction<B: Batch>(&self, batch: B) -> Result<B::Results> {
        self.turn.wait(self.core.try_transaction(batch))
    }

    /// Waits until a connection is ready; returns what the server says of itself.
    ///
    /// # Errors
    /// The first attempt failed. The client goes on trying with the next call.
    pub fn connected(&self) -> Result<ServerInfo> {
        self.turn.wait(self.core.connected())
    }

    /// Closes the client for all its handles: new calls fail, those under way may end within the
    /// configured close timeout. Calling it again is harmless.
    pub fn close(&self) {
        self.turn.wait(self.core.close());
    }

    /// What this client was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.core.config()
    }
}

impl Run for &Client {
    type Output<T: FromReply> = Result<T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Result<T> {
        self.turn.wait(self.core.run(command))
    }

    fn deployed(&self) -> &Deployment {
        self.core.config().deployed()
    }
}

impl Handle for Client {
    type Outcome<F: Future> = F::Output;

    fn client(&self) -> &core::Client {
        &self.core
    }

    fn complete<F: Future>(&self, call: F) -> F::Output {
        self.turn.wait(call)
    }
}

impl Wait for Client {
    fn wait<F: Future>(&self, call: F) -> F::Output {
        self.turn.wait(call)
    }
}

fn unavailable(error: &io::Error) -> Error {
    Error::new(ErrorKind::Connection(ConnectionError::Other(error.to_string())), Delivery::NotSent)
}
