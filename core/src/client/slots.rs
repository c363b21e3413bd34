//! Where replies wait for their callers: places that are used again, so that a request allocates nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Poll, Waker};

use crate::command::Outcomes;
use crate::connection::RequestId;
use crate::engine::Run;
use crate::error::Error;
use crate::resp::{Frame, Small};
use crate::time::Instant;

/// How one command ended.
pub(crate) type Outcome = Result<Frame, Error>;

/// Room in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) commands: usize,
    pub(super) bytes: usize,
}

/// What a place holds.
#[derive(Debug)]
enum State {
    Free,
    /// Not sent yet: there is no room in the queue.
    Queued(Room, Option<Waker>),
    /// There is room now, and it is reserved. The deadline is that of the wait.
    Admitted(Room, Instant),
    /// Under way.
    Waiting(Option<Waker>),
    /// A batch under way: what came so far.
    Gathering(Box<Outcomes>, Option<Waker>),
    /// Ended; how, lies beside it.
    Done,
    /// A batch that has ended.
    Gathered(Box<Outcomes>),
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    state: State,
    /// How a single request has ended. Apart from the state, since it is large and moved once each way.
    outcome: Option<Outcome>,
}

impl Slot {
    /// A batch has ended, if it is `whole`. Returns whom to wake.
    fn close_if(&mut self, whole: bool) -> Option<Waker> {
        if !whole {
            return None;
        }
        match core::mem::replace(&mut self.state, State::Done) {
            State::Gathering(gathered, waker) => {
                self.state = State::Gathered(gathered);
                waker
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The request has ended. Returns whom to wake.
    #[inline]
    fn end(&mut self, outcome: Outcome) -> Option<Waker> {
        let (State::Waiting(waker) | State::Queued(_, waker)) = &mut self.state else { return None };
        let waker = waker.take();
        self.state = State::Done;
        self.outcome = Some(outcome);
        waker
    }
}

/// What a poll of a place finds.
#[derive(Debug)]
pub(super) enum Polled {
    Pending,
    /// There is room now: the request may go out, and has to end by its old deadline.
    Admitted(Instant),
    Done(Outcome),
    Gathered(Box<Outcomes>),
}

/// What an abandoned request leaves behind.
#[derive(Debug)]
pub(super) enum Left {
    Nothing,
    /// A place in the line of those who wait for room.
    InLine,
    /// Room that was reserved for it.
    Reserved(Room),
    /// It is under way.
    UnderWay,
    /// It has ended, and nobody has looked.
    Unseen(Outcome),
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// What a new place begins with: no use of a place that was given back had this number or a later one.
    generation: u32,
}

impl Slots {
    /// Takes a place for a request that must wait for room.
    pub(super) fn queue(&mut self, room: Room, waker: &Waker) -> RequestId {
        self.occupy(State::Queued(room, Some(waker.clone())))
    }

    /// Takes a place for a request that goes out now.
    #[inline]
    pub(super) fn begin(&mut self, batch: Option<usize>, waker: &Waker) -> RequestId {
        self.occupy(under_way(batch, waker))
    }

    /// A request that was admitted goes out now.
    pub(super) fn start(&mut self, id: RequestId, batch: Option<usize>, waker: &Waker) {
        if let Some(slot) = self.get(id) {
            slot.state = under_way(batch, waker);
        }
    }

    #[inline]
    fn occupy(&mut self, state: State) -> RequestId {
        let index = self.free.pop().unwrap_or_else(|| {
            if self.slots.is_empty() {
                // Many clients have never more than one call at a time.
                self.slots.reserve_exact(1);
            }
            self.slots.push(Slot { generation: self.generation, state: State::Free, outcome: None });
            self.slots.len() as u32 - 1
        });
        let slot = &mut self.slots[index as usize];
        slot.state = state;
        RequestId { slot: index, generation: slot.generation }
    }

    #[inline]
    fn get(&mut self, id: RequestId) -> Option<&mut Slot> {
        self.slots.get_mut(id.slot as usize).filter(|slot| slot.generation == id.generation)
    }

    /// The place is free again, for another use of it: what still comes for this one finds nobody. Its outcome is taken.
    #[inline]
    fn release(&mut self, id: RequestId) -> State {
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.slot);
        core::mem::replace(&mut slot.state, State::Free)
    }

    /// Gives back the memory of places behind the last one that is taken. Those before it are taken first from now
    /// on, so that next time there are more.
    pub(super) fn shrink(&mut self) {
        while let Some(last) = self.slots.pop_if(|slot| matches!(slot.state, State::Free)) {
            self.generation = self.generation.max(last.generation);
        }
        let kept = self.slots.len();
        self.free.retain(|place| (*place as usize) < kept);
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        self.free.shrink_to_fit();
        self.slots.shrink_to_fit();
    }

    /// The room that a request waits for; `None` if it does not wait any more.
    pub(super) fn wanted(&mut self, id: RequestId) -> Option<Room> {
        match self.get(id)?.state {
            State::Queued(room, _) => Some(room),
            _ => None,
        }
    }

    /// Tells a request that there is room for it. Returns whom to wake.
    pub(super) fn admit(&mut self, id: RequestId, deadline: Instant) -> Option<Waker> {
        let slot = self.get(id)?;
        let State::Queued(room, waker) = &mut slot.state else { return None };
        let (room, waker) = (*room, waker.take());
        slot.state = State::Admitted(room, deadline);
        waker
    }

    /// Whether somebody waits for the end of a request that is under way.
    pub(super) fn is_awaited(&mut self, id: RequestId) -> bool {
        self.get(id).is_some_and(|slot| matches!(slot.state, State::Waiting(_)))
    }

    /// Puts an outcome in its place. Returns whom to wake.
    #[inline]
    pub(super) fn finish(&mut self, id: RequestId, part: u32, outcome: Outcome) -> Option<Waker> {
        let slot = self.get(id)?;
        match &mut slot.state {
            State::Waiting(_) | State::Queued(..) => slot.end(outcome),
            State::Gathering(gathered, _) => {
                let whole = gathered.put(part, outcome);
                slot.close_if(whole)
            }
            State::Free | State::Admitted(..) | State::Done | State::Gathered(_) => None,
        }
    }

    /// As [`finish`](Self::finish), for a reply with which `bytes` begin: it is put together in its place.
    #[inline]
    pub(super) fn finish_small(
        &mut self,
        id: RequestId,
        part: u32,
        small: Small,
        bytes: &[u8],
    ) -> Option<Waker> {
        let slot = self.get(id)?;
        let State::Waiting(waker) = &mut slot.state else {
            return self.finish(id, part, Ok(small.frame(bytes)));
        };
        let waker = waker.take();
        slot.state = State::Done;
        slot.outcome = Some(Ok(small.frame(bytes)));
        waker
    }

    /// Puts outcomes of a batch in their places. Returns whom to wake.
    pub(super) fn finish_run(&mut self, id: RequestId, first: u32, count: u32, run: Run) -> Option<Waker> {
        let slot = self.get(id)?;
        let State::Gathering(gathered, _) = &mut slot.state else { return None };
        let whole = gathered.put_run(first, count, run.0);
        slot.close_if(whole)
    }

    /// How a single request that is under way has ended, if it has; then it leaves its place.
    #[inline]
    pub(super) fn take(&mut self, id: RequestId, waker: &Waker, into: &mut Option<Outcome>) -> Poll<()> {
        let Some(slot) = self.get(id) else { return Poll::Ready(()) };
        if let State::Waiting(kept) = &mut slot.state {
            keep(kept, waker);
            return Poll::Pending;
        }
        if let Some(outcome) = slot.outcome.take() {
            into.get_or_insert(outcome);
        }
        self.release(id);
        Poll::Ready(())
    }

    /// What has become of a request; it leaves its place if it has ended.
    pub(super) fn poll(&mut self, id: RequestId, waker: &Waker) -> Polled {
        let Some(slot) = self.get(id) else { return Polled::Pending };
        match &mut slot.state {
            State::Waiting(kept) | State::Gathering(_, kept) | State::Queued(_, kept) => {
                keep(kept, waker);
                return Polled::Pending;
            }
            State::Admitted(_, deadline) => return Polled::Admitted(*deadline),
            State::Free | State::Done | State::Gathered(_) => {}
        }
        if let Some(outcome) = slot.outcome.take() {
            self.release(id);
            return Polled::Done(outcome);
        }
        match self.release(id) {
            State::Gathered(gathered) => Polled::Gathered(gathered),
            _ => Polled::Pending,
        }
    }

    /// The caller is gone.
    pub(super) fn abandon(&mut self, id: RequestId) -> Left {
        if self.get(id).is_none() {
            return Left::Nothing;
        }
        let outcome = self.get(id).and_then(|slot| slot.outcome.take());
        match self.release(id) {
            State::Waiting(_) | State::Gathering(..) => Left::UnderWay,
            State::Queued(..) => Left::InLine,
            State::Admitted(room, _) => Left::Reserved(room),
            State::Done => outcome.map_or(Left::Nothing, Left::Unseen),
            _ => Left::Nothing,
        }
    }

    /// Ends every request that has not ended. Adds whom to wake.
    pub(super) fn end_all(&mut self, error: impl Fn() -> Error, wake: &mut Vec<Waker>) {
        for slot in &mut self.slots {
            match &mut slot.state {
                State::Waiting(_) | State::Queued(..) => wake.extend(slot.end(Err(error()))),
                State::Admitted(..) => {
                    slot.state = State::Done;
                    slot.outcome = Some(Err(error()));
                }
                State::Gathering(gathered, _) => {
                    gathered.give_up(error());
                    wake.extend(slot.close_if(true));
                }
                State::Free | State::Done | State::Gathered(_) => {}
            }
        }
    }
}

/// Keeps the waker that was given last.
#[inline]
fn keep(kept: &mut Option<Waker>, waker: &Waker) {
    if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
        *kept = Some(waker.clone());
    }
}

/// `batch` is the number of commands of a batch, `None` for a single request.
#[inline]
fn under_way(batch: Option<usize>, waker: &Waker) -> State {
    let Some(count) = batch else { return State::Waiting(Some(waker.clone())) };
    State::Gathering(Box::new(Outcomes::new(count)), Some(waker.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_given_back_is_never_taken_for_an_earlier_use() {
        let mut slots = Slots::default();
        let mut old = Vec::new();
        for _ in 0..3 {
            let ids: Vec<_> = (0..100).map(|_| slots.begin(None, Waker::noop())).collect();
            assert!(ids.iter().all(|id| !old.contains(id)), "two requests have the same name");
            ids.iter().for_each(|id| assert!(matches!(slots.abandon(*id), Left::UnderWay)));
            old.extend(ids);
            slots.shrink();
            assert_eq!((slots.slots.capacity(), slots.free.capacity()), (0, 0));
        }
    }

    #[test]
    fn what_is_taken_stays_and_those_before_it_are_taken_first() {
        let mut slots = Slots::default();
        let ids: Vec<_> = (0..100).map(|_| slots.begin(None, Waker::noop())).collect();
        for id in ids.iter().filter(|id| id.slot != 50) {
            slots.abandon(*id);
        }
        slots.shrink();
        assert!(slots.is_awaited(ids[50]));
        assert_eq!((slots.slots.len(), slots.free.len()), (51, 50));
        assert_eq!(slots.begin(None, Waker::noop()).slot, 0);
        slots.abandon(ids[50]);
        slots.shrink();
        assert_eq!(slots.slots.len(), 1, "no more than what is taken is held");
    }
}
