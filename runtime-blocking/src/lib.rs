//! Redstart, a Redis client, for blocking code.
//!
//! ```no_run
//! use redstart_blocking::{Client, commands::*};
//!
//! # fn example() -> redstart_blocking::Result<()> {
//! let client = Client::connect("redis://127.0.0.1/")?;
//! client.set("greeting", "hello")?;
//! let greeting: Option<String> = client.get("greeting")?;
//! # Ok(())
//! # }
//! ```
//!
//! No runtime and no thread work behind it. A [`Client`] is shared by threads, and those that wait for a reply move the
//! bytes: one of them sleeps until something comes for any, and others go their way beside it without waking it, as
//! long as they are few. A thread that is alone makes one write and one read per command. Since nothing moves while no
//! call is made, the memory that a burst of calls has taken is given back by the first call two seconds later, not
//! before. What can be done with a client is said in [`redstart_core`].

mod client;
mod net;
mod selector;
mod socket;

pub use client::Client;
pub use net::{BlockingNet, Connecting};
pub use redstart_core as core;
pub use redstart_core::client::Options;
pub use redstart_core::{Config, Error, ErrorKind, Result, command, commands, config, error, lock, pubsub};
pub use selector::{Poller, Selector};
pub use socket::{BlockingSocket, Loan};

/// Messages from channels and patterns.
pub type Subscription = redstart_core::drive::Subscription<BlockingNet>;

/// The loop between a client and its sockets, for those who drive it themselves.
pub type Driver = redstart_core::drive::Driver<BlockingNet>;
