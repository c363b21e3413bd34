//! What a connection is read into: a buffer of the thread, so that a connection that says nothing holds none.
//!
//! ```text
//! thread's buffer --open--> read, take replies --close--> all taken: back to the thread
//!        ^                                          |---- a little of a reply is left: copied, and back
//!        `--shrink-- the connection's own <---------'---- much is left, or it took more room: stays
//! ```
//!
//! The connection's own is used again when nobody has any more what was read into it. Until then the thread's is, too:
//! to look whether more has come takes no buffer of its own.
//!
//! How much room there is never depends on what other connections did: a simulation runs alike again.

use core::cell::Cell;
use core::mem;

use bytes::BytesMut;

/// Room that a read is given, unless one reply is known to need more.
const ROOM: usize = 64 << 10;
/// Up to so much of a reply is copied, rather than that the thread is left without its buffer.
const COPIED_MAX: usize = 4 << 10;

std::thread_local! {
    /// Nobody's buffer at the moment. It is empty, and its room is [`ROOM`] once no reply shares it any more.
    static FREE: Cell<BytesMut> = Cell::default();
}

/// What one connection is read into.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// The part of a reply of which the rest is still to come; or the connection's own buffer, unless it is open.
    kept: BytesMut,
    is_own: bool,
    /// What is open is the thread's.
    is_lent: bool,
    /// How large the connection's own buffer is, once it was made larger.
    size: usize,
    /// The last read left room, so most likely nothing more is there.
    is_short: bool,
}

impl Intake {
    /// A buffer to read into, which begins with what has come of a reply. It is to be [closed](Self::close).
    #[inline]
    pub(super) fn open(&mut self) -> BytesMut {
        self.is_short = false;
        let kept = mem::take(&mut self.kept);
        if self.is_own {
            return self.reclaim(kept);
        }
        let mut read = self.borrow();
        read.extend_from_slice(&kept);
        read
    }

    /// The thread's buffer, empty.
    #[inline]
    fn borrow(&mut self) -> BytesMut {
        self.is_lent = true;
        // A thread that ends has none.
        let mut read = FREE.try_with(Cell::take).unwrap_or_default();
        read.reserve(ROOM);
        read
    }

    /// The connection's own buffer from its beginning, if nobody has any more what was read into it: else one value
    /// would be read behind the other, and twice the memory be used.
    fn reclaim(&self, mut own: BytesMut) -> BytesMut {
        if own.is_empty() {
            let _ = own.try_reclaim(self.size);
        }
        own
    }

    /// Makes room for a read of which `needed` bytes are known to come. A buffer of which much is left is used up:
    /// replies not yet taken hold it, so more room would be another buffer.
    #[inline]
    pub(super) fn make_room(&mut self, read: &mut BytesMut, needed: usize) {
        let left = read.capacity() - read.len();
        let likely = if self.is_short { 1 } else { ROOM / 4 };
        if left < needed.max(likely) {
            self.replace(read, needed);
        }
    }

    /// More room than `read` has.
    fn replace(&mut self, read: &mut BytesMut, needed: usize) {
        if read.is_empty() && self.is_own && !self.is_lent {
            self.kept = mem::replace(read, self.borrow());
        }
        if !read.is_empty() {
            // From here on it is the connection's own, in place of another that others still have.
            self.kept = BytesMut::new();
            self.is_own = true;
            self.is_lent = false;
        }
        read.reserve(needed.max(ROOM));
        if !self.is_lent {
            self.size = read.capacity();
        }
    }

    /// So many bytes came into `room`.
    #[inline]
    pub(super) const fn note(&mut self, count: usize, room: usize) {
        self.is_short = count < room;
    }

    /// Takes the buffer back.
    #[inline]
    pub(super) fn close(&mut self, mut read: BytesMut) {
        let is_lent = mem::take(&mut self.is_lent);
        if !is_lent || read.len() > COPIED_MAX {
            self.is_own = true;
            self.kept = read;
            return;
        }
        if !read.is_empty() {
            self.is_own = false;
            self.kept = BytesMut::from(&read[..]);
            read.clear();
        }
        let _ = FREE.try_with(|free| free.set(read));
    }

    /// Whether the connection has a buffer of its own.
    pub(super) const fn is_own(&self) -> bool {
        self.is_own
    }

    /// Gives back the connection's own buffer, if nothing is in it.
    pub(super) fn shrink(&mut self) {
        if self.is_own && self.kept.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;

    use super::*;

    /// A read that brings `count` bytes, or as much as there is room for.
    fn read(intake: &mut Intake, into: &mut BytesMut, needed: usize, count: usize) {
        intake.make_room(into, needed);
        let room = into.capacity() - into.len();
        assert!(room > 0);
        let count = count.min(room);
        into.resize(into.len() + count, b'x');
        intake.note(count, room);
    }

    #[test]
    fn a_connection_of_which_all_was_taken_holds_nothing() {
        let mut intake = Intake::default();
        let mut open = intake.open();
        read(&mut intake, &mut open, 0, 100);
        open.advance(100);
        intake.close(open);
        assert_eq!((intake.kept.capacity(), intake.is_own()), (0, false));
    }

    #[test]
    fn part_of_a_reply_stays_with_its_connection() {
        let (mut intake, mut other) = (Intake::default(), Intake::default());
        for len in [1, 100, COPIED_MAX, 2 * COPIED_MAX] {
            let mut open = intake.open();
            read(&mut intake, &mut open, 0, len);
            intake.close(open);
            let foreign = other.open();
            assert!(foreign.is_empty(), "what came on one connection is given to another");
            other.close(foreign);
            let mut open = intake.open();
            assert_eq!(open.len(), len);
            open.advance(len);
            intake.close(open);
        }
    }

    #[test]
    fn the_room_is_the_same_whatever_was_read_before() {
        let mut intake = Intake::default();
        for held in [0, 1, 1000, ROOM] {
            let mut open = intake.open();
            assert_eq!(open.capacity(), ROOM);
            read(&mut intake, &mut open, 0, usize::MAX);
            let _frame = open.split_to(held).freeze();
            open.advance(open.len());
            intake.close(open);
            assert_eq!(Intake::default().open().capacity(), ROOM, "{held} bytes are held");
        }
    }

    #[test]
    fn a_large_reply_has_a_buffer_of_its_own_until_it_is_given_back() {
        let mut intake = Intake::default();
        let mut open = intake.open();
        read(&mut intake, &mut open, 0, usize::MAX);
        read(&mut intake, &mut open, ROOM, usize::MAX);
        assert!(open.len() >= 2 * ROOM);
        let _reply = open.split_to(open.len());
        intake.close(open);
        assert!(intake.is_own());
        intake.shrink();
        assert_eq!((intake.kept.capacity(), intake.is_own()), (0, false));
    }

    #[test]
    fn large_values_one_after_the_other_use_the_same_memory() {
        let (mut intake, len) = (Intake::default(), 4 * ROOM + 10);
        let mut first = None;
        for _ in 0..3 {
            let mut open = intake.open();
            while open.len() < len {
                let count = len - open.len();
                let needed = count.min(open.len() + 10);
                read(&mut intake, &mut open, needed, count);
            }
            let at = *first.get_or_insert(open.as_ptr());
            assert_eq!(open.as_ptr(), at, "it was read somewhere else");
            assert!(open.capacity() < len + ROOM, "{} bytes for one of {len}", open.capacity());
            drop(open.split_to(len).freeze());
            intake.close(open);
        }
    }

    #[test]
    fn to_look_for_more_behind_a_large_value_takes_no_other_memory() {
        let (mut intake, len) = (Intake::default(), 4 * ROOM);
        let mut first = None;
        for _ in 0..3 {
            let mut open = intake.open();
            while open.len() < len {
                let needed = (len - open.len()).min(open.len());
                read(&mut intake, &mut open, needed, usize::MAX);
            }
            let at = *first.get_or_insert(open.as_ptr());
            assert_eq!(open.as_ptr(), at, "it was read somewhere else");
            let value = open.split_to(len).freeze();
            intake.make_room(&mut open, 0);
            assert_eq!(open.capacity(), ROOM, "not the thread's");
            intake.close(open);
            drop(value);
        }
    }

    #[test]
    fn a_large_value_that_is_kept_is_not_read_over() {
        let mut intake = Intake::default();
        let mut values = Vec::new();
        for byte in *b"abc" {
            for count in [ROOM, ROOM, 10] {
                let mut open = intake.open();
                intake.make_room(&mut open, count);
                let end = open.len() + count;
                open.resize(end, byte);
                if count == 10 {
                    values.push(open.split_to(end).freeze());
                }
                intake.close(open);
            }
        }
        for (value, byte) in values.iter().zip(*b"abc") {
            assert!(value.len() == 2 * ROOM + 10 && value.iter().all(|&found| found == byte));
        }
    }

    #[test]
    fn behind_a_short_read_no_other_buffer_is_made() {
        let mut intake = Intake::default();
        let mut open = intake.open();
        read(&mut intake, &mut open, 0, ROOM - 100);
        let _held = open.split_to(ROOM - 100).freeze();
        intake.make_room(&mut open, 0);
        assert!(open.capacity() < ROOM / 4, "a buffer was made for bytes that are not there");
    }
}
