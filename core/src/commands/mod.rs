//! The commands of Redis, one trait per family, one method per command.

mod bitmaps;
mod cluster;
mod connection;
mod expiry;
mod fields;
mod geo;
mod hashes;
mod hyperloglog;
mod introspection;
mod keys;
mod lists;
mod replication;
mod scan;
mod scan_iter;
mod scripting;
mod sentinel;
mod server;
mod sets;
mod sorted_sets;
mod strings;

pub use bitmaps::*;
pub use cluster::*;
pub use connection::*;
pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use geo::*;
pub use hashes::*;
pub use hyperloglog::*;
pub use introspection::*;
pub use keys::*;
pub use lists::*;
pub use replication::*;
pub use scan::*;
pub use scan_iter::*;
pub use scripting::*;
pub use sentinel::*;
pub use server::*;
pub use sets::*;
pub use sorted_sets::*;
pub use strings::*;

// `client.run(..)` is one call more, and is wanted wherever these are.
pub use crate::command::Run;
