//! Strings: one value per key.
//!
//! ```
//! use std::time::Duration;
//!
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{SetOptions, StringCommands};
//!
//! let options = SetOptions::new().if_absent().expire_after(Duration::from_secs(60));
//! let command = p.set_with("lock", "me", options);
//! assert_eq!(command.packed().name(), "SET");
//! ```

mod lcs;
mod set;

use alloc::vec::Vec;
use core::time::Duration;

pub use lcs::{LcsMatch, LcsMatches, LcsOptions};
pub use set::SetOptions;

use super::expiry::ExpiryChange;
use crate::command::{Arg, Args, Command, FromReply, Join, Pairs, Run, whole_millis, whole_secs};

/// Commands on string values. <https://redis.io/docs/latest/commands/?group=string>
pub trait StringCommands: Run {
    /// Returns the value of `key`, or `None` if there is none.
    ///
    /// `GET key` · 1.0.0 · O(1)
    fn get<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("GET").key(key).cacheable())
    }

    /// Sets `key` to `value`, dropping any previous value and expiry.
    ///
    /// `SET key value` · 1.0.0 · O(1)
    fn set(self, key: impl Arg, value: impl Arg) -> Self::Output<()> {
        self.run(Command::new("SET").key(key).arg(value))
    }

    /// Sets `key` to `value` under conditions or with an expiry; returns whether it was set.
    ///
    /// `SET key value [NX | XX] [PX milliseconds | PXAT unix-time-milliseconds | KEEPTTL]` · 2.6.12,
    /// `KEEPTTL` 6.0.0, `PXAT` 6.2.0 · O(1)
    fn set_with(self, key: impl Arg, value: impl Arg, options: SetOptions) -> Self::Output<bool> {
        self.run(Command::new("SET").key(key).arg(value).args(options))
    }

    /// Sets `key` to `value` and returns the value that was there, or `None` if there was none.
    ///
    /// Under a condition the reply is the old value all the same: with [`SetOptions::if_absent`] it is
    /// `None` if the key was set, with [`SetOptions::if_present`] it is `None` if it was not. Fails if the
    /// old value is not a string.
    ///
    /// `SET key value GET [NX | XX] [PX .. | PXAT .. | KEEPTTL]` · 6.2.0, with `NX` 7.0.0 · O(1)
    fn set_and_get<T: FromReply>(
        self,
        key: impl Arg,
        value: impl Arg,
        options: SetOptions,
    ) -> Self::Output<Option<T>> {
        self.run(Command::new("SET").key(key).arg(value).arg("GET").args(options))
    }

    /// Sets `key` to `value` if there is no such key; returns whether it was set.
    ///
    /// Deprecated: [`set_with`](Self::set_with) can set an expiry in the same step.
    ///
    /// `SETNX key value` · 1.0.0 · O(1)
    fn setnx(self, key: impl Arg, value: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("SETNX").key(key).arg(value))
    }

    /// Sets `key` to `value` for `span`, rounded up to a second; zero is an error.
    ///
    /// Deprecated: [`set_with`](Self::set_with) does it to the millisecond.
    ///
    /// `SETEX key seconds value` · 2.0.0 · O(1)
    fn setex(self, key: impl Arg, span: Duration, value: impl Arg) -> Self::Output<()> {
        self.run(Command::new("SETEX").key(key).arg(whole_secs(span)).arg(value))
    }

    /// Sets `key` to `value` for `span`, rounded up to a millisecond; zero is an error.
    ///
    /// Deprecated: [`set_with`](Self::set_with) does it.
    ///
    /// `PSETEX key milliseconds value` · 2.6.0 · O(1)
    fn psetex(self, key: impl Arg, span: Duration, value: impl Arg) -> Self::Output<()> {
        self.run(Command::new("PSETEX").key(key).arg(whole_millis(span)).arg(value))
    }

    /// Sets `key` to `value`, drops any expiry, and returns the value that was there.
    ///
    /// Deprecated: [`set_and_get`](Self::set_and_get) does it.
    ///
    /// `GETSET key value` · 1.0.0 · O(1)
    fn getset<T: FromReply>(self, key: impl Arg, value: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("GETSET").key(key).arg(value))
    }

    /// Returns the value of `key` and changes its expiry.
    ///
    /// An expiry that is zero or past removes the key.
    ///
    /// `GETEX key <PX milliseconds | PXAT unix-time-milliseconds | PERSIST>` · 6.2.0 · O(1)
    fn getex<T: FromReply>(self, key: impl Arg, expiry: ExpiryChange) -> Self::Output<Option<T>> {
        self.run(Command::new("GETEX").key(key).args(expiry))
    }

    /// Removes `key` and returns the value that it had.
    ///
    /// `GETDEL key` · 6.2.0 · O(1)
    fn getdel<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("GETDEL").key(key))
    }

    /// Returns the values of `keys` in their order, `None` where there is none or it is not a string.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots).
    ///
    /// `MGET key [key ...]` · 1.0.0 · O(n)
    fn mget<T: FromReply>(self, keys: impl Args) -> Self::Output<Vec<Option<T>>> {
        self.run(Command::new("MGET").keys(keys).cacheable().split(Join::Merge))
    }

    /// Sets all keys to their values in one step, dropping previous values and expiries.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots), in one step for each.
    ///
    /// `MSET key value [key value ...]` · 1.0.1 · O(n)
    fn mset(self, pairs: impl Pairs) -> Self::Output<()> {
        self.run(Command::new("MSET").key_values(pairs).split(Join::AllSucceeded))
    }

    /// Sets all keys to their values if none of the keys exists; returns whether they were set.
    ///
    /// On a cluster the keys must be in one slot.
    ///
    /// `MSETNX key value [key value ...]` · 1.0.1 · O(n)
    fn msetnx(self, pairs: impl Pairs) -> Self::Output<bool> {
        self.run(Command::new("MSETNX").key_values(pairs))
    }

    /// Returns the bytes of the value from `start` to `end`, both included, counted from 0 or back from -1.
    ///
    /// Without a key, and outside of the value, the reply is empty. It is cut by bytes, not by characters.
    ///
    /// `GETRANGE key start end` · 2.4.0 · O(n), n bytes returned
    fn getrange<T: FromReply>(self, key: impl Arg, start: i64, end: i64) -> Self::Output<T> {
        self.run(Command::new("GETRANGE").key(key).arg(start).arg(end).cacheable())
    }

    /// Returns the bytes of the value from `start` to `end`.
    ///
    /// Deprecated: the name that [`getrange`](Self::getrange) once had.
    ///
    /// `SUBSTR key start end` · 1.0.0 · O(n), n bytes returned
    fn substr<T: FromReply>(self, key: impl Arg, start: i64, end: i64) -> Self::Output<T> {
        self.run(Command::new("SUBSTR").key(key).arg(start).arg(end).cacheable())
    }

    /// Overwrites the value from the byte `offset` on; returns the new length.
    ///
    /// A gap before `offset` is filled with zero bytes.
    ///
    /// `SETRANGE key offset value` · 2.2.0 · O(n), n bytes written
    fn setrange(self, key: impl Arg, offset: u64, value: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("SETRANGE").key(key).arg(offset).arg(value))
    }

    /// Appends to the value, or sets it if there is none; returns the new length.
    ///
    /// `APPEND key value` · 2.0.0 · O(1) amortized
    fn append(self, key: impl Arg, value: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("APPEND").key(key).arg(value))
    }

    /// Returns how many bytes the value has, 0 if there is none.
    ///
    /// `STRLEN key` · 2.2.0 · O(1)
    fn strlen(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("STRLEN").key(key).cacheable())
    }

    /// Adds 1 to the integer at `key`, 0 if there is none; returns the sum.
    ///
    /// Fails if the value is not an integer of 64 bits, or would not be one any more.
    ///
    /// `INCR key` · 1.0.0 · O(1)
    fn incr(self, key: impl Arg) -> Self::Output<i64> {
        self.run(Command::new("INCR").key(key))
    }

    /// Adds `increment` to the integer at `key`, 0 if there is none; returns the sum.
    ///
    /// `INCRBY key increment` · 1.0.0 · O(1)
    fn incrby(self, key: impl Arg, increment: i64) -> Self::Output<i64> {
        self.run(Command::new("INCRBY").key(key).arg(increment))
    }

    /// Adds `increment` to the number at `key`, 0 if there is none; returns the sum.
    ///
    /// The server adds with more digits than an `f64` has, and keeps 17 after the point.
    ///
    /// `INCRBYFLOAT key increment` · 2.6.0 · O(1)
    fn incrbyfloat(self, key: impl Arg, increment: f64) -> Self::Output<f64> {
        self.run(Command::new("INCRBYFLOAT").key(key).arg(increment))
    }

    /// Subtracts 1 from the integer at `key`, 0 if there is none; returns the difference.
    ///
    /// `DECR key` · 1.0.0 · O(1)
    fn decr(self, key: impl Arg) -> Self::Output<i64> {
        self.run(Command::new("DECR").key(key))
    }

    /// Subtracts `decrement` from the integer at `key`, 0 if there is none; returns the difference.
    ///
    /// `DECRBY key decrement` · 1.0.0 · O(1)
    fn decrby(self, key: impl Arg, decrement: i64) -> Self::Output<i64> {
        self.run(Command::new("DECRBY").key(key).arg(decrement))
    }

    /// Returns the longest common subsequence of two values: bytes in order, not necessarily adjacent.
    ///
    /// `LCS key1 key2` · 7.0.0 · O(n·m)
    fn lcs<T: FromReply>(self, key1: impl Arg, key2: impl Arg) -> Self::Output<T> {
        self.run(Command::new("LCS").key(key1).key(key2).cacheable())
    }

    /// Returns how long the longest common subsequence of two values is.
    ///
    /// `LCS key1 key2 LEN` · 7.0.0 · O(n·m)
    fn lcs_len(self, key1: impl Arg, key2: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("LCS").key(key1).key(key2).arg("LEN").cacheable())
    }

    /// Returns where the longest common subsequence lies in both values.
    ///
    /// `LCS key1 key2 IDX [MINMATCHLEN min-match-len] [WITHMATCHLEN]` · 7.0.0 · O(n·m)
    fn lcs_idx(self, key1: impl Arg, key2: impl Arg, options: LcsOptions) -> Self::Output<LcsMatches> {
        self.run(Command::new("LCS").key(key1).key(key2).arg("IDX").args(options).cacheable())
    }
}

impl<R: Run> StringCommands for R {}
