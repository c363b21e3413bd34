//! What is answered to a consumer.

use alloc::vec::Vec;

use super::super::{Autoclaimed, StreamEntries, StreamEntry};
use crate::command::{FromReply, elements, unexpected};
use crate::error::ConversionError;
use crate::resp::{Item, Kind};

/// The reply to whatever a consumer asks, for executors to hand over.
#[derive(Debug)]
pub struct ConsumerReply<T>(pub(super) Answer<T>);

/// What is answered.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// Entries that were delivered; those without fields are not there any more.
    Delivered(Vec<StreamEntry<Option<T>>>),
    /// Entries that were claimed, and where to go on.
    Claimed(Autoclaimed<StreamEntry<Option<T>>>),
    /// It is done.
    Done,
}

impl<T: FromReply> FromReply for ConsumerReply<T> {
    /// All answers look different: what was claimed begins with an id, what was delivered with a stream, and all else
    /// is no list.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        Ok(Self(match item.kind() {
            Kind::Error => return Err(unexpected("entries", item)),
            _ if item.is_null() => Answer::Delivered(Vec::new()),
            kind if !kind.is_aggregate() => Answer::Done,
            Kind::Map => delivered(item)?,
            _ => match elements(item)?.next() {
                Some(first) if !first.kind().is_aggregate() => {
                    Answer::Claimed(Autoclaimed::from_reply(item)?)
                }
                _ => delivered(item)?,
            },
        }))
    }
}

fn delivered<T: FromReply>(item: Item<'_>) -> Result<Answer<T>, ConversionError> {
    let streams = StreamEntries::<(), Option<T>>::from_reply(item)?;
    Ok(Answer::Delivered(streams.into_iter().flat_map(|(_, entries)| entries).collect()))
}
