//! All that the server knows of a stream.

use alloc::string::String;
use alloc::vec::Vec;

use super::info::Known;
use super::{StreamEntry, StreamId};
use crate::command::{FromReply, UnixTime, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// All that the server knows of a stream, its groups and their consumers.
///
/// What an older server does not know is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamDetails<T> {
    /// How many entries it has.
    pub length: u64,
    /// How many keys its tree has.
    pub radix_tree_keys: u64,
    /// How many nodes its tree has.
    pub radix_tree_nodes: u64,
    /// The id that was given last, be the entry there or not.
    pub last_generated_id: StreamId,
    /// The greatest id of an entry that was removed; since 7.0.
    pub max_deleted_entry_id: Option<StreamId>,
    /// How many entries were ever added; since 7.0.
    pub entries_added: Option<u64>,
    /// The id of the first entry; since 7.0.
    pub recorded_first_entry_id: Option<StreamId>,
    /// Its first entries.
    pub entries: Vec<StreamEntry<T>>,
    /// Its groups.
    pub groups: Vec<StreamGroupDetails>,
}

/// All that the server knows of a group.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StreamGroupDetails {
    /// Its name.
    pub name: String,
    /// The id that was delivered last.
    pub last_delivered_id: StreamId,
    /// How many entries it has read, as far as the server can tell; since 7.0.
    pub entries_read: Option<u64>,
    /// How many entries are still to be delivered, as far as the server can tell; since 7.0.
    pub lag: Option<u64>,
    /// How many entries were delivered and not acknowledged.
    pub pending_count: u64,
    /// The first of them.
    pub pending: Vec<StreamPending>,
    /// Its consumers.
    pub consumers: Vec<StreamConsumerDetails>,
}

/// All that the server knows of a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StreamConsumerDetails {
    /// Its name.
    pub name: String,
    /// When it last tried to get entries.
    pub seen_time: Option<UnixTime>,
    /// When it last got any; `None` if it never did, and before 7.2.
    pub active_time: Option<UnixTime>,
    /// How many entries it was given and has not acknowledged.
    pub pending_count: u64,
    /// The first of them.
    pub pending: Vec<StreamPending>,
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamPending {
    /// Its id.
    pub id: StreamId,
    /// The consumer that has it.
    pub consumer: String,
    /// When it was delivered last.
    pub delivered: UnixTime,
    /// How often it was delivered.
    pub deliveries: u64,
}

impl<T: FromReply> FromReply for StreamDetails<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut known, mut entries, mut groups) = (Known::default(), Vec::new(), Vec::new());
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"entries" => entries = FromReply::from_reply(value)?,
                b"groups" => groups = FromReply::from_reply(value)?,
                field => known.note(field, value)?,
            }
        }
        let (Some(length), Some(last_generated_id)) = (known.length, known.last_generated_id) else {
            return Err(unexpected("what is known of a stream", item));
        };
        Ok(Self {
            length,
            radix_tree_keys: known.radix_tree_keys,
            radix_tree_nodes: known.radix_tree_nodes,
            last_generated_id,
            max_deleted_entry_id: known.max_deleted_entry_id,
            entries_added: known.entries_added,
            recorded_first_entry_id: known.recorded_first_entry_id,
            entries,
            groups,
        })
    }
}

impl FromReply for StreamGroupDetails {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut group, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"last-delivered-id" => group.last_delivered_id = FromReply::from_reply(value)?,
                b"entries-read" => group.entries_read = FromReply::from_reply(value)?,
                b"lag" => group.lag = FromReply::from_reply(value)?,
                b"pel-count" => group.pending_count = FromReply::from_reply(value)?,
                b"pending" => group.pending = FromReply::from_reply(value)?,
                b"consumers" => group.consumers = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        group.name = name.ok_or_else(|| unexpected("what is known of a group", item))?;
        Ok(group)
    }
}

impl FromReply for StreamConsumerDetails {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut consumer, mut name, mut pending) = (Self::default(), None, Vec::new());
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"seen-time" => consumer.seen_time = time(value)?,
                b"active-time" => consumer.active_time = time(value)?,
                b"pel-count" => consumer.pending_count = FromReply::from_reply(value)?,
                b"pending" => pending = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        consumer.name = name.ok_or_else(|| unexpected("what is known of a consumer", item))?;
        let own = |(id, delivered, deliveries): (StreamId, u64, u64)| StreamPending {
            id,
            consumer: consumer.name.clone(),
            delivered: UnixTime::from_millis(delivered),
            deliveries,
        };
        consumer.pending = pending.into_iter().map(own).collect();
        Ok(consumer)
    }
}

/// A time in milliseconds; -1 for never.
fn time(item: Item<'_>) -> Result<Option<UnixTime>, ConversionError> {
    Ok(u64::try_from(i64::from_reply(item)?).ok().map(UnixTime::from_millis))
}

impl FromReply for StreamPending {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (id, consumer, delivered, deliveries) = FromReply::from_reply(item)?;
        Ok(Self { id, consumer, delivered: UnixTime::from_millis(delivered), deliveries })
    }
}
