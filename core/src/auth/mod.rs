//! Tokens that expire, and when to ask for the next one.

mod tokens;

pub use tokens::{TokenManager, TokenNumber};
