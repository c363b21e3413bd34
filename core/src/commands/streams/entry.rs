//! Entries, and what became of those that were to go.

use alloc::vec::Vec;

use super::StreamId;
use crate::command::{FromReply, elements, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// An entry of a stream.
///
/// Its fields are read as a `T`: a map, or a list of pairs, which keeps their order and names that come twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StreamEntry<T> {
    /// Its id.
    pub id: StreamId,
    /// Its fields with their values.
    pub fields: T,
}

impl<T: FromReply> FromReply for StreamEntry<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(id), Some(fields), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unexpected("an id and fields", item));
        };
        Ok(Self { id: StreamId::from_reply(id)?, fields: T::from_reply(fields)? })
    }
}

/// Entries of several streams, each stream's with its key.
pub type StreamEntries<K, T> = Vec<(K, Vec<StreamEntry<T>>)>;

/// What became of an entry that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryRemoval {
    /// There is no such entry.
    Missing,
    /// It is gone.
    Removed,
    /// It stays, since a group has not acknowledged it. Said also of ids to come that a group has not got to.
    Kept,
}

impl FromReply for EntryRemoval {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match i64::from_reply(item)? {
            -1 => Ok(Self::Missing),
            1 => Ok(Self::Removed),
            2 => Ok(Self::Kept),
            _ => Err(unexpected("-1, 1 or 2", item)),
        }
    }
}
