//! Which sockets have something to do, so that a wake costs nothing for the others.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use std::sync::{Mutex, PoisonError};

/// The driver's own waker, for whom its sockets wake.
#[derive(Debug, Default)]
pub(super) struct DriverWaker(Mutex<Option<Waker>>);

impl DriverWaker {
    /// Makes `waker` the one to wake. Returns whether it is another than before.
    pub(super) fn register(&self, waker: &Waker) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = !kept.as_ref().is_some_and(|kept| kept.will_wake(waker));
        if changed {
            *kept = Some(waker.clone());
        }
        changed
    }

    fn wake(&self) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Notes that one socket is ready and wakes the driver.
#[derive(Debug)]
pub(super) struct Ready {
    flag: AtomicBool,
    driver: Arc<DriverWaker>,
}

impl Ready {
    /// Ready to begin with: a new socket is polled once to find out.
    pub(super) fn new(driver: &Arc<DriverWaker>) -> Arc<Self> {
        Arc::new(Self { flag: AtomicBool::new(true), driver: Arc::clone(driver) })
    }

    pub(super) fn set(&self) {
        self.flag.store(true, Ordering::Release);
    }

    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// Whether the socket is ready; it no longer counts as ready afterwards.
    pub(super) fn take(&self) -> bool {
        self.flag.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set();
        self.driver.wake();
    }
}
