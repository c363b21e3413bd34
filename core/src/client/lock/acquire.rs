//! Taking a lock, once or until it is there.

use alloc::format;
use alloc::string::String;
use core::pin::pin;
use core::time::Duration;

use super::error::no_randomness;
use super::{Claim, Handle, Lock, LockError};
use crate::client::Client;
use crate::client::alarms::{Either, Pause, either, within};
use crate::command::Run;

impl<C: Handle> Lock<C> {
    /// Takes the lock, within the time that is waited for it. What is returned ends when the lock does.
    pub(super) async fn seize(&mut self) -> Result<Pause, LockError> {
        let (token, mut rng) = self.new_token()?;
        let attempts = async {
            loop {
                if let Some(ends) = self.attempt(&token).await? {
                    return Ok(ends);
                }
                let half = self.retry_every / 2;
                let more =
                    Duration::from_nanos(rng.u64(0..=u64::try_from(half.as_nanos()).unwrap_or(u64::MAX)));
                self.client.client().pause(half + more).await;
            }
        };
        let ends = match self.wait {
            Some(wait) => {
                let mut limit = self.client.client().pause(wait);
                within(&mut limit, attempts).await.unwrap_or(Err(LockError::TimedOut))?
            }
            None => attempts.await?,
        };
        self.token = Some(token);
        Ok(ends)
    }

    pub(super) async fn seize_once(&mut self) -> Result<bool, LockError> {
        let (token, _) = self.new_token()?;
        let taken = self.attempt(&token).await?.is_some();
        self.token = taken.then_some(token);
        Ok(taken)
    }

    /// A token that nobody else has, and a source of chance.
    fn new_token(&self) -> Result<(String, fastrand::Rng), LockError> {
        if self.token.is_some() {
            return Err(LockError::AlreadyHeld);
        }
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| no_randomness())?;
        let number = u128::from_le_bytes(random);
        Ok((format!("{number:032x}"), fastrand::Rng::with_seed(number as u64)))
    }

    /// Asks for the lock once. `None`: somebody has it.
    async fn attempt(&self, token: &str) -> Result<Option<Pause>, LockError> {
        let claim = self.claim(token);
        let mut unsure = Unsure { client: self.client.client(), claim: Some(claim) };
        // It begins to end before the server can have heard of it.
        let mut ends = self.client.client().pause(self.ttl);
        let mut call = pin!(self.client.client().run(claim.acquire(self.ttl)));
        match either(&mut call, &mut ends).await {
            Either::First(Ok(taken)) => {
                unsure.claim = None;
                Ok(taken.then_some(ends))
            }
            Either::First(Err(error)) => {
                unsure.claim = unsure.claim.filter(|_| error.may_have_run());
                Err(error.into())
            }
            // An answer that takes longer than the lock lives is none.
            Either::Second(()) => Ok(None),
        }
    }
}

/// A lock that may have been taken, and is given back if that stays so.
struct Unsure<'a> {
    client: &'a Client,
    claim: Option<Claim<'a>>,
}

impl Drop for Unsure<'_> {
    fn drop(&mut self) {
        if let Some(claim) = self.claim {
            self.client.post(claim.release_by_text());
        }
    }
}
