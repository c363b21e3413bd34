//! The commands of Redis, one trait per family, one method per command.

mod scan;
mod strings;

pub use scan::*;
pub use strings::*;
