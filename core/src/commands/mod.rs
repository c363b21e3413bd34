//! The commands of Redis, one trait per family, one method per command.

mod strings;

pub use strings::*;
