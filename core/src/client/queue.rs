//! Where a subscription's events wait for whoever reads them.
//!
//! The driver leaves a batch at a time, the reader takes one. What does not fit is dropped from the front: what is
//! new counts more, and whoever lags reads first how much is missing. That there were gaps is never dropped.

use alloc::vec::Vec;
use core::mem;
use core::task::{Context, Poll, Waker};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Delivery as Fate, Error, ErrorKind};
use crate::pubsub::{Backlog, Delivery, Event};

/// Events of as many bytes a reader takes at once, or one that has more.
const BATCH_BYTES: usize = 128 << 10;

/// A call that waits for a confirmation.
#[derive(Debug)]
struct Call {
    number: u64,
    outcome: Option<Result<(), Error>>,
    waker: Option<Waker>,
}

/// What was dropped.
#[derive(Debug, Default)]
struct Dropped {
    messages: u64,
    interrupted: bool,
    resumed: bool,
}

impl Dropped {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Message(_) => self.messages += 1,
            Event::Lagged(more) => self.messages += more,
            // Of several gaps with nothing between them one is told.
            Event::Interrupted if self.resumed => self.resumed = false,
            Event::Interrupted => self.interrupted = true,
            Event::Resumed => self.resumed = true,
        }
    }

    /// What the reader is told of it.
    fn told(&mut self) -> impl Iterator<Item = Event> + use<> {
        let Self { messages, interrupted, resumed } = mem::take(self);
        let lagged = (messages > 0).then_some(Event::Lagged(messages));
        let interrupted = interrupted.then_some(Event::Interrupted);
        lagged.into_iter().chain(interrupted).chain(resumed.then_some(Event::Resumed))
    }
}

#[derive(Debug, Default)]
struct State {
    events: Backlog,
    bytes: usize,
    dropped: Dropped,
    reader: Option<Waker>,
    calls: Vec<Call>,
    ended: bool,
}

/// The events of one subscription.
#[derive(Debug)]
pub(crate) struct Queue {
    limit: usize,
    state: Mutex<State>,
}

impl Queue {
    /// An empty queue for events of `limit` bytes, or for one event that has more.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// A panic elsewhere leaves the state as it was between two statements; every one of them is sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a delivery holds. Adds whom to wake.
    pub(super) fn deliver(&self, delivery: &mut Delivery, wake: &mut Vec<Waker>) {
        let mut state = self.lock();
        state.take_events(delivery);
        while state.bytes > self.limit && state.events.has_several() {
            state.drop_first();
        }
        for (number, outcome) in delivery.outcomes.drain(..) {
            if let Some(call) = state.calls.iter_mut().find(|call| call.number == number) {
                call.outcome = Some(outcome);
                wake.extend(call.waker.take());
            }
        }
        if mem::take(&mut delivery.ended) {
            state.end(wake);
        }
        wake.extend(state.reader.take());
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&self) {
        let mut state = self.lock();
        state.events.shrink();
        state.calls.shrink_to_fit();
    }

    /// Nothing will come any more.
    pub(super) fn end(&self, wake: &mut Vec<Waker>) {
        self.lock().end(wake);
    }

    /// Moves events to `batch`, which is empty. If it is left so, nothing will come any more.
    pub(super) fn poll_batch(&self, batch: &mut Backlog, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        for event in state.dropped.told() {
            batch.push(event);
        }
        state.move_events(batch);
        if state.ended || !batch.is_empty() {
            return Poll::Ready(());
        }
        if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Notes a call, which is about to be made.
    pub(super) fn begin(&self, number: u64) {
        self.lock().calls.push(Call { number, outcome: None, waker: None });
    }

    /// How a call ended.
    pub(super) fn poll_call(&self, number: u64, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = self.lock();
        let Some(at) = state.calls.iter().position(|call| call.number == number) else {
            return Poll::Ready(Err(closed()));
        };
        if let Some(outcome) = state.calls[at].outcome.take() {
            state.calls.swap_remove(at);
            return Poll::Ready(outcome);
        }
        state.calls[at].waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nobody waits for a call any more. Returns whether it had not ended.
    pub(super) fn give_up(&self, number: u64) -> bool {
        let mut state = self.lock();
        let at = state.calls.iter().position(|call| call.number == number);
        at.is_some_and(|at| state.calls.swap_remove(at).outcome.is_none())
    }
}

impl State {
    /// Takes the events of a delivery: the buffer that they are in, if there is nothing before them.
    fn take_events(&mut self, delivery: &mut Delivery) {
        if self.events.is_empty() {
            (self.events, self.bytes) = delivery.take_events(mem::take(&mut self.events));
        } else {
            let (mut events, room) = delivery.take_events(Backlog::default());
            self.events.append(&mut events);
            self.bytes = self.bytes.saturating_add(room);
            delivery.take_events(events);
        }
    }

    /// Moves the first events to `batch`: all of them at once if they are few.
    fn move_events(&mut self, batch: &mut Backlog) {
        if batch.is_empty() && self.bytes <= BATCH_BYTES {
            mem::swap(batch, &mut self.events);
            self.bytes = 0;
        } else {
            self.bytes = self.bytes.saturating_sub(self.events.move_to(batch, BATCH_BYTES));
        }
    }

    fn drop_first(&mut self) {
        if let Some(event) = self.events.next() {
            self.bytes = self.bytes.saturating_sub(event.room());
            self.dropped.add(&event);
        }
    }

    fn end(&mut self, wake: &mut Vec<Waker>) {
        self.ended = true;
        wake.extend(self.reader.take());
        for call in &mut self.calls {
            call.outcome.get_or_insert_with(|| Err(closed()));
            wake.extend(call.waker.take());
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, Fate::NotSent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pubsub::Message;

    fn message(payload: &'static str) -> Event {
        Event::Message(Message::new("c", payload))
    }

    fn deliver(queue: &Queue, events: impl IntoIterator<Item = Event>) {
        let mut delivery = Delivery::default();
        events.into_iter().for_each(|event| delivery.push(event));
        queue.deliver(&mut delivery, &mut Vec::new());
    }

    fn read(queue: &Queue) -> Vec<Event> {
        let (mut all, mut batch) = (Vec::new(), Backlog::default());
        while queue.poll_batch(&mut batch, &Context::from_waker(Waker::noop())).is_ready() {
            all.extend(&mut batch);
        }
        all
    }

    #[test]
    fn what_does_not_fit_is_dropped_from_the_front_and_counted() {
        let queue = Queue::new(3 * (size_of::<Event>() + 2));
        for payload in ["1", "2", "3", "4", "5"] {
            deliver(&queue, [message(payload)]);
        }
        assert_eq!(read(&queue), [Event::Lagged(2), message("3"), message("4"), message("5")]);
        deliver(&queue, [message("6")]);
        assert_eq!(read(&queue), [message("6")]);
    }

    #[test]
    fn one_event_is_kept_however_large() {
        let queue = Queue::new(1);
        deliver(&queue, [message("1"), message("2")]);
        assert_eq!(read(&queue), [Event::Lagged(1), message("2")]);
    }

    #[test]
    fn gaps_are_told_even_if_they_are_dropped() {
        use Event::{Interrupted, Lagged, Resumed};
        let one = || message("1");
        let table = [
            (vec![one(), Interrupted, Resumed, one()], vec![Lagged(1), Interrupted, Resumed, one()]),
            (vec![Interrupted, one(), Resumed, one()], vec![Lagged(1), Interrupted, Resumed, one()]),
            (vec![Interrupted, Resumed, Interrupted, one()], vec![Interrupted, one()]),
            (vec![Resumed, Interrupted, one(), one()], vec![Lagged(1), one()]),
            (vec![Resumed, Interrupted, Resumed, one()], vec![Resumed, one()]),
        ];
        for (events, told) in table {
            let queue = Queue::new(1);
            for event in events {
                deliver(&queue, [event]);
            }
            assert_eq!(read(&queue), told);
        }
    }
}
