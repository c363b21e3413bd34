//! A reply of any shape.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::reply::{FromReply, unexpected};
use crate::error::{ConversionError, ServerError};
use crate::resp::{Item, Kind};

/// A reply as it came, for commands whose shape is not known beforehand.
///
/// Errors inside an aggregate stay where they are, as [`Value::Error`]. Attributes are left out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nil.
    Nil,
    /// An integer.
    Integer(i64),
    /// A double; `NaN` equals nothing, itself included.
    Double(f64),
    /// A boolean.
    Boolean(bool),
    /// An integer of any size, as its decimal text.
    BigNumber(String),
    /// A status such as `OK`.
    Status(String),
    /// Bytes.
    Bulk(Bytes),
    /// Text with its format of three letters.
    Verbatim {
        /// `txt` or `mkd`.
        format: String,
        /// The text.
        text: String,
    },
    /// An array, or a push.
    Array(Vec<Self>),
    /// Pairs in the order of the wire.
    Map(Vec<(Self, Self)>),
    /// A set in the order of the wire.
    Set(Vec<Self>),
    /// An error of the server inside an aggregate.
    Error(ServerError),
}

/// Deeper replies are refused, since values nest in memory as they do on the wire.
const DEPTH_MAX: usize = 128;

impl FromReply for Value {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        read(item, DEPTH_MAX)
    }
}

fn read(item: Item<'_>, depth: usize) -> Result<Value, ConversionError> {
    if item.kind().is_aggregate() && item.kind() != Kind::StreamedString {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(unexpected("at most 128 levels", item));
        };
        return read_aggregate(item, depth);
    }
    let text = || String::from_utf8_lossy(item.payload()).into_owned();
    Ok(match item.kind() {
        Kind::Null => Value::Nil,
        Kind::Integer => Value::Integer(item.as_i64().ok_or_else(|| unexpected("an integer", item))?),
        Kind::Double => Value::Double(item.as_f64().ok_or_else(|| unexpected("a double", item))?),
        Kind::Boolean => Value::Boolean(item.payload() == b"t"),
        Kind::BigNumber => Value::BigNumber(text()),
        Kind::SimpleString => Value::Status(text()),
        Kind::VerbatimString => Value::Verbatim {
            format: String::from_utf8_lossy(item.format().unwrap_or_default()).into_owned(),
            text: text(),
        },
        Kind::Error => Value::Error(ServerError::new(item.payload())),
        _ => Value::Bulk(Bytes::from_reply(item)?),
    })
}

fn read_aggregate(item: Item<'_>, depth: usize) -> Result<Value, ConversionError> {
    let mut items = item.items();
    if item.kind() == Kind::Map {
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((read(key, depth)?, read(value, depth)?));
        }
        return Ok(Value::Map(pairs));
    }
    let elements = items.map(|element| read(element, depth)).collect::<Result<_, _>>()?;
    Ok(if item.kind() == Kind::Set { Value::Set(elements) } else { Value::Array(elements) })
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::{format, vec};

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read(wire: &str) -> Result<Value, ConversionError> {
        let limits = Limits { depth: 200, ..Limits::default() };
        let frame = Decoder::new(limits).decode(&mut BytesMut::from(wire));
        Value::from_reply(frame.expect("a legal reply").expect("a whole reply").item())
    }

    #[test]
    fn every_kind_has_its_value() {
        let verbatim = Value::Verbatim { format: "txt".into(), text: "a".into() };
        let table = [
            ("_\r\n", Value::Nil),
            ("$-1\r\n", Value::Nil),
            ("*-1\r\n", Value::Nil),
            (":-7\r\n", Value::Integer(-7)),
            (",1.5\r\n", Value::Double(1.5)),
            ("#t\r\n", Value::Boolean(true)),
            ("#f\r\n", Value::Boolean(false)),
            ("(12\r\n", Value::BigNumber("12".into())),
            ("+OK\r\n", Value::Status("OK".into())),
            ("$2\r\nab\r\n", Value::Bulk("ab".into())),
            ("$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n", Value::Bulk("ab".into())),
            ("=5\r\ntxt:a\r\n", verbatim),
            ("*1\r\n:1\r\n", Value::Array(vec![Value::Integer(1)])),
            (">1\r\n:1\r\n", Value::Array(vec![Value::Integer(1)])),
            ("~1\r\n:1\r\n", Value::Set(vec![Value::Integer(1)])),
            ("%1\r\n:1\r\n_\r\n", Value::Map(vec![(Value::Integer(1), Value::Nil)])),
            ("|1\r\n:1\r\n_\r\n*0\r\n", Value::Array(vec![])),
            ("-ERR no\r\n", Value::Error(ServerError::new(b"ERR no"))),
        ];
        for (wire, value) in table {
            assert_eq!(read(wire), Ok(value), "{wire:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels| format!("{}:1\r\n", "*1\r\n".repeat(levels));
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        let refused = read(&nested(DEPTH_MAX + 1)).expect_err("too deep");
        assert_eq!(refused.to_string(), "expected at most 128 levels, got array of 1 elements");
    }
}
