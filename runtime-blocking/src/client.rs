//! The handle that users hold.

use std::future::Future;
use std::io;
use std::ops::Deref;

use redstart_core::client::{Handle, Options, Wait};
use redstart_core::command::{Command, FromReply, Run};
use redstart_core::config::{Deployment, IntoConfig};
use redstart_core::drive::{self, Turn, Waiting};
use redstart_core::error::{ConnectionError, Delivery};
use redstart_core::{Error, ErrorKind, Result};

use crate::net::BlockingNet;
use crate::{Driver, core};

/// A client for blocking code: cheap to clone, shared by threads.
///
/// Calls made at the same time share one connection. While no call is made nothing moves: a connection
/// that is lost is made anew by the next call, unless [`connect_in_background`](Self::connect_in_background)
/// gave the client a thread of its own.
///
/// It dereferences to [`Waiting`], which has the methods besides the commands.
#[derive(Clone, Debug)]
pub struct Client(Waiting<BlockingNet>);

impl Client {
    /// Connects to what a URL or a [`Config`](crate::Config) says.
    ///
    /// # Errors
    /// The configuration cannot be used, or the first attempt to connect fails.
    pub fn connect(config: impl IntoConfig) -> Result<Self> {
        let (client, driver) = new(config)?;
        let client = Self(Waiting::new(client, Turn::new(driver)));
        client.connected()?;
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
        client.connected()?;
        Ok(client)
    }

    /// A client and the driver that it needs, for those who have a thread for it:
    /// [`Driver::run`](drive::Driver::run) needs one of its own.
    ///
    /// # Errors
    /// The configuration cannot be used, or the system has no file descriptor left.
    pub fn with_driver(config: impl IntoConfig) -> Result<(Self, Driver)> {
        let (client, driver) = new(config)?;
        Ok((Self(Waiting::new(client, Turn::new(None))), driver))
    }

    /// A handle to the same connections whose calls go by other options.
    #[must_use]
    pub fn with(&self, options: Options) -> Self {
        Self(self.0.with(options))
    }
}

impl Deref for Client {
    type Target = Waiting<BlockingNet>;

    fn deref(&self) -> &Waiting<BlockingNet> {
        &self.0
    }
}

impl Run for &Client {
    type Output<T: FromReply> = Result<T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Result<T> {
        self.0.run(command)
    }

    fn deployed(&self) -> &Deployment {
        self.0.config().deployed()
    }
}

fn new(config: impl IntoConfig) -> Result<(core::Client, Driver)> {
    let config = config.into_config()?;
    let net = BlockingNet::new(&config).map_err(|error| unavailable(&error))?;
    Ok(drive::Driver::new(config, net, drive::random_seed())?)
}

impl Handle for Client {
    type Outcome<F: Future> = F::Output;

    fn client(&self) -> &core::Client {
        self.0.client()
    }

    fn complete<F: Future>(&self, call: F) -> F::Output {
        self.0.wait(call)
    }
}

impl Wait for Client {
    fn wait<F: Future>(&self, call: F) -> F::Output {
        self.0.wait(call)
    }
}

fn unavailable(error: &io::Error) -> Error {
    Error::new(ErrorKind::Connection(ConnectionError::Other(error.to_string())), Delivery::NotSent)
}
