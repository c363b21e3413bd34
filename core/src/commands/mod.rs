//! The commands of Redis, one trait per family, one method per command.

mod expiry;
mod keys;
mod scan;
mod strings;

pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use keys::*;
pub use scan::*;
pub use strings::*;
