//! RESP from the other side: bytes that a server may send, and how a decoder must take them.
//!
//! - [`cases`]: the table of verdicts, input by input.
//! - [`split`]: decoding in pieces equals decoding whole.
//! - [`mod@write`]: values to bytes, as a server writes them.

pub mod cases;
pub mod split;
pub mod write;
