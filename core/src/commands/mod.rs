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
mod replication;
mod scan;
mod scan_iter;
mod scripting;
mod sentinel;
mod server;
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
pub use replication::*;
pub use scan::*;
pub use scan_iter::*;
pub use scripting::*;
pub use sentinel::*;
pub use server::*;
pub use sets::*;
pub use slowlog::*;
pub use sorted_sets::*;
pub use streams::*;
pub use strings::*;

// `client.run(..)` is one call more, and is wanted wherever these are.
pub use crate::command::Run;
