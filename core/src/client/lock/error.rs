//! Why a lock was not had, or is not held any more.

use core::fmt;

use crate::error::{Delivery, Error, ErrorKind};

/// Why a call of a [`Lock`](super::Lock) failed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LockError {
    /// Others had it for as long as it was waited for.
    TimedOut,
    /// It is held already, by this very value: to be released or extended first.
    AlreadyHeld,
    /// It was never acquired by this value, or was released since.
    NotHeld,
    /// It was held and is not any more: it has expired, was deleted, or was lost with a server whose successor had
    /// not heard of it. Others may have held it since.
    Lost,
    /// A call failed. Whatever was held is held on, until it expires: the call can be repeated.
    Failed(Error),
}

impl LockError {
    /// The error of the call that failed, if it was that.
    #[must_use]
    pub const fn failure(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "timed out waiting for the lock",
            Self::AlreadyHeld => "the lock is held already",
            Self::NotHeld => "the lock is not held",
            Self::Lost => "the lock was lost",
            Self::Failed(error) => return error.fmt(f),
        })
    }
}

impl core::error::Error for LockError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.failure().map(|error| error as _)
    }
}

impl From<Error> for LockError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Without randomness no token can be told from another's.
pub(super) fn no_randomness() -> LockError {
    let reason = "the system has no randomness to make a token of";
    LockError::Failed(Error::new(ErrorKind::Usage(reason), Delivery::NotSent))
}
