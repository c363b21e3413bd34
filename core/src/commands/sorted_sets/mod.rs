//! Sorted sets: members with a score each, in the order of the scores.
//!
//! Members of the same score are in the order of their bytes. A score is a double, infinity included; `NaN`
//! is refused. Pairs go to the server with the score first, and come back with the member first. A sorted
//! set that loses its last member is gone, and one that does not exist is as good as an empty one.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{ByScore, SortedSetCommands, ZaddIf, ZaddOptions};
//!
//! let add = p.zadd("board", [(12.5, "ann"), (7.0, "bob")]);
//! let raise = p.zadd_with("board", [(9, "bob")], ZaddOptions::new().only_if(ZaddIf::Greater));
//! let best = p.zrange_with_scores::<String>("board", ByScore::new(5.0..).reversed().limit(0, 10));
//! let passed = p.zcount("board", 10.0..);
//! assert_eq!(passed.packed().argc(), 4);
//! ```

mod options;
mod range;

use alloc::vec::Vec;
use core::time::Duration;

pub use options::{CombineOptions, ScoreEnd, ZaddIf, ZaddOptions};
use range::limit_args;
pub use range::{ByLex, ByRank, ByScore, LexRange, MemberRange, ScoreRange, ScoredRange};

use super::scan::{ScanOptions, ScanPage};
use crate::command::{Arg, Args, BlockSecs, Command, FromReply, Pairs, Route, Run};

/// Commands on sorted sets. <https://redis.io/docs/latest/commands/?group=sorted-set>
pub trait SortedSetCommands: Run {
    /// Adds members, each a pair of score and member, or changes their scores; returns how many are new.
    ///
    /// `ZADD key score member [score member ...]` · 1.2.0 · O(log n) each
    fn zadd(self, key: impl Arg, members: impl Pairs) -> Self::Output<u64> {
        self.run(Command::new("ZADD").key(key).pairs(members))
    }

    /// Adds members or changes their scores as `options` say; returns how many are new, or changed.
    ///
    /// `ZADD key [NX | XX] [GT | LT] [CH] score member [score member ...]` · 3.0.2, `GT` and `LT` 6.2.0 ·
    /// O(log n) each
    fn zadd_with(self, key: impl Arg, members: impl Pairs, options: ZaddOptions) -> Self::Output<u64> {
        self.run(Command::new("ZADD").key(key).args(options).pairs(members))
    }

    /// Adds `increment` to the score of `member` under a condition, which is about the sum; returns the sum,
    /// or `None` if the condition does not hold.
    ///
    /// Without a condition it is [`zincrby`](Self::zincrby).
    ///
    /// `ZADD key [NX | XX] [GT | LT] INCR increment member` · 3.0.2, `GT` and `LT` 6.2.0 · O(log n)
    fn zadd_incr(
        self,
        key: impl Arg,
        increment: f64,
        member: impl Arg,
        condition: ZaddIf,
    ) -> Self::Output<Option<f64>> {
        self.run(Command::new("ZADD").key(key).args(condition).arg("INCR").arg(increment).arg(member))
    }

    /// Adds `increment` to the score of `member`, 0 if it is new; returns the sum.
    ///
    /// `ZINCRBY key increment member` · 1.2.0 · O(log n)
    fn zincrby(self, key: impl Arg, increment: f64, member: impl Arg) -> Self::Output<f64> {
        self.run(Command::new("ZINCRBY").key(key).arg(increment).arg(member))
    }

    /// Removes members; returns how many there were.
    ///
    /// `ZREM key member [member ...]` · 1.2.0 · O(log n) each
    fn zrem(self, key: impl Arg, members: impl Args) -> Self::Output<u64> {
        self.run(Command::new("ZREM").key(key).args(members))
    }

    /// Returns how many members there are.
    ///
    /// `ZCARD key` · 1.2.0 · O(1)
    fn zcard(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("ZCARD").key(key).cacheable())
    }

    /// Returns the score of `member`, or `None` if it is not there.
    ///
    /// `ZSCORE key member` · 1.2.0 · O(1)
    fn zscore(self, key: impl Arg, member: impl Arg) -> Self::Output<Option<f64>> {
        self.run(Command::new("ZSCORE").key(key).arg(member).cacheable())
    }

    /// Returns the scores of `members` in their order, `None` for each that is not there.
    ///
    /// `ZMSCORE key member [member ...]` · 6.2.0 · O(n)
    fn zmscore(self, key: impl Arg, members: impl Args) -> Self::Output<Vec<Option<f64>>> {
        self.run(Command::new("ZMSCORE").key(key).args(members).cacheable())
    }

    /// Returns how many members come before `member`, or `None` if it is not there.
    ///
    /// `ZRANK key member` · 2.0.0 · O(log n)
    fn zrank(self, key: impl Arg, member: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("ZRANK").key(key).arg(member).cacheable())
    }

    /// Returns how many members come before `member`, and its score, or `None` if it is not there.
    ///
    /// `ZRANK key member WITHSCORE` · 7.2.0 · O(log n)
    fn zrank_with_score(self, key: impl Arg, member: impl Arg) -> Self::Output<Option<(u64, f64)>> {
        self.run(Command::new("ZRANK").key(key).arg(member).arg("WITHSCORE").cacheable())
    }

    /// Returns how many members come after `member`, or `None` if it is not there.
    ///
    /// `ZREVRANK key member` · 2.0.0 · O(log n)
    fn zrevrank(self, key: impl Arg, member: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("ZREVRANK").key(key).arg(member).cacheable())
    }

    /// Returns how many members come after `member`, and its score, or `None` if it is not there.
    ///
    /// `ZREVRANK key member WITHSCORE` · 7.2.0 · O(log n)
    fn zrevrank_with_score(self, key: impl Arg, member: impl Arg) -> Self::Output<Option<(u64, f64)>> {
        self.run(Command::new("ZREVRANK").key(key).arg(member).arg("WITHSCORE").cacheable())
    }

    /// Removes the member with the lowest score and returns both, or `None` without a member.
    ///
    /// `ZPOPMIN key` · 5.0.0 · O(log n)
    fn zpopmin<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<(T, f64)>> {
        self.run(Command::new("ZPOPMIN").key(key))
    }

    /// Removes up to `count` members with the lowest scores and returns them from the lowest up.
    ///
    /// `ZPOPMIN key count` · 5.0.0 · O(log n) each
    fn zpopmin_count<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZPOPMIN").key(key).arg(count))
    }

    /// Removes the member with the highest score and returns both, or `None` without a member.
    ///
    /// `ZPOPMAX key` · 5.0.0 · O(log n)
    fn zpopmax<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<(T, f64)>> {
        self.run(Command::new("ZPOPMAX").key(key))
    }

    /// Removes up to `count` members with the highest scores and returns them from the highest down.
    ///
    /// `ZPOPMAX key count` · 5.0.0 · O(log n) each
    fn zpopmax_count<T: FromReply>(self, key: impl Arg, count: u64) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZPOPMAX").key(key).arg(count))
    }

    /// Removes up to `count` members at one end of the first of `keys` that has any; returns that key and
    /// the members with their scores, or `None` if none has.
    ///
    /// A count of 0 is an error.
    ///
    /// `ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]` · 7.0.0 · O(k) + O(log n) each, k keys
    fn zmpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        end: ScoreEnd,
        count: u64,
    ) -> Self::Output<Option<Popped<K, T>>> {
        self.run(Command::new("ZMPOP").counted_keys(keys).arg(end).arg("COUNT").arg(count))
    }

    /// As [`zpopmin`](Self::zpopmin) of the first of `keys` that has members, with its key; waits up to `time` for one
    /// to come, for ever if that is zero. `None` when the time is over.
    ///
    /// `BZPOPMIN key [key ...] timeout` · 5.0.0 · O(k) + O(log n), k keys
    fn bzpopmin<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        time: Duration,
    ) -> Self::Output<Option<(K, T, f64)>> {
        self.run(Command::new("BZPOPMIN").keys(keys).arg(BlockSecs(time)).blocking(time))
    }

    /// As [`zpopmax`](Self::zpopmax) of the first of `keys` that has members, with its key; waits up to `time` for one
    /// to come, for ever if that is zero. `None` when the time is over.
    ///
    /// `BZPOPMAX key [key ...] timeout` · 5.0.0 · O(k) + O(log n), k keys
    fn bzpopmax<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        time: Duration,
    ) -> Self::Output<Option<(K, T, f64)>> {
        self.run(Command::new("BZPOPMAX").keys(keys).arg(BlockSecs(time)).blocking(time))
    }

    /// As [`zmpop`](Self::zmpop); waits up to `time` for members to come, for ever if that is zero. `None` when the
    /// time is over.
    ///
    /// `BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]` · 7.0.0 · O(k) + O(log n) each, k keys
    fn bzmpop<K: FromReply, T: FromReply>(
        self,
        keys: impl Args,
        end: ScoreEnd,
        count: u64,
        time: Duration,
    ) -> Self::Output<Option<Popped<K, T>>> {
        let command = Command::new("BZMPOP").arg(BlockSecs(time)).counted_keys(keys).arg(end);
        self.run(command.arg("COUNT").arg(count).blocking(time))
    }

    /// Returns a member picked at random, or `None` without a member.
    ///
    /// `ZRANDMEMBER key` · 6.2.0 · O(1)
    fn zrandmember<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("ZRANDMEMBER").key(key).read_only())
    }

    /// Returns up to `count` different members picked at random; with `-count` exactly so many, the same
    /// member perhaps several times.
    ///
    /// `ZRANDMEMBER key count` · 6.2.0 · O(n), n members returned
    fn zrandmember_count<T: FromReply>(self, key: impl Arg, count: i64) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZRANDMEMBER").key(key).arg(count).read_only())
    }

    /// As [`zrandmember_count`](Self::zrandmember_count), with their scores.
    ///
    /// `ZRANDMEMBER key count WITHSCORES` · 6.2.0 · O(n), n members returned
    fn zrandmember_with_scores<T: FromReply>(self, key: impl Arg, count: i64) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZRANDMEMBER").key(key).arg(count).arg("WITHSCORES").read_only())
    }

    /// Returns one page of a walk through the members with their scores, starting at cursor 0.
    ///
    /// [`zscan_iter`](crate::commands::ScanIterators::zscan_iter) goes through all pages.
    ///
    /// `ZSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn zscan<T: FromReply>(
        self,
        key: impl Arg,
        cursor: u64,
        options: ScanOptions,
    ) -> Self::Output<ScanPage<(T, f64)>> {
        self.run(Command::new("ZSCAN").key(key).arg(cursor).args(options).read_only().route(Route::Primary))
    }

    /// Returns the members in a range: [`ByRank`], [`ByScore`] or [`ByLex`].
    ///
    /// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count]` · 1.2.0, all but ranks 6.2.0 ·
    /// O(log n + m), m members returned
    fn zrange<T: FromReply>(self, key: impl Arg, range: impl MemberRange) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZRANGE").key(key).args(range).cacheable())
    }

    /// Returns the members in a range with their scores: [`ByRank`] or [`ByScore`].
    ///
    /// `ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] WITHSCORES` · 1.2.0, all but ranks 6.2.0 ·
    /// O(log n + m), m members returned
    fn zrange_with_scores<T: FromReply>(
        self,
        key: impl Arg,
        range: impl ScoredRange,
    ) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZRANGE").key(key).args(range).arg("WITHSCORES").cacheable())
    }

    /// Writes the members in a range of `source` to `destination`; returns how many. What was there is
    /// replaced, by nothing if there is no member.
    ///
    /// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]` · 6.2.0 · O(log n + m), m
    /// members stored
    fn zrangestore(
        self,
        destination: impl Arg,
        source: impl Arg,
        range: impl MemberRange,
    ) -> Self::Output<u64> {
        self.run(Command::new("ZRANGESTORE").key(destination).key(source).args(range))
    }

    /// Returns how many members have a score in the range.
    ///
    /// `ZCOUNT key min max` · 2.0.0 · O(log n)
    fn zcount(self, key: impl Arg, scores: impl Into<ScoreRange>) -> Self::Output<u64> {
        self.run(Command::new("ZCOUNT").key(key).args(scores.into()).cacheable())
    }

    /// Returns how many members are in the range of bytes; all must have the same score.
    ///
    /// `ZLEXCOUNT key min max` · 2.8.9 · O(log n)
    fn zlexcount(self, key: impl Arg, members: impl Into<LexRange>) -> Self::Output<u64> {
        self.run(Command::new("ZLEXCOUNT").key(key).args(members.into()).cacheable())
    }

    /// Removes the members with ranks from `start` to `stop`, both included; returns how many.
    ///
    /// `ZREMRANGEBYRANK key start stop` · 2.0.0 · O(log n + m), m members removed
    fn zremrangebyrank(self, key: impl Arg, start: i64, stop: i64) -> Self::Output<u64> {
        self.run(Command::new("ZREMRANGEBYRANK").key(key).arg(start).arg(stop))
    }

    /// Removes the members with a score in the range; returns how many.
    ///
    /// `ZREMRANGEBYSCORE key min max` · 1.2.0 · O(log n + m), m members removed
    fn zremrangebyscore(self, key: impl Arg, scores: impl Into<ScoreRange>) -> Self::Output<u64> {
        self.run(Command::new("ZREMRANGEBYSCORE").key(key).args(scores.into()))
    }

    /// Removes the members in the range of bytes; all must have the same score. Returns how many.
    ///
    /// `ZREMRANGEBYLEX key min max` · 2.8.9 · O(log n + m), m members removed
    fn zremrangebylex(self, key: impl Arg, members: impl Into<LexRange>) -> Self::Output<u64> {
        self.run(Command::new("ZREMRANGEBYLEX").key(key).args(members.into()))
    }

    /// Returns the members of the first key that are in none of the others.
    ///
    /// `ZDIFF numkeys key [key ...]` · 6.2.0 · O(l + (n - k) log n), l members in all, n in the first, k returned
    fn zdiff<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZDIFF").counted_keys(keys).cacheable())
    }

    /// As [`zdiff`](Self::zdiff), with the scores in the first key.
    ///
    /// `ZDIFF numkeys key [key ...] WITHSCORES` · 6.2.0 · as ZDIFF
    fn zdiff_with_scores<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZDIFF").counted_keys(keys).arg("WITHSCORES").cacheable())
    }

    /// Writes what [`zdiff`](Self::zdiff) returns to `destination`; returns how many members. What was there
    /// is replaced.
    ///
    /// `ZDIFFSTORE destination numkeys key [key ...]` · 6.2.0 · as ZDIFF
    fn zdiffstore(self, destination: impl Arg, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("ZDIFFSTORE").key(destination).counted_keys(keys))
    }

    /// Returns the members that are in all keys, in the order of their combined scores.
    ///
    /// Keys may be sets as well: their members have the score 1.
    ///
    /// `ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]` · 6.2.0 ·
    /// O(n·k + m·log m), n members in the smallest of k keys, m returned
    fn zinter<T: FromReply>(self, keys: impl Args, options: CombineOptions) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZINTER").counted_keys(keys).args(options).cacheable())
    }

    /// As [`zinter`](Self::zinter), with the combined scores.
    ///
    /// `ZINTER numkeys key [key ...] [WEIGHTS ..] [AGGREGATE ..] WITHSCORES` · 6.2.0 · as ZINTER
    fn zinter_with_scores<T: FromReply>(
        self,
        keys: impl Args,
        options: CombineOptions,
    ) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZINTER").counted_keys(keys).args(options).arg("WITHSCORES").cacheable())
    }

    /// Writes what [`zinter`](Self::zinter) returns to `destination`; returns how many members. What was
    /// there is replaced.
    ///
    /// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS ..] [AGGREGATE ..]` · 2.0.0 · as ZINTER
    fn zinterstore(
        self,
        destination: impl Arg,
        keys: impl Args,
        options: CombineOptions,
    ) -> Self::Output<u64> {
        self.run(Command::new("ZINTERSTORE").key(destination).counted_keys(keys).args(options))
    }

    /// Returns how many members are in all keys, and stops counting at `limit`, unless that is 0.
    ///
    /// `ZINTERCARD numkeys key [key ...] [LIMIT limit]` · 7.0.0 · O(n·k), n members in the smallest of k keys
    fn zintercard(self, keys: impl Args, limit: Option<u64>) -> Self::Output<u64> {
        let limit = limit.map(|limit| ("LIMIT", limit));
        self.run(Command::new("ZINTERCARD").counted_keys(keys).args(limit).cacheable())
    }

    /// Returns the members that are in any key, in the order of their combined scores.
    ///
    /// Keys may be sets as well: their members have the score 1.
    ///
    /// `ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]` · 6.2.0 ·
    /// O(n + m·log m), n members in all keys, m returned
    fn zunion<T: FromReply>(self, keys: impl Args, options: CombineOptions) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZUNION").counted_keys(keys).args(options).cacheable())
    }

    /// As [`zunion`](Self::zunion), with the combined scores.
    ///
    /// `ZUNION numkeys key [key ...] [WEIGHTS ..] [AGGREGATE ..] WITHSCORES` · 6.2.0 · as ZUNION
    fn zunion_with_scores<T: FromReply>(
        self,
        keys: impl Args,
        options: CombineOptions,
    ) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZUNION").counted_keys(keys).args(options).arg("WITHSCORES").cacheable())
    }

    /// Writes what [`zunion`](Self::zunion) returns to `destination`; returns how many members. What was
    /// there is replaced.
    ///
    /// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS ..] [AGGREGATE ..]` · 2.0.0 · as ZUNION
    fn zunionstore(
        self,
        destination: impl Arg,
        keys: impl Args,
        options: CombineOptions,
    ) -> Self::Output<u64> {
        self.run(Command::new("ZUNIONSTORE").key(destination).counted_keys(keys).args(options))
    }

    /// Returns the members with ranks from `start` to `stop`, from the highest score down.
    ///
    /// Deprecated: [`zrange`](Self::zrange) takes [`ByRank::reversed`].
    ///
    /// `ZREVRANGE key start stop` · 1.2.0 · O(log n + m), m members returned
    fn zrevrange<T: FromReply>(self, key: impl Arg, start: i64, stop: i64) -> Self::Output<Vec<T>> {
        self.run(Command::new("ZREVRANGE").key(key).arg(start).arg(stop).cacheable())
    }

    /// As [`zrevrange`](Self::zrevrange), with the scores.
    ///
    /// Deprecated: [`zrange_with_scores`](Self::zrange_with_scores) takes [`ByRank::reversed`].
    ///
    /// `ZREVRANGE key start stop WITHSCORES` · 1.2.0 · O(log n + m), m members returned
    fn zrevrange_with_scores<T: FromReply>(
        self,
        key: impl Arg,
        start: i64,
        stop: i64,
    ) -> Self::Output<Vec<(T, f64)>> {
        self.run(Command::new("ZREVRANGE").key(key).arg(start).arg(stop).arg("WITHSCORES").cacheable())
    }

    /// Returns the members with a score in the range; of them, `limit` leaves out the first and counts the
    /// rest.
    ///
    /// Deprecated: [`zrange`](Self::zrange) takes [`ByScore`].
    ///
    /// `ZRANGEBYSCORE key min max [LIMIT offset count]` · 1.0.5 · O(log n + m), m members returned
    fn zrangebyscore<T: FromReply>(
        self,
        key: impl Arg,
        scores: impl Into<ScoreRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<T>> {
        let command = Command::new("ZRANGEBYSCORE").key(key).args(scores.into());
        self.run(command.args(limit_args(limit)).cacheable())
    }

    /// As [`zrangebyscore`](Self::zrangebyscore), with the scores.
    ///
    /// Deprecated: [`zrange_with_scores`](Self::zrange_with_scores) takes [`ByScore`].
    ///
    /// `ZRANGEBYSCORE key min max WITHSCORES [LIMIT offset count]` · 2.0.0 · O(log n + m), m members returned
    fn zrangebyscore_with_scores<T: FromReply>(
        self,
        key: impl Arg,
        scores: impl Into<ScoreRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<(T, f64)>> {
        let command = Command::new("ZRANGEBYSCORE").key(key).args(scores.into());
        self.run(command.arg("WITHSCORES").args(limit_args(limit)).cacheable())
    }

    /// Returns the members with a score in the range, from the highest down.
    ///
    /// The range is written as ever, from the lower score to the higher.
    ///
    /// Deprecated: [`zrange`](Self::zrange) takes [`ByScore::reversed`].
    ///
    /// `ZREVRANGEBYSCORE key max min [LIMIT offset count]` · 2.2.0 · O(log n + m), m members returned
    fn zrevrangebyscore<T: FromReply>(
        self,
        key: impl Arg,
        scores: impl Into<ScoreRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<T>> {
        let scores = scores.into();
        let command = Command::new("ZREVRANGEBYSCORE").key(key).arg(scores.max()).arg(scores.min());
        self.run(command.args(limit_args(limit)).cacheable())
    }

    /// As [`zrevrangebyscore`](Self::zrevrangebyscore), with the scores.
    ///
    /// Deprecated: [`zrange_with_scores`](Self::zrange_with_scores) takes [`ByScore::reversed`].
    ///
    /// `ZREVRANGEBYSCORE key max min WITHSCORES [LIMIT offset count]` · 2.2.0 · O(log n + m), m members returned
    fn zrevrangebyscore_with_scores<T: FromReply>(
        self,
        key: impl Arg,
        scores: impl Into<ScoreRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<(T, f64)>> {
        let scores = scores.into();
        let command = Command::new("ZREVRANGEBYSCORE").key(key).arg(scores.max()).arg(scores.min());
        self.run(command.arg("WITHSCORES").args(limit_args(limit)).cacheable())
    }

    /// Returns the members in the range of bytes; all must have the same score.
    ///
    /// Deprecated: [`zrange`](Self::zrange) takes [`ByLex`].
    ///
    /// `ZRANGEBYLEX key min max [LIMIT offset count]` · 2.8.9 · O(log n + m), m members returned
    fn zrangebylex<T: FromReply>(
        self,
        key: impl Arg,
        members: impl Into<LexRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<T>> {
        let command = Command::new("ZRANGEBYLEX").key(key).args(members.into());
        self.run(command.args(limit_args(limit)).cacheable())
    }

    /// Returns the members in the range of bytes from the last back; all must have the same score.
    ///
    /// The range is written as ever, from the lower member to the higher.
    ///
    /// Deprecated: [`zrange`](Self::zrange) takes [`ByLex::reversed`].
    ///
    /// `ZREVRANGEBYLEX key max min [LIMIT offset count]` · 2.8.9 · O(log n + m), m members returned
    fn zrevrangebylex<T: FromReply>(
        self,
        key: impl Arg,
        members: impl Into<LexRange>,
        limit: Option<(u64, u64)>,
    ) -> Self::Output<Vec<T>> {
        let members = members.into();
        let command = Command::new("ZREVRANGEBYLEX").key(key).arg(members.max()).arg(members.min());
        self.run(command.args(limit_args(limit)).cacheable())
    }
}

impl<R: Run> SortedSetCommands for R {}

/// A key, and the members that were taken from it with their scores.
pub type Popped<K, T> = (K, Vec<(T, f64)>);
