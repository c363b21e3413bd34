//! How pending entries change hands.

use alloc::vec::Vec;
use core::time::Duration;

use super::StreamId;
use crate::command::{ArgSink, Args, FromReply, UnixTime, elements, unexpected, whole_millis};
use crate::error::ConversionError;
use crate::resp::Item;

/// Choices for claiming entries. Of two ways to say since when an entry is idle, the last one said holds.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XclaimOptions {
    touched: Option<Touched>,
    retry_count: Option<u64>,
    force: bool,
    last_id: Option<StreamId>,
}

#[derive(Clone, Copy, Debug)]
enum Touched {
    Before(Duration),
    At(UnixTime),
}

impl XclaimOptions {
    /// The entry is touched now, and has been delivered once more.
    pub const fn new() -> Self {
        Self { touched: None, retry_count: None, force: false, last_id: None }
    }

    /// The entry counts as idle for so long, in whole milliseconds (`IDLE`).
    pub const fn idle(mut self, time: Duration) -> Self {
        self.touched = Some(Touched::Before(time));
        self
    }

    /// The entry counts as idle since then (`TIME`).
    pub const fn touched_at(mut self, time: UnixTime) -> Self {
        self.touched = Some(Touched::At(time));
        self
    }

    /// The entry counts as delivered so many times (`RETRYCOUNT`).
    pub const fn retry_count(mut self, count: u64) -> Self {
        self.retry_count = Some(count);
        self
    }

    /// Entries of the stream that were pending with nobody become pending, too (`FORCE`).
    pub const fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// The group goes on after this entry, if that is later than where it was (`LASTID`). It is what primaries say to
    /// replicas.
    pub const fn last_id(mut self, id: StreamId) -> Self {
        self.last_id = Some(id);
        self
    }
}

impl Args for XclaimOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self.touched {
            Some(Touched::Before(time)) => _ = out.arg("IDLE").arg(whole_millis(time)),
            Some(Touched::At(time)) => _ = out.arg("TIME").arg(time),
            None => {}
        }
        out.args(self.retry_count.map(|count| ("RETRYCOUNT", count)));
        out.args(self.force.then_some("FORCE"));
        out.args(self.last_id.map(|id| ("LASTID", id)));
    }
}

/// What was claimed, and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Autoclaimed<T> {
    /// From where on the next call is to look; [`StreamId::MIN`] when all was looked at.
    pub next: StreamId,
    /// The entries, or their ids.
    pub claimed: Vec<T>,
    /// The ids of entries that are not in the stream any more, and so not pending any more; since 7.0.
    pub deleted: Vec<StreamId>,
}

impl<T: FromReply> FromReply for Autoclaimed<T> {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(next), Some(claimed)) = (parts.next(), parts.next()) else {
            return Err(unexpected("where to go on, and entries", item));
        };
        let deleted = parts.next().map_or(Ok(Vec::new()), Vec::from_reply)?;
        Ok(Self { next: StreamId::from_reply(next)?, claimed: Vec::from_reply(claimed)?, deleted })
    }
}
