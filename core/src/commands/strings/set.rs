//! The options of `SET`.

use core::time::Duration;

use super::super::expiry::WriteExpiry;
use crate::command::{ArgSink, Args, UnixTime};

/// Choices for setting a value. Of two conditions, and of two expiries, the last one said holds.
///
/// Without a choice of expiry the previous one is dropped.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct SetOptions {
    condition: Option<Condition>,
    expiry: Option<WriteExpiry>,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    Absent,
    Present,
}

impl SetOptions {
    /// Sets in any case, and for ever.
    pub const fn new() -> Self {
        Self { condition: None, expiry: None }
    }

    /// Only if there is no such key (`NX`).
    pub const fn if_absent(mut self) -> Self {
        self.condition = Some(Condition::Absent);
        self
    }

    /// Only if there is such a key (`XX`).
    pub const fn if_present(mut self) -> Self {
        self.condition = Some(Condition::Present);
        self
    }

    /// The key expires when `span` is over, in whole milliseconds (`PX`); the server refuses zero.
    pub const fn expire_after(mut self, span: Duration) -> Self {
        self.expiry = Some(WriteExpiry::After(span));
        self
    }

    /// The key expires at `time` (`PXAT`); what is past removes it at once.
    pub const fn expire_at(mut self, time: UnixTime) -> Self {
        self.expiry = Some(WriteExpiry::At(time));
        self
    }

    /// The key keeps the expiry that it has (`KEEPTTL`).
    pub const fn keep_ttl(mut self) -> Self {
        self.expiry = Some(WriteExpiry::Keep);
        self
    }
}

impl Args for SetOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        let condition = self.condition.map(|condition| match condition {
            Condition::Absent => "NX",
            Condition::Present => "XX",
        });
        out.args(condition).args(self.expiry);
    }
}
