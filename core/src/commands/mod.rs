//! The commands of Redis, one trait per family, one method per command.

mod bitmaps;
mod expiry;
mod geo;
mod hashes;
mod hyperloglog;
mod keys;
mod lists;
mod scan;
mod sets;
mod sorted_sets;
mod strings;

pub use bitmaps::*;
pub use expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
pub use geo::*;
pub use hashes::*;
pub use hyperloglog::*;
pub use keys::*;
pub use lists::*;
pub use scan::*;
pub use sets::*;
pub use sorted_sets::*;
pub use strings::*;
