//! The bytes of a command: a small one needs no allocation.

use alloc::vec::Vec;
use core::ops::Deref;

use super::pool::{keep_buffer, take_buffer};
use crate::resp::put_length;

/// So many bytes have room in the command itself: enough for a small `SET`.
const INLINE: usize = 114;

/// Room before the strings for the header of an array of up to nine, which is there as long as all is in the
/// command itself.
const HEAD: usize = b"*9\r\n".len();

/// So many of the first bytes of the strings hold a name of up to nine letters.
#[cfg(feature = "std")]
pub(super) const NAME_HEAD: usize = 16;

/// Bytes that are only appended to.
#[derive(Clone)]
pub(super) enum Buffer {
    Inline { bytes: [u8; INLINE], len: u8 },
    Heap(Vec<u8>),
}

impl Buffer {
    #[inline]
    pub(super) const fn new() -> Self {
        let mut bytes = [0; INLINE];
        [bytes[0], bytes[1], bytes[2], bytes[3]] = *b"*0\r\n";
        Self::Inline { bytes, len: HEAD as u8 }
    }

    /// Only the first `len` bytes of the strings.
    pub(super) fn cut(&self, len: usize) -> Self {
        let part = &self[..HEAD + len];
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..part.len()) {
            Some(room) => {
                room.copy_from_slice(part);
                Self::Inline { bytes, len: part.len() as u8 }
            }
            _ => Self::Heap(part.to_vec()),
        }
    }

    /// Makes it empty.
    #[inline]
    pub(super) fn clear(&mut self) {
        match self {
            Self::Inline { len, .. } => *len = HEAD as u8,
            Self::Heap(_) => self.unspill(),
        }
    }

    /// The strings.
    #[inline]
    pub(super) fn strings(&self) -> &[u8] {
        &self[HEAD..]
    }

    /// All of an array of `count` strings, if its header is here.
    #[inline]
    pub(super) fn array(&self, count: u32) -> Option<&[u8]> {
        (matches!(self, Self::Inline { .. }) && count < 10).then_some(self)
    }

    /// The first bytes of the strings, and what lies behind them if they are fewer.
    #[cfg(feature = "std")]
    #[inline]
    pub(super) fn head(&self) -> Option<[u8; NAME_HEAD]> {
        let bytes = match self {
            Self::Inline { bytes, .. } => bytes,
            Self::Heap(bytes) => &bytes[..],
        };
        bytes.get(HEAD..)?.first_chunk().copied()
    }

    /// Appends a bulk string, `$<len>\r\n`, its bytes, and CR LF, if there is room in the command itself; it
    /// is the one numbered `count`.
    #[inline]
    #[must_use]
    pub(super) fn put_inline(&mut self, count: u32, string: &[u8]) -> bool {
        let Self::Inline { bytes, len } = self else { return false };
        // From ten on the header is not used.
        bytes[1] = b'0'.wrapping_add(count as u8);
        let Some(put) = bytes.get_mut(usize::from(*len)..).and_then(|room| put_short(room, string)) else {
            return false;
        };
        *len += put;
        true
    }

    /// Appends a bulk string, on the heap.
    pub(super) fn put_string(&mut self, string: &[u8]) {
        put_string(self.heap(string.len()), string);
    }

    /// Appends the header of a bulk string of `len` bytes; returns where among the
    /// strings it belongs, before CR LF.
    pub(super) fn put_frame(&mut self, len: usize) -> usize {
        let heap = self.heap(0);
        put_length(heap, b'$', len);
        heap.extend_from_slice(b"\r\n");
        heap.len() - HEAD - b"\r\n".len()
    }

    /// Makes room for `more` bytes at once, if they are not for the command itself.
    pub(super) fn reserve(&mut self, more: usize) {
        if matches!(self, Self::Heap(_)) || self.len() + more > INLINE {
            self.heap(more);
        }
    }

    /// All bytes on the heap, with room for a string of `len` bytes.
    #[inline]
    fn heap(&mut self, len: usize) -> &mut Vec<u8> {
        // A byte too few would cost a second copy and twice the memory.
        let room = len + b"$536870912\r\n\r\n".len();
        loop {
            match self {
                Self::Heap(bytes) => {
                    bytes.reserve(room);
                    return bytes;
                }
                Self::Inline { .. } => self.spill(room),
            }
        }
    }

    /// Moves the bytes to the heap, with room for `more`.
    #[cold]
    fn spill(&mut self, more: usize) {
        const ROOM_MIN: usize = 2 * INLINE;
        let mut heap = take_buffer();
        heap.reserve(self.len() + more.max(ROOM_MIN));
        heap.extend_from_slice(self);
        *self = Self::Heap(heap);
    }

    /// Becomes empty, and gives up its place on the heap.
    #[cold]
    fn unspill(&mut self) {
        if let Self::Heap(heap) = core::mem::replace(self, Self::new()) {
            keep_buffer(heap);
        }
    }
}

/// A string of so many bytes or more is given its room before it is appended.
pub(super) const LONG: usize = 1000;

/// Appends a bulk string.
#[inline(always)]
pub(super) fn put_string(heap: &mut Vec<u8>, string: &[u8]) {
    put_length(heap, b'$', string.len());
    heap.extend_from_slice(string);
    heap.extend_from_slice(b"\r\n");
}

/// Writes a bulk string to the front of `room`; returns how many bytes it has. What does not fit is written in
/// part, or not at all.
#[inline]
fn put_short(room: &mut [u8], string: &[u8]) -> Option<u8> {
    let digit = |number: usize| b'0' + (number % 10) as u8;
    let len = string.len();
    let (head, rest) = match len {
        0..10 => {
            let (head, rest) = room.split_first_chunk_mut()?;
            *head = [b'$', digit(len), b'\r', b'\n'];
            (head.len(), rest)
        }
        10..100 => {
            let (head, rest) = room.split_first_chunk_mut()?;
            *head = [b'$', digit(len / 10), digit(len), b'\r', b'\n'];
            (head.len(), rest)
        }
        _ => return None,
    };
    let (payload, rest) = rest.split_at_mut_checked(len)?;
    let (end, _) = rest.split_first_chunk_mut()?;
    payload.copy_from_slice(string);
    *end = *b"\r\n";
    Some((head + len + end.len()) as u8)
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, len } => &bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, string: &[u8]) {
        if !buffer.put_inline(1, string) {
            buffer.put_string(string);
        }
    }

    #[test]
    fn strings_come_back_whatever_their_length() {
        for len in [0, 1, 9, 10, 60, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 112, 500, 1000] {
            let string = alloc::vec![b'x'; len];
            let (mut buffer, mut expected) = (Buffer::new(), Vec::new());
            for _ in 0..5 {
                put(&mut buffer, &string);
                expected.extend_from_slice(alloc::format!("${len}\r\n").as_bytes());
                expected.extend_from_slice(&string);
                expected.extend_from_slice(b"\r\n");
                assert!(buffer.strings() == expected, "{len} bytes");
            }
        }
    }

    #[test]
    fn a_get_and_a_small_set_need_no_heap() {
        let mut buffer = Buffer::new();
        for arg in ["SET", "a key of 16 byte", &"v".repeat(64)] {
            put(&mut buffer, arg.as_bytes());
        }
        assert!(matches!(buffer, Buffer::Inline { .. }));
    }
}
