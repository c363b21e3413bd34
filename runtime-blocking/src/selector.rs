//! Where a thread sleeps for all sockets, and how it is woken there.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Wake;
use std::time::Duration;

use mio::{Events, Poll, Registry, Token, Waker};
use redstart_core::drive;

use crate::socket::Loan;

/// No socket's: of the waker.
pub(crate) const SIGNAL: Token = Token(0);
/// As many sockets are found to be ready at once.
const EVENTS: usize = 64;

/// Tells that somebody has to drive: wakes the thread that sleeps, if one does and nobody drives.
#[derive(Debug)]
pub(crate) struct Signal {
    raised: AtomicBool,
    /// Somebody sleeps who has to be woken.
    asleep: AtomicBool,
    waker: Waker,
}

impl Signal {
    pub(crate) fn clear(&self) {
        self.raised.store(false, SeqCst);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(SeqCst)
    }

    /// From now on somebody sleeps who has to be woken, or nobody does.
    pub(crate) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, SeqCst);
    }

    pub(crate) fn end_sleep(&self) {
        if self.asleep.swap(false, SeqCst) {
            // It fails only when the poll is gone, and then nobody sleeps in it.
            let _ = self.waker.wake();
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, SeqCst);
        self.end_sleep();
    }
}

/// The operating system's way to find sockets that are ready.
#[derive(Debug)]
pub struct Selector {
    poll: Poll,
    events: Events,
    timeout: Option<Duration>,
}

impl Selector {
    /// # Errors
    /// The system has no file descriptor left.
    pub(crate) fn new() -> io::Result<(Self, Registry, Arc<Signal>)> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = Waker::new(&registry, SIGNAL)?;
        let signal = Signal { raised: AtomicBool::new(false), asleep: AtomicBool::new(false), waker };
        Ok((Self { poll, events: Events::with_capacity(EVENTS), timeout: None }, registry, Arc::new(signal)))
    }

    /// The next sleep is to last so long at the most; `None`: until something ends it.
    pub(crate) const fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    pub(crate) fn sleep(&mut self) {
        // An interrupted sleep is a short sleep, and finds nothing.
        let _ = self.poll.poll(&mut self.events, self.timeout);
    }

    /// The sockets that the last sleep has found ready.
    pub(crate) fn ready(&self) -> impl Iterator<Item = Token> {
        self.events.iter().map(mio::event::Event::token)
    }

    /// Whether there may be more of them.
    pub(crate) fn is_full(&self) -> bool {
        self.ready().count() == EVENTS
    }
}

/// Where the thread sleeps that watches.
#[derive(Debug)]
pub enum Poller {
    /// For all sockets.
    All(Selector),
    /// In reading the only one there is.
    One(Loan),
}

impl drive::Poller for Poller {
    fn sleep(&mut self) {
        match self {
            Self::All(selector) => selector.sleep(),
            Self::One(loan) => drive::Loan::sleep(loan),
        }
    }
}
