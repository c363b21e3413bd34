//! What is gathered for one subscription until its handle is told.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::{Bytes, BytesMut};

use super::backlog::{Backlog, Run};
use super::event::{Event, Message};
use crate::connection::Layout;
use crate::error::Error;
use crate::resp::Alike;

/// A text of this size or more is a slice of what was read; others are copied, so that one that waits or is
/// kept does not keep the whole buffer.
const SHARED_MIN: usize = 4 << 10;
/// As many bytes of what is copied share a buffer.
const CHUNK: usize = 2 << 10;

/// What is to be told to one subscription.
#[derive(Debug, Default)]
pub struct Delivery {
    events: Backlog,
    /// How much room they take.
    room: usize,
    /// Calls that have ended, by their numbers.
    pub outcomes: Vec<(u64, Result<(), Error>)>,
    /// It is over: nothing follows.
    pub ended: bool,
    /// Where short texts are copied to.
    chunk: BytesMut,
}

impl Delivery {
    /// Adds an event.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        let room = self.events.push(event);
        self.room = self.room.saturating_add(room);
    }

    /// The events so far and how much [room](Event::room) they take. `spare`, which is empty, is for those that come.
    pub fn take_events(&mut self, spare: Backlog) -> (Backlog, usize) {
        (core::mem::replace(&mut self.events, spare), core::mem::take(&mut self.room))
    }

    /// Forgets all that is to be told.
    pub fn clear(&mut self) {
        self.events.clear();
        self.room = 0;
        self.outcomes.clear();
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.events.shrink();
        self.outcomes.shrink_to_fit();
        self.chunk = BytesMut::new();
    }

    /// Adds a message.
    #[inline]
    pub(super) fn message(&mut self, text: Text<'_>, layout: Layout) {
        let text = self.own(text);
        self.push(Event::Message(Message::of(text, layout)));
    }

    /// Adds messages of one channel, as they lie in `wire`, the first with its text here.
    pub(super) fn messages(&mut self, wire: Text<'_>, text: Range<usize>, layout: Layout, left: Alike) {
        let wire = self.own(wire);
        let room = self.events.push_run(Run::new(wire, text, layout, left));
        self.room = self.room.saturating_add(room);
    }

    #[inline]
    fn own(&mut self, text: Text<'_>) -> Bytes {
        match text {
            Text::Shared(text) => text.clone(),
            Text::Small(text) => self.copy(text),
        }
    }

    #[inline]
    fn copy(&mut self, text: &[u8]) -> Bytes {
        if !Text::shares_a_buffer(text.len()) {
            return Bytes::copy_from_slice(text);
        }
        if self.chunk.capacity() < text.len() {
            self.renew();
        }
        self.chunk.extend_from_slice(text);
        self.chunk.split().freeze()
    }

    /// The rest of the buffer is too short. If all that lay in it is gone it is used again.
    #[cold]
    fn renew(&mut self) {
        self.chunk.reserve(CHUNK);
    }
}

/// The text of a message, or messages, as they lie in what was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'a> {
    Small(&'a [u8]),
    Shared(&'a Bytes),
}

impl Text<'_> {
    /// Whether a text of this length is shared.
    pub(super) const fn is_shared(len: usize) -> bool {
        len >= SHARED_MIN
    }

    /// Whether what is copied of this length shares a buffer with others.
    pub(super) const fn shares_a_buffer(len: usize) -> bool {
        len <= CHUNK / 4
    }
}
