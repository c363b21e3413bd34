//! Groups of consumers, who share the entries of a stream.

use alloc::vec::Vec;
use core::time::Duration;

use super::read::keys_then_ids;
use super::{
    Autoclaimed, EntryRemoval, PendingEntry, PendingQuery, PendingSummary, StreamConsumer, StreamEntries,
    StreamEntry, StreamGroup, StreamId, StreamRefs, XclaimOptions, XreadgroupOptions,
};
use crate::command::{Arg, ArgSlot, Args, Command, FromReply, Pairs, Run, whole_millis};

/// Commands on groups of consumers. <https://redis.io/docs/latest/develop/data-types/streams/#consumer-groups>
///
/// Every entry is delivered to one consumer of a group, and is *pending* from then on until it is acknowledged. What a
/// consumer has not acknowledged can be claimed by another one, so each entry may be delivered more than once. A
/// consumer is made when it is first named; a group is not.
///
/// All of them but [`xack`](Self::xack), [`xackdel`](Self::xackdel) and
/// [`xgroup_destroy`](Self::xgroup_destroy) fail with [`NoGroup`](crate::error::ServerCode::NoGroup) or
/// [`Err`](crate::error::ServerCode::Err) where there is no such group or no such stream.
pub trait StreamGroupCommands: Run {
    /// Acknowledges entries: they are not pending any more; returns how many were.
    ///
    /// `XACK key group id [id ...]` · 5.0.0 · O(1) each
    fn xack(self, key: impl Arg, group: impl Arg, ids: impl Args) -> Self::Output<u64> {
        self.run(Command::new("XACK").key(key).arg(group).args(ids))
    }

    /// Acknowledges entries and removes them from the stream, dealing with other groups as `refs` says; returns what
    /// became of each: [`Missing`](EntryRemoval::Missing) if it was not pending.
    ///
    /// `XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]` · 8.2.0 · O(1) each, O(n) in the groups
    /// with `DELREF` and `ACKED`
    fn xackdel(
        self,
        key: impl Arg,
        group: impl Arg,
        ids: impl Args,
        refs: StreamRefs,
    ) -> Self::Output<Vec<EntryRemoval>> {
        let command = Command::new("XACKDEL").key(key).arg(group).arg(refs);
        self.run(command.arg("IDS").counted_args(ids))
    }

    /// Gives a consumer those of the pending entries from `start` on that nobody has touched for `min_idle`, looking at
    /// about `count` of them; returns them, and where to go on.
    ///
    /// Those that are not in the stream any more are not pending any more (7.0).
    ///
    /// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count]` · 6.2.0 · O(n) in the entries looked at
    fn xautoclaim<T: FromReply>(
        self,
        key: impl Arg,
        group: impl Arg,
        consumer: impl Arg,
        min_idle: Duration,
        start: StreamId,
        count: u64,
    ) -> Self::Output<Autoclaimed<StreamEntry<T>>> {
        let command = Command::new("XAUTOCLAIM").key(key).arg(group).arg(consumer);
        self.run(command.arg(whole_millis(min_idle)).arg(start).arg("COUNT").arg(count))
    }

    /// As [`xautoclaim`](Self::xautoclaim), but returns ids alone, and does not count as a delivery.
    ///
    /// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] JUSTID` · 6.2.0 · O(n) in the entries looked at
    fn xautoclaim_ids(
        self,
        key: impl Arg,
        group: impl Arg,
        consumer: impl Arg,
        min_idle: Duration,
        start: StreamId,
        count: u64,
    ) -> Self::Output<Autoclaimed<StreamId>> {
        let command = Command::new("XAUTOCLAIM").key(key).arg(group).arg(consumer);
        self.run(command.arg(whole_millis(min_idle)).arg(start).arg("COUNT").arg(count).arg("JUSTID"))
    }

    /// Gives a consumer those of the pending entries with these ids that nobody has touched for `min_idle`; returns
    /// them.
    ///
    /// Those that are not in the stream any more are not pending any more (7.0).
    ///
    /// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count]
    /// [FORCE] [LASTID lastid]` · 5.0.0 · O(log n) each, n entries pending
    fn xclaim<T: FromReply>(
        self,
        key: impl Arg,
        group: impl Arg,
        consumer: impl Arg,
        min_idle: Duration,
        ids: impl Args,
        options: XclaimOptions,
    ) -> Self::Output<Vec<StreamEntry<T>>> {
        let command = Command::new("XCLAIM").key(key).arg(group).arg(consumer);
        self.run(command.arg(whole_millis(min_idle)).args(ids).args(options))
    }

    /// As [`xclaim`](Self::xclaim), but returns ids alone, and does not count as a delivery.
    ///
    /// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count]
    /// [FORCE] [LASTID lastid] JUSTID` · 5.0.0 · O(log n) each, n entries pending
    fn xclaim_ids(
        self,
        key: impl Arg,
        group: impl Arg,
        consumer: impl Arg,
        min_idle: Duration,
        ids: impl Args,
        options: XclaimOptions,
    ) -> Self::Output<Vec<StreamId>> {
        let command = Command::new("XCLAIM").key(key).arg(group).arg(consumer);
        self.run(command.arg(whole_millis(min_idle)).args(ids).args(options).arg("JUSTID"))
    }

    /// Makes a group, to which the entries after `start` will be delivered. Fails with
    /// [`BusyGroup`](crate::error::ServerCode::BusyGroup) if there is one of this name.
    ///
    /// `XGROUP CREATE key group <id | $>` · 5.0.0 · O(1)
    fn xgroup_create(self, key: impl Arg, group: impl Arg, start: impl Into<GroupStart>) -> Self::Output<()> {
        self.run(Command::new("XGROUP CREATE").key(key).arg(group).arg(start.into()))
    }

    /// As [`xgroup_create`](Self::xgroup_create), and makes the stream if there is none. `entries_read` says how many
    /// entries the group counts as read, from which its [lag](StreamGroup::lag) follows (7.0).
    ///
    /// `XGROUP CREATE key group <id | $> MKSTREAM [ENTRIESREAD entries-read]` · 5.0.0 · O(1)
    fn xgroup_create_mkstream(
        self,
        key: impl Arg,
        group: impl Arg,
        start: impl Into<GroupStart>,
        entries_read: Option<u64>,
    ) -> Self::Output<()> {
        let command = Command::new("XGROUP CREATE").key(key).arg(group).arg(start.into()).arg("MKSTREAM");
        self.run(command.args(entries_read.map(|count| ("ENTRIESREAD", count))))
    }

    /// Makes a consumer; returns whether it is new.
    ///
    /// `XGROUP CREATECONSUMER key group consumer` · 6.2.0 · O(1)
    fn xgroup_createconsumer(self, key: impl Arg, group: impl Arg, consumer: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("XGROUP CREATECONSUMER").key(key).arg(group).arg(consumer))
    }

    /// Removes a consumer; returns how many entries it had pending, which **nobody can claim any more**.
    ///
    /// `XGROUP DELCONSUMER key group consumer` · 5.0.0 · O(1)
    fn xgroup_delconsumer(self, key: impl Arg, group: impl Arg, consumer: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("XGROUP DELCONSUMER").key(key).arg(group).arg(consumer))
    }

    /// Removes a group with all its consumers; returns whether there was one.
    ///
    /// `XGROUP DESTROY key group` · 5.0.0 · O(n) in its pending entries
    fn xgroup_destroy(self, key: impl Arg, group: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("XGROUP DESTROY").key(key).arg(group))
    }

    /// Sets after which entry a group goes on, and how many entries it counts as read (7.0).
    ///
    /// `XGROUP SETID key group <id | $> [ENTRIESREAD entries-read]` · 5.0.0 · O(1)
    fn xgroup_setid(
        self,
        key: impl Arg,
        group: impl Arg,
        start: impl Into<GroupStart>,
        entries_read: Option<u64>,
    ) -> Self::Output<()> {
        let command = Command::new("XGROUP SETID").key(key).arg(group).arg(start.into());
        self.run(command.args(entries_read.map(|count| ("ENTRIESREAD", count))))
    }

    /// Returns the consumers of a group.
    ///
    /// `XINFO CONSUMERS key group` · 5.0.0 · O(1)
    fn xinfo_consumers(self, key: impl Arg, group: impl Arg) -> Self::Output<Vec<StreamConsumer>> {
        self.run(Command::new("XINFO CONSUMERS").key(key).arg(group).read_only())
    }

    /// Returns the groups of a stream.
    ///
    /// `XINFO GROUPS key` · 5.0.0 · O(1)
    fn xinfo_groups(self, key: impl Arg) -> Self::Output<Vec<StreamGroup>> {
        self.run(Command::new("XINFO GROUPS").key(key).read_only())
    }

    /// Returns how many entries of a group are pending, from which id to which, and how many of which consumer.
    ///
    /// `XPENDING key group` · 5.0.0 · O(n) in the consumers
    fn xpending(self, key: impl Arg, group: impl Arg) -> Self::Output<PendingSummary> {
        self.run(Command::new("XPENDING").key(key).arg(group).read_only())
    }

    /// Returns pending entries of a group.
    ///
    /// `XPENDING key group [IDLE min-idle-time] start end count [consumer]` · 5.0.0 · O(n), n entries returned, or
    /// looked at with `IDLE`
    fn xpending_range(
        self,
        key: impl Arg,
        group: impl Arg,
        query: PendingQuery,
    ) -> Self::Output<Vec<PendingEntry>> {
        self.run(Command::new("XPENDING").key(key).arg(group).args(query).read_only())
    }

    /// Delivers entries of streams to a consumer that no other one of the group was given; returns the entries of
    /// those that have any, or `None` if none has, and then not before the time is over that `options` let it wait.
    ///
    /// Each stream must have a group of this name.
    ///
    /// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] > [> ...]` ·
    /// 5.0.0 · O(n), n entries returned
    fn xreadgroup<K: FromReply, T: FromReply>(
        self,
        group: impl Arg,
        consumer: impl Arg,
        keys: impl Args,
        options: XreadgroupOptions,
    ) -> Self::Output<Option<StreamEntries<K, T>>> {
        let command = Command::new("XREADGROUP").arg("GROUP").arg(group).arg(consumer);
        let marks = alloc::vec![">"; keys.count()];
        self.run(options.write_to(command).keys(keys).args(marks))
    }

    /// Returns what a consumer has pending itself of streams, each a pair of a key and the [`StreamId`] after which it
    /// is read: what it was given before it failed, say. Entries that are not there any more have no fields.
    ///
    /// `count` bounds their number for each stream. It does not wait, and counts as one more delivery.
    ///
    /// `XREADGROUP GROUP group consumer [COUNT count] STREAMS key [key ...] id [id ...]` · 5.0.0 · O(n), n entries
    /// returned
    fn xreadgroup_pending<K: FromReply, T: FromReply>(
        self,
        group: impl Arg,
        consumer: impl Arg,
        streams: impl Pairs,
        count: Option<u64>,
    ) -> Self::Output<StreamEntries<K, Option<T>>> {
        let command = Command::new("XREADGROUP").arg("GROUP").arg(group).arg(consumer);
        let command = command.args(count.map(|count| ("COUNT", count))).arg("STREAMS");
        self.run(keys_then_ids(command, &streams))
    }
}

impl<R: Run> StreamGroupCommands for R {}

/// Which entries of a stream a group begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupStart {
    /// The first one that there is (`0`).
    First,
    /// The next one that is added (`$`).
    New,
    /// The first one after this id.
    After(StreamId),
}

impl From<StreamId> for GroupStart {
    fn from(id: StreamId) -> Self {
        Self::After(id)
    }
}

impl Arg for GroupStart {
    fn write_to(&self, out: ArgSlot<'_>) {
        match self {
            Self::First => out.bytes(b"0"),
            Self::New => out.bytes(b"$"),
            Self::After(id) => out.display(id),
        }
    }
}
