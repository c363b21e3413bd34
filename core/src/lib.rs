//! The machines of Redstart, a Redis client, and everything else that needs no runtime.
//!
//! A program that wants a client takes one of the adapters, `redstart-tokio`, `redstart-async-std` or
//! `redstart-blocking`, and finds all of this re-exported there: [`commands`] says what can be called,
//! [`Config`] what can be set, [`Error`] what can go wrong. This page is for those who read or embed the
//! machines.
//!
//! # What it is
//!
//! Every decision of the client is made by state machines: how a command is written, where it goes, which
//! reply is whose, what is sent again, what has taken too long. They are plain values, changed through
//! `&mut self` by one owner. Bytes go in, bytes and events come out.
//!
//! # What it refuses to do
//!
//! Except for [`client`] and [`drive`], which have a lock and wakers to join tasks to machines:
//!
//! - No I/O: it opens no socket, starts no thread, spawns no task. Without the feature `std`, which is on
//!   by default, it builds with `alloc` alone: that build is the proof.
//! - No clock: time is an [`Instant`] in every call.
//! - No chance: the one source of randomness is a seed. The same inputs give the same outputs.
//! - No callbacks: a machine never calls its owner, and has no waker to wake.
//! - No unsafe code, no recursion whose depth a peer chooses, no queue or buffer without a named limit.
//!
//! # Map
//!
//! A module imports only from those below it, so it can be read knowing no more than these.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`guide`] | a guide by subjects, for users; needs `std` |
//! | [`drive`] | the loop between the engine and a runtime's sockets, and what a runtime lends it; needs `std` |
//! | [`client`] | the handle that users hold, and the lock where handles and driver meet; needs `std` |
//! | [`engine`] | the client as one machine: requests in, connections made, replies out |
//! | [`pubsub`] | what users want to hear of, what servers have confirmed, messages on their way |
//! | `topology`, `retry` | which node a request goes to; what a refusal means and how long to wait |
//! | [`auth`] | tokens that expire, and when to ask for the next one |
//! | `connection` | one socket's conversation: handshake, replies in the order of requests, health |
//! | [`commands`] | the commands of Redis, a trait per family |
//! | [`command`] | commands as values: arguments, keys, flags, and the type of the reply |
//! | [`config`] | settings, from setters or a URL |
//! | [`error`] | what went wrong, and what became of the command |
//! | [`resp`] | frames on the wire, RESP2 and RESP3 |
//! | `time`, `seldom` | [`Instant`]; parts that most clients never use |
//!
//! # Driving
//!
//! Every machine has the same four kinds of method: `handle_*` takes an input, `poll_*` hands an output
//! out, `poll_timeout` says when to come back if nothing happens, and plain verbs are for the application.
//!
//! **After one input, drain every output before the next.** Debug builds assert it.
//!
//! [`drive::Driver`] is the loop that the adapters share. A complete one over a plain socket is the
//! example `by_hand`:
//!
//! ```no_run
#![doc = include_str!("../examples/by_hand.rs")]
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod auth;
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
#[cfg(feature = "std")]
pub mod guide;
pub mod pubsub;
pub mod resp;
mod retry;
mod seldom;
mod time;
pub mod topology;

#[cfg(feature = "std")]
pub use client::{Client, lock};
pub use config::Config;
pub use error::{Error, ErrorKind};
pub use time::Instant;

/// The result of a call that can fail with an [`Error`].
pub type Result<T> = core::result::Result<T, Error>;
