//! What an operation of Redstart costs, counted where counting does not depend on the machine: instructions
//! under callgrind, allocations, and calls of a socket that is in memory.
//!
//! - [`net`]: servers in memory.
//! - [`world`]: a client, its driver and such servers on one thread.
//! - [`cases`]: what is measured.
//! - [`measure`]: how it is done.
//! - [`baseline`]: what it was when it was last agreed to.
//! - [`replies`]: bytes that a server might send.

pub mod baseline;
pub mod cases;
pub mod measure;
pub mod net;
pub mod replies;
mod tasks;
pub mod world;
