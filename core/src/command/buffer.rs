//! The bytes of a command: a small one needs no allocation.

use alloc::vec::Vec;
use core::ops::Deref;

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

    /// Makes room for `count` more bytes, without which [`put`](Self::put) may panic.
    #[inline]
    pub(super) fn reserve(&mut self, count: usize) {
        if let Self::Inline { len, .. } = self
            && count > INLINE - *len
        {
            self.move_to_heap(count);
        }
    }

    #[cold]
    fn move_to_heap(&mut self, count: usize) {
        let mut heap = Vec::with_capacity(self.len() + count.max(4 * INLINE));
        heap.extend_from_slice(self);
        *self = Self::Heap(heap);
    }

    /// Appends bytes for which there is room.
    #[inline]
    pub(super) fn put(&mut self, part: &[u8]) {
        match self {
            Self::Inline { bytes, len } => {
                let end = *len + part.len();
                bytes[*len..end].copy_from_slice(part);
                *len = end;
            }
            Self::Heap(bytes) => bytes.extend_from_slice(part),
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
    fn bytes_come_back_whatever_the_pieces() {
        for step in [1, 7, 56, 111, 112, 113, 500] {
            let expected: Vec<u8> = (0..=255).cycle().take(1000).collect();
            let mut buffer = Buffer::new();
            for (count, piece) in expected.chunks(step).enumerate() {
                buffer.reserve(piece.len());
                buffer.put(piece);
                let end = (step * (count + 1)).min(1000);
                assert!(*buffer == expected[..end], "{end} bytes in pieces of {step}");
                assert_eq!(matches!(buffer, Buffer::Inline { .. }), end <= INLINE);
            }
        }
    }
}
