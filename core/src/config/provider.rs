//! Credentials that are asked for instead of being written down.
//!
//! ```
//! use core::time::Duration;
//! use redstart_core::config::{Config, Credentials, Endpoint, Token, TokenOptions};
//! use redstart_core::error::CredentialError;
//!
//! // Asked for each new connection.
//! let config = Config::default().credential_provider(|_: &Endpoint| {
//!     let password = std::fs::read_to_string("/run/secrets/redis").map_err(|_| CredentialError::new("no such file"))?;
//!     Ok(Credentials::new("ann", password.trim_end()))
//! });
//!
//! // A token that expires: it is replaced in time, and connections that are there are told the new one.
//! let config = Config::default().token_provider(|| Ok(Token::new("user", fetch(), Duration::from_secs(3600))), TokenOptions::new());
//! # fn fetch() -> String { String::new() }
//! ```

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, ready};
use core::pin::Pin;
use core::time::Duration;

use futures_core::Stream;

use super::{Backoff, Credentials, Endpoint, Secret};
use crate::error::{CredentialError, Error};

/// Something that is asked for and comes later. Whoever drives the client polls it, so it must not block.
pub type Supply<T> = Pin<Box<dyn Future<Output = Result<T, CredentialError>> + Send>>;

/// Credentials as they change.
pub type Renewals = Pin<Box<dyn Stream<Item = Credentials> + Send>>;

/// Knows who to be on the servers. It is asked each time that a connection is made.
///
/// What can tell at once is a closure, `Fn(&Endpoint) -> Result<Credentials, CredentialError>`.
pub trait CredentialProvider: Send + Sync + 'static {
    /// The credentials for a new connection to `node`, within [`connect_timeout`](super::Config::connect_timeout).
    fn credentials(&self, node: &Endpoint) -> Supply<Credentials>;

    /// Credentials that replace those of connections that are there, whenever they come. Asked once for each client.
    ///
    /// A connection is told them when it owes no reply; requests wait for that. New connections are not given them:
    /// [`credentials`](Self::credentials) is asked.
    fn renewals(&self) -> Option<Renewals> {
        None
    }

    /// Is told what went wrong: it had no credentials, or a server refused them.
    fn handle_error(&self, error: &Error) {
        let _ = error;
    }
}

impl<F> CredentialProvider for F
where
    F: Fn(&Endpoint) -> Result<Credentials, CredentialError> + Send + Sync + 'static,
{
    fn credentials(&self, node: &Endpoint) -> Supply<Credentials> {
        Box::pin(ready(self(node)))
    }
}

/// A secret that expires, and whose it is. `Debug` does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The user and the token as a password.
    pub credentials: Credentials,
    /// How long it is taken, from when it was asked for.
    pub life: Duration,
}

impl Token {
    /// A token of this user that is taken for so long from when it was asked for.
    #[must_use]
    pub fn new(username: impl Into<Arc<str>>, token: impl Into<Secret>, life: Duration) -> Self {
        Self { credentials: Credentials::new(username, token), life }
    }
}

/// Knows where to get tokens, such as from an identity provider.
///
/// What can tell at once is a closure, `Fn() -> Result<Token, CredentialError>`.
pub trait TokenProvider: Send + Sync + 'static {
    /// A new token. One is asked for at a time; what takes longer than
    /// [`timeout`](TokenOptions::timeout) is dropped.
    fn token(&self) -> Supply<Token>;

    /// Is told what went wrong: it had no token, or a server refused it.
    fn handle_error(&self, error: &Error) {
        let _ = error;
    }
}

impl<F> TokenProvider for F
where
    F: Fn() -> Result<Token, CredentialError> + Send + Sync + 'static,
{
    fn token(&self) -> Supply<Token> {
        Box::pin(ready(self()))
    }
}

/// When tokens are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenOptions {
    pub(crate) ratio: f64,
    pub(crate) lead: Duration,
    pub(crate) timeout: Duration,
    pub(crate) backoff: Backoff,
}

impl Default for TokenOptions {
    fn default() -> Self {
        Self {
            ratio: 0.75,
            lead: Duration::ZERO,
            timeout: Duration::from_secs(10),
            backoff: Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(30) },
        }
    }
}

impl TokenOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Which part of a token's life passes before the next one is asked for, between 0 and 1. Default 0.75.
    #[must_use]
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// How long before a token expires the next one is asked for at the latest. Default: as
    /// [`ratio`](Self::ratio) says.
    #[must_use]
    pub const fn lead(mut self, lead: Duration) -> Self {
        self.lead = lead;
        self
    }

    /// How long a token may be waited for, until another one is asked for. Default 10 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long to wait after a failure; `base` is also the shortest time between two tokens. Default: from 100 ms to
    /// 30 s.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }
}

/// Who to be, or who knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Login {
    /// Nobody in particular.
    #[default]
    None,
    /// Always the same.
    Fixed(Credentials),
    Provider(Provider),
    Tokens(Tokens, Box<TokenOptions>),
}

impl Login {
    pub(crate) fn provider(provider: impl CredentialProvider) -> Self {
        Self::Provider(Provider(Arc::new(provider)))
    }

    pub(crate) fn tokens(provider: impl TokenProvider, options: TokenOptions) -> Self {
        Self::Tokens(Tokens(Arc::new(provider)), Box::new(options))
    }

    /// Whether there is somebody to be asked.
    pub(crate) const fn is_asked(&self) -> bool {
        matches!(self, Self::Provider(_) | Self::Tokens(..))
    }

    /// Whether tokens are asked for in a way that can work.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Self::Tokens(_, options) => (0.0..=1.0).contains(&options.ratio) && !options.timeout.is_zero(),
            _ => true,
        }
    }

    /// Whether there is anybody to be.
    pub(crate) const fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// What is always the same.
    pub(crate) const fn fixed(&self) -> Option<&Credentials> {
        match self {
            Self::Fixed(credentials) => Some(credentials),
            _ => None,
        }
    }
}

impl From<Option<Credentials>> for Login {
    fn from(credentials: Option<Credentials>) -> Self {
        credentials.map_or(Self::None, Self::Fixed)
    }
}

/// A provider that configurations share. Two are equal if they are the same one.
#[derive(Clone)]
pub(crate) struct Provider(pub(crate) Arc<dyn CredentialProvider>);

/// As [`Provider`].
#[derive(Clone)]
pub(crate) struct Tokens(pub(crate) Arc<dyn TokenProvider>);

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialProvider")
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenProvider")
    }
}
