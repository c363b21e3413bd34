//! The commands of Redis, one trait per family, one method per command.
//!
//! # On a cluster
//!
//! A command goes to the node that serves the slot of its keys. Without keys it goes to some primary, or, where
//! its documentation says so, to several nodes, whose replies become one: the first error is the error of the
//! whole, and then a write may have run at other nodes.
//!
//! ## Keys in several slots
//!
//! `MGET`, `MSET`, `DEL`, `UNLINK`, `EXISTS` and `TOUCH` are sent as one command per slot, all at once, and the
//! caller gets one reply as if nothing had happened: values in the order of the keys, or a sum. What is done
//! in one step elsewhere is done in several here. Other clients can come between them, and when one fails, the
//! others are not undone: the first error is returned, and says of a write that it
//! [may have run](crate::error::Delivery::MaybeExecuted) if one of them has, or may have.
//!
//! Any other command whose keys are in different slots is refused before anything is sent, with
//! [`ErrorKind::CrossSlot`](crate::ErrorKind::CrossSlot). Keys with the same text in braces, such as
//! `{user:1}:name` and `{user:1}:mail`, are in the same slot.
//!
//! # Commands that wait
//!
//! `BLPOP` and its like wait at the server until there is something for them, or until the time is over that they are
//! given. It is sent in whole milliseconds, rounded up. Zero is for ever, and so is all beyond seven weeks.
//!
//! Each such call has a [side connection](crate::config::PoolOptions) while it waits, so that no other call waits
//! behind it. The client's response timeout does not count while the server waits: the call ends at the latest so
//! long after the time that it was given. A timeout that the [call](crate::client::Options::timeout) or the
//! [command](crate::command::Command::timeout) has of its own bounds the whole.
//!
//! A call that is dropped, or whose time is over, is ended at the server. If it has taken something by then, that is
//! put back where it came from: elements at that end of the list, members with their scores. What is promised is that
//! nothing is lost as long as client and server live and can talk to each other:
//!
//! - If a connection breaks just then, what was in it may be lost, or be put back twice.
//! - What the server refuses to take back is lost: the user may not push, or the key holds another type by now.
//! - If the process ends, what it had taken is gone. Where that matters, move elements with
//!   [`blmove`](ListCommands::blmove) instead, and remove them when they are dealt with.
//! - A blocking client moves bytes while calls are made: it puts back with the next call.
//!
//! In a transaction such commands do not wait. A pipeline refuses them.

mod acl;
mod bitmaps;
mod cluster;
mod connection;
mod expiry;
mod fields;
mod functions;
mod geo;
mod hashes;
mod hyperloglog;
mod introspection;
mod keys;
mod latency;
mod lists;
mod modules;
mod monitor;
mod pubsub;
mod replication;
mod scan;
mod scan_iter;
mod scripting;
mod sentinel;
mod server;
mod session;
mod sets;
mod slowlog;
mod sorted_sets;
mod streams;
mod strings;

pub use acl::*;
pub use bitmaps::*;
pub use cluster::*;
pub use connection::*;
pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use functions::*;
pub use geo::*;
pub use hashes::*;
pub use hyperloglog::*;
pub use introspection::*;
pub use keys::*;
pub use latency::*;
pub use lists::*;
pub use modules::*;
pub use monitor::*;
pub use pubsub::*;
pub use replication::*;
pub use scan::*;
pub use scan_iter::*;
pub use scripting::*;
pub use sentinel::*;
pub use server::*;
pub use session::*;
pub use sets::*;
pub use slowlog::*;
pub use sorted_sets::*;
pub use streams::*;
pub use strings::*;

// `client.run(..)` is one call more, and is wanted wherever these are.
pub use crate::command::Run;
