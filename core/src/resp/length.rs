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
#[inline(always)]
pub(super) fn read_short(line: &[u8]) -> Option<(u32, &[u8])> {
    let end;
    let front = match line.first_chunk() {
        Some(front) => front,
        None => {
            end = padded(line);
            &end
        }
    };
    let (value, width) = short_length(front)?;
    Some((value, line.get(width..)?))
}

/// A line that is shorter than what is looked at. What is missing reads as what ends no length.
#[inline(never)]
fn padded(line: &[u8]) -> [u8; 5] {
    core::array::from_fn(|at| line.get(at).copied().unwrap_or(0))
}

/// The length at the front and how many bytes it has with its CR LF.
#[inline(always)]
pub(super) fn short_length(line: &[u8; 5]) -> Option<(u32, usize)> {
    // Bytes are compared together: of a digit `^ b'0'` leaves its value, of another byte more than 9.
    let four = u32::from_le_bytes(*line.first_chunk()?);
    let first = (four & 0xff) ^ u32::from(b'0');
    let two = four ^ u32::from_le_bytes(*b"00\r\n");
    if two <= 0x0909 {
        if !(1..=9).contains(&first) {
            return None;
        }
        return Some((first.wrapping_mul(10).wrapping_add(two >> 8), 4));
    }
    let one = (four & 0xff_ffff) ^ u32::from_le_bytes(*b"0\r\n\0");
    if one <= 9 {
        return Some((one, 3));
    }
    let last = u32::from_le_bytes(*line.last_chunk()?) ^ u32::from_le_bytes(*b"00\r\n");
    if last <= 0x0909 && last & 0xff <= 9 && (1..=9).contains(&first) {
        let tens = first.wrapping_mul(10).wrapping_add(last & 0xff);
        return Some((tens.wrapping_mul(10).wrapping_add(last >> 8), 5));
    }
    None
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

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn short_lengths_are_those_of_up_to_three_digits() {
        for value in 0..=1100_u32 {
            for end in ["", "\r\n", "\r\n$"] {
                let line = format!("{value}\r\n{end}");
                let expected = (value < 1000).then_some((value, end.as_bytes()));
                assert_eq!(read_short(line.as_bytes()), expected, "{line:?}");
            }
        }
    }

    #[test]
    fn a_byte_that_is_wrong_makes_no_short_length() {
        for legal in ["7\r\nabc", "42\r\nab", "642\r\na"] {
            for at in 0..legal.len() - 3 {
                for byte in 0..=u8::MAX {
                    let mut line = legal.as_bytes().to_vec();
                    line[at] = byte;
                    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let is_legal = (1..=3).contains(&digits)
                        && (digits == 1 || line[0] != b'0')
                        && line[digits..].starts_with(b"\r\n");
                    assert_eq!(
                        read_short(&line).is_some(),
                        is_legal,
                        "{:?}",
                        line.escape_ascii().to_string()
                    );
                }
            }
        }
    }
}
