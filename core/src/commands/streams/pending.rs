//! What was delivered and not acknowledged.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{StreamId, StreamRange};
use crate::command::{ArgSink, Args, FromReply, elements, unexpected, whole_millis};
use crate::error::ConversionError;
use crate::resp::Item;

/// The pending entries of a group, counted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PendingSummary {
    /// How many there are.
    pub count: u64,
    /// The least and the greatest id; `None` without any.
    pub ids: Option<(StreamId, StreamId)>,
    /// How many each consumer has that has any.
    pub consumers: Vec<(String, u64)>,
}

impl FromReply for PendingSummary {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let mut next = || parts.next().ok_or_else(|| unexpected("4 elements", item));
        let count = u64::from_reply(next()?)?;
        let (first, last) = (Option::from_reply(next()?)?, Option::from_reply(next()?)?);
        let consumers: Option<Vec<(String, u64)>> = Option::from_reply(next()?)?;
        Ok(Self { count, ids: first.zip(last), consumers: consumers.unwrap_or_default() })
    }
}

/// Which pending entries are wanted.
#[derive(Clone, Debug)]
#[must_use]
pub struct PendingQuery {
    range: StreamRange,
    count: u64,
    idle: Option<Duration>,
    consumer: Option<Vec<u8>>,
}

impl PendingQuery {
    /// The first `count` of all.
    pub fn new(count: u64) -> Self {
        Self { range: StreamRange::from(..), count, idle: None, consumer: None }
    }

    /// Those in a range of ids; a number that it has itself does not count.
    pub fn range(mut self, range: impl Into<StreamRange>) -> Self {
        self.range = range.into();
        self
    }

    /// Those that nobody has touched for so long, in whole milliseconds (`IDLE`, since 6.2).
    pub const fn idle(mut self, min: Duration) -> Self {
        self.idle = Some(min);
        self
    }

    /// Those of one consumer.
    pub fn consumer(mut self, name: impl AsRef<[u8]>) -> Self {
        self.consumer = Some(name.as_ref().to_vec());
        self
    }
}

impl Args for PendingQuery {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.idle.map(|min| ("IDLE", whole_millis(min))));
        out.arg(self.range.start()).arg(self.range.end()).arg(self.count).args(self.consumer.as_ref());
    }
}

/// A pending entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingEntry {
    /// Its id.
    pub id: StreamId,
    /// The consumer that has it.
    pub consumer: String,
    /// How long ago it was delivered last.
    pub idle: Duration,
    /// How often it was delivered.
    pub deliveries: u64,
}

impl FromReply for PendingEntry {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (id, consumer, idle, deliveries) = FromReply::from_reply(item)?;
        Ok(Self { id, consumer, idle: Duration::from_millis(idle), deliveries })
    }
}
