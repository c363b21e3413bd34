//! The commands of Redis, one trait per family, one method per command.

mod expiry;
mod scan;
mod strings;

pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use scan::*;
pub use strings::*;
