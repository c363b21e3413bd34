//! Holding a lock for as long as some work takes.

use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use super::{Lock, LockError, Wait};
use crate::client::alarms::{Either, Pause, either};
use crate::client::{Client, Options};
use crate::command::Run;
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};

/// A lock is prolonged whenever this part of its life is over ...
const RENEW: u32 = 3;
/// ... and after a failure again when this part is.
const RETRY: u32 = 12;

impl Lock<Client> {
    /// Takes the lock, prolongs it while `work` goes on, and gives it back. Whoever polls this future does all of it:
    /// no task is spawned.
    ///
    /// If the lock is lost, `work` is dropped where it stands. If this future is, the lock stays held by this value.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); [`LockError::Lost`] if it was lost before the end of `work`, be it that somebody
    /// else has it, or that the server could not be asked for as long as it lives.
    pub async fn hold<T>(&mut self, work: impl Future<Output = T>) -> Result<T, LockError> {
        let ends = self.seize().await?;
        let ended = either(&mut pin!(work), &mut pin!(self.keep(ends))).await;
        match ended {
            Either::First(output) => match self.give_back().await {
                Ok(()) | Err(LockError::Failed(_)) => Ok(output),
                Err(error) => Err(error),
            },
            Either::Second(()) => {
                self.forget();
                Err(LockError::Lost)
            }
        }
    }

    /// Prolongs the lock until it is lost.
    async fn keep(&self, mut ends: Pause) {
        let Some(token) = &self.token else { return };
        let mut part = RENEW;
        loop {
            if let Either::First(()) = either(&mut ends, &mut self.client.pause(self.ttl / part)).await {
                return;
            }
            let renewing = async {
                let mut new_end = self.client.pause(self.ttl);
                let mut call = pin!(self.client.run(self.claim(token).renew(self.ttl)));
                let renewed = either(&mut call, &mut new_end).await;
                (renewed, new_end)
            };
            match either(&mut ends, &mut pin!(renewing)).await {
                Either::Second((Either::First(Ok(true)), new_end)) => (ends, part) = (new_end, RENEW),
                Either::Second((Either::First(Err(_)), _)) => part = RETRY,
                _ => return,
            }
        }
    }
}

/// What the work of a blocking [`Lock::hold`] is told of its lock.
#[derive(Debug, Default)]
pub struct Held {
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lost: bool,
    over: bool,
}

impl Held {
    /// Whether the lock was lost: the work should stop.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lock().lost
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of the work, for a while at most; returns whether it came.
    fn wait(&self, time: Duration) -> bool {
        let going_on = |state: &mut State| !state.over;
        let waited = self.over.wait_timeout_while(self.lock(), time, going_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.over
    }
}

/// Work that is over when this is dropped, be it by a panic.
struct Working<'a>(&'a Held);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.over.notify_all();
    }
}

impl<C: Wait> Lock<C> {
    /// Takes the lock, prolongs it while `work` goes on, and gives it back. A second thread, which ends before this
    /// returns, prolongs it.
    ///
    /// `work` cannot be stopped from outside: it should look at [`Held::is_lost`] from time to time.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire); [`LockError::Lost`] if it was lost before the end of `work`, be it that somebody
    /// else has it, or that the server could not be asked for as long as it lives.
    pub fn hold<T>(&mut self, work: impl FnOnce(&Held) -> T) -> Result<T, LockError> {
        self.client.clone().wait(async { self.seize().await.map(drop) })?;
        let held = Held::default();
        let this = &*self;
        let output = thread::scope(|scope| {
            let working = Working(&held);
            let helper = thread::Builder::new().name("redstart lock".into());
            helper.spawn_scoped(scope, || this.keep_waiting(&held)).map_err(|error| unavailable(&error))?;
            let output = work(&held);
            drop(working);
            Ok::<T, Error>(output)
        })?;
        if held.is_lost() {
            self.forget();
            return Err(LockError::Lost);
        }
        match self.client.clone().wait(self.give_back()) {
            Ok(()) | Err(LockError::Failed(_)) => Ok(output),
            Err(error) => Err(error),
        }
    }

    /// Prolongs the lock until it is lost or the work is over; first at once, since it is not known how much is left.
    fn keep_waiting(&self, held: &Held) {
        let Some(token) = &self.token else { return };
        let mut ends = Instant::now() + self.ttl;
        let mut pause = Duration::ZERO;
        while !held.wait(pause) {
            let sent = Instant::now();
            let left = ends.saturating_duration_since(sent);
            let client = self.client.client().with(Options::new().timeout(left));
            match self.client.wait(client.run(self.claim(token).renew(self.ttl))) {
                Ok(true) => (ends, pause) = (sent + self.ttl, self.ttl / RENEW),
                Err(_) if Instant::now() < ends => pause = self.ttl / RETRY,
                _ => {
                    held.lock().lost = true;
                    return;
                }
            }
        }
    }
}

fn unavailable(error: &std::io::Error) -> Error {
    let reason = ConnectionError::Other(alloc::string::ToString::to_string(error));
    Error::new(ErrorKind::Connection(reason), Delivery::NotSent)
}
