//! Driving by those who wait, for runtimes without tasks: who moves the bytes, and who sleeps where.
//!
//! ```text
//! a call --> does nobody watch? --> watch: drive, sleep in the poller, drive, .. until the reply is there; hand over
//!              | somebody does
//!              v
//!            does nobody drive? --> help: drive once. Is mine the one reply that is to come on its connection?
//!              | somebody does        | then sleep in a read of that
//!              v                      v
//!            leave the request --> sleep until the reply is there, or nobody watches any more
//! ```
//!
//! The watcher lets go of the driver while it sleeps. A caller beside it does not wake it, and is itself woken by its
//! own reply: what takes time with threads is each change from one to another. Whoever returns while nobody watches
//! wakes one of those who sleep, so as long as anybody waits, somebody watches.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::sleep::{Loan, Poller, Sleep};
use super::sleepers::Sleepers;
use super::wakes::{Sleeper, Wakes};
use super::{Driver, Moved};
use crate::connection::ConnId;
use crate::time::Instant;

/// A driver that is driven by the threads that wait for replies.
pub struct Turn<N: Sleep> {
    /// `None` if it is driven elsewhere.
    shared: Option<Shared<N>>,
    /// Threads inside [`wait`](Self::wait).
    callers: AtomicUsize,
    sleepers: Mutex<Sleepers<Arc<Sleeper>>>,
}

struct Shared<N: Sleep> {
    driver: Mutex<Driver<N>>,
    /// Locked by the thread that watches.
    watch: Mutex<()>,
    called: Arc<Called>,
    /// Of the same, for the call of who watches.
    waker: Waker,
}

impl<N: Sleep> Turn<N> {
    /// Takes turns at driving `driver`; without one, only waits for replies.
    #[must_use]
    pub fn new(driver: impl Into<Option<Driver<N>>>) -> Self {
        let shared = driver.into().map(Shared::new);
        Self { shared, callers: AtomicUsize::new(0), sleepers: Mutex::default() }
    }

    /// Waits for a future of this client, driving when nobody else does. It must not be called from within a task of
    /// an async runtime, nor by the future that is waited for.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        self.callers.fetch_add(1, SeqCst);
        let _call = Call(self);
        let ready = |waker: &Waker| match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        };
        Sleeper::with_mine(|me, waker| self.wait_in_turn(me, waker, ready))
    }

    fn wait_in_turn<T>(
        &self,
        me: &Arc<Sleeper>,
        waker: &Waker,
        mut ready: impl FnMut(&Waker) -> Option<T>,
    ) -> T {
        loop {
            if let Some(watch) = self.try_watch() {
                return watch.keep(ready, || self.callers.load(SeqCst) == 1);
            }
            let mut ready = || {
                me.ask();
                ready(waker)
            };
            // The request is made by who drives, if possible: nobody is woken for it then.
            let found = match self.shared.as_ref().and_then(Shared::drive_beside) {
                Some(driving) => driving.help(&mut ready),
                None => ready(),
            };
            if let Some(output) = found {
                return output;
            }
            self.sleep(me);
            if let Some(output) = ready() {
                return output;
            }
        }
    }

    /// Sleeps until there may be a result, or somebody has to watch.
    fn sleep(&self, me: &Arc<Sleeper>) {
        let place = self.sleepers().add(Arc::clone(me));
        // Whoever ceased to watch before this thread was on the list did not wake it.
        let is_watched = self.try_watch().is_none();
        if is_watched {
            me.sleep();
        }
        self.sleepers().remove(place);
    }

    fn try_watch(&self) -> Option<Watch<'_, N>> {
        let shared = self.shared.as_ref()?;
        Some(Watch { shared, _lock: try_lock(&shared.watch)? })
    }

    /// If nobody watches, wakes somebody who can. Whoever watches now does the same when done.
    fn hand_over(&self) {
        let free = self.try_watch().is_some();
        let sleeper = if free { self.sleepers().pop() } else { None };
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers<Arc<Sleeper>>> {
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

/// What a mutex guards here is sound between any two statements.
fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<N: Sleep> Shared<N> {
    fn new(driver: Driver<N>) -> Self {
        let called = Arc::new(Called { raised: AtomicBool::new(false), driver: driver.net.waker() });
        let waker = Waker::from(Arc::clone(&called));
        Self { driver: Mutex::new(driver), watch: Mutex::new(()), called, waker }
    }

    fn drive(&self) -> Driving<'_, N> {
        Driving::begin(self, self.driver.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Drives unless somebody else does, or many wait: then who watches moves the bytes of several at once.
    fn drive_beside(&self) -> Option<Driving<'_, N>> {
        const FEW: usize = 2;
        let mut driver = try_lock(&self.driver)?;
        if driver.engine.load().0 >= FEW { None } else { Some(Driving::begin(self, driver)) }
    }
}

/// A thread that has the driver.
struct Driving<'a, N: Sleep> {
    shared: &'a Shared<N>,
    driver: MutexGuard<'a, Driver<N>>,
    /// Dropped last: who is woken may well run at once, in the place of this thread.
    _wakes: Wakes,
}

impl<'a, N: Sleep> Driving<'a, N> {
    fn begin(shared: &'a Shared<N>, driver: MutexGuard<'a, Driver<N>>) -> Self {
        driver.net.take_over();
        Self { shared, driver, _wakes: Wakes::hold() }
    }

    /// Drives beside the thread that watches, as long as that brings the result of this one.
    fn help<T>(mut self, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        let shared = self.shared;
        let (mut found, mine) = self.driver.help(&mut ready);
        while let (None, Some(mine)) = (&found, mine)
            && let Some(mut loan) = self.driver.lend(mine)
        {
            drop(self);
            loan.sleep();
            self = shared.drive();
            if !self.driver.net.take_back(loan) {
                break;
            }
            found = self.driver.move_all(&mut ready);
        }
        found
    }
}

impl<N: Sleep> Drop for Driving<'_, N> {
    fn drop(&mut self) {
        if self.shared.called.raised.load(SeqCst) {
            // Seen to is what the driver was woken for, but this is not for who drives.
            self.shared.called.driver.wake_by_ref();
        }
        self.driver.net.let_go();
    }
}

/// The thread that watches.
struct Watch<'a, N: Sleep> {
    shared: &'a Shared<N>,
    _lock: MutexGuard<'a, ()>,
}

impl<N: Sleep> Watch<'_, N> {
    /// Watches until there is a result. Whoever else drives meanwhile can bring it, and then ends the sleep.
    fn keep<T>(self, mut ready: impl FnMut(&Waker) -> Option<T>, alone: impl Fn() -> bool) -> T {
        let Shared { called, waker, .. } = self.shared;
        let mut ready = || {
            called.raised.store(false, SeqCst);
            ready(waker)
        };
        let mut driving = self.shared.drive();
        if let Some(result) = ready() {
            return result;
        }
        let mut now = driving.driver.attend();
        loop {
            if let Some(result) = driving.driver.drive(now, &called.driver, |_| ready()) {
                return result;
            }
            let since = driving.driver.seen_at;
            if let Some(mut poller) = driving.driver.net.lie_down(since, alone()) {
                drop(driving);
                poller.sleep();
                driving = self.shared.drive();
                driving.driver.net.get_up(poller);
            }
            now = driving.driver.net.now();
        }
    }
}

/// Sockets that nobody looked after for this long are looked at before anything is written.
const UNATTENDED: Duration = Duration::from_millis(1);

impl<N: Sleep> Driver<N> {
    /// Drives on this thread until the client is closed or its last handle is dropped.
    pub fn run(mut self) {
        let waker = self.net.waker();
        let mut now = self.attend();
        while self.drive(now, &waker, |ended| ended.then_some(())).is_none() {
            if let Some(mut poller) = self.net.lie_down(self.seen_at, false) {
                self.net.let_go();
                poller.sleep();
                self.net.take_over();
                self.net.get_up(poller);
            }
            now = self.net.now();
        }
    }

    /// Sees to the sockets if nobody has for a while. Returns the time.
    fn attend(&mut self) -> Instant {
        let now = self.net.now();
        if now - self.seen_at >= UNATTENDED {
            // The connection may have ended meanwhile, and a reply that nobody asked for would be taken
            // for that of the next request.
            self.net.attend();
        }
        now
    }

    /// Moves bytes once, or until there is a `result`. It is asked for after every move, and told whether the driver
    /// has ended.
    fn drive<T>(
        &mut self,
        now: Instant,
        waker: &Waker,
        mut result: impl FnMut(bool) -> Option<T>,
    ) -> Option<T> {
        self.net.clear();
        let mut found = None;
        let is_enough = || {
            found = result(false);
            found.is_some()
        };
        let ended = self.poll_until(&mut Context::from_waker(waker), now, is_enough).is_ready();
        found.or_else(|| result(ended))
    }

    /// Moves all there is to move for a call that is made by `ready`. Returns its result, or the connection on which
    /// its request was written, if that is clear.
    fn help<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> (Option<T>, Option<ConnId>) {
        self.moved = Moved::NOTHING;
        let found = ready().or_else(|| self.move_all(&mut ready));
        (found, self.moved.lone())
    }

    /// Moves all there is to move. Returns the result, if that has brought it.
    fn move_all<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> Option<T> {
        /// What is left then is seen to by who watches.
        const MOVES: usize = 2;
        let waker = self.net.waker();
        for _ in 0..MOVES {
            let now = self.net.now();
            self.net.clear();
            self.is_aside = true;
            // It goes on after the result, too: who sleeps does not know of what is left.
            let _ = self.poll_until(&mut Context::from_waker(&waker), now, || false);
            self.is_aside = false;
            let found = ready();
            if found.is_some() || !self.net.is_woken() {
                return found;
            }
        }
        None
    }

    /// Lends the connection on which one reply is to come and no other.
    fn lend(&mut self, conn: ConnId) -> Option<N::Loan> {
        let due = self.engine.due_alone(conn)?;
        let socket = self.lines.get_mut(conn)?.socket()?;
        self.net.lend(socket, self.seen_at, due)
    }
}

impl<N: Sleep> fmt::Debug for Turn<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("callers", &self.callers).finish_non_exhaustive()
    }
}

/// Tells who watches to ask for its result.
struct Called {
    raised: AtomicBool,
    driver: Waker,
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, SeqCst);
        self.driver.wake_by_ref();
    }
}
