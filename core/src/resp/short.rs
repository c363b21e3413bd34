//! What most replies are and consist of: strings, statuses, integers and nil, as long as they are short.

use core::ops::Range;

use super::frame::{Kind, Node};
use super::length::{is_short_cut, read_short, short_length};
use super::scan::{CRLF, narrow, offset};

/// Where the payload of a string lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    start: u32,
    len: u32,
}

impl Text {
    /// A string of `len` bytes, the first of which is the first of `payload`, the end of `buf`.
    #[inline]
    pub(super) fn new(buf: &[u8], payload: &[u8], len: u32) -> Self {
        Self::at(offset(buf, payload), len)
    }

    /// A string of `len` bytes, the first of which is at `start`.
    #[inline]
    pub(super) fn at(start: usize, len: u32) -> Self {
        Self { start: narrow(start), len }
    }

    /// The string that begins `payload`.
    #[inline(always)]
    pub(super) fn found_in(self, payload: &[u8]) -> Found<'_> {
        match payload.get(self.len as usize..).and_then(<[u8]>::split_first_chunk) {
            Some((b"\r\n", after)) => Found::Whole(self, after),
            Some(_) => Found::Other,
            None => Found::Begun(self),
        }
    }

    #[inline]
    pub(super) const fn node(self) -> Node {
        Node { start: self.start, len: self.len, below: 0, kind: Kind::BulkString }
    }

    /// How many bytes there must be until all of the string is there.
    #[inline]
    pub(super) const fn need(self) -> usize {
        self.end().saturating_add(CRLF)
    }

    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end()
    }

    const fn end(self) -> usize {
        (self.start as usize).saturating_add(self.len as usize)
    }

    /// Whether what must be is behind the string in `buf`.
    #[inline]
    pub(super) fn ends_in(self, buf: &[u8]) -> bool {
        buf.get(self.end()..).is_some_and(|after| after.starts_with(b"\r\n"))
    }

    /// The string in `buf`, which has as many bytes as it needs.
    #[inline]
    pub(super) fn found(self, buf: &[u8]) -> Found<'_> {
        match buf.get(self.end()..).and_then(<[u8]>::split_first_chunk) {
            Some((b"\r\n", after)) => Found::Whole(self, after),
            _ => Found::Other,
        }
    }
}

/// What is found where a string may be.
pub(super) enum Found<'b> {
    /// It is there in full, and this follows.
    Whole(Text, &'b [u8]),
    /// All is there that comes before its payload.
    Begun(Text),
    /// It is something else, or is not short, or breaks a rule, or not so much of it is there.
    Other,
}

/// The string at the start of `rest`, the end of `buf`, if it is short and within the limit.
#[inline(always)]
pub(super) fn short_string<'b>(limit: u32, buf: &[u8], rest: &'b [u8]) -> Found<'b> {
    let [b'$', line @ ..] = rest else { return Found::Other };
    let Some((len, payload)) = read_short(line) else { return Found::Other };
    if len > limit {
        return Found::Other;
    }
    Text::new(buf, payload, len).found_in(payload)
}

/// Whether `rest` is the beginning of what comes before the payload of a short string, or the elements of a short
/// array, and more of it must follow.
#[inline(never)]
pub(super) const fn is_header_cut(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b'$' | b'*', line @ ..] => is_short_cut(line),
        _ => false,
    }
}

/// A header at the end of a buffer.
pub(super) enum Last {
    /// Of which more must follow.
    Cut,
    /// Its type and what length it has.
    Whole(u8, Option<(u32, usize)>),
    /// It cannot be told.
    Other,
}

/// The header that `rest`, the last bytes of `buf` and fewer than the longest header has, begins with or is the
/// beginning of.
///
/// What may be missing is put behind it: if it is a header then, and longer than what is there, it is cut. No branch
/// here depends on how many bytes there are: in pieces that differs from header to header.
#[inline(always)]
pub(super) fn last_header(buf: &[u8], rest: &[u8]) -> Last {
    let (Some(last), Some(end)) = (buf.last_chunk(), rest.last()) else {
        return if rest.is_empty() { Last::Cut } else { Last::Other };
    };
    let bits = narrow(rest.len()).wrapping_mul(8);
    let end: &[u8; 4] = match end {
        b'\r' => b"\n\0\0\0",
        b'$' | b'*' => b"0\r\n\0",
        _ => b"\r\n\0\0",
    };
    let end = u64::from(u32::from_le_bytes(*end));
    let header = u64::from_le_bytes(*last).wrapping_shr(0_u32.wrapping_sub(bits)) | end.wrapping_shl(bits);
    let [kind, line @ .., _, _] = &header.to_le_bytes();
    let length = short_length(line);
    match length {
        Some((_, width)) if width >= rest.len() && matches!(kind, b'$' | b'*') => Last::Cut,
        _ => Last::Whole(*kind, length),
    }
}

/// The status, integer or nil at the start of `buf`, if it is short, whole, legal and within the limit, and what
/// follows.
#[inline(always)]
pub(super) fn short_line(limit: u32, buf: &[u8]) -> Option<(Node, &[u8])> {
    let (kind, text) = buf.split_first()?;
    let (kind, len) = match kind {
        b'+' if text.starts_with(b"OK\r\n") => (Kind::SimpleString, b"OK".len()),
        b'+' => (Kind::SimpleString, status_len(text)),
        b':' => (Kind::Integer, integer_len(text)?),
        b'_' => (Kind::Null, 0),
        b'$' => return Some((NIL, text.strip_prefix(NIL_TEXT)?)),
        _ => return None,
    };
    let (_, [b'\r', b'\n', after @ ..]) = text.split_at_checked(len)? else { return None };
    let node = Node { start: 1, len: narrow(len), below: 0, kind };
    (node.len <= limit).then_some((node, after))
}

/// Whether `buf` is the beginning of a status, integer or nil of which at least one more byte must follow; not if it
/// is that of something else, or not short, or breaks a rule already.
#[inline(never)]
pub(super) fn is_line_cut(limit: u32, buf: &[u8]) -> bool {
    let Some((kind, text)) = buf.split_first() else { return true };
    let len = match kind {
        b'+' => status_len(text),
        b':' => match integer_len(text) {
            Some(len) => len,
            None => return false,
        },
        b'_' => 0,
        b'$' => return NIL_TEXT.starts_with(text),
        _ => return false,
    };
    len < SHORT && len <= limit as usize && matches!(text.get(len..), Some([] | [b'\r']))
}

/// So much of a line is looked at here. No number of so many digits passes `i64`.
const SHORT: usize = 18;

/// How many bytes come before the end of a line, or of what is looked at.
#[inline]
fn status_len(text: &[u8]) -> usize {
    text.iter().take(SHORT).take_while(|byte| !matches!(byte, b'\r' | b'\n')).count()
}

/// How many bytes the sign and the digits have; `None` if something else is where a digit is due.
#[inline]
fn integer_len(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let count = digits.iter().take(SHORT).take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0 || digits.is_empty()).then_some(count.saturating_add(offset(text, digits)))
}

/// What follows the first byte of `$-1`.
const NIL_TEXT: &[u8] = b"-1\r\n";

/// What `$-1` is.
const NIL: Node = Node { start: 5, len: 0, below: 0, kind: Kind::Null };

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]
mod tests {
    use super::*;

    #[test]
    fn the_last_header_is_found_as_any_other() {
        const BYTES: &[u8] = b"$*:019\r\nx";
        for len in 0..=5 {
            for number in 0..BYTES.len().pow(len) {
                let mut buf = b"before\r\n".to_vec();
                buf.extend((0..len).map(|at| BYTES[number / BYTES.len().pow(at) % BYTES.len()]));
                let rest = &buf[8..];
                let shown = rest.escape_ascii();
                match (last_header(&buf, rest), rest) {
                    (Last::Cut, _) => assert!(is_header_cut(rest), "{shown}"),
                    (Last::Whole(kind, length), [first, line @ ..]) => {
                        let expected = read_short(line).map(|(len, after)| (len, line.len() - after.len()));
                        assert_eq!((kind, is_header_cut(rest)), (*first, false), "{shown}");
                        assert!(length == expected || !b"$*".contains(first), "{shown}");
                    }
                    _ => panic!("{shown} can be told"),
                }
            }
        }
    }
}
