//! Lengths and counts on the wire.

use super::error::ProtocolError;

/// What stands between a type and CR LF where a length is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// A number. Above `u32::MAX`, which no limit allows, it may be cut short.
    Of(u64),
    /// `-1`
    Null,
    /// `?`
    Streamed,
}

/// Takes a length and its CR LF off `line`. `None`: it is not there in full.
///
/// A length is decimal without sign or leading zeros.
#[inline]
pub(super) fn read_length(line: &[u8]) -> Result<Option<(Length, &[u8])>, ProtocolError> {
    match read_short(line) {
        Some((length, rest)) => Ok(Some((Length::Of(length.into()), rest))),
        None => read_any(line),
    }
}

/// Takes a length of up to three digits and its CR LF off `line`. `None`: it is not as usual, or not there.
#[inline]
pub(super) fn read_short(line: &[u8]) -> Option<(u32, &[u8])> {
    let value = |digits: &[u8]| {
        let digit = |&byte: &u8| u32::from(byte.wrapping_sub(b'0'));
        digits.iter().map(digit).fold(0_u32, |value, digit| value.wrapping_mul(10).wrapping_add(digit))
    };
    match line {
        [a @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => Some((value(&[*a]), rest)),
        [a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => Some((value(&[*a, *b]), rest)),
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b'\r', b'\n', rest @ ..] => {
            Some((value(&[*a, *b, *c]), rest))
        }
        _ => None,
    }
}

/// Whether `line` is the beginning of a length of up to three digits and its CR LF, and more must follow.
pub(super) const fn is_short_cut(line: &[u8]) -> bool {
    matches!(
        line,
        [] | [b'0'..=b'9']
            | [b'0'..=b'9', b'\r']
            | [b'1'..=b'9', b'0'..=b'9']
            | [b'1'..=b'9', b'0'..=b'9', b'\r' | b'0'..=b'9']
            | [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b'\r']
    )
}

/// [`read_length`] for lengths that are not short and what is no length.
fn read_any(line: &[u8]) -> Result<Option<(Length, &[u8])>, ProtocolError> {
    if let [b'0', b'0'..=b'9', ..] = line {
        return Err(ProtocolError::BadLength);
    }
    let mut rest = line;
    let mut value: u64 = 0;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')));
        rest = after;
        if value > u64::from(u32::MAX) {
            return Ok(Some((Length::Of(value), rest)));
        }
    }
    match (line, rest) {
        ([b'0'..=b'9', ..], [b'\r', b'\n', rest @ ..]) => Ok(Some((Length::Of(value), rest))),
        ([] | [b'0'..=b'9', ..], []) | ([b'0'..=b'9', ..], [b'\r']) => Ok(None),
        ([b'0'..=b'9', ..], [b'\r', ..]) => Err(ProtocolError::MissingCrLf("a length")),
        ([b'0'..=b'9', ..], _) => Err(ProtocolError::BadLength),
        _ => read_special(line),
    }
}

/// The lengths that are no numbers.
fn read_special(line: &[u8]) -> Result<Option<(Length, &[u8])>, ProtocolError> {
    for (text, length) in [(&b"-1\r\n"[..], Length::Null), (b"?\r\n", Length::Streamed)] {
        if let Some(rest) = line.strip_prefix(text) {
            return Ok(Some((length, rest)));
        }
        if text.starts_with(line) {
            return Ok(None);
        }
    }
    Err(ProtocolError::BadLength)
}
