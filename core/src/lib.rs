//! Redstart core.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod client;
pub mod command;
pub mod commands;
pub mod config;
mod connection;
#[cfg(feature = "std")]
pub mod drive;
pub mod engine;
pub mod error;
pub mod resp;
mod retry;
mod time;
pub mod topology;

#[cfg(feature = "std")]
pub use client::Client;
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use time::Instant;

/// The result of a call that can fail with an [`Error`].
pub type Result<T> = core::result::Result<T, Error>;
