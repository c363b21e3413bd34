//! Waiting for a time to come, by the clock of the driver: the client has none.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::Client;
use crate::time::Instant;

/// Those who wait. A look at them costs nothing while none is new and none is due.
#[derive(Debug)]
pub(super) struct Alarms {
    waiting: BTreeMap<u64, Alarm>,
    last: u64,
    /// `earliest <= at` for every alarm that is set; one that is new is due at once, to be set.
    earliest: Instant,
}

#[derive(Debug)]
struct Alarm {
    after: Duration,
    /// Set by the driver.
    at: Option<Instant>,
    /// `None` when the time has come.
    waker: Option<Waker>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), last: 0, earliest: Instant::FAR }
    }
}

impl Alarms {
    /// Wakes `waker` in a while. Returns the number to ask for.
    pub(super) fn add(&mut self, after: Duration, waker: &Waker) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Alarm { after, at: None, waker: Some(waker.clone()) });
        self.earliest = Instant::ORIGIN;
        self.last
    }

    /// Whether the time has come.
    pub(super) fn poll(&mut self, number: u64, waker: &Waker) -> Poll<()> {
        let Some(kept) = self.waiting.get_mut(&number).and_then(|alarm| alarm.waker.as_mut()) else {
            return Poll::Ready(());
        };
        kept.clone_from(waker);
        Poll::Pending
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// The driver's visit. Returns when the next time comes; adds whom to wake to `wake`.
    pub(super) fn visit(&mut self, now: Instant, wake: &mut Vec<Waker>) -> Instant {
        if now < self.earliest {
            return self.earliest;
        }
        self.earliest = Instant::FAR;
        for alarm in self.waiting.values_mut().filter(|alarm| alarm.waker.is_some()) {
            let at = *alarm.at.get_or_insert(now + alarm.after);
            if at <= now {
                wake.extend(alarm.waker.take());
            } else {
                self.earliest = self.earliest.min(at);
            }
        }
        self.earliest
    }

    /// There is no driver any more: nobody waits in vain.
    pub(super) fn end_all(&mut self, wake: &mut Vec<Waker>) {
        wake.extend(core::mem::take(&mut self.waiting).into_values().filter_map(|alarm| alarm.waker));
    }
}

/// Ends when a while is over, or the client has closed. The while begins with the first poll.
#[derive(Debug)]
pub(super) struct Pause {
    client: Client,
    after: Duration,
    number: Option<u64>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mailbox = self.client.mailbox();
        if let Some(number) = self.number {
            return mailbox.poll_alarm(number, cx.waker());
        }
        let Some(number) = mailbox.add_alarm(self.after, cx.waker()) else { return Poll::Ready(()) };
        self.number = Some(number);
        Poll::Pending
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.client.mailbox().remove_alarm(number);
        }
    }
}

impl Client {
    /// Waits for a while.
    pub(super) fn pause(&self, after: Duration) -> Pause {
        Pause { client: self.clone(), after, number: None }
    }
}

/// What ends first, where a tie is the first one's.
pub(super) enum Either<A, B> {
    First(A),
    Second(B),
}

/// Waits for the first of two to end; the other stays as far as it is.
pub(super) async fn either<A: Future + Unpin, B: Future + Unpin>(
    first: &mut A,
    second: &mut B,
) -> Either<A::Output, B::Output> {
    poll_fn(|cx| {
        if let Poll::Ready(output) = Pin::new(&mut *first).poll(cx) {
            return Poll::Ready(Either::First(output));
        }
        Pin::new(&mut *second).poll(cx).map(Either::Second)
    })
    .await
}

/// The output of `work`, unless `limit` ends first; then `work` is dropped.
pub(super) async fn within<T>(limit: &mut Pause, work: impl Future<Output = T>) -> Option<T> {
    match either(&mut pin!(work), limit).await {
        Either::First(output) => Some(output),
        Either::Second(()) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn alarms_ring_in_their_time_and_are_looked_at_only_then() {
        let (mut alarms, mut wake) = (Alarms::default(), Vec::new());
        let noop = Waker::noop();
        assert_eq!(alarms.visit(at(5), &mut wake), Instant::FAR);
        let late = alarms.add(Duration::from_secs(9), noop);
        let early = alarms.add(Duration::from_secs(3), noop);
        assert_eq!(alarms.visit(at(10), &mut wake), at(13));
        assert_eq!((alarms.visit(at(12), &mut wake), wake.len()), (at(13), 0));
        assert_eq!((alarms.visit(at(13), &mut wake), wake.len()), (at(19), 1));
        assert!(alarms.poll(early, noop).is_ready() && alarms.poll(late, noop).is_pending());
        alarms.remove(late);
        assert_eq!((alarms.visit(at(19), &mut wake), wake.len()), (Instant::FAR, 1));
        alarms.add(Duration::from_secs(9), noop);
        alarms.end_all(&mut wake);
        assert_eq!(wake.len(), 2);
    }
}
