//! What the driver does at the mailbox.

use alloc::vec::Vec;
use core::task::Waker;
use std::sync::MutexGuard;

use super::super::inbox::Inbox;
use super::super::slots::Room;
use super::super::subscription::Wish;
use super::{Mailbox, State, Status};
use crate::engine::{Engine, Next};
use crate::error::{Delivery, Error, ErrorKind};
use crate::time::Instant;

impl Mailbox {
    /// The driver's visit: leaves what the engine has to say, takes what callers have left into `inbox`,
    /// which is empty. Adds whom to wake to `wake`. Returns the earliest deadline of a call in line, and how many are
    /// woken, those with them who were woken on the way.
    pub(crate) fn exchange(
        &self,
        now: Instant,
        engine: &mut Engine,
        inbox: &mut Inbox,
        wake: &mut Vec<Waker>,
    ) -> (Instant, usize) {
        let (commands, bytes) = engine.load();
        let (mut state, woken) = self.leave_events(engine, wake);
        inbox.take(&mut state.inbox);
        // What was in the inbox is with the driver now; only what is reserved stays pending.
        let taken = Room { commands: inbox.requests.len(), bytes: inbox.bytes.held() };
        state.pending.sub(taken);
        state.engine = Room { commands: commands + taken.commands, bytes: bytes + taken.bytes };
        if state.line.is_empty() {
            (state.forsaken, state.line_deadline) = (0, Instant::FAR);
        } else {
            state.tidy_line();
            state.watch_line(now, &self.config, wake);
            state.let_in(&self.config, wake);
        }
        let alarm = state.alarms.visit(now, wake);
        (state.line_deadline.min(alarm), woken + wake.len())
    }

    /// Leaves what the engine has to say. After some events those are woken whom they concern, while others have their
    /// turn at the lock: who waits for it for long goes to sleep, and to wake up costs more than a whole call.
    fn leave_events(&self, engine: &mut Engine, wake: &mut Vec<Waker>) -> (MutexGuard<'_, State>, usize) {
        const AT_ONCE: usize = 16;
        let mut woken = 0;
        loop {
            let mut state = self.lock();
            let Some(events) = engine.events() else { return (state, woken) };
            for _ in 0..AT_ONCE {
                match events.next() {
                    None => return (state, woken),
                    Some(Next::Small(id, part, small, bytes)) => {
                        wake.extend(state.slots.finish_small(id, part, small, bytes));
                    }
                    Some(Next::Other(event)) => state.take_event(event, wake),
                }
            }
            drop(state);
            woken += wake.len();
            wake.drain(..).for_each(Waker::wake);
        }
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&self) {
        let mut state = self.lock();
        state.inbox.shrink();
        state.slots.shrink();
        state.line.shrink_to_fit();
        state.watchers.shrink_to_fit();
    }

    /// The driver goes to sleep, unless something has come for it. Returns whether it may.
    pub(crate) fn park(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        if !state.inbox.is_empty() {
            return false;
        }
        state.sleeping = Some(waker.clone());
        true
    }

    /// The driver has ended: so has every call. Returns wishes that nobody will see to.
    pub(crate) fn shut(&self, engine: &mut Engine) -> Vec<Wish> {
        let mut wake = Vec::new();
        let mut state = self.lock();
        for event in engine.drain_events() {
            state.take_event(event, &mut wake);
        }
        state.status = Status::Closed;
        let wishes = core::mem::take(&mut state.inbox).into_wishes();
        state.line.clear();
        state.slots.end_all(|| Error::new(ErrorKind::Closed, Delivery::NotSent), &mut wake);
        wake.append(&mut state.watchers);
        state.feeds.end_all(&mut wake);
        state.alarms.end_all(&mut wake);
        drop(state);
        wake.into_iter().for_each(Waker::wake);
        wishes
    }
}
