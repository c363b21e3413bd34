//! What the server knows of a stream, its groups and its consumers.

use alloc::string::String;
use core::time::Duration;

use super::{StreamEntry, StreamId};
use crate::command::{FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What the server knows of a stream.
///
/// What an older server does not know is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInfo<T> {
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
    /// How many groups it has.
    pub groups: u64,
    /// The first entry.
    pub first_entry: Option<StreamEntry<T>>,
    /// The last entry.
    pub last_entry: Option<StreamEntry<T>>,
}

impl<T: FromReply> FromReply for StreamInfo<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut known, mut groups) = (Known::default(), 0);
        let (mut first_entry, mut last_entry) = (None, None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"groups" => groups = FromReply::from_reply(value)?,
                b"first-entry" => first_entry = FromReply::from_reply(value)?,
                b"last-entry" => last_entry = FromReply::from_reply(value)?,
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
            groups,
            first_entry,
            last_entry,
        })
    }
}

/// What is known of a stream however much is asked for.
#[derive(Default)]
pub(super) struct Known {
    pub(super) length: Option<u64>,
    pub(super) radix_tree_keys: u64,
    pub(super) radix_tree_nodes: u64,
    pub(super) last_generated_id: Option<StreamId>,
    pub(super) max_deleted_entry_id: Option<StreamId>,
    pub(super) entries_added: Option<u64>,
    pub(super) recorded_first_entry_id: Option<StreamId>,
}

impl Known {
    /// Notes the value of a field, unless the field is none of these.
    pub(super) fn note(&mut self, field: &[u8], value: Item<'_>) -> Result<(), ConversionError> {
        match field {
            b"length" => self.length = FromReply::from_reply(value)?,
            b"radix-tree-keys" => self.radix_tree_keys = FromReply::from_reply(value)?,
            b"radix-tree-nodes" => self.radix_tree_nodes = FromReply::from_reply(value)?,
            b"last-generated-id" => self.last_generated_id = FromReply::from_reply(value)?,
            b"max-deleted-entry-id" => self.max_deleted_entry_id = FromReply::from_reply(value)?,
            b"entries-added" => self.entries_added = FromReply::from_reply(value)?,
            b"recorded-first-entry-id" => self.recorded_first_entry_id = FromReply::from_reply(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// What the server knows of a group.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StreamGroup {
    /// Its name.
    pub name: String,
    /// How many consumers it has.
    pub consumers: u64,
    /// How many entries were delivered and not acknowledged.
    pub pending: u64,
    /// The id that was delivered last.
    pub last_delivered_id: StreamId,
    /// How many entries it has read, as far as the server can tell; since 7.0.
    pub entries_read: Option<u64>,
    /// How many entries are still to be delivered, as far as the server can tell; since 7.0.
    pub lag: Option<u64>,
}

impl FromReply for StreamGroup {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut group, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"consumers" => group.consumers = FromReply::from_reply(value)?,
                b"pending" => group.pending = FromReply::from_reply(value)?,
                b"last-delivered-id" => group.last_delivered_id = FromReply::from_reply(value)?,
                b"entries-read" => group.entries_read = FromReply::from_reply(value)?,
                b"lag" => group.lag = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        group.name = name.ok_or_else(|| unexpected("what is known of a group", item))?;
        Ok(group)
    }
}

/// What the server knows of a consumer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StreamConsumer {
    /// Its name.
    pub name: String,
    /// How many entries it was given and has not acknowledged.
    pub pending: u64,
    /// How long ago it last tried to get entries.
    pub idle: Duration,
    /// How long ago it last got any; `None` if it never did, and before 7.2.
    pub inactive: Option<Duration>,
}

impl FromReply for StreamConsumer {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut consumer, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"pending" => consumer.pending = FromReply::from_reply(value)?,
                b"idle" => consumer.idle = Duration::from_millis(u64::from_reply(value)?),
                b"inactive" => {
                    consumer.inactive =
                        u64::try_from(i64::from_reply(value)?).ok().map(Duration::from_millis);
                }
                _ => {}
            }
        }
        consumer.name = name.ok_or_else(|| unexpected("what is known of a consumer", item))?;
        Ok(consumer)
    }
}
