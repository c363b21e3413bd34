//! Replies to values: the same value from RESP2 and RESP3.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use bytes::Bytes;

use crate::error::{ConversionError, ServerError};
use crate::resp::{Item, Items, Kind, is_big_number, parse_f64, parse_i64};

/// A value that a reply can become.
///
/// RESP2 and RESP3 spell many replies differently: a map may come as a flat array, a double as a string,
/// a boolean as an integer. Implementations accept every spelling, so that a type means the same over
/// both. What does not fit is an error that names what was expected and what came.
pub trait FromReply: Sized {
    /// Reads the value from an element of a reply, or from the whole of it.
    ///
    /// # Errors
    /// The element is of another kind, or is itself an error of the server.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError>;

    /// Reads a list of values. Types that are spelt differently in lists override it: bytes come as one
    /// string, and pairs one after the other in RESP2.
    ///
    /// # Errors
    /// As [`from_reply`](Self::from_reply).
    fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
        let items = elements(item)?;
        read_all(items.len(), items.map(Self::from_reply))
    }

    /// Reads a value that may be missing. Types whose absence has another spelling besides nil override
    /// it: where a tuple would be, `ZPOPMIN` leaves an empty array.
    ///
    /// # Errors
    /// As [`from_reply`](Self::from_reply).
    #[inline]
    fn option_from_reply(item: Item<'_>) -> Result<Option<Self>, ConversionError> {
        if item.is_null() { Ok(None) } else { Self::from_reply(item).map(Some) }
    }
}

/// Gathers `count` values, or returns the first error. Collecting into a `Result` would not know the number.
fn read_all<T>(
    count: usize,
    values: impl Iterator<Item = Result<T, ConversionError>>,
) -> Result<Vec<T>, ConversionError> {
    let mut list = Vec::with_capacity(count);
    for value in values {
        list.push(value?);
    }
    Ok(list)
}

/// The error for an element that is not what was `expected`; the server's own, if it is one.
#[cold]
pub(crate) fn unexpected(expected: impl Into<Cow<'static, str>>, item: Item<'_>) -> ConversionError {
    if item.kind() == Kind::Error {
        return ConversionError::Element(Box::new(ServerError::new(item.payload())));
    }
    let name = item.kind().name();
    let got = match (item.kind(), item.text()) {
        (Kind::Integer | Kind::Boolean | Kind::Double | Kind::BigNumber | Kind::Null, _) => name.to_owned(),
        (_, Some(text)) => format!("{name} of {} bytes", text.len()),
        (_, None) => format!("{name} of {} elements", item.len()),
    };
    ConversionError::Unexpected { expected: expected.into(), got }
}

/// The elements of an array, set or push; of a map, keys and values in turn.
#[inline]
pub(crate) fn elements(item: Item<'_>) -> Result<Items<'_>, ConversionError> {
    match item.kind() {
        Kind::Array | Kind::Set | Kind::Push | Kind::Map => Ok(item.items()),
        _ => Err(unexpected("an array", item)),
    }
}

/// The pairs of a map, of a flat array of keys and values, or of an array of pairs.
pub(crate) fn pairs<'a>(
    item: Item<'a>,
) -> Result<impl Iterator<Item = Result<(Item<'a>, Item<'a>), ConversionError>> + use<'a>, ConversionError> {
    let mut items = elements(item)?;
    let nested = item.kind() != Kind::Map && is_nested(item);
    if !nested && items.len() % 2 == 1 {
        return Err(unexpected("pairs", item));
    }
    Ok(core::iter::from_fn(move || {
        let first = items.next()?;
        if !nested {
            return items.next().map(|second| Ok((first, second)));
        }
        let mut inner = first.items();
        match (inner.next(), inner.next(), inner.next()) {
            (Some(key), Some(value), None) => Some(Ok((key, value))),
            _ => Some(Err(unexpected("a pair", first))),
        }
    }))
}

/// Whether the elements of a list are arrays themselves: then each is one tuple.
#[inline]
pub(super) fn is_nested(item: Item<'_>) -> bool {
    item.items().next().is_some_and(|first| matches!(first.kind(), Kind::Array | Kind::Set))
}

/// The text of any string, number or boolean, as RESP2 spells it.
#[inline]
pub(crate) fn expect_text<'a>(
    expected: &'static str,
    item: Item<'a>,
) -> Result<Cow<'a, [u8]>, ConversionError> {
    match item.kind() {
        Kind::Error => Err(unexpected(expected, item)),
        Kind::Boolean => Ok(Cow::Borrowed(if item.payload() == b"t" { b"1" } else { b"0" })),
        _ => item.text().ok_or_else(|| unexpected(expected, item)),
    }
}

/// The bytes of any string or number.
// In a list of strings, a call for each would cost a tenth of it.
#[inline(always)]
fn owned_text(item: Item<'_>) -> Result<Vec<u8>, ConversionError> {
    match item.kind() {
        Kind::BulkString => Ok(item.payload().to_vec()),
        _ => owned_other(item),
    }
}

/// [`owned_text`] of what is no usual string: apart, so that the rest is small enough to be part of loops.
#[inline(never)]
fn owned_other(item: Item<'_>) -> Result<Vec<u8>, ConversionError> {
    expect_text("a string", item).map(Cow::into_owned)
}

impl FromReply for () {
    /// Any reply but an error.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        if item.kind() == Kind::Error { Err(unexpected("OK", item)) } else { Ok(()) }
    }
}

impl FromReply for bool {
    /// An integer 0 or 1, a boolean, `OK`; nil is `false`.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        if item.is_null() {
            return Ok(false);
        }
        match (item.kind(), &*expect_text("a boolean", item)?) {
            (Kind::SimpleString, b"OK") | (_, b"1") => Ok(true),
            (_, b"0") => Ok(false),
            _ => Err(unexpected("a boolean", item)),
        }
    }
}

macro_rules! integer_reply {
    ($($type:ty),+) => { $(
        impl FromReply for $type {
            /// An integer within the type's range, a boolean, or a string or double that holds one.
            #[inline]
            fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
                read_integer(concat!("an integer that fits ", stringify!($type)), item)
            }
        }
    )+ };
}

integer_reply!(i8, i16, i32, i64, i128, isize, u16, u32, u64, u128, usize);

#[inline]
fn read_integer<T: TryFrom<i64> + FromStr>(
    fitting: &'static str,
    item: Item<'_>,
) -> Result<T, ConversionError> {
    let text = expect_text("an integer", item)?;
    let value = match parse_i64(&text) {
        Some(value) => T::try_from(value).ok(),
        // Cursors and big numbers can pass `i64`.
        None => core::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()),
    };
    value.ok_or_else(|| unexpected(if is_big_number(&text) { fitting } else { "an integer" }, item))
}

impl FromReply for u8 {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        read_integer("an integer that fits u8", item)
    }

    #[inline]
    fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
        owned_text(item)
    }
}

impl FromReply for f64 {
    /// A double, an integer, or a string that holds one.
    #[inline]
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let text = expect_text("a double", item)?;
        parse_f64(&text).ok_or_else(|| unexpected("a double", item))
    }
}

impl FromReply for f32 {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        f64::from_reply(item).map(|value| value as Self)
    }
}

impl FromReply for String {
    /// Any string or number; its bytes must be UTF-8.
    #[inline]
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Self::from_utf8(owned_text(item)?).map_err(|_| unexpected("a string in UTF-8", item))
    }

    fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
        let (items, texts) = (elements(item)?, item.texts());
        let read = |item| match texts.and_then(|texts| texts.string(item)) {
            Some(text) => Ok(text.to_owned()),
            None => Self::from_reply(item),
        };
        read_all(items.len(), items.map(read))
    }
}

impl FromReply for Bytes {
    /// Any string. A large one is a slice of what was read, without a copy; a small one is copied, so
    /// that keeping it does not keep the whole buffer.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        const COPIED_BELOW: usize = 32 << 10;
        let text = expect_text("a string", item)?;
        let shared = match text {
            Cow::Borrowed(slice) if slice.len() >= COPIED_BELOW => item.shared(),
            _ => None,
        };
        Ok(shared.unwrap_or_else(|| text.into_owned().into()))
    }
}

impl<T: FromReply> FromReply for Option<T> {
    /// Nil is `None`.
    #[inline]
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        T::option_from_reply(item)
    }
}

impl<T: FromReply> FromReply for Vec<T> {
    #[inline]
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        T::list_from_reply(item)
    }
}

impl<T: FromReply, const N: usize> FromReply for [T; N] {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let list = T::list_from_reply(item)?;
        Self::try_from(list).map_err(|_| unexpected(format!("{N} elements"), item))
    }
}

impl<T: FromReply> FromReply for Box<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        T::from_reply(item).map(Self::new)
    }
}

impl<T: FromReply> FromReply for Result<T, ServerError> {
    /// An error of the server becomes `Err`: for elements that may each fail on their own.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match item.kind() {
            Kind::Error => Ok(Err(ServerError::new(item.payload()))),
            _ => T::from_reply(item).map(Ok),
        }
    }
}

#[cfg(test)]
mod tests;
