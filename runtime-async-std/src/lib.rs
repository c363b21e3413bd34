//! Redstart, a Redis client, on async-std.
//!
//! **async-std is discontinued.** This crate is for programs that still run on it, and is kept the
//! thinnest of the adapters. New programs should choose `redstart-tokio` or `redstart-blocking`.
//!
//! ```no_run
//! use redstart_async_std::{Client, commands::*};
//!
//! # async fn example() -> redstart_async_std::Result<()> {
//! let client = Client::connect("redis://127.0.0.1/").await?;
//! client.set("greeting", "hello").await?;
//! let greeting: Option<String> = client.get("greeting").await?;
//! # Ok(())
//! # }
//! ```
//!
//! This crate gives [`redstart_core`] sockets and a clock, and nothing else. What can be done with a
//! client is said there: [`Client`](core::Client) for the handle, [`commands`] for the commands.
//!
//! Smol and other runtimes that share async-std's reactor are served too: spawn the driver of
//! [`Client::with_driver`] on any executor. [`AsyncStdSocket`] takes any stream of the `futures-io` traits,
//! for those who bring sockets of their own.

mod net;

use std::ops::Deref;

pub use net::{AsyncStdNet, AsyncStdSocket};
pub use redstart_core as core;
pub use redstart_core::client::{Options, Subscription};
pub use redstart_core::{Config, Error, ErrorKind, Result, command, commands, config, error, lock, pubsub};

use redstart_core::client::Reply;
use redstart_core::command::{Command, FromReply, Run};
use redstart_core::config::{Deployment, IntoConfig};
use redstart_core::drive;

/// The loop between a client and its sockets, as a future to be polled by any executor.
pub type Driver = drive::Driver<AsyncStdNet>;

/// A client whose driver is a task of async-std.
///
/// It dereferences to the [client of core](core::Client), which has the methods besides the commands.
#[derive(Clone, Debug)]
pub struct Client(core::Client);

impl Client {
    /// Connects to what a URL or a [`Config`] says, and spawns the driver on async-std's executor.
    ///
    /// The connection is made anew whenever it is lost. The driver ends when the last clone is dropped.
    ///
    /// # Errors
    /// The configuration cannot be used, or the first attempt to connect fails.
    pub async fn connect(config: impl IntoConfig) -> Result<Self> {
        let (client, driver) = Self::with_driver(config)?;
        async_std::task::spawn(driver);
        client.connected().await?;
        Ok(client)
    }

    /// A client and the driver that it needs, for those who spawn their tasks themselves. Nothing happens
    /// until the driver is polled.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn with_driver(config: impl IntoConfig) -> Result<(Self, Driver)> {
        let config = config.into_config()?;
        let net = AsyncStdNet::new(config.probes_after());
        let (client, driver) = drive::Driver::new(config, net, drive::random_seed())?;
        Ok((Self(client), driver))
    }
}

impl Deref for Client {
    type Target = core::Client;

    fn deref(&self) -> &core::Client {
        &self.0
    }
}

impl<'a> Run for &'a Client {
    type Output<T: FromReply> = Reply<'a, T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Reply<'a, T> {
        self.0.run(command)
    }

    fn deployed(&self) -> &Deployment {
        self.0.config().deployed()
    }
}
