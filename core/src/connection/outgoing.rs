//! Bytes of commands on their way out, kept until they are answered.
//!
//! ```text
//!   released      written        end
//!      |  answered  |  in flight  |  not yet written
//!      v (dropped)  v             v
//!  ----[============|=============]
//!      `- held ------------------'
//! ```
//!
//! What is in flight is kept because it may have to be sent again: a redirect, a server that is loading,
//! a read whose connection died. So a retry copies a slice, and the ordinary case copies nothing.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::{Buf, Bytes};

use crate::command::WireSink;

/// A segment that has this many bytes is not appended to.
const SEGMENT: usize = 16 << 10;

enum Segment {
    Copied(Vec<u8>),
    Shared(Bytes),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// A queue of bytes in segments. Reading it as a [`Buf`] yields what is not yet written.
pub struct Outgoing {
    /// The segments before the last, none of them empty.
    segments: VecDeque<Segment>,
    /// The last segment, which grows.
    last: Vec<u8>,
    /// Released bytes of the first segment.
    front: usize,
    /// Where the next byte to write is: a segment and a place in it. It is behind the last byte of the last
    /// segment only.
    write_segment: usize,
    write_at: usize,
    held: usize,
    unwritten: usize,
    /// A buffer to use again.
    spare: Vec<u8>,
}

impl Outgoing {
    pub(crate) const fn new() -> Self {
        Self {
            segments: VecDeque::new(),
            last: Vec::new(),
            front: 0,
            write_segment: 0,
            write_at: 0,
            held: 0,
            unwritten: 0,
            spare: Vec::new(),
        }
    }

    /// How many bytes are kept: those in flight and those not yet written.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// How many of the bytes kept are written.
    pub(crate) const fn in_flight(&self) -> usize {
        self.held - self.unwritten
    }

    /// A copy of the first bytes that are kept, enough to read a command's name from.
    pub(crate) fn peek(&self) -> Vec<u8> {
        const NAME_MAX: usize = 128;
        let mut head = Vec::with_capacity(NAME_MAX);
        let mut from = self.front;
        for segment in self.from(0) {
            let bytes = &segment[from..];
            head.extend_from_slice(&bytes[..bytes.len().min(NAME_MAX - head.len())]);
            from = 0;
            if head.len() == NAME_MAX {
                break;
            }
        }
        head
    }

    /// A copy of all that is kept.
    pub(crate) fn copy(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(self.held);
        let mut from = self.front;
        for segment in self.from(0) {
            copy.extend_from_slice(&segment[from..]);
            from = 0;
        }
        copy
    }

    /// All segments from `first` on.
    fn from(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        let last = (first <= self.segments.len()).then_some(&self.last[..]);
        self.segments.range(first.min(self.segments.len())..).map(Segment::bytes).chain(last)
    }

    /// Forgets the first `count` bytes.
    #[inline]
    pub(crate) fn release(&mut self, count: usize) {
        let count = count.min(self.held);
        self.held -= count;
        self.unwritten = self.unwritten.min(self.held);
        self.front += count;
        while let Some(first) = self.segments.front().map(|segment| segment.bytes().len())
            && self.front >= first
        {
            self.front -= first;
            self.drop_front();
        }
        if self.held == 0 {
            self.reset_last();
        } else if self.write_segment == 0 {
            self.write_at = self.write_at.max(self.front);
        }
    }

    #[cold]
    fn drop_front(&mut self) {
        if let Some(Segment::Copied(mut buffer)) = self.segments.pop_front()
            && buffer.capacity() <= 2 * SEGMENT
        {
            buffer.clear();
            self.spare = buffer;
        }
        match self.write_segment.checked_sub(1) {
            Some(segment) => self.write_segment = segment,
            None => self.write_at = 0,
        }
    }

    /// Nothing is kept: what is appended next is the first byte.
    fn reset_last(&mut self) {
        (self.front, self.write_at) = (0, 0);
        self.last.clear();
        if self.last.capacity() > 2 * SEGMENT {
            self.last = Vec::new();
        }
    }

    /// Moves the first `count` bytes to the end of `to`.
    #[inline]
    pub(crate) fn transfer(&mut self, count: usize, to: &mut Self) {
        // Most commands are small and lie in one segment.
        if self.segments.is_empty() {
            let end = self.last.len().min(self.front + count);
            to.copied(&self.last[self.front..end]);
            self.release(count);
        } else {
            self.transfer_segments(count, to);
        }
    }

    /// Appends a copy of all that is kept to `to`; large values are shared with it.
    pub(crate) fn copy_to(&self, to: &mut Self) {
        let mut from = self.front;
        for segment in &self.segments {
            match segment {
                Segment::Shared(bytes) => to.shared(&bytes.slice(from..)),
                Segment::Copied(bytes) => to.copied(&bytes[from..]),
            }
            from = 0;
        }
        to.copied(&self.last[from..]);
    }

    fn transfer_segments(&mut self, count: usize, to: &mut Self) {
        let mut left = count.min(self.held);
        while left > 0 {
            let first = self.segments.front();
            let end = first.map_or(&self.last[..], Segment::bytes).len().min(self.front + left);
            let here = end - self.front;
            match first {
                Some(Segment::Shared(bytes)) => to.shared(&bytes.slice(self.front..end)),
                Some(Segment::Copied(bytes)) => to.copied(&bytes[self.front..end]),
                None => to.copied(&self.last[self.front..end]),
            }
            self.release(here);
            left -= here;
        }
    }

    /// Gives back memory that holds nothing.
    pub(crate) fn shrink(&mut self) {
        if self.held == 0 {
            *self = Self::default();
        } else {
            self.spare = Vec::new();
            self.segments.shrink_to_fit();
        }
    }

    /// Ends the last segment, so that another can follow.
    #[cold]
    fn seal(&mut self) {
        if !self.last.is_empty() {
            let next = core::mem::take(&mut self.spare);
            let mut sealed = core::mem::replace(&mut self.last, next);
            // What a full segment took in advance is memory beyond the limit of the queue.
            if sealed.capacity() - sealed.len() > sealed.len() / 16 {
                sealed.shrink_to_fit();
            }
            self.push(Segment::Copied(sealed));
        }
    }

    /// Puts a segment before the last one, which is empty.
    fn push(&mut self, segment: Segment) {
        if self.write_segment == self.segments.len() && self.write_at == segment.bytes().len() {
            self.write_segment += 1;
            self.write_at = 0;
        }
        self.segments.push_back(segment);
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new()
    }
}

impl WireSink for Outgoing {
    #[inline]
    fn copied(&mut self, bytes: &[u8]) {
        if self.last.len() >= SEGMENT {
            self.seal();
        }
        self.last.extend_from_slice(bytes);
        self.held += bytes.len();
        self.unwritten += bytes.len();
    }

    fn shared(&mut self, value: &Bytes) {
        if !value.is_empty() {
            self.seal();
            self.push(Segment::Shared(value.clone()));
            self.held += value.len();
            self.unwritten += value.len();
        }
    }
}

impl Buf for Outgoing {
    fn remaining(&self) -> usize {
        self.unwritten
    }

    fn chunk(&self) -> &[u8] {
        let segment = self.segments.get(self.write_segment).map_or(&self.last[..], Segment::bytes);
        &segment[self.write_at..]
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, into: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut at = self.write_at;
        let mut used = 0;
        for (place, segment) in into.iter_mut().zip(self.from(self.write_segment)) {
            *place = std::io::IoSlice::new(&segment[at..]);
            at = 0;
            used += 1;
        }
        used
    }

    /// # Panics
    /// More is written than there was to write: the adapter's `write` lies.
    fn advance(&mut self, count: usize) {
        assert!(count <= self.unwritten, "more bytes written than there were");
        self.unwritten -= count;
        self.write_at += count;
        while let Some(segment) = self.segments.get(self.write_segment)
            && self.write_at >= segment.bytes().len()
        {
            self.write_at -= segment.bytes().len();
            self.write_segment += 1;
        }
    }
}

impl fmt::Debug for Outgoing {
    /// Shows sizes only: the bytes can be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outgoing({} bytes in flight, {} to write)", self.in_flight(), self.unwritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &mut Outgoing, step: usize) -> Vec<u8> {
        let mut written = Vec::new();
        while queue.has_remaining() {
            let part = queue.chunk().len().min(step);
            written.extend_from_slice(&queue.chunk()[..part]);
            queue.advance(part);
        }
        written
    }

    #[test]
    fn bytes_leave_in_order_whatever_the_segments_and_steps() {
        for step in [1, 7, 4096, usize::MAX] {
            let mut queue = Outgoing::default();
            let mut expected = Vec::new();
            for round in 0..200_u8 {
                let small = [round; 33];
                queue.copied(&small);
                expected.extend_from_slice(&small);
                if round % 3 == 0 {
                    let large = Bytes::from(alloc::vec![round; 1000]);
                    queue.shared(&large);
                    expected.extend_from_slice(&large);
                }
            }
            assert_eq!(queue.remaining(), expected.len());
            assert!(drain(&mut queue, step) == expected, "step {step}");
            assert_eq!((queue.held(), queue.in_flight()), (expected.len(), expected.len()));
            queue.release(expected.len());
            assert_eq!(queue.held(), 0);
        }
    }

    #[test]
    fn released_and_written_are_independent() {
        let mut queue = Outgoing::default();
        for _ in 0..3000 {
            queue.copied(b"0123456789");
            queue.advance(10);
            queue.release(4);
            queue.copied(b"abcdef");
            assert_eq!(queue.chunk(), b"abcdef");
            queue.advance(6);
            assert_eq!(queue.peek(), b"456789abcdef");
            queue.release(12);
            assert_eq!(queue.held(), 0);
        }
        assert!(queue.segments.len() <= 1, "answered segments are dropped");
    }

    #[test]
    fn transfer_keeps_order_and_shares_large_values() {
        let large = Bytes::from(alloc::vec![b'x'; 50_000]);
        let mut from = Outgoing::default();
        from.copied(b"head");
        from.shared(&large);
        from.copied(b"tail");
        let mut to = Outgoing::default();
        from.transfer(2, &mut to);
        from.transfer(50_004, &mut to);
        assert_eq!((from.held(), to.held()), (2, 50_006));
        let Some(Segment::Shared(same)) = to.segments.get(1) else { panic!("the value was copied") };
        assert_eq!(same.as_ptr(), large.as_ptr());
        assert_eq!(drain(&mut to, 9).len(), 50_006);
        assert_eq!(drain(&mut from, 9), b"il");
    }

    #[test]
    fn nothing_is_held_after_a_shrink() {
        let mut queue = Outgoing::default();
        queue.copied(&[0; 20_000]);
        queue.advance(20_000);
        queue.release(20_000);
        queue.shrink();
        assert_eq!(queue.last.capacity() + queue.spare.capacity() + queue.segments.capacity(), 0);
    }
}
