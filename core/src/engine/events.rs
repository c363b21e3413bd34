//! What the engine has to say, as it is kept until somebody asks: nearly all of it are small replies.
//!
//! ```text
//! queue:  small | small | other | small       16 bytes each
//! bytes:  +OK.. | $3..  |       | :1..        one behind the other, as they came
//! others:                 event
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::request::{Event, Run};
use crate::connection::{RequestId, Usual};
use crate::resp::Small;
use crate::seldom::Vacant;

/// One event in its turn.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// A small reply, of which the bytes are the next ones.
    Small(RequestId, u32, Small),
    /// The next one of the others.
    Other,
}

/// Events in their order.
#[derive(Debug, Default)]
pub(crate) struct Events {
    queue: VecDeque<Said>,
    bytes: Vec<u8>,
    /// So many of the bytes belong to events that are gone.
    gone: usize,
    others: VecDeque<Event>,
}

/// An event that is taken out.
pub(crate) enum Next<'a> {
    /// The reply to this command of a call, with which these bytes begin.
    Small(RequestId, u32, Small, &'a [u8]),
    Other(Event),
}

impl Vacant for Events {
    const VACANT: &'static Self =
        &Self { queue: VecDeque::new(), bytes: Vec::new(), gone: 0, others: VecDeque::new() };
}

impl Events {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push(&mut self, event: Event) {
        self.others.push_back(event);
        self.queue.push_back(Said::Other);
    }

    /// Appends what a connection has taken off.
    #[inline]
    pub(super) fn push_usual(&mut self, usual: Usual<'_>) {
        match usual {
            Usual::Small(id, part, small) => self.queue.push_back(Said::Small(id, part, small)),
            Usual::Bytes(bytes) => self.bytes.extend_from_slice(bytes),
            Usual::Run { id, first, count, run } => {
                self.push(Event::Replies { id, first, count, run: Run(run) });
            }
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<Next<'_>> {
        let Some(said) = self.queue.pop_front() else {
            self.bytes.clear();
            self.gone = 0;
            return None;
        };
        match said {
            Said::Other => self.others.pop_front().map(Next::Other),
            Said::Small(id, part, small) => {
                let bytes = self.bytes.get(self.gone..).unwrap_or_default();
                self.gone += small.len();
                Some(Next::Small(id, part, small, bytes))
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        Some(match self.next()? {
            Next::Small(id, part, small, bytes) => Event::Reply { id, part, result: Ok(small.frame(bytes)) },
            Next::Other(event) => event,
        })
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.queue.shrink_to_fit();
        self.bytes.shrink_to_fit();
        self.others.shrink_to_fit();
    }
}
