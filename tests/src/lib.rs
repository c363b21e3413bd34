//! Test kit of Redstart.

pub mod server;
