//! The commands of Redis, one trait per family, one method per command.

mod bitmaps;
mod connection;
mod expiry;
mod hashes;
mod hyperloglog;
mod introspection;
mod keys;
mod scan;
mod scripting;
mod server;
mod strings;

pub use bitmaps::*;
pub use connection::*;
pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use hashes::*;
pub use hyperloglog::*;
pub use introspection::*;
pub use keys::*;
pub use scan::*;
pub use scripting::*;
pub use server::*;
pub use strings::*;
