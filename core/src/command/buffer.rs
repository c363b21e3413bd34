//! The bytes of a command: a small one needs no allocation.

use alloc::vec::Vec;
use core::ops::Deref;

use crate::resp::length_line;

/// So many bytes have room in the command itself.
const INLINE: usize = 112;

/// Bytes that are only appended to.
#[derive(Clone)]
pub(super) enum Buffer {
    Inline { bytes: [u8; INLINE], len: usize },
    Heap(Vec<u8>),
}

impl Buffer {
    #[inline]
    pub(super) const fn new() -> Self {
        Self::Inline { bytes: [0; INLINE], len: 0 }
    }

    pub(super) fn copy_of(part: &[u8]) -> Self {
        let mut inline = [0; INLINE];
        match inline.get_mut(..part.len()) {
            Some(room) => {
                room.copy_from_slice(part);
                Self::Inline { bytes: inline, len: part.len() }
            }
            None => Self::Heap(part.to_vec()),
        }
    }

    /// Appends a bulk string: `$<len>\r\n`, its bytes, and CR LF.
    pub(super) fn put_string(&mut self, string: &[u8]) {
        // What has room here is shorter than 1,000 bytes.
        const FRAME: usize = b"$999\r\n\r\n".len();
        if !self.put_inline(string.len(), string, FRAME) {
            let heap = self.heap(string.len());
            length_line(b'$', string.len(), |part| heap.extend_from_slice(part));
            heap.extend_from_slice(string);
            heap.extend_from_slice(b"\r\n");
        }
    }

    /// Appends the header of a bulk string of `len` bytes; returns where the string belongs, before CR LF.
    pub(super) fn put_frame(&mut self, len: usize) -> usize {
        const FRAME: usize = b"$18446744073709551615\r\n\r\n".len();
        if !self.put_inline(len, b"", FRAME) {
            let heap = self.heap(0);
            length_line(b'$', len, |part| heap.extend_from_slice(part));
            heap.extend_from_slice(b"\r\n");
        }
        self.len() - b"\r\n".len()
    }

    /// Appends the header of a bulk string of `len` bytes, what there is of it, and CR LF, if there is room
    /// in the command itself. All but the string takes at most `frame` bytes.
    #[inline]
    fn put_inline(&mut self, len: usize, string: &[u8], frame: usize) -> bool {
        let Self::Inline { bytes, len: used } = self else { return false };
        let Some(room) = bytes.get_mut(*used..).filter(|room| string.len() + frame <= room.len()) else {
            return false;
        };
        let mut at = 0;
        let mut put = |part: &[u8]| {
            room[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        length_line(b'$', len, &mut put);
        put(string);
        put(b"\r\n");
        *used += at;
        true
    }

    /// All bytes on the heap, with room for a string of `len` bytes.
    fn heap(&mut self, len: usize) -> &mut Vec<u8> {
        const ROOM_MIN: usize = 4 * INLINE;
        // A byte too few would cost a second copy and twice the memory.
        let room = len + b"$536870912\r\n\r\n".len();
        loop {
            match self {
                Self::Heap(bytes) => {
                    bytes.reserve(room);
                    return bytes;
                }
                Self::Inline { bytes, len: used } => {
                    let mut heap = Vec::with_capacity(*used + room.max(ROOM_MIN));
                    heap.extend_from_slice(&bytes[..*used]);
                    *self = Self::Heap(heap);
                }
            }
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, len } => &bytes[..*len],
            Self::Heap(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_whatever_their_length() {
        for len in [0, 1, 9, 10, 60, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 112, 500, 1000] {
            let string = alloc::vec![b'x'; len];
            let (mut buffer, mut expected) = (Buffer::new(), Vec::new());
            for _ in 0..5 {
                buffer.put_string(&string);
                expected.extend_from_slice(alloc::format!("${len}\r\n").as_bytes());
                expected.extend_from_slice(&string);
                expected.extend_from_slice(b"\r\n");
                assert!(*buffer == expected, "{len} bytes");
            }
        }
    }

    #[test]
    fn a_get_and_a_small_set_need_no_heap() {
        let mut buffer = Buffer::new();
        for arg in ["SET", "a key of 16 byte", &"v".repeat(64)] {
            buffer.put_string(arg.as_bytes());
        }
        assert!(matches!(buffer, Buffer::Inline { .. }));
    }
}
