//! How streams are read.

use core::time::Duration;

use super::StreamId;
use crate::command::{Arg, ArgSink, ArgSlot, Args, Command, Pairs, block_millis};

/// From where a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XreadFrom {
    /// The entries after this id, itself left out.
    After(StreamId),
    /// The entries that are added while the command waits (`$`). Those that come between two such commands are
    /// missed: the second one is to read after the last entry of the first.
    New,
    /// The last entry, or the next one if there is none (`+`, since 7.4).
    Last,
}

impl From<StreamId> for XreadFrom {
    fn from(id: StreamId) -> Self {
        Self::After(id)
    }
}

impl Arg for XreadFrom {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self {
            Self::After(id) => out.display(id),
            Self::New => out.bytes(b"$"),
            Self::Last => out.bytes(b"+"),
        }
    }
}

/// Choices for reading streams.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XreadOptions {
    count: Option<u64>,
    block: Option<Duration>,
}

impl XreadOptions {
    /// All that there is, without waiting.
    pub const fn new() -> Self {
        Self { count: None, block: None }
    }

    /// At most so many entries of each stream (`COUNT`).
    pub const fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Waits up to `time` for an entry if there is none, for ever if that is zero (`BLOCK`).
    pub const fn block(mut self, time: Duration) -> Self {
        self.block = Some(time);
        self
    }

    /// A command with these choices, and with marks of its own behind them.
    pub(super) fn write_to<T>(self, command: Command<T>, marks: impl Args) -> Command<T> {
        let command = command.args(self.count.map(|count| ("COUNT", count)));
        let command = match self.block {
            Some(time) => command.arg("BLOCK").arg(block_millis(time)).blocking(time),
            None => command,
        };
        command.args(marks).arg("STREAMS")
    }
}

/// Choices for reading streams on behalf of a group.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct XreadgroupOptions {
    read: XreadOptions,
    no_ack: bool,
}

impl XreadgroupOptions {
    /// All that there is, without waiting; to be acknowledged.
    pub const fn new() -> Self {
        Self { read: XreadOptions::new(), no_ack: false }
    }

    /// At most so many entries of each stream (`COUNT`).
    pub const fn count(mut self, count: u64) -> Self {
        self.read = self.read.count(count);
        self
    }

    /// Waits up to `time` for an entry if there is none, for ever if that is zero (`BLOCK`).
    pub const fn block(mut self, time: Duration) -> Self {
        self.read = self.read.block(time);
        self
    }

    /// Counts entries as acknowledged when they are delivered: one whose reply is lost is lost (`NOACK`).
    pub const fn no_ack(mut self) -> Self {
        self.no_ack = true;
        self
    }

    pub(super) fn write_to<T>(self, command: Command<T>) -> Command<T> {
        self.read.write_to(command, self.no_ack.then_some("NOACK"))
    }
}

/// Of pairs the first ones, then the second ones.
pub(super) fn keys_then_ids<T>(command: Command<T>, streams: &impl Pairs) -> Command<T> {
    command.keys(Firsts(streams)).args(Seconds(streams))
}

struct Firsts<'a, P>(&'a P);
struct Seconds<'a, P>(&'a P);

impl<P: Pairs> Args for Firsts<'_, P> {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        self.0.for_each(&mut |key, _| _ = out.arg(key));
    }
}

impl<P: Pairs> Args for Seconds<'_, P> {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        self.0.for_each(&mut |_, id| _ = out.arg(id));
    }
}
