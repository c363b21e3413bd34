//! Which sockets have something to do, so that a wake costs nothing for the others.

use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::connection::ConnId;

/// The driver's own waker, for whom its sockets wake, and those that have.
#[derive(Debug, Default)]
pub(super) struct DriverWaker {
    state: Mutex<State>,
    /// Some are ready: what is asked in every turn takes no lock.
    any: AtomicBool,
}

#[derive(Debug)]
struct State {
    waker: Option<Waker>,
    ready: Vec<ConnId>,
}

impl Default for State {
    fn default() -> Self {
        // Most clients have one socket.
        Self { waker: None, ready: Vec::with_capacity(1) }
    }
}

impl DriverWaker {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `waker` the one to wake, after `before`, which the driver keeps. Returns whether it is another one.
    pub(super) fn register(&self, waker: &Waker, before: &mut Option<Waker>) -> bool {
        let changed = !before.as_ref().is_some_and(|before| before.will_wake(waker));
        if changed {
            self.lock().waker = Some(waker.clone());
            *before = Some(waker.clone());
        }
        changed
    }

    /// Whether a socket is ready.
    #[inline]
    pub(super) fn is_any_ready(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Puts the sockets into `into`, which is empty, that are ready since this was asked last, in their order.
    #[inline]
    pub(super) fn take_ready(&self, into: &mut Vec<ConnId>) {
        if self.is_any_ready() {
            let mut state = self.lock();
            core::mem::swap(&mut state.ready, into);
            self.any.store(false, Ordering::Release);
            drop(state);
            into.sort_unstable();
        }
    }
}

/// Notes that one socket, or a future beside them, is ready, and wakes the driver.
#[derive(Debug)]
pub(super) struct Ready {
    flag: AtomicBool,
    /// The socket; `None` for whom is asked by the flag.
    conn: Option<ConnId>,
    driver: Arc<DriverWaker>,
}

impl Ready {
    /// Ready to begin with: what is new is polled once to find out.
    pub(super) fn new(driver: &Arc<DriverWaker>, conn: Option<ConnId>) -> Arc<Self> {
        let ready = Self { flag: AtomicBool::new(false), conn, driver: Arc::clone(driver) };
        ready.set();
        Arc::new(ready)
    }

    pub(super) fn set(&self) {
        self.note(&mut self.driver.lock());
    }

    /// Notes it once until it is [taken](Self::take).
    fn note(&self, state: &mut State) {
        if !self.flag.swap(true, Ordering::AcqRel)
            && let Some(conn) = self.conn
        {
            state.ready.push(conn);
            self.driver.any.store(true, Ordering::Release);
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// Whether it is ready; it no longer counts as ready afterwards.
    pub(super) fn take(&self) -> bool {
        self.flag.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.driver.lock();
        self.note(&mut state);
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
