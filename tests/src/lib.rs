//! Test kit of Redstart.

pub mod live;
pub mod server;
