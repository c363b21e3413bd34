//! Whose turn it is to move the bytes.
//!
//! ```text
//! my reply is not there --> is the driver free? -- yes --> drive until it is there, then hand over
//!        ^                                      `- no ---> sleep until it is there, or the driver is free
//!        `--------------------------------------------------'
//! ```
//!
//! Whoever returns while the driver is free wakes one of those who sleep, so as long as anybody waits,
//! somebody drives.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::Driver;
use crate::net::Signal;

#[derive(Debug)]
pub(crate) struct Turn {
    driver: Mutex<Driver>,
    signal: Arc<Signal>,
    waker: Waker,
    /// Threads inside [`wait`](Self::wait).
    callers: AtomicUsize,
    /// Threads that sleep because another one drives.
    sleepers: Mutex<Vec<Thread>>,
}

impl Turn {
    pub(crate) fn new(mut driver: Driver) -> Self {
        let signal = driver.net_mut().signal();
        let waker = Waker::from(Arc::clone(&signal));
        let sleepers = Mutex::default();
        Self { driver: Mutex::new(driver), signal, waker, callers: AtomicUsize::new(0), sleepers }
    }

    /// Waits for `future`, driving the client when nobody else does.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        MY_WAKER.with(|waker| {
            let cx = &mut Context::from_waker(waker);
            // What needs no reply, or was refused, is over at once.
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            self.callers.fetch_add(1, SeqCst);
            let _call = Call(self);
            self.wait_in_turn(future, cx)
        })
    }

    fn wait_in_turn<F: Future>(&self, mut future: Pin<&mut F>, cx: &mut Context<'_>) -> F::Output {
        loop {
            if let Some(driver) = self.try_drive() {
                return self.drive(driver, future, cx);
            }
            let me = std::thread::current();
            let my_id = me.id();
            self.sleepers().push(me);
            // Whoever let go of the driver before this thread was on the list did not wake it.
            if let Some(driver) = self.try_drive() {
                self.sleepers().retain(|sleeper| sleeper.id() != my_id);
                return self.drive(driver, future, cx);
            }
            std::thread::park();
            self.sleepers().retain(|sleeper| sleeper.id() != my_id);
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
        }
    }

    fn drive<F: Future>(
        &self,
        mut driver: MutexGuard<'_, Driver>,
        mut future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> F::Output {
        let driver_cx = &mut Context::from_waker(&self.waker);
        driver.net_mut().resume();
        loop {
            self.signal.clear();
            let ended = driver.poll(driver_cx).is_ready();
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            // When the driver has ended every call has; only the future of a user's own goes on.
            if ended {
                std::thread::park();
            } else {
                driver.net_mut().wait(self.callers.load(SeqCst) == 1);
            }
        }
    }

    fn try_drive(&self) -> Option<MutexGuard<'_, Driver>> {
        match self.driver.try_lock() {
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

    fn sleepers(&self) -> MutexGuard<'_, Vec<Thread>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread inside [`Turn::wait`], which hands over when it leaves, be it by a panic of its own code.
struct Call<'a>(&'a Turn);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.0.callers.fetch_sub(1, SeqCst) > 1 {
            self.0.hand_over();
        }
    }
}

/// Waits for `future` while somebody else drives.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    MY_WAKER.with(|waker| {
        let cx = &mut Context::from_waker(waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            std::thread::park();
        }
    })
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    /// One per thread, so that a call allocates none.
    static MY_WAKER: Waker = Waker::from(Arc::new(Unpark(std::thread::current())));
}
