//! How threads that wait are woken: when whoever drives has done, if there are few of them.
//!
//! A thread that is woken may run at once in the place of the one that has woken it. If that one has the driver, all
//! others are kept waiting. But if many are woken, they are to ask again while the driver is still there for them.

use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use core::task::Waker;
use std::thread::{self, Thread};

/// A thread as others wake it.
pub(super) struct Sleeper {
    thread: Thread,
    /// It was woken since it asked for its result.
    woken: AtomicBool,
}

impl Sleeper {
    /// This thread, and its waker.
    pub(super) fn with_mine<T>(f: impl FnOnce(&Arc<Self>, &Waker) -> T) -> T {
        std::thread_local! {
            /// One per thread, so that a call allocates none; of wakers made apart it is not sure that they are equal.
            static MINE: (Arc<Sleeper>, Waker) = {
                let sleeper = Arc::new(Sleeper { thread: thread::current(), woken: AtomicBool::new(false) });
                (Arc::clone(&sleeper), Waker::from(sleeper))
            };
        }
        MINE.with(|(mine, waker)| f(mine, waker))
    }

    /// It asks for its result: what it was woken for so far does not count.
    pub(super) fn ask(&self) {
        self.woken.store(false, SeqCst);
    }

    /// Sleeps on this thread, which it has to be, until it is woken.
    pub(super) fn sleep(&self) {
        while !self.woken.load(SeqCst) {
            thread::park();
        }
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        if !self.woken.swap(true, SeqCst) {
            Wakes::unpark(&self.thread);
        }
    }
}

std::thread_local! {
    static HELD: RefCell<Held> = const { RefCell::new(Held { holds: false, threads: Vec::new() }) };
}

/// Whom this thread is to wake once it has done.
struct Held {
    holds: bool,
    threads: Vec<Thread>,
}

impl Held {
    fn release(&mut self) {
        self.holds = false;
        self.threads.drain(..).for_each(|thread| thread.unpark());
    }
}

/// So many are few: to wake one takes the system some 20 us.
const FEW: usize = 8;

/// While it is there, those whom this thread wakes go on sleeping, if they are few.
pub(super) struct Wakes(());

impl Wakes {
    pub(super) fn hold() -> Self {
        let _ = HELD.try_with(|held| held.borrow_mut().holds = true);
        Self(())
    }

    fn unpark(thread: &Thread) {
        let holds = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            if held.holds && held.threads.len() < FEW {
                held.threads.push(thread.clone());
            } else {
                held.release();
            }
            held.holds
        });
        // A thread that is about to end has nothing to hold them with.
        if !holds.unwrap_or(false) {
            thread.unpark();
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        let _ = HELD.try_with(|held| held.borrow_mut().release());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> usize {
        HELD.with_borrow(|held| held.threads.len())
    }

    #[test]
    fn few_are_held_until_the_end_and_many_are_not() {
        let sleepers = [(); FEW + 2].map(|()| {
            let thread = thread::spawn(|| {}).thread().clone();
            Arc::new(Sleeper { thread, woken: AtomicBool::new(false) })
        });
        let wake = |place: usize| Arc::clone(&sleepers[place]).wake();
        let wakes = Wakes::hold();
        wake(0);
        wake(0);
        assert_eq!(held(), 1, "it is woken once");
        (1..FEW).for_each(wake);
        assert_eq!(held(), FEW);
        wake(FEW);
        assert_eq!(held(), 0, "they were few no longer");
        wake(FEW + 1);
        assert_eq!(held(), 0, "nobody waits any more who is woken");
        drop(wakes);
        let wakes = Wakes::hold();
        sleepers[0].ask();
        wake(0);
        assert_eq!(held(), 1, "it has asked since");
        drop(wakes);
        assert_eq!(held(), 0);
    }

    #[test]
    fn a_thread_that_was_woken_before_it_sleeps_does_not_sleep() {
        Sleeper::with_mine(|mine, waker| {
            mine.ask();
            let wakes = Wakes::hold();
            waker.wake_by_ref();
            // Held is only that it wakes up, not that it has something to see to.
            mine.sleep();
            drop(wakes);
        });
    }
}
