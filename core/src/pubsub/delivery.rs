//! What is gathered for one subscription until its handle is told.

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::event::{Event, Message};
use crate::error::Error;

/// A payload of this size or more is a slice of what was read; others are copied, so that one that waits or is
/// kept does not keep the whole buffer.
const SHARED_MIN: usize = 4 << 10;
/// As many bytes of copied payloads share a buffer.
const CHUNK: usize = 2 << 10;

/// What is to be told to one subscription.
#[derive(Debug, Default)]
pub struct Delivery {
    /// In their order.
    events: Vec<Event>,
    /// How much room they take.
    room: usize,
    /// Calls that have ended, by their numbers.
    pub outcomes: Vec<(u64, Result<(), Error>)>,
    /// It is over: nothing follows.
    pub ended: bool,
    /// Where small payloads are copied to.
    chunk: BytesMut,
}

impl Delivery {
    /// Adds an event.
    #[inline]
    pub(crate) fn push(&mut self, event: Event) {
        self.room = self.room.saturating_add(event.room());
        self.events.push(event);
    }

    /// The events so far, in their order, and how much [room](Event::room) they take. `spare` is for those that come.
    pub fn take_events(&mut self, spare: Vec<Event>) -> (Vec<Event>, usize) {
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
        self.events.shrink_to_fit();
        self.outcomes.shrink_to_fit();
        self.chunk = BytesMut::new();
    }

    /// Adds a message; `payload` can hand out itself as a slice of what was read.
    #[inline]
    pub(super) fn message(&mut self, channel: Bytes, pattern: Option<Bytes>, payload: Payload<'_>) {
        let payload = match payload {
            Payload::Shared(payload) => payload.clone(),
            Payload::Small(payload) => self.copy(payload),
        };
        self.push(Event::Message(Message { channel, pattern, payload }));
    }

    #[inline]
    fn copy(&mut self, payload: &[u8]) -> Bytes {
        if payload.len() > CHUNK / 4 {
            return Bytes::copy_from_slice(payload);
        }
        if self.chunk.capacity() < payload.len() {
            self.renew();
        }
        self.chunk.extend_from_slice(payload);
        self.chunk.split().freeze()
    }

    /// The rest of the buffer is too short. If all that lay in it is gone it is used again.
    #[cold]
    fn renew(&mut self) {
        self.chunk.reserve(CHUNK);
    }
}

/// A payload as it lies in what was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    Small(&'a [u8]),
    Shared(&'a Bytes),
}

impl Payload<'_> {
    /// Whether a payload of this length is shared.
    pub(super) const fn is_shared(len: usize) -> bool {
        len >= SHARED_MIN
    }
}
