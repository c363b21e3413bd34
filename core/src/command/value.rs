//! A reply of any shape.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::reply::{FromReply, unexpected};
use crate::error::{ConversionError, ServerError};
use crate::resp::{Item, Kind};

/// A reply as it came, for commands whose shape is not known beforehand.
///
/// Errors inside an aggregate stay where they are, as [`Value::Error`].
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
