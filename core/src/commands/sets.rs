//! Sets: members in no order, each of them once.
//!
//! A set that loses its last member is gone, and a set that does not exist is as good as an empty one.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{ScanOptions, SetCommands};
//!
//! let add = p.sadd("tags", ["red", "blue"]);
//! assert_eq!(add.packed().argc(), 4);
//! let page = p.sscan::<String>("tags", 0, ScanOptions::new().matching("b*"));
//! assert_eq!(page.packed().name(), "SSCAN");
//! ```

use alloc::vec::Vec;

use super::scan::{ScanOptions, ScanPage};
use crate::command::{Arg, Args, Command, FromReply, Route, Run};

/// Commands on sets. <https://redis.io/docs/latest/commands/?group=set>
pub trait SetCommands: Run {
    /// Adds members; returns how many are new.
    ///
    /// `SADD key member [member ...]` · 1.0.0 · O(n)
    fn sadd(self, key: impl Arg, members: impl Args) -> Self::Output<u64> {
        self.run(Command::new("SADD").key(key).args(members))
    }

    /// Removes members; returns how many there were.
    ///
    /// `SREM key member [member ...]` · 1.0.0 · O(n)
    fn srem(self, key: impl Arg, members: impl Args) -> Self::Output<u64> {
        self.run(Command::new("SREM").key(key).args(members))
    }

    /// Takes a member from `source` to `destination`; returns whether it was in the source.
    ///
    /// `SMOVE source destination member` · 1.0.0 · O(1)
    fn smove(self, source: impl Arg, destination: impl Arg, member: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("SMOVE").key(source).key(destination).arg(member))
    }

    /// Removes a member picked at random and returns it, or `None` without a set.
    ///
    /// `SPOP key` · 1.0.0 · O(1)
    fn spop<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("SPOP").key(key))
    }

    /// Removes up to `count` members picked at random and returns them.
    ///
    /// `SPOP key count` · 3.2.0 · O(n), n members returned
    fn spop_count<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<Vec<T>> {
        self.run(Command::new("SPOP").key(key).arg(count))
    }

    /// Returns a member picked at random, or `None` without a set.
    ///
    /// `SRANDMEMBER key` · 1.0.0 · O(1)
    fn srandmember<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("SRANDMEMBER").key(key).read_only())
    }

    /// Returns up to `count` different members picked at random; with `-count` exactly so many, the same
    /// member perhaps several times.
    ///
    /// `SRANDMEMBER key count` · 2.6.0 · O(n), n members returned
    fn srandmember_count<T: FromReply>(self, key: impl Arg, count: i64) -> Self::Output<Vec<T>> {
        self.run(Command::new("SRANDMEMBER").key(key).arg(count).read_only())
    }

    /// Returns how many members the set has.
    ///
    /// `SCARD key` · 1.0.0 · O(1)
    fn scard(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("SCARD").key(key).cacheable())
    }

    /// Returns whether `member` is in the set.
    ///
    /// `SISMEMBER key member` · 1.0.0 · O(1)
    fn sismember(self, key: impl Arg, member: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("SISMEMBER").key(key).arg(member).cacheable())
    }

    /// Returns for each of `members` whether it is in the set.
    ///
    /// `SMISMEMBER key member [member ...]` · 6.2.0 · O(n)
    fn smismember(self, key: impl Arg, members: impl Args) -> Self::Output<Vec<bool>> {
        self.run(Command::new("SMISMEMBER").key(key).args(members).cacheable())
    }

    /// Returns all members, in no order.
    ///
    /// [`sscan`](Self::sscan) takes a large set in pages, so that it does not hold up the server.
    ///
    /// `SMEMBERS key` · 1.0.0 · O(n)
    fn smembers<T: FromReply>(self, key: impl Arg) -> Self::Output<Vec<T>> {
        self.run(Command::new("SMEMBERS").key(key).cacheable())
    }

    /// Returns one page of a walk through the set, starting at cursor 0.
    ///
    /// [`sscan_iter`](crate::commands::ScanIterators::sscan_iter) goes through all pages.
    ///
    /// `SSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn sscan<T: FromReply>(
        self,
        key: impl Arg,
        cursor: u64,
        options: ScanOptions,
    ) -> Self::Output<ScanPage<T>> {
        self.run(Command::new("SSCAN").key(key).arg(cursor).args(options).read_only().route(Route::Primary))
    }

    /// Returns the members of the first set that are in none of the others.
    ///
    /// `SDIFF key [key ...]` · 1.0.0 · O(n), n members in all sets
    fn sdiff<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<T>> {
        self.run(Command::new("SDIFF").keys(keys).cacheable())
    }

    /// Writes the members of the first set that are in none of the others to `destination`; returns how
    /// many. What was there is replaced, by nothing if there is no member.
    ///
    /// `SDIFFSTORE destination key [key ...]` · 1.0.0 · O(n), n members in all sets
    fn sdiffstore(self, destination: impl Arg, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("SDIFFSTORE").key(destination).keys(keys))
    }

    /// Returns the members that are in all sets.
    ///
    /// `SINTER key [key ...]` · 1.0.0 · O(n·m), n members in the smallest of m sets
    fn sinter<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<T>> {
        self.run(Command::new("SINTER").keys(keys).cacheable())
    }

    /// Returns how many members are in all sets, and stops counting at `limit`, unless that is 0.
    ///
    /// `SINTERCARD numkeys key [key ...] [LIMIT limit]` · 7.0.0 · O(n·m), n members in the smallest of m sets
    fn sintercard(self, keys: impl Args, limit: Option<u64>) -> Self::Output<u64> {
        let limit = limit.map(|limit| ("LIMIT", limit));
        self.run(Command::new("SINTERCARD").counted_keys(keys).args(limit).cacheable())
    }

    /// Writes the members that are in all sets to `destination`; returns how many. What was there is
    /// replaced, by nothing if there is no member.
    ///
    /// `SINTERSTORE destination key [key ...]` · 1.0.0 · O(n·m), n members in the smallest of m sets
    fn sinterstore(self, destination: impl Arg, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("SINTERSTORE").key(destination).keys(keys))
    }

    /// Returns the members that are in any of the sets.
    ///
    /// `SUNION key [key ...]` · 1.0.0 · O(n), n members in all sets
    fn sunion<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<T>> {
        self.run(Command::new("SUNION").keys(keys).cacheable())
    }

    /// Writes the members that are in any of the sets to `destination`; returns how many. What was there is
    /// replaced, by nothing if there is no member.
    ///
    /// `SUNIONSTORE destination key [key ...]` · 1.0.0 · O(n), n members in all sets
    fn sunionstore(self, destination: impl Arg, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("SUNIONSTORE").key(destination).keys(keys))
    }
}

impl<R: Run> SetCommands for R {}
