//! A reply of another shape than the type that was asked for.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::server::ServerError;

/// The reply came, whole and legal, but not as what was asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConversionError {
    /// Something else came.
    Unexpected {
        /// What would have fitted.
        expected: Cow<'static, str>,
        /// What came: its kind, and its size where that is what is wrong. Never its value.
        got: String,
    },
    /// One element of the reply is an error of the server.
    Element(Box<ServerError>),
}

impl fmt::Display for ConversionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::Element(error) => write!(f, "an element of the reply is an error: {error}"),
        }
    }
}

impl core::error::Error for ConversionError {}
