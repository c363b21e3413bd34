//! Locks that many processes share: one at a time has a lock, for a while that it can prolong.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use redstart_core::client::lock::{LockError, Locks};
//!
//! # async fn example(client: redstart_core::Client) -> Result<(), LockError> {
//! let mut lock = client.lock("report:lock", Duration::from_secs(10));
//! // Waits for it, prolongs it for as long as the work takes, gives it back.
//! let pages = lock.hold(async { write_report().await }).await?;
//! # Ok(())
//! # }
//! # async fn write_report() -> u32 { 7 }
//! ```
//!
//! A lock is a key with a random token that expires. Every step is a script that looks at the token first, so none
//! touches a lock that somebody else has by now. It works on one server, behind sentinels, and on a cluster, where it
//! lives at the node that serves its key.
//!
//! # What it does not promise
//!
//! - **Over a failover.** Replicas hear of a lock after its holder was told that it has it. If the primary fails in
//!   between, its successor does not know the lock and gives it to another: two hold it. `WAIT` makes that rarer, not
//!   impossible.
//! - **Over a pause.** A process that stands still for longer than the time to live, be it frozen or swapped out,
//!   loses the lock without noticing before it goes on.
//!
//! So a lock saves work from being done twice; it is no proof that it was not. Where doing it twice does harm, let the
//! resource itself refuse who is late (*fencing*): have each holder draw a number from a counter (`INCR`) right after it
//! has the lock, send it along with every write, and let the resource refuse numbers below the highest that it saw.

mod acquire;
mod commands;
mod error;
mod hold;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::time::Duration;

pub use error::LockError;
pub use hold::Held;

use self::commands::Claim;
use super::{Handle, Wait};
use crate::command::{Arg, Command, FromReply, Run};
use crate::error::Error;

/// Makes locks, on clients of every runtime.
pub trait Locks: Handle {
    /// A lock that is kept in `key` and expires `ttl` after it was acquired or prolonged. Nothing is sent yet.
    ///
    /// All who compete for it must use the same key. A time to live below a few round trips to the server leaves no
    /// time to prolong it; below a millisecond, the server refuses it.
    fn lock(&self, key: impl Arg, ttl: Duration) -> Lock<Self> {
        let scratch = Command::<()>::new("").arg(key);
        let key = scratch.packed().args().last().unwrap_or_default().into_owned();
        Lock {
            key,
            ttl,
            wait: self.client().config().response_timeout,
            retry_every: Duration::from_millis(100),
            client: self.clone(),
            token: None,
            may_be_released: false,
        }
    }
}

impl<C: Handle> Locks for C {}

/// A lock, from [`Locks::lock`]. See the [module](self) for what it promises and what not.
///
/// Its methods are futures on async clients; on blocking ones they wait.
///
/// Dropping it gives it back without waiting, if it is held; where that fails it expires by itself. A call that is
/// dropped leaves nothing behind: a lock that it may have taken is given back.
pub struct Lock<C: Handle> {
    client: C,
    key: Vec<u8>,
    ttl: Duration,
    wait: Option<Duration>,
    retry_every: Duration,
    /// Of who has it, while this value does.
    token: Option<String>,
    /// It was given back, and no answer came.
    may_be_released: bool,
}

impl<C: Handle> Lock<C> {
    /// How long [`acquire`](Self::acquire) waits while others have it; `None` waits for ever. Default: the client's
    /// response timeout. Each of the calls that it makes has the client's response timeout besides.
    #[must_use]
    pub fn wait_at_most(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.wait = time.into();
        self
    }

    /// How often it is asked for while others have it: each pause is a random time between half of this and all of
    /// it. Default 100 ms.
    #[must_use]
    pub fn retry_every(mut self, interval: Duration) -> Self {
        self.retry_every = interval;
        self
    }

    /// Takes the lock, and waits for it while others have it.
    ///
    /// # Errors
    /// [`LockError::TimedOut`] if others have it for too long, [`LockError::AlreadyHeld`] if this value has it.
    pub fn acquire(&mut self) -> C::Outcome<impl Future<Output = Result<(), LockError>>> {
        let client = self.client.clone();
        client.complete(async { self.seize().await.map(drop) })
    }

    /// Takes the lock if nobody has it; returns whether it did.
    ///
    /// # Errors
    /// [`LockError::AlreadyHeld`] if this value has it.
    pub fn try_acquire(&mut self) -> C::Outcome<impl Future<Output = Result<bool, LockError>>> {
        let client = self.client.clone();
        client.complete(async { self.seize_once().await })
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// [`LockError::Lost`] if it had expired or was somebody else's. After [`LockError::Failed`] it is held on and
    /// can be released again, even if the first call has done it after all.
    pub fn release(&mut self) -> C::Outcome<impl Future<Output = Result<(), LockError>>> {
        let client = self.client.clone();
        client.complete(async { self.give_back().await })
    }

    /// Has it expire later, by this much.
    ///
    /// # Errors
    /// [`LockError::Lost`] if it had expired or is somebody else's.
    pub fn extend(&mut self, by: Duration) -> C::Outcome<impl Future<Output = Result<(), LockError>>> {
        let client = self.client.clone();
        client.complete(async move { self.change(|claim| claim.extend(by)).await })
    }

    /// Has it expire this much from now, be that later or earlier than before.
    ///
    /// # Errors
    /// As [`extend`](Self::extend).
    pub fn extend_to(&mut self, ttl: Duration) -> C::Outcome<impl Future<Output = Result<(), LockError>>> {
        let client = self.client.clone();
        client.complete(async move { self.change(|claim| claim.renew(ttl)).await })
    }

    /// Has it expire as late as if it was acquired now.
    ///
    /// # Errors
    /// As [`extend`](Self::extend).
    pub fn reacquire(&mut self) -> C::Outcome<impl Future<Output = Result<(), LockError>>> {
        self.extend_to(self.ttl)
    }

    /// Asks whether this value has the lock.
    ///
    /// # Errors
    /// As any call.
    pub fn owned(&self) -> C::Outcome<impl Future<Output = Result<bool, Error>>> {
        self.client.complete(async {
            let holder = self.run(self.claim("").holder()).await?;
            Ok(self.token.is_some() && holder == self.token)
        })
    }

    /// Asks whether anybody has the lock.
    ///
    /// # Errors
    /// As any call.
    pub fn locked(&self) -> C::Outcome<impl Future<Output = Result<bool, Error>>> {
        self.client.complete(async { Ok(self.run(self.claim("").holder()).await?.is_some()) })
    }

    /// Whether this value took the lock and has not given it back. It may have expired since:
    /// [`owned`](Self::owned) asks the server.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.token.is_some()
    }

    /// Leaves the lock as it is, to expire by itself.
    pub fn leave(mut self) {
        self.token = None;
    }

    fn claim<'a>(&'a self, token: &'a str) -> Claim<'a> {
        Claim { key: &self.key, token }
    }

    async fn run<T: FromReply>(&self, command: Command<T>) -> Result<T, Error> {
        self.client.client().run(command).await
    }

    async fn give_back(&mut self) -> Result<(), LockError> {
        let token = self.token.as_deref().ok_or(LockError::NotHeld)?;
        let release = self.claim(token).release();
        // Unless an answer says otherwise, and none comes if this is dropped.
        let was_unsure = core::mem::replace(&mut self.may_be_released, true);
        let released = self.run(release).await.inspect_err(|error| {
            self.may_be_released = was_unsure || error.may_have_run();
        })?;
        self.forget();
        if released || was_unsure { Ok(()) } else { Err(LockError::Lost) }
    }

    /// Changes when it expires.
    async fn change(&mut self, command: impl FnOnce(Claim<'_>) -> Command<bool>) -> Result<(), LockError> {
        let token = self.token.as_deref().ok_or(LockError::NotHeld)?;
        if self.run(command(self.claim(token))).await? {
            return Ok(());
        }
        self.forget();
        Err(LockError::Lost)
    }

    /// It is not held any more.
    fn forget(&mut self) {
        self.token = None;
        self.may_be_released = false;
    }
}

impl<C: Handle> Drop for Lock<C> {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            self.client.client().post(self.claim(token).release_by_text());
        }
    }
}

impl<C: Handle> fmt::Debug for Lock<C> {
    /// Shows neither key nor token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("ttl", &self.ttl).field("held", &self.is_held()).finish_non_exhaustive()
    }
}
