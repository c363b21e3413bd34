//! Fields that expire: the options of `HSETEX`, and what the server says of each field.

use core::time::Duration;

use super::super::expiry::WriteExpiry;
use crate::command::{ArgSink, Args, FromReply, UnixTime, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Choices for setting fields. Of two conditions, and of two expiries, the last one said holds.
///
/// Without a choice of expiry the previous ones are dropped.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct HsetexOptions {
    condition: Option<Condition>,
    expiry: Option<WriteExpiry>,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Absent,
    Present,
}

impl HsetexOptions {
    /// Sets in any case, and for ever.
    pub const fn new() -> Self {
        Self { condition: None, expiry: None }
    }

    /// Only if none of the fields exists (`FNX`).
    pub const fn if_absent(mut self) -> Self {
        self.condition = Some(Condition::Absent);
        self
    }

    /// Only if all of the fields exist (`FXX`).
    pub const fn if_present(mut self) -> Self {
        self.condition = Some(Condition::Present);
        self
    }

    /// The fields expire when `span` is over, in whole milliseconds (`PX`).
    pub const fn expire_after(mut self, span: Duration) -> Self {
        self.expiry = Some(WriteExpiry::After(span));
        self
    }

    /// The fields expire at `time` (`PXAT`); what is past removes them at once.
    pub const fn expire_at(mut self, time: UnixTime) -> Self {
        self.expiry = Some(WriteExpiry::At(time));
        self
    }

    /// The fields keep the expiries that they have (`KEEPTTL`).
    pub const fn keep_ttl(mut self) -> Self {
        self.expiry = Some(WriteExpiry::Keep);
        self
    }
}

impl Args for HsetexOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        let condition = self.condition.map(|condition| match condition {
            Condition::Absent => "FNX",
            Condition::Present => "FXX",
        });
        out.args(condition).args(self.expiry);
    }
}

/// What became of a field that was to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldExpiry {
    /// There is no such field, or no such key.
    Missing,
    /// The condition does not hold.
    Unchanged,
    /// It has the new expiry.
    Set,
    /// It was removed, since the time is past.
    Removed,
}

impl FromReply for FieldExpiry {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match i64::from_reply(item)? {
            -2 => Ok(Self::Missing),
            0 => Ok(Self::Unchanged),
            1 => Ok(Self::Set),
            2 => Ok(Self::Removed),
            _ => Err(unexpected("-2, 0, 1 or 2", item)),
        }
    }
}

/// What became of a field that was to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldPersist {
    /// There is no such field, or no such key.
    Missing,
    /// It had no expiry.
    NoExpiry,
    /// It has no expiry any more.
    Persisted,
}

impl FromReply for FieldPersist {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match i64::from_reply(item)? {
            -2 => Ok(Self::Missing),
            -1 => Ok(Self::NoExpiry),
            1 => Ok(Self::Persisted),
            _ => Err(unexpected("-2, -1 or 1", item)),
        }
    }
}
