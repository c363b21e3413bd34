//! Driving by those who wait, for runtimes without tasks: whose turn it is to move the bytes.
//!
//! ```text
//! my reply is not there --> is the driver free? -- yes --> drive until it is there, then hand over
//!        ^                                      `- no ---> sleep until it is there, or the driver is free
//!        `--------------------------------------------------'
//! ```
//!
//! Whoever returns while the driver is free wakes one of those who sleep, so as long as anybody waits,
//! somebody drives.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, Thread};

use super::{Driver, Net};
use crate::time::Instant;

/// A [`Net`] whose thread sleeps by itself instead of being polled by a runtime.
pub trait Sleep: Net {
    /// What the sockets, and callers on other threads, use to end a [`sleep`](Self::sleep).
    fn waker(&self) -> Waker;

    /// Whatever the waker was used for so far is about to be seen to.
    fn clear(&self);

    /// Somebody drives again after nobody did for a while: what is ready by now is to be found when it is polled.
    fn attend(&mut self);

    /// Sleeps until a socket is ready, the deadline has come, or the waker is used; returns at once if it
    /// was used since [`clear`](Self::clear). `since` was the time a moment ago. `alone` says that no other thread
    /// waits for a reply.
    fn sleep(&mut self, since: Instant, alone: bool);
}

/// A driver that is driven by the threads that wait for replies, one at a time.
pub struct Turn<N: Sleep> {
    /// `None` if it is driven elsewhere.
    driver: Option<Mutex<Driver<N>>>,
    /// Threads inside [`wait`](Self::wait).
    callers: AtomicUsize,
    sleepers: Mutex<Sleepers>,
}

/// Where a thread that sleeps stands: how often somebody had been woken before, and how many had fallen asleep.
type Place = (u64, u64);

/// Threads that sleep because another one drives, in the order in which they fell asleep.
#[derive(Default)]
struct Sleepers {
    threads: BTreeMap<Place, Thread>,
    added: u64,
    woken: u64,
}

impl Sleepers {
    fn add(&mut self, thread: Thread) -> Place {
        self.added += 1;
        let place = (self.woken, self.added);
        self.threads.insert(place, thread);
        place
    }

    fn remove(&mut self, place: Place) {
        self.threads.remove(&place);
    }

    /// Who is to drive now. Every change costs the others the time until a thread has woken up, so it is one that will
    /// wait for long: of those that have for long, as for a blocking command, the last, whose time is not up soon; if
    /// there are none, the last of all.
    fn pop(&mut self) -> Option<Thread> {
        const LONG: u64 = 64;
        let long_ago = self.woken.checked_sub(LONG);
        let patient = long_ago.and_then(|since| self.threads.range(..=(since, u64::MAX)).next_back());
        let place = *patient.or_else(|| self.threads.last_key_value())?.0;
        self.woken += 1;
        self.threads.remove(&place)
    }
}

impl<N: Sleep> Turn<N> {
    /// Takes turns at driving `driver`; without one, only waits for replies.
    #[must_use]
    pub fn new(driver: impl Into<Option<Driver<N>>>) -> Self {
        let driver = driver.into().map(Mutex::new);
        Self { driver, callers: AtomicUsize::new(0), sleepers: Mutex::default() }
    }

    /// Waits for a future of this client, driving when nobody else does. It must not be called from within
    /// a task of an async runtime.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        self.callers.fetch_add(1, SeqCst);
        let _call = Call(self);
        MY_WAKER.with(|waker| self.wait_in_turn(future.as_mut(), waker))
    }

    fn wait_in_turn<F: Future>(&self, mut future: Pin<&mut F>, waker: &Waker) -> F::Output {
        let mut ready = || match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        };
        loop {
            if let Some(output) = ready() {
                return output;
            }
            if let Some(mut driver) = self.try_drive() {
                // A driver that has ended has ended every call, so the future is ready by then.
                return driver.drive(|| self.callers.load(SeqCst) == 1, |_| ready());
            }
            let place = self.sleepers().add(thread::current());
            // Whoever let go of the driver before this thread was on the list did not wake it.
            let free = self.try_drive().is_some();
            if !free {
                thread::park();
            }
            self.sleepers().remove(place);
        }
    }

    fn try_drive(&self) -> Option<MutexGuard<'_, Driver<N>>> {
        match self.driver.as_ref()?.try_lock() {
            Ok(driver) => Some(driver),
            // The driver's state is sound between any two of its statements.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// If nobody drives, wakes somebody who can. Whoever drives now does the same when done.
    fn hand_over(&self) {
        let free = self.try_drive().is_some();
        let sleeper = if free { self.sleepers().pop() } else { None };
        if let Some(sleeper) = sleeper {
            sleeper.unpark();
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread inside [`Turn::wait`], which hands over when it leaves, be it by a panic of its own code.
struct Call<'a, N: Sleep>(&'a Turn<N>);

impl<N: Sleep> Drop for Call<'_, N> {
    fn drop(&mut self) {
        if self.0.callers.fetch_sub(1, SeqCst) > 1 {
            self.0.hand_over();
        }
    }
}

/// Sockets that nobody looked after for this long are looked at before anything is written.
const UNATTENDED: Duration = Duration::from_millis(1);

impl<N: Sleep> Driver<N> {
    /// Drives on this thread until the client is closed or its last handle is dropped.
    pub fn run(mut self) {
        self.drive(|| false, |ended| ended.then_some(()));
    }

    /// Moves bytes until there is a `result`. It is asked for after every move, and told whether the driver
    /// has ended.
    fn drive<T>(&mut self, alone: impl Fn() -> bool, mut result: impl FnMut(bool) -> Option<T>) -> T {
        let waker = self.net.waker();
        let mut now = self.net.now();
        if now - self.seen_at >= UNATTENDED {
            // The connection may have ended meanwhile, and a reply that nobody asked for would be taken
            // for that of the next request.
            self.net.attend();
        }
        loop {
            self.net.clear();
            let mut found = None;
            let cx = &mut Context::from_waker(&waker);
            let ended = self
                .poll_until(cx, now, || {
                    found = result(false);
                    found.is_some()
                })
                .is_ready();
            if let Some(result) = found.or_else(|| result(ended)) {
                return result;
            }
            self.net.sleep(self.seen_at, alone());
            now = self.net.now();
        }
    }
}

impl<N: Sleep> fmt::Debug for Turn<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("callers", &self.callers).finish_non_exhaustive()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

std::thread_local! {
    /// One per thread, so that a call allocates none.
    static MY_WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_fall_asleep_drives_unless_somebody_has_waited_for_long() {
        let threads: Vec<_> = (0..3).map(|_| thread::spawn(|| {}).thread().clone()).collect();
        let mut sleepers = Sleepers::default();
        sleepers.add(threads[0].clone());
        for _ in 0..64 {
            let place = sleepers.add(threads[1].clone());
            sleepers.add(threads[2].clone());
            sleepers.remove(place);
            assert_eq!(sleepers.pop().map(|thread| thread.id()), Some(threads[2].id()));
        }
        sleepers.add(threads[1].clone());
        assert_eq!(sleepers.pop().map(|thread| thread.id()), Some(threads[0].id()), "it is patient");
        assert_eq!(sleepers.pop().map(|thread| thread.id()), Some(threads[1].id()));
        assert!(sleepers.pop().is_none());
    }

    #[test]
    fn of_those_that_have_waited_for_long_the_last_drives() {
        let threads: Vec<_> = (0..3).map(|_| thread::spawn(|| {}).thread().clone()).collect();
        let mut sleepers = Sleepers::default();
        sleepers.add(threads[0].clone());
        sleepers.add(threads[1].clone());
        for _ in 0..64 {
            sleepers.add(threads[2].clone());
            assert_eq!(sleepers.pop().map(|thread| thread.id()), Some(threads[2].id()));
        }
        sleepers.add(threads[2].clone());
        let order = [1, 0, 2].map(|place: usize| Some(threads[place].id()));
        assert_eq!([(); 3].map(|()| sleepers.pop().map(|thread| thread.id())), order);
    }
}
