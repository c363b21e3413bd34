//! Lists: elements in order, quick to add and to take at both ends.
//!
//! Positions count from 0 at the left end, and back from -1 at the right end. A list that loses its last
//! element is gone, so no list is empty.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{InsertAt, ListCommands, ListEnd};
//!
//! let push = p.rpush("queue", ["first", "second"]);
//! assert_eq!(push.packed().argc(), 4);
//! let insert = p.linsert("queue", InsertAt::Before("second"), "in between");
//! let take = p.lmove::<String>("queue", "under way", ListEnd::Left, ListEnd::Right);
//! assert_eq!(take.packed().key_indexes().collect::<Vec<_>>(), [1, 2]);
//! ```

use alloc::vec::Vec;
use core::time::Duration;

use crate::command::{Arg, ArgSink, ArgSlot, Args, BlockSecs, Command, FromReply, Run, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands on lists. <https://redis.io/docs/latest/commands/?group=list>
pub trait ListCommands: Run {
    /// Adds elements at the left end; returns how long the list is then.
    ///
    /// One after the other, so that the last one ends up leftmost.
    ///
    /// `LPUSH key element [element ...]` · 1.0.0 · O(n)
    fn lpush(self, key: impl Arg, elements: impl Args) -> Self::Output<u64> {
        self.run(Command::new("LPUSH").key(key).args(elements))
    }

    /// Adds elements at the left end of a list that exists; returns how long it is then, 0 without a list.
    ///
    /// `LPUSHX key element [element ...]` · 2.2.0, several elements 4.0.0 · O(n)
    fn lpushx(self, key: impl Arg, elements: impl Args) -> Self::Output<u64> {
        self.run(Command::new("LPUSHX").key(key).args(elements))
    }

    /// Adds elements at the right end; returns how long the list is then.
    ///
    /// `RPUSH key element [element ...]` · 1.0.0 · O(n)
    fn rpush(self, key: impl Arg, elements: impl Args) -> Self::Output<u64> {
        self.run(Command::new("RPUSH").key(key).args(elements))
    }

    /// Adds elements at the right end of a list that exists; returns how long it is then, 0 without a list.
    ///
    /// `RPUSHX key element [element ...]` · 2.2.0, several elements 4.0.0 · O(n)
    fn rpushx(self, key: impl Arg, elements: impl Args) -> Self::Output<u64> {
        self.run(Command::new("RPUSHX").key(key).args(elements))
    }

    /// Removes the leftmost element and returns it, or `None` without a list.
    ///
    /// `LPOP key` · 1.0.0 · O(1)
    fn lpop<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("LPOP").key(key))
    }

    /// Removes up to `count` elements from the left end and returns them, or `None` without a list.
    ///
    /// `LPOP key count` · 6.2.0 · O(n), n elements returned
    fn lpop_count<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<Option<Vec<T>>> {
        self.run(Command::new("LPOP").key(key).arg(count))
    }

    /// Removes the rightmost element and returns it, or `None` without a list.
    ///
    /// `RPOP key` · 1.0.0 · O(1)
    fn rpop<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("RPOP").key(key))
    }

    /// Removes up to `count` elements from the right end and returns them, the rightmost first, or `None`
    /// without a list.
    ///
    /// `RPOP key count` · 6.2.0 · O(n), n elements returned
    fn rpop_count<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<Option<Vec<T>>> {
        self.run(Command::new("RPOP").key(key).arg(count))
    }

    /// Removes up to `count` elements from the first of `keys` that is a list; returns that key and the
    /// elements, or `None` if none is.
    ///
    /// A count of 0 is an error.
    ///
    /// `LMPOP numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` · 7.0.0 · O(n + m), n keys, m elements
    fn lmpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        end: ListEnd,
        count: u64,
    ) -> Self::Output<Option<(K, Vec<T>)>> {
        self.run(Command::new("LMPOP").counted_keys(keys).arg(end).arg("COUNT").arg(count))
    }

    /// Takes an element from one end of `source` to one end of `destination` and returns it, or `None`
    /// without a source.
    ///
    /// The lists may be the same: then it turns round.
    ///
    /// `LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>` · 6.2.0 · O(1)
    fn lmove<T: FromReply>(
        self,
        source: impl Arg,
        destination: impl Arg,
        from: ListEnd,
        to: ListEnd,
    ) -> Self::Output<Option<T>> {
        self.run(Command::new("LMOVE").key(source).key(destination).arg(from).arg(to))
    }

    /// Takes the rightmost element of `source` to the left end of `destination` and returns it.
    ///
    /// Deprecated: [`lmove`](Self::lmove) does it between any two ends.
    ///
    /// `RPOPLPUSH source destination` · 1.2.0 · O(1)
    fn rpoplpush<T: FromReply>(self, source: impl Arg, destination: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("RPOPLPUSH").key(source).key(destination))
    }

    /// As [`lpop`](Self::lpop) of the first of `keys` that is a list, with its key; waits up to `time` for one to come,
    /// for ever if that is zero. `None` when the time is over.
    ///
    /// `BLPOP key [key ...] timeout` · 2.0.0 · O(n) in the keys
    fn blpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        time: Duration,
    ) -> Self::Output<Option<(K, T)>> {
        self.run(Command::new("BLPOP").keys(keys).arg(BlockSecs(time)).blocking(time))
    }

    /// As [`rpop`](Self::rpop) of the first of `keys` that is a list, with its key; waits up to `time` for one to come,
    /// for ever if that is zero. `None` when the time is over.
    ///
    /// `BRPOP key [key ...] timeout` · 2.0.0 · O(n) in the keys
    fn brpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        time: Duration,
    ) -> Self::Output<Option<(K, T)>> {
        self.run(Command::new("BRPOP").keys(keys).arg(BlockSecs(time)).blocking(time))
    }

    /// As [`lmpop`](Self::lmpop); waits up to `time` for a list to come, for ever if that is zero. `None` when the time
    /// is over.
    ///
    /// `BLMPOP timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]` · 7.0.0 · O(n + m), n keys, m elements
    fn blmpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        end: ListEnd,
        count: u64,
        time: Duration,
    ) -> Self::Output<Option<(K, Vec<T>)>> {
        let command = Command::new("BLMPOP").arg(BlockSecs(time)).counted_keys(keys).arg(end);
        self.run(command.arg("COUNT").arg(count).blocking(time))
    }

    /// As [`lmove`](Self::lmove); waits up to `time` for an element of `source` to come, for ever if that is zero.
    /// `None` when the time is over.
    ///
    /// `BLMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout` · 6.2.0 · O(1)
    fn blmove<T: FromReply>(
        self,
        source: impl Arg,
        destination: impl Arg,
        from: ListEnd,
        to: ListEnd,
        time: Duration,
    ) -> Self::Output<Option<T>> {
        let command = Command::new("BLMOVE").key(source).key(destination).arg(from).arg(to);
        self.run(command.arg(BlockSecs(time)).blocking(time))
    }

    /// As [`rpoplpush`](Self::rpoplpush); waits up to `time` for an element of `source` to come, for ever if that is
    /// zero. `None` when the time is over.
    ///
    /// Deprecated: [`blmove`](Self::blmove) does it between any two ends.
    ///
    /// `BRPOPLPUSH source destination timeout` · 2.2.0 · O(1)
    fn brpoplpush<T: FromReply>(
        self,
        source: impl Arg,
        destination: impl Arg,
        time: Duration,
    ) -> Self::Output<Option<T>> {
        let command = Command::new("BRPOPLPUSH").key(source).key(destination);
        self.run(command.arg(BlockSecs(time)).blocking(time))
    }

    /// Returns the elements from `start` to `stop`, both included: 0 to -1 is the whole list.
    ///
    /// Without a list, and outside of it, the reply is empty.
    ///
    /// `LRANGE key start stop` · 1.0.0 · O(s + n), s elements up to start
    fn lrange<T: FromReply>(self, key: impl Arg, start: i64, stop: i64) -> Self::Output<Vec<T>> {
        self.run(Command::new("LRANGE").key(key).arg(start).arg(stop).cacheable())
    }

    /// Returns the element at `index`, or `None` outside of the list.
    ///
    /// `LINDEX key index` · 1.0.0 · O(n), n elements up to it; O(1) at the ends
    fn lindex<T: FromReply>(self, key: impl Arg, index: i64) -> Self::Output<Option<T>> {
        self.run(Command::new("LINDEX").key(key).arg(index).cacheable())
    }

    /// Returns how many elements the list has, 0 without one.
    ///
    /// `LLEN key` · 1.0.0 · O(1)
    fn llen(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("LLEN").key(key).cacheable())
    }

    /// Returns where the first element equal to `element` is, or `None` if there is none.
    ///
    /// `LPOS key element` · 6.0.6 · O(n)
    fn lpos(self, key: impl Arg, element: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("LPOS").key(key).arg(element).cacheable())
    }

    /// Returns where one element equal to `element` is, as `options` say which.
    ///
    /// `LPOS key element [RANK rank] [MAXLEN len]` · 6.0.6 · O(n)
    fn lpos_with(self, key: impl Arg, element: impl Arg, options: LposOptions) -> Self::Output<Option<u64>> {
        self.run(Command::new("LPOS").key(key).arg(element).args(options).cacheable())
    }

    /// Returns where up to `count` elements equal to `element` are; 0 asks for all of them.
    ///
    /// `LPOS key element COUNT num-matches [RANK rank] [MAXLEN len]` · 6.0.6 · O(n)
    fn lpos_count(
        self,
        key: impl Arg,
        element: impl Arg,
        count: u64,
        options: LposOptions,
    ) -> Self::Output<Vec<u64>> {
        let command = Command::new("LPOS").key(key).arg(element).arg("COUNT").arg(count);
        self.run(command.args(options).cacheable())
    }

    /// Inserts `element` next to the leftmost one that equals the pivot.
    ///
    /// `LINSERT key <BEFORE | AFTER> pivot element` · 2.2.0 · O(n), n elements up to the pivot
    fn linsert<P: Arg>(
        self,
        key: impl Arg,
        at: InsertAt<P>,
        element: impl Arg,
    ) -> Self::Output<ListInserted> {
        self.run(Command::new("LINSERT").key(key).args(at).arg(element))
    }

    /// Replaces the element at `index`; outside of the list it is an error.
    ///
    /// `LSET key index element` · 1.0.0 · O(n), n elements up to it; O(1) at the ends
    fn lset(self, key: impl Arg, index: i64, element: impl Arg) -> Self::Output<()> {
        self.run(Command::new("LSET").key(key).arg(index).arg(element))
    }

    /// Removes elements equal to `element`: `count` of them from the left, `-count` from the right, or all
    /// with 0; returns how many.
    ///
    /// `LREM key count element` · 1.0.0 · O(n + m), m elements removed
    fn lrem(self, key: impl Arg, count: i64, element: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("LREM").key(key).arg(count).arg(element))
    }

    /// Removes all elements but those from `start` to `stop`, both included.
    ///
    /// `LTRIM key start stop` · 1.0.0 · O(n), n elements removed
    fn ltrim(self, key: impl Arg, start: i64, stop: i64) -> Self::Output<()> {
        self.run(Command::new("LTRIM").key(key).arg(start).arg(stop))
    }
}

impl<R: Run> ListCommands for R {}

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListEnd {
    /// The head, where [`lpush`](ListCommands::lpush) adds (`LEFT`).
    Left,
    /// The tail, where [`rpush`](ListCommands::rpush) adds (`RIGHT`).
    Right,
}

impl Arg for ListEnd {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::Left => b"LEFT",
            Self::Right => b"RIGHT",
        });
    }
}

/// Where an element is inserted: next to another, the pivot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InsertAt<P> {
    /// To the left of it (`BEFORE`).
    Before(P),
    /// To the right of it (`AFTER`).
    After(P),
}

impl<P: Arg> Args for InsertAt<P> {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Before(pivot) => out.arg("BEFORE").arg(pivot),
            Self::After(pivot) => out.arg("AFTER").arg(pivot),
        };
    }
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListInserted {
    /// It is done, and the list has this many elements.
    Length(u64),
    /// There is no such list.
    NoKey,
    /// No element equals the pivot.
    NoPivot,
}

impl FromReply for ListInserted {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match i64::from_reply(item)? {
            0 => Ok(Self::NoKey),
            -1 => Ok(Self::NoPivot),
            length => {
                u64::try_from(length).map(Self::Length).map_err(|_| unexpected("a length, 0 or -1", item))
            }
        }
    }
}

/// Choices for finding elements: from the left through the whole list, unless said otherwise.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct LposOptions {
    rank: Option<i64>,
    max_len: Option<u64>,
}

impl LposOptions {
    /// The first match from the left.
    pub const fn new() -> Self {
        Self { rank: None, max_len: None }
    }

    /// Starts with this match: 1 is the first from the left, -1 the first from the right, from where the
    /// search then goes on to the left (`RANK`). 0 is an error.
    pub const fn rank(mut self, rank: i64) -> Self {
        self.rank = Some(rank);
        self
    }

    /// Compares at most so many elements (`MAXLEN`); 0 means all.
    pub const fn max_len(mut self, max_len: u64) -> Self {
        self.max_len = Some(max_len);
        self
    }
}

impl Args for LposOptions {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.args(self.rank.map(|rank| ("RANK", rank)));
        out.args(self.max_len.map(|len| ("MAXLEN", len)));
    }
}
