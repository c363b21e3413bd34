//! Hashes: fields with a value each under one key.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::HashCommands;
//!
//! let command = p.hset("user:1", [("name", "Ada"), ("born", "1815")]);
//! assert_eq!(command.packed().name(), "HSET");
//! ```

mod expiry;

use alloc::vec::Vec;
use core::time::Duration;

pub use expiry::{FieldExpiry, FieldPersist, HsetexOptions};

use super::expiry::{ExpireIf, ExpireTime, ExpiryChange, Ttl};
use super::scan::{ScanOptions, ScanPage};
use crate::command::{Arg, Args, Command, FromReply, Pairs, Route, Run, UnixTime, whole_millis, whole_secs};

/// Commands on hashes. <https://redis.io/docs/latest/commands/?group=hash>
pub trait HashCommands: Run {
    /// Sets fields to their values; returns how many of them are new.
    ///
    /// The expiry of a field that is overwritten is dropped.
    ///
    /// `HSET key field value [field value ...]` · 2.0.0, several fields 4.0.0 · O(n)
    fn hset(self, key: impl Arg, fields: impl Pairs) -> Self::Output<u64> {
        self.run(Command::new("HSET").key(key).pairs(fields))
    }

    /// Sets a field to its value if there is no such field; returns whether it was set.
    ///
    /// `HSETNX key field value` · 2.0.0 · O(1)
    fn hsetnx(self, key: impl Arg, field: impl Arg, value: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("HSETNX").key(key).arg(field).arg(value))
    }

    /// Sets fields to their values.
    ///
    /// Deprecated: [`hset`](Self::hset) does it.
    ///
    /// `HMSET key field value [field value ...]` · 2.0.0 · O(n)
    fn hmset(self, key: impl Arg, fields: impl Pairs) -> Self::Output<()> {
        self.run(Command::new("HMSET").key(key).pairs(fields))
    }

    /// Returns the value of a field, or `None` if there is none.
    ///
    /// `HGET key field` · 2.0.0 · O(1)
    fn hget<T: FromReply>(self, key: impl Arg, field: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("HGET").key(key).arg(field).cacheable())
    }

    /// Returns the values of `fields` in their order, `None` where there is none.
    ///
    /// `HMGET key field [field ...]` · 2.0.0 · O(n)
    fn hmget<T: FromReply>(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<Option<T>>> {
        self.run(Command::new("HMGET").key(key).args(fields).cacheable())
    }

    /// Returns all fields with their values, as a map or as a list of pairs; empty without a key.
    ///
    /// `HGETALL key` · 2.0.0 · O(n)
    fn hgetall<T: FromReply>(self, key: impl Arg) -> Self::Output<T> {
        self.run(Command::new("HGETALL").key(key).cacheable())
    }

    /// Returns all fields.
    ///
    /// `HKEYS key` · 2.0.0 · O(n)
    fn hkeys<T: FromReply>(self, key: impl Arg) -> Self::Output<Vec<T>> {
        self.run(Command::new("HKEYS").key(key).cacheable())
    }

    /// Returns all values.
    ///
    /// `HVALS key` · 2.0.0 · O(n)
    fn hvals<T: FromReply>(self, key: impl Arg) -> Self::Output<Vec<T>> {
        self.run(Command::new("HVALS").key(key).cacheable())
    }

    /// Returns how many fields there are.
    ///
    /// `HLEN key` · 2.0.0 · O(1)
    fn hlen(self, key: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("HLEN").key(key).cacheable())
    }

    /// Returns how many bytes the value of a field has, 0 if there is none.
    ///
    /// `HSTRLEN key field` · 3.2.0 · O(1)
    fn hstrlen(self, key: impl Arg, field: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("HSTRLEN").key(key).arg(field).cacheable())
    }

    /// Returns whether there is such a field.
    ///
    /// `HEXISTS key field` · 2.0.0 · O(1)
    fn hexists(self, key: impl Arg, field: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("HEXISTS").key(key).arg(field).cacheable())
    }

    /// Removes fields; returns how many there were. A hash without fields is removed.
    ///
    /// `HDEL key field [field ...]` · 2.0.0, several fields 2.4.0 · O(n)
    fn hdel(self, key: impl Arg, fields: impl Args) -> Self::Output<u64> {
        self.run(Command::new("HDEL").key(key).args(fields))
    }

    /// Adds `increment` to the integer in a field, 0 if there is none; returns the sum.
    ///
    /// `HINCRBY key field increment` · 2.0.0 · O(1)
    fn hincrby(self, key: impl Arg, field: impl Arg, increment: i64) -> Self::Output<i64> {
        self.run(Command::new("HINCRBY").key(key).arg(field).arg(increment))
    }

    /// Adds `increment` to the number in a field, 0 if there is none; returns the sum.
    ///
    /// `HINCRBYFLOAT key field increment` · 2.6.0 · O(1)
    fn hincrbyfloat(self, key: impl Arg, field: impl Arg, increment: f64) -> Self::Output<f64> {
        self.run(Command::new("HINCRBYFLOAT").key(key).arg(field).arg(increment))
    }

    /// Returns some field, or `None` without a key.
    ///
    /// `HRANDFIELD key` · 6.2.0 · O(1)
    fn hrandfield<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("HRANDFIELD").key(key).read_only())
    }

    /// Returns up to `count` different fields; of a negative `count` exactly as many, perhaps repeated.
    ///
    /// `HRANDFIELD key count` · 6.2.0 · O(n), n fields returned
    fn hrandfield_count<T: FromReply>(self, key: impl Arg, count: i64) -> Self::Output<Vec<T>> {
        self.run(Command::new("HRANDFIELD").key(key).arg(count).read_only())
    }

    /// As [`hrandfield_count`](Self::hrandfield_count), with the values.
    ///
    /// `HRANDFIELD key count WITHVALUES` · 6.2.0 · O(n), n fields returned
    fn hrandfield_with_values<F: FromReply, V: FromReply>(
        self,
        key: impl Arg,
        count: i64,
    ) -> Self::Output<Vec<(F, V)>> {
        self.run(Command::new("HRANDFIELD").key(key).arg(count).arg("WITHVALUES").read_only())
    }

    /// Returns one page of a walk through fields and values, starting at cursor 0.
    ///
    /// [`hscan_iter`](crate::commands::ScanIterators::hscan_iter) goes through all pages.
    ///
    /// `HSCAN key cursor [MATCH pattern] [COUNT count]` · 2.8.0 · O(1) per page
    fn hscan<F: FromReply, V: FromReply>(
        self,
        key: impl Arg,
        cursor: u64,
        options: ScanOptions,
    ) -> Self::Output<ScanPage<(F, V)>> {
        self.run(Command::new("HSCAN").key(key).arg(cursor).args(options).read_only().route(Route::Primary))
    }

    /// Returns one page of a walk through fields alone, starting at cursor 0.
    ///
    /// [`hscan_novalues_iter`](crate::commands::ScanIterators::hscan_novalues_iter) goes through all pages.
    ///
    /// `HSCAN key cursor [MATCH pattern] [COUNT count] NOVALUES` · 7.4.0 · O(1) per page
    fn hscan_novalues<T: FromReply>(
        self,
        key: impl Arg,
        cursor: u64,
        options: ScanOptions,
    ) -> Self::Output<ScanPage<T>> {
        let command = Command::new("HSCAN").key(key).arg(cursor).args(options);
        self.run(command.arg("NOVALUES").read_only().route(Route::Primary))
    }

    /// Lets fields expire when `span` is over, rounded up to a second; returns what became of each.
    ///
    /// A span of zero removes them.
    ///
    /// `HEXPIRE key seconds FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hexpire(self, key: impl Arg, span: Duration, fields: impl Args) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HEXPIRE").key(key).arg(whole_secs(span));
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// As [`hexpire`](Self::hexpire), depending on the present expiry.
    ///
    /// `HEXPIRE key seconds <NX | XX | GT | LT> FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hexpire_with(
        self,
        key: impl Arg,
        span: Duration,
        fields: impl Args,
        when: ExpireIf,
    ) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HEXPIRE").key(key).arg(whole_secs(span)).args(when);
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// Lets fields expire when `span` is over, to the millisecond; returns what became of each.
    ///
    /// A span of zero removes them.
    ///
    /// `HPEXPIRE key milliseconds FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpexpire(self, key: impl Arg, span: Duration, fields: impl Args) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HPEXPIRE").key(key).arg(whole_millis(span));
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// As [`hpexpire`](Self::hpexpire), depending on the present expiry.
    ///
    /// `HPEXPIRE key milliseconds <NX | XX | GT | LT> FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpexpire_with(
        self,
        key: impl Arg,
        span: Duration,
        fields: impl Args,
        when: ExpireIf,
    ) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HPEXPIRE").key(key).arg(whole_millis(span)).args(when);
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// Lets fields expire at `time`, rounded up to a second; returns what became of each.
    ///
    /// A time that is past removes them.
    ///
    /// `HEXPIREAT key unix-time-seconds FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hexpireat(self, key: impl Arg, time: UnixTime, fields: impl Args) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HEXPIREAT").key(key).arg(time.as_secs());
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// As [`hexpireat`](Self::hexpireat), depending on the present expiry.
    ///
    /// `HEXPIREAT key unix-time-seconds <NX | XX | GT | LT> FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hexpireat_with(
        self,
        key: impl Arg,
        time: UnixTime,
        fields: impl Args,
        when: ExpireIf,
    ) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HEXPIREAT").key(key).arg(time.as_secs()).args(when);
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// Lets fields expire at `time`, to the millisecond; returns what became of each.
    ///
    /// A time that is past removes them.
    ///
    /// `HPEXPIREAT key unix-time-milliseconds FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpexpireat(self, key: impl Arg, time: UnixTime, fields: impl Args) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HPEXPIREAT").key(key).arg(time);
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// As [`hpexpireat`](Self::hpexpireat), depending on the present expiry.
    ///
    /// `HPEXPIREAT key unix-time-milliseconds <NX | XX | GT | LT> FIELDS numfields field [field ...]` ·
    /// 7.4.0 · O(n)
    fn hpexpireat_with(
        self,
        key: impl Arg,
        time: UnixTime,
        fields: impl Args,
        when: ExpireIf,
    ) -> Self::Output<Vec<FieldExpiry>> {
        let command = Command::new("HPEXPIREAT").key(key).arg(time).args(when);
        self.run(command.arg("FIELDS").counted_args(fields))
    }

    /// Removes the expiry of fields; returns what became of each.
    ///
    /// `HPERSIST key FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpersist(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<FieldPersist>> {
        self.run(Command::new("HPERSIST").key(key).arg("FIELDS").counted_args(fields))
    }

    /// Returns how long each of `fields` has to live, rounded up to a second.
    ///
    /// `HTTL key FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn httl(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<Ttl<1000>>> {
        self.run(Command::new("HTTL").key(key).arg("FIELDS").counted_args(fields).read_only())
    }

    /// Returns how long each of `fields` has to live, to the millisecond.
    ///
    /// `HPTTL key FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpttl(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<Ttl<1>>> {
        self.run(Command::new("HPTTL").key(key).arg("FIELDS").counted_args(fields).read_only())
    }

    /// Returns when each of `fields` expires, rounded up to a second.
    ///
    /// `HEXPIRETIME key FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hexpiretime(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<ExpireTime<1000>>> {
        self.run(Command::new("HEXPIRETIME").key(key).arg("FIELDS").counted_args(fields).read_only())
    }

    /// Returns when each of `fields` expires, to the millisecond.
    ///
    /// `HPEXPIRETIME key FIELDS numfields field [field ...]` · 7.4.0 · O(n)
    fn hpexpiretime(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<ExpireTime<1>>> {
        self.run(Command::new("HPEXPIRETIME").key(key).arg("FIELDS").counted_args(fields).read_only())
    }

    /// Returns the values of `fields`, `None` where there is none, and changes their expiry.
    ///
    /// An expiry that is zero or past removes them.
    ///
    /// `HGETEX key <PX milliseconds | PXAT unix-time-milliseconds | PERSIST> FIELDS numfields field [field ...]` ·
    /// 8.0.0 · O(n)
    fn hgetex<T: FromReply>(
        self,
        key: impl Arg,
        fields: impl Args,
        expiry: ExpiryChange,
    ) -> Self::Output<Vec<Option<T>>> {
        self.run(Command::new("HGETEX").key(key).args(expiry).arg("FIELDS").counted_args(fields))
    }

    /// Removes fields and returns the values that they had, `None` where there was none.
    ///
    /// `HGETDEL key FIELDS numfields field [field ...]` · 8.0.0 · O(n)
    fn hgetdel<T: FromReply>(self, key: impl Arg, fields: impl Args) -> Self::Output<Vec<Option<T>>> {
        self.run(Command::new("HGETDEL").key(key).arg("FIELDS").counted_args(fields))
    }

    /// Sets fields to their values under conditions or with an expiry; returns whether they were set: all
    /// of them or none.
    ///
    /// `HSETEX key [FNX | FXX] [PX milliseconds | PXAT unix-time-milliseconds | KEEPTTL] FIELDS numfields
    /// field value [field value ...]` · 8.0.0 · O(n)
    fn hsetex(self, key: impl Arg, fields: impl Pairs, options: HsetexOptions) -> Self::Output<bool> {
        let command = Command::new("HSETEX").key(key).args(options);
        self.run(command.arg("FIELDS").arg(fields.count()).pairs(fields))
    }
}

impl<R: Run> HashCommands for R {}
