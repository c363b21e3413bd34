//! The test kit of Redstart.
//!
//! - [`table`]: every command as it goes on the wire.
//! - [`wire`]: the plainest executor, a socket and the decoder, to test what commands reply.

pub mod table;
pub mod wire;
