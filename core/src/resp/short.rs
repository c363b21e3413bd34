//! What most replies are and consist of: strings, statuses, integers and nil, as long as they are short.

use super::frame::{Kind, Node};
use super::length::{is_short_cut, read_short};
use super::scan::{CRLF, narrow, offset};

/// The string at the start of `rest`, the end of `buf`, if it is short, whole and within the limit, and what follows.
#[inline]
pub(super) fn short_string<'b>(limit: u32, buf: &[u8], rest: &'b [u8]) -> Option<(Node, &'b [u8])> {
    let [b'$', line @ ..] = rest else { return None };
    let (len, text) = read_short(line)?;
    let (_, [b'\r', b'\n', after @ ..]) = text.split_at_checked(len as usize)? else { return None };
    let node = Node { start: narrow(offset(buf, text)), len, below: 0, kind: Kind::BulkString };
    (len <= limit).then_some((node, after))
}

/// How many bytes `buf` must have at the least for the string that is cut at its end, where `rest` begins; `None` if
/// that is no string, or not short, or breaks a rule already.
#[inline(never)]
pub(super) fn short_string_cut(limit: u32, buf: &[u8], rest: &[u8]) -> Option<usize> {
    let line = match rest {
        [] => return Some(one_more(buf)),
        [b'$', line @ ..] => line,
        _ => return None,
    };
    let Some((len, text)) = read_short(line) else {
        return is_short_cut(line).then_some(one_more(buf));
    };
    let missing =
        (len as usize).saturating_add(CRLF).checked_sub(text.len()).filter(|missing| *missing > 0)?;
    (len <= limit).then_some(buf.len().saturating_add(missing))
}

/// The status, integer or nil at the start of `buf`, if it is short, whole, legal and within the limit, and what
/// follows.
#[inline]
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

/// How many bytes `buf` must have at the least for the status, integer or nil that it is the beginning of; `None` if
/// it is that of something else, or not short, or breaks a rule already.
#[inline(never)]
pub(super) fn short_line_cut(limit: u32, buf: &[u8]) -> Option<usize> {
    let Some((kind, text)) = buf.split_first() else { return Some(one_more(buf)) };
    let len = match kind {
        b'+' => status_len(text),
        b':' => integer_len(text)?,
        b'_' => 0,
        b'$' => return NIL_TEXT.starts_with(text).then_some(one_more(buf)),
        _ => return None,
    };
    let is_cut = len < SHORT && len <= limit as usize && matches!(text.get(len..), Some([] | [b'\r']));
    is_cut.then_some(one_more(buf))
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

const fn one_more(buf: &[u8]) -> usize {
    buf.len().saturating_add(1)
}
