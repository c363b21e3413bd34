//! What a [`Net`] has besides if threads sleep in it by themselves, instead of a runtime.

use core::task::Waker;

use super::Net;
use crate::time::Instant;

/// A [`Net`] whose threads sleep by themselves instead of being polled by a runtime.
///
/// One thread at a time has the driver, and with it the net. One at a time, mostly another one, sleeps in the
/// [`Poller`], which is out of the net then; others may sleep in sockets that were [lent](Self::lend) to them.
pub trait Sleep: Net {
    /// Where a thread sleeps for all sockets that are not lent.
    type Poller: Poller;
    /// A socket that one thread reads.
    type Loan: Loan;

    /// What the sockets, and callers on other threads, use to have somebody drive: it ends the sleep in the poller
    /// unless somebody [drives](Self::take_over) already.
    fn waker(&self) -> Waker;

    /// Whatever the waker was used for so far is about to be seen to.
    fn clear(&self);

    /// Whether the waker was used since [`clear`](Self::clear).
    fn is_woken(&self) -> bool;

    /// A thread has the driver from now on, and sees to what the waker is used for.
    fn take_over(&self);

    /// No thread has the driver any longer. The sleep in the poller is ended if the waker was used since
    /// [`clear`](Self::clear), or if it would last beyond the deadline.
    fn let_go(&self);

    /// Somebody drives again after nobody did for a while: what is ready by now is to be found when it is polled.
    fn attend(&mut self);

    /// Takes the poller out to sleep until a socket is ready, the deadline has come, or the waker is used. `None`: the
    /// waker was used since [`clear`](Self::clear). `since` was the time a moment ago. `alone` says that no other thread
    /// waits for a reply: then it does no harm if nothing but a socket ends the sleep for a short while.
    fn lie_down(&mut self, since: Instant, alone: bool) -> Option<Self::Poller>;

    /// Puts the poller back, and wakes the sockets that it has found ready.
    fn get_up(&mut self, poller: Self::Poller);

    /// Lends a socket to the thread whose reply alone is to come, `due` at some time: it sleeps in that socket, and
    /// the poller no longer tells when there is something to read. `None`: it cannot be lent now.
    fn lend(&mut self, socket: &Self::Socket, since: Instant, due: Instant) -> Option<Self::Loan>;

    /// Takes a socket back, and wakes it. Returns whether anything was read.
    fn take_back(&mut self, loan: Self::Loan) -> bool;
}

/// A place to sleep.
pub trait Poller {
    /// Sleeps, as was agreed when it was taken [out](Sleep::lie_down).
    fn sleep(&mut self);
}

/// A socket that one thread reads.
pub trait Loan {
    /// Sleeps until something is there, and reads it; for a short while only.
    fn sleep(&mut self);
}
