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
pub(super) struct DriverWaker(Mutex<State>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `waker` the one to wake. Returns whether it is another than before.
    pub(super) fn register(&self, waker: &Waker) -> bool {
        let kept = &mut self.lock().waker;
        let changed = !kept.as_ref().is_some_and(|kept| kept.will_wake(waker));
        if changed {
            *kept = Some(waker.clone());
        }
        changed
    }

    /// Whether a socket is ready.
    pub(super) fn is_any_ready(&self) -> bool {
        !self.lock().ready.is_empty()
    }

    /// Puts the sockets into `into`, which is empty, that are ready since this was asked last, in their order.
    pub(super) fn take_ready(&self, into: &mut Vec<ConnId>) {
        core::mem::swap(&mut self.lock().ready, into);
        into.sort_unstable();
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
        if !self.flag.swap(true, Ordering::AcqRel) {
            state.ready.extend(self.conn);
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
