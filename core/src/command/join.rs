//! Several replies to one command become one: those of several nodes, or of several parts.
//!
//! What is made is a frame like any other, so whoever waits for the reply sees no difference. RESP2 and
//! RESP3 may be mixed among the replies.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Write;

use bytes::BytesMut;

use super::flags::{Flags, Join};
use super::reply::{FromReply, unexpected};
use crate::error::{ConversionError, Delivery, Error, ErrorKind};
use crate::resp::{Frame, Item, Items, Kind, parse_f64, parse_i64, put_length};

/// One of the replies, or why there is none.
#[derive(Clone, Debug)]
pub struct Part {
    outcome: Result<Frame, Error>,
    node: Option<Box<str>>,
}

impl Part {
    /// What came of the command at one node.
    #[must_use]
    pub const fn new(outcome: Result<Frame, Error>) -> Self {
        Self { outcome, node: None }
    }

    /// The same, with the name of the node for the error if its reply does not go with the others.
    #[must_use]
    pub fn of_node(mut self, node: &str) -> Self {
        self.node = Some(node.into());
        self
    }

    pub(super) const fn outcome(&self) -> &Result<Frame, Error> {
        &self.outcome
    }

    /// The error for a reply of another shape than is joined.
    pub(super) fn misshapen(&self, error: ConversionError) -> Error {
        let error = Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted);
        match &self.node {
            Some(node) => error.with_node(node),
            None => error,
        }
    }
}

/// Makes one reply of all, by [`Flags::join`]. `parts` come in an order of the caller's, not of their
/// arrival, so that the same replies give the same result.
///
/// | Join | Result |
/// |---|---|
/// | `Merge` | arrays, sets and maps one behind the other, as a set or map if all are, else as an array; nil has no elements; replies that are all no aggregates become an array of them |
/// | `OneSucceeded` | the first reply that is no error |
/// | `AllSucceeded` | the first reply |
/// | `Sum`, `Min`, `Max` | that of the numbers, a double if one of them is; of arrays of the same length, element by element |
/// | `And`, `Or` | that of the booleans or of 0 and 1, a boolean if all are; of arrays of the same length, element by element |
/// | `FirstNonNil` | the first reply that is not nil; nil if all are |
///
/// # Errors
/// The first error among `parts`; under `OneSucceeded` only if all are errors, under `FirstNonNil` only if
/// no reply is found. Where a reply has another shape than the join needs, the error is
/// [`ErrorKind::Conversion`], and the command has run.
///
/// What the error says of the command's fate is true for all nodes together. A write
/// [may have run](Delivery::MaybeExecuted) if it has run at one node, or may have, whichever node's error
/// it is; it was [rejected](Delivery::Rejected) if at least one node did so and no other may have run it;
/// else it was not sent. For a command that only reads it stays what it was at the node that failed, since
/// reading it again is safe in any case.
pub fn join(flags: Flags, mut parts: Vec<Part>) -> Result<Frame, Error> {
    let is_it = |frame: &Frame| match flags.join() {
        Join::OneSucceeded => true,
        Join::FirstNonNil => frame.kind() != Kind::Null,
        _ => false,
    };
    if let Some(first) = parts.iter().position(|part| part.outcome.as_ref().is_ok_and(is_it)) {
        return parts.swap_remove(first).outcome;
    }
    if let Some(error) = failure(flags, &parts) {
        return Err(error);
    }
    match flags.join() {
        Join::Merge => merge(&parts),
        Join::AllSucceeded | Join::OneSucceeded | Join::FirstNonNil => first(parts),
        Join::Sum | Join::Min | Join::Max | Join::And | Join::Or => fold(flags.join(), &parts),
    }
}

/// The error that ends the whole, if there is one.
pub(super) fn failure(flags: Flags, parts: &[Part]) -> Option<Error> {
    let errors = || parts.iter().filter_map(|part| part.outcome.as_ref().err());
    let error = errors().next()?.clone();
    if flags.has(Flags::READ_ONLY) {
        return Some(error);
    }
    let all_failed = errors().count() == parts.len();
    let fate = if !all_failed || errors().any(Error::may_have_run) {
        Delivery::MaybeExecuted
    } else if errors().any(|error| error.delivery() == Delivery::Rejected) {
        Delivery::Rejected
    } else {
        Delivery::NotSent
    };
    Some(error.with_delivery(fate))
}

fn first(parts: Vec<Part>) -> Result<Frame, Error> {
    let none = || Err(Error::new(ErrorKind::Usage("there are no replies to join"), Delivery::NotSent));
    parts.into_iter().next().map_or_else(none, |part| part.outcome)
}

/// The replies; all parts have one.
fn replies(parts: &[Part]) -> impl Iterator<Item = (&Part, Item<'_>)> {
    parts.iter().filter_map(|part| Some((part, part.outcome.as_ref().ok()?.item())))
}

fn has_elements(item: Item<'_>) -> bool {
    matches!(item.kind(), Kind::Array | Kind::Set | Kind::Map | Kind::Push)
}

fn merge(parts: &[Part]) -> Result<Frame, Error> {
    if !replies(parts).any(|(_, item)| has_elements(item)) {
        let mut out = aggregate(b'*', parts.len(), parts);
        replies(parts).for_each(|(_, item)| item.encode(&mut out));
        return assemble(out);
    }
    let present = || replies(parts).filter(|(_, item)| !item.is_null());
    let all_are = |kind| present().all(|(_, item)| item.kind() == kind);
    let len = present().map(|(_, item)| item.len()).sum();
    let mut out = if all_are(Kind::Map) {
        aggregate(b'%', len / 2, parts)
    } else if all_are(Kind::Set) {
        aggregate(b'~', len, parts)
    } else {
        aggregate(b'*', len, parts)
    };
    for (part, item) in present() {
        if !has_elements(item) {
            return Err(part.misshapen(unexpected("an array", item)));
        }
        item.items().for_each(|element| element.encode(&mut out));
    }
    assemble(out)
}

/// The header of an aggregate, with room for all that `parts` hold.
pub(super) fn aggregate(kind: u8, len: usize, parts: &[Part]) -> BytesMut {
    const HEADER: usize = 32;
    let wire_len = |part: &Part| part.outcome.as_ref().map_or(0, |frame| frame.wire().len());
    let mut out = BytesMut::with_capacity(parts.iter().map(wire_len).sum::<usize>() + HEADER);
    put_length(&mut out, kind, len);
    out
}

pub(super) fn assemble(wire: BytesMut) -> Result<Frame, Error> {
    Frame::assembled(wire).ok_or_else(|| {
        let error = mismatch("replies of less than 4 GiB together", "more");
        Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted)
    })
}

fn mismatch(expected: &'static str, got: &str) -> ConversionError {
    ConversionError::Unexpected { expected: expected.into(), got: got.into() }
}

/// Joins numbers or booleans, or arrays of them column by column.
fn fold(join: Join, parts: &[Part]) -> Result<Frame, Error> {
    let Some((_, model)) = replies(parts).next() else { return first(Vec::new()) };
    if !has_elements(model) {
        let mut out = BytesMut::new();
        fold_column(join, replies(parts))?.encode(&mut out);
        return assemble(out);
    }
    let mut rows: Vec<(&Part, Items<'_>)> = Vec::with_capacity(parts.len());
    for (part, item) in replies(parts) {
        if !has_elements(item) || item.len() != model.len() {
            return Err(part.misshapen(unexpected("an array as long as that of other nodes", item)));
        }
        rows.push((part, item.items()));
    }
    let mut out = aggregate(b'*', model.len(), parts);
    for _ in 0..model.len() {
        let column = rows.iter_mut().filter_map(|(part, items)| Some((*part, items.next()?)));
        fold_column(join, column)?.encode(&mut out);
    }
    assemble(out)
}

fn fold_column<'a>(join: Join, column: impl Iterator<Item = (&'a Part, Item<'a>)>) -> Result<Scalar, Error> {
    let mut folded = None;
    for (part, item) in column {
        let scalar = Scalar::read(join, item).map_err(|error| part.misshapen(error))?;
        folded = Some(match folded {
            None => scalar,
            Some(before) => Scalar::combine(join, before, scalar).ok_or_else(|| {
                part.misshapen(mismatch("a sum within the range of 64 bits", "a number past it"))
            })?,
        });
    }
    Ok(folded.unwrap_or(Scalar::Integer(0)))
}

/// What can be joined by value.
#[derive(Clone, Copy)]
enum Scalar {
    Integer(i64),
    Double(f64),
    Boolean(bool),
}

impl Scalar {
    fn read(join: Join, item: Item<'_>) -> Result<Self, ConversionError> {
        if matches!(join, Join::And | Join::Or) {
            let value = bool::from_reply(item)?;
            let is_boolean = item.kind() == Kind::Boolean;
            return Ok(if is_boolean { Self::Boolean(value) } else { Self::Integer(value.into()) });
        }
        let text = match item.kind() {
            Kind::Integer | Kind::Double | Kind::SimpleString | Kind::BulkString => item.payload(),
            _ => return Err(unexpected("a number", item)),
        };
        let integer = parse_i64(text).filter(|_| item.kind() != Kind::Double).map(Self::Integer);
        let number = integer.or_else(|| parse_f64(text).map(Self::Double));
        number.ok_or_else(|| unexpected("a number", item))
    }

    /// `None` if the sum of two integers is none.
    fn combine(join: Join, a: Self, b: Self) -> Option<Self> {
        Some(match (join, a, b) {
            (Join::And, Self::Boolean(a), Self::Boolean(b)) => Self::Boolean(a && b),
            (Join::And, a, b) => Self::Integer((a.is_true() && b.is_true()).into()),
            (Join::Or, Self::Boolean(a), Self::Boolean(b)) => Self::Boolean(a || b),
            (Join::Or, a, b) => Self::Integer((a.is_true() || b.is_true()).into()),
            (Join::Min, Self::Integer(a), Self::Integer(b)) => Self::Integer(a.min(b)),
            (Join::Min, a, b) => Self::Double(a.as_f64().min(b.as_f64())),
            (Join::Max, Self::Integer(a), Self::Integer(b)) => Self::Integer(a.max(b)),
            (Join::Max, a, b) => Self::Double(a.as_f64().max(b.as_f64())),
            (_, Self::Integer(a), Self::Integer(b)) => Self::Integer(a.checked_add(b)?),
            (_, a, b) => Self::Double(a.as_f64() + b.as_f64()),
        })
    }

    fn is_true(self) -> bool {
        self.as_f64() != 0.0
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Double(value) => value,
            Self::Boolean(value) => value.into(),
        }
    }

    fn encode(self, out: &mut BytesMut) {
        // Writing to memory does not fail.
        let _ = match self {
            Self::Integer(value) => write!(out, ":{value}\r\n"),
            Self::Double(value) if value.is_nan() => write!(out, ",nan\r\n"),
            Self::Double(value) => write!(out, ",{}\r\n", super::Double(value)),
            Self::Boolean(value) => write!(out, "#{}\r\n", if value { 't' } else { 'f' }),
        };
    }
}

#[cfg(test)]
mod tests;
