//! Tokens that expire: who issues them, and which of them a server takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redstart_core::config::Token;
use redstart_core::error::CredentialError;

/// So many tokens are taken, counted from the newest.
const TAKEN: u64 = 3;

/// Who issues tokens. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tokens {
    issued: Arc<AtomicU64>,
    life: Duration,
    /// Every third request is turned away.
    unreliable: bool,
}

impl PartialEq for Tokens {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.issued, &other.issued)
    }
}

impl Eq for Tokens {}

impl Tokens {
    /// Tokens that live for so long.
    #[must_use]
    pub fn new(life: Duration, unreliable: bool) -> Self {
        Self { issued: Arc::default(), life, unreliable }
    }

    /// How many were asked for.
    #[must_use]
    pub fn issued(&self) -> u64 {
        self.issued.load(Ordering::Relaxed)
    }

    /// No token that was issued so far is taken any more.
    pub fn expire(&self) {
        self.issued.fetch_add(TAKEN, Ordering::Relaxed);
    }

    pub(super) fn issue(&self) -> Result<Token, CredentialError> {
        let number = self.issued.fetch_add(1, Ordering::Relaxed) + 1;
        if self.unreliable && number % 3 == 1 {
            return Err(CredentialError::new("not now"));
        }
        Ok(Token::new("user", format!("token {number}"), self.life))
    }

    /// The number of a token that is taken.
    pub(super) fn read(&self, password: &[u8]) -> Option<u64> {
        let number = std::str::from_utf8(password).ok()?.strip_prefix("token ")?.parse().ok()?;
        self.takes(number).then_some(number)
    }

    /// Whether a token is taken still.
    pub(super) fn takes(&self, number: u64) -> bool {
        self.issued() < number + TAKEN
    }
}
