//! The wire form of commands: where it goes, and how their names are read from it.

use alloc::vec::Vec;

use bytes::Bytes;

/// Where the wire form of commands goes.
pub(crate) trait WireSink {
    /// Bytes to be copied.
    fn copied(&mut self, bytes: &[u8]);
    /// A large value to be kept as it is.
    fn shared(&mut self, value: &Bytes);
}

/// A plain buffer: copies everything.
pub(super) struct Copied<'a>(pub(super) &'a mut Vec<u8>);

impl WireSink for Copied<'_> {
    fn copied(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn shared(&mut self, value: &Bytes) {
        self.0.extend_from_slice(value);
    }
}

/// How many bytes the first `words` bulk strings have.
pub(super) fn name_len(wire: &[u8], words: u8) -> Option<usize> {
    let mut rest = wire;
    for _ in 0..words {
        let (len, after) = bulk_header(rest)?;
        rest = after.get(len + 2..)?;
    }
    Some(wire.len() - rest.len())
}

/// Reads `$<len>\r\n`; returns the length and what follows.
pub(crate) fn bulk_header(wire: &[u8]) -> Option<(usize, &[u8])> {
    let line = wire.strip_prefix(b"$")?;
    let end = line.iter().position(|&byte| byte == b'\r')?;
    let digit = |&byte: &u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
    let len =
        line[..end].iter().try_fold(0_usize, |len, byte| len.checked_mul(10)?.checked_add(digit(byte)?))?;
    Some((len, line.get(end + 2..)?))
}
