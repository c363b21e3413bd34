//! That there are no credentials.

use alloc::string::String;
use core::fmt;

/// Why there are no credentials, in the words of who was asked.
///
/// The words are shown and logged: they must not hold what is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialError(String);

impl CredentialError {
    /// An error for this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no credentials: {}", self.0.escape_default())
    }
}

impl core::error::Error for CredentialError {}
