//! What must not be seen.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// A string that is never shown: `Debug` and `Display` write `***`, whatever it holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// The string itself. Where it goes from here is the caller's care.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Who to be on the server. `Debug` shows the user's name, never the password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The user. `None` is the user `default`, which is all that servers before 6.0 know.
    pub username: Option<Arc<str>>,
    /// The password; empty for a user who needs none.
    pub password: Secret,
}

impl Credentials {
    /// A user of the server's access control list. Since 6.0.
    #[must_use]
    pub fn new(username: impl Into<Arc<str>>, password: impl Into<Secret>) -> Self {
        Self { username: Some(username.into()), password: password.into() }
    }

    /// The password alone (`requirepass`), for the user `default`.
    #[must_use]
    pub fn password(password: impl Into<Secret>) -> Self {
        Self { username: None, password: password.into() }
    }
}
