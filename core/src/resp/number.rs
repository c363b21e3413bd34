//! Decimal text to numbers.

/// Parses `[+-]digits` within the range of `i64`.
pub(crate) fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut magnitude: u64 = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits cannot pass u64::MAX.
        magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Parses a RESP3 double: decimal with optional fraction and exponent, `inf`, `-inf` or `nan`. A decimal
/// past the range of `f64` is none.
pub(crate) fn parse_f64(text: &[u8]) -> Option<f64> {
    match text {
        b"inf" | b"+inf" => return Some(f64::INFINITY),
        b"-inf" => return Some(f64::NEG_INFINITY),
        b"nan" | b"-nan" => return Some(f64::NAN),
        _ => {}
    }
    let legal = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.iter().all(legal) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Says whether `text` is `[+-]digits` of any length.
pub(crate) fn is_big_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_at_their_bounds() {
        let table: [(&str, Option<i64>); 14] = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("+5", Some(5)),
            ("-42", Some(-42)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            (" 5", None),
            ("5 ", None),
            ("1x", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_i64(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn doubles() {
        let table: [(&str, Option<f64>); 16] = [
            ("1.5", Some(1.5)),
            ("-3", Some(-3.0)),
            ("1e3", Some(1000.0)),
            ("10", Some(10.0)),
            ("inf", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("+inf", Some(f64::INFINITY)),
            ("infinity", None),
            ("INF", None),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("-1e309", None),
            ("", None),
            ("1.5.5", None),
            (" 1", None),
            ("0x10", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_f64(text.as_bytes()), expected, "{text:?}");
        }
        assert!(parse_f64(b"nan").is_some_and(f64::is_nan));
    }

    #[test]
    fn big_numbers() {
        assert!(is_big_number(b"-3492890328409238509324850943850943825024385"));
        assert!(!is_big_number(b""));
        assert!(!is_big_number(b"+"));
        assert!(!is_big_number(b"12a"));
    }
}
