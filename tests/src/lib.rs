//! The test kit of Redstart.
//!
//! - [`resp`]: bytes that a server may send, and how they must be taken.
//! - [`table`]: every command as it goes on the wire.
//! - [`wire`]: the plainest executor, a socket and the decoder, to test what commands reply.

pub mod resp;
pub mod table;
pub mod wire;
