//! Streams: entries in the order in which they were added, which groups of consumers can share.
//!
//! An entry has an [id](StreamId) and fields with values. Ids grow, so that a reader goes on after the last one that
//! it has seen. Unlike other collections a stream without entries stays.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{StreamCommands, StreamId, StreamTrim, XaddOptions, XreadOptions};
//!
//! let add = p.xadd("log", [("level", "warn"), ("text", "disk is full")]);
//! let capped = XaddOptions::new().trim(StreamTrim::max_len(10_000).approximate());
//! let add = p.xadd_with("log", [("level", "info")], capped);
//! let read = p.xread::<String, Vec<(String, String)>>([("log", StreamId::MIN)], XreadOptions::new().count(100));
//! assert_eq!(read.packed().key_indexes().count(), 1);
//! ```

mod add;
mod claim;
mod consumer;
mod details;
mod entry;
mod groups;
mod id;
mod info;
mod pending;
mod read;

use alloc::vec::Vec;

pub use add::{StreamRefs, StreamTrim, XaddOptions};
pub use claim::{Autoclaimed, XclaimOptions};
pub use consumer::{Consumer, ConsumerOptions, ConsumerReply, StreamConsumers};
pub use details::{StreamConsumerDetails, StreamDetails, StreamGroupDetails, StreamPending};
pub use entry::{EntryRemoval, StreamEntries, StreamEntry};
pub use groups::{GroupStart, StreamGroupCommands};
pub use id::{StreamId, StreamRange};
pub use info::{StreamConsumer, StreamGroup, StreamInfo};
pub use pending::{PendingEntry, PendingQuery, PendingSummary};
use read::keys_then_ids;
pub use read::{XreadFrom, XreadOptions, XreadgroupOptions};

use crate::command::{Arg, Args, Command, FromReply, Pairs, Run};

/// Commands on streams as a whole. <https://redis.io/docs/latest/commands/?group=stream>
pub trait StreamCommands: Run {
    /// Adds an entry under an id of the server's choice; returns the id.
    ///
    /// `XADD key * field value [field value ...]` · 5.0.0 · O(1)
    fn xadd(self, key: impl Arg, fields: impl Pairs) -> Self::Output<StreamId> {
        self.run(Command::new("XADD").key(key).arg("*").pairs(fields))
    }

    /// Adds an entry as `options` say; returns its id, or `None` if there must be a stream and there is none.
    ///
    /// `XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO producer-id | IDMP producer-id idempotent-id]
    /// [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]` · 5.0.0 · O(1),
    /// and O(n) in the entries that are trimmed
    fn xadd_with(
        self,
        key: impl Arg,
        fields: impl Pairs,
        options: XaddOptions,
    ) -> Self::Output<Option<StreamId>> {
        self.run(Command::new("XADD").key(key).args(options).pairs(fields))
    }

    /// Removes entries; returns how many there were.
    ///
    /// Groups go on to hold the ids of those that were delivered and not acknowledged; [`xdelex`](Self::xdelex) can do
    /// otherwise.
    ///
    /// `XDEL key id [id ...]` · 5.0.0 · O(1) each
    fn xdel(self, key: impl Arg, ids: impl Args) -> Self::Output<u64> {
        self.run(Command::new("XDEL").key(key).args(ids))
    }

    /// Removes entries, and deals with the groups that hold them as `refs` says; returns what became of each.
    ///
    /// `XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]` · 8.2.0 · O(1) each, O(n) in the groups with
    /// `DELREF` and `ACKED`
    fn xdelex(self, key: impl Arg, ids: impl Args, refs: StreamRefs) -> Self::Output<Vec<EntryRemoval>> {
        self.run(Command::new("XDELEX").key(key).arg(refs).arg("IDS").counted_args(ids))
    }

    /// Returns what the server knows of a stream, with its first and its last entry. Fails without a stream.
    ///
    /// `XINFO STREAM key` · 5.0.0 · O(1)
    fn xinfo_stream<T: FromReply>(self, key: impl Arg) -> Self::Output<StreamInfo<T>> {
        self.run(Command::new("XINFO STREAM").key(key).read_only())
    }

    /// Returns all that the server knows of a stream, its groups and their consumers, with up to `count` entries, and
    /// as many pending ones of each group and each consumer; 0 asks for all. Fails without a stream.
    ///
    /// `XINFO STREAM key FULL [COUNT count]` · 6.0.0 · O(n) in what is returned
    fn xinfo_stream_full<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<StreamDetails<T>> {
        let command = Command::new("XINFO STREAM").key(key).arg("FULL").arg("COUNT").arg(count);
        self.run(command.read_only())
    }

    /// Returns how many entries there are, 0 without a stream.
    ///
    /// `XLEN key` · 5.0.0 · O(1)
    fn xlen(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("XLEN").key(key).cacheable())
    }

    /// Returns the entries in a range of ids, from the first one on: `..` is all of them,
    /// [`StreamRange::count`] bounds their number.
    ///
    /// `XRANGE key start end [COUNT count]` · 5.0.0 · O(n), n entries returned
    fn xrange<T: FromReply>(
        self,
        key: impl Arg,
        range: impl Into<StreamRange>,
    ) -> Self::Output<Vec<StreamEntry<T>>> {
        let range = range.into();
        let command = Command::new("XRANGE").key(key).arg(range.start()).arg(range.end());
        self.run(command.args(range.limit()).cacheable())
    }

    /// Returns the entries in a range of ids, from the last one back.
    ///
    /// `XREVRANGE key end start [COUNT count]` · 5.0.0 · O(n), n entries returned
    fn xrevrange<T: FromReply>(
        self,
        key: impl Arg,
        range: impl Into<StreamRange>,
    ) -> Self::Output<Vec<StreamEntry<T>>> {
        let range = range.into();
        let command = Command::new("XREVRANGE").key(key).arg(range.end()).arg(range.start());
        self.run(command.args(range.limit()).cacheable())
    }

    /// Reads streams, each a pair of a key and an [`XreadFrom`] or a [`StreamId`] after which it is read; returns the
    /// entries of those that have any, or `None` if none has, and then not before the time is over that `options` let
    /// it wait.
    ///
    /// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]` · 5.0.0 · O(n), n entries returned
    fn xread<K: FromReply, T: FromReply>(
        self,
        streams: impl Pairs,
        options: XreadOptions,
    ) -> Self::Output<Option<StreamEntries<K, T>>> {
        let command = options.write_to(Command::new("XREAD"), ());
        self.run(keys_then_ids(command, &streams).read_only())
    }

    /// Sets the last id of a stream, and how many entries were ever added and the greatest id that was removed, where
    /// those are given (since 7.0). It is what primaries say to replicas. Fails without a stream.
    ///
    /// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]` · 5.0.0 · O(1)
    fn xsetid(
        self,
        key: impl Arg,
        last: StreamId,
        entries_added: Option<u64>,
        max_deleted: Option<StreamId>,
    ) -> Self::Output<()> {
        let command = Command::new("XSETID").key(key).arg(last);
        let command = command.args(entries_added.map(|count| ("ENTRIESADDED", count)));
        self.run(command.args(max_deleted.map(|id| ("MAXDELETEDID", id))))
    }

    /// Removes old entries; returns how many.
    ///
    /// `XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]` · 5.0.0 · O(n), n
    /// entries removed
    fn xtrim(self, key: impl Arg, trim: StreamTrim) -> Self::Output<u64> {
        self.run(Command::new("XTRIM").key(key).args(trim))
    }
}

impl<R: Run> StreamCommands for R {}
