//! Keys of any type: existence, expiry, names, copies, walks and sorting.
//!
//! ```
//! use std::time::Duration;
//!
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{ExpireIf, KeyCommands};
//!
//! let command = p.expire_with("session", Duration::from_secs(60), ExpireIf::Later);
//! assert_eq!(command.packed().name(), "EXPIRE");
//! ```

mod key_type;
mod options;
mod sort;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;
pub use key_type::KeyType;
pub use options::{CopyOptions, KeyScanOptions, MigrateOptions, Migrated, RestoreOptions};
pub use sort::SortOptions;

use super::expiry::{ExpireIf, ExpireTime, Ttl};
use super::scan::ScanPage;
use crate::command::{Arg, Args, Command, FromReply, Join, Route, Run, UnixTime, whole_millis, whole_secs};

/// Commands on keys, whatever they hold. <https://redis.io/docs/latest/commands/?group=generic>
pub trait KeyCommands: Run {
    /// Removes keys; returns how many there were.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots).
    ///
    /// `DEL key [key ...]` · 1.0.0 · O(n), large values count their elements
    fn del(self, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("DEL").keys(keys).split(Join::Sum))
    }

    /// Removes keys; returns how many there were. The server frees large values in the background.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots).
    ///
    /// `UNLINK key [key ...]` · 4.0.0 · O(n)
    fn unlink(self, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("UNLINK").keys(keys).split(Join::Sum))
    }

    /// Returns how many of `keys` exist; a key given twice counts twice.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots).
    ///
    /// `EXISTS key [key ...]` · 1.0.0, several keys 3.0.3 · O(n)
    fn exists(self, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("EXISTS").keys(keys).cacheable().split(Join::Sum))
    }

    /// Makes keys look used just now; returns how many of them exist.
    ///
    /// On a cluster this is [done slot by slot](super#keys-in-several-slots).
    ///
    /// `TOUCH key [key ...]` · 3.2.1 · O(n)
    fn touch(self, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("TOUCH").keys(keys).read_only().split(Join::Sum))
    }

    /// Returns what `key` holds.
    ///
    /// `TYPE key` · 1.0.0 · O(1)
    fn key_type(self, key: impl Arg) -> Self::Output<KeyType> {
        self.run(Command::new("TYPE").key(key).cacheable())
    }

    /// Lets `key` expire when `span` is over, rounded up to a second; returns whether there is such a key.
    ///
    /// A span of zero removes the key.
    ///
    /// `EXPIRE key seconds` · 1.0.0 · O(1)
    fn expire(self, key: impl Arg, span: Duration) -> Self::Output<bool> {
        self.run(Command::new("EXPIRE").key(key).arg(whole_secs(span)))
    }

    /// As [`expire`](Self::expire), depending on the present expiry; returns whether it was set.
    ///
    /// `EXPIRE key seconds <NX | XX | GT | LT>` · 7.0.0 · O(1)
    fn expire_with(self, key: impl Arg, span: Duration, when: ExpireIf) -> Self::Output<bool> {
        self.run(Command::new("EXPIRE").key(key).arg(whole_secs(span)).args(when))
    }

    /// Lets `key` expire when `span` is over, to the millisecond; returns whether there is such a key.
    ///
    /// A span of zero removes the key.
    ///
    /// `PEXPIRE key milliseconds` · 2.6.0 · O(1)
    fn pexpire(self, key: impl Arg, span: Duration) -> Self::Output<bool> {
        self.run(Command::new("PEXPIRE").key(key).arg(whole_millis(span)))
    }

    /// As [`pexpire`](Self::pexpire), depending on the present expiry; returns whether it was set.
    ///
    /// `PEXPIRE key milliseconds <NX | XX | GT | LT>` · 7.0.0 · O(1)
    fn pexpire_with(self, key: impl Arg, span: Duration, when: ExpireIf) -> Self::Output<bool> {
        self.run(Command::new("PEXPIRE").key(key).arg(whole_millis(span)).args(when))
    }

    /// Lets `key` expire at `time`, rounded up to a second; returns whether there is such a key.
    ///
    /// A time that is past removes the key.
    ///
    /// `EXPIREAT key unix-time-seconds` · 1.2.0 · O(1)
    fn expireat(self, key: impl Arg, time: UnixTime) -> Self::Output<bool> {
        self.run(Command::new("EXPIREAT").key(key).arg(time.as_secs()))
    }

    /// As [`expireat`](Self::expireat), depending on the present expiry; returns whether it was set.
    ///
    /// `EXPIREAT key unix-time-seconds <NX | XX | GT | LT>` · 7.0.0 · O(1)
    fn expireat_with(self, key: impl Arg, time: UnixTime, when: ExpireIf) -> Self::Output<bool> {
        self.run(Command::new("EXPIREAT").key(key).arg(time.as_secs()).args(when))
    }

    /// Lets `key` expire at `time`, to the millisecond; returns whether there is such a key.
    ///
    /// A time that is past removes the key.
    ///
    /// `PEXPIREAT key unix-time-milliseconds` · 2.6.0 · O(1)
    fn pexpireat(self, key: impl Arg, time: UnixTime) -> Self::Output<bool> {
        self.run(Command::new("PEXPIREAT").key(key).arg(time))
    }

    /// As [`pexpireat`](Self::pexpireat), depending on the present expiry; returns whether it was set.
    ///
    /// `PEXPIREAT key unix-time-milliseconds <NX | XX | GT | LT>` · 7.0.0 · O(1)
    fn pexpireat_with(self, key: impl Arg, time: UnixTime, when: ExpireIf) -> Self::Output<bool> {
        self.run(Command::new("PEXPIREAT").key(key).arg(time).args(when))
    }

    /// Returns how long `key` has to live, rounded to a second.
    ///
    /// `TTL key` · 1.0.0 · O(1)
    fn ttl(self, key: impl Arg) -> Self::Output<Ttl<1000>> {
        self.run(Command::new("TTL").key(key).read_only())
    }

    /// Returns how long `key` has to live, to the millisecond.
    ///
    /// `PTTL key` · 2.6.0 · O(1)
    fn pttl(self, key: impl Arg) -> Self::Output<Ttl<1>> {
        self.run(Command::new("PTTL").key(key).read_only())
    }

    /// Returns when `key` expires, rounded to a second.
    ///
    /// `EXPIRETIME key` · 7.0.0 · O(1)
    fn expiretime(self, key: impl Arg) -> Self::Output<ExpireTime<1000>> {
        self.run(Command::new("EXPIRETIME").key(key).read_only())
    }

    /// Returns when `key` expires, to the millisecond.
    ///
    /// `PEXPIRETIME key` · 7.0.0 · O(1)
    fn pexpiretime(self, key: impl Arg) -> Self::Output<ExpireTime<1>> {
        self.run(Command::new("PEXPIRETIME").key(key).read_only())
    }

    /// Removes the expiry of `key`; returns whether it had one.
    ///
    /// `PERSIST key` · 2.2.0 · O(1)
    fn persist(self, key: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("PERSIST").key(key))
    }

    /// Renames `key`, replacing what `new_key` held; without such a key it is an error.
    ///
    /// `RENAME key newkey` · 1.0.0 · O(1), freeing what is replaced not counted
    fn rename(self, key: impl Arg, new_key: impl Arg) -> Self::Output<()> {
        self.run(Command::new("RENAME").key(key).key(new_key))
    }

    /// Renames `key` unless `new_key` exists; returns whether it did. Without such a key it is an error.
    ///
    /// `RENAMENX key newkey` · 1.0.0 · O(1)
    fn renamenx(self, key: impl Arg, new_key: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("RENAMENX").key(key).key(new_key))
    }

    /// Copies what `source` holds, and its expiry, to `destination`; returns whether it was copied: there
    /// must be a source and no destination.
    ///
    /// `COPY source destination` · 6.2.0 · O(n) elements, O(1) for strings
    fn copy(self, source: impl Arg, destination: impl Arg) -> Self::Output<bool> {
        self.run(Command::new("COPY").key(source).key(destination))
    }

    /// As [`copy`](Self::copy), to another database or over an existing key.
    ///
    /// `COPY source destination [DB destination-db] [REPLACE]` · 6.2.0 · O(n) elements, O(1) for strings
    fn copy_with(self, source: impl Arg, destination: impl Arg, options: CopyOptions) -> Self::Output<bool> {
        self.run(Command::new("COPY").key(source).key(destination).args(options))
    }

    /// Moves `key` to another database; returns whether it was moved: it must not exist there.
    ///
    /// `MOVE key db` · 1.0.0 · O(1)
    fn move_key(self, key: impl Arg, database: u32) -> Self::Output<bool> {
        self.run(Command::new("MOVE").key(key).arg(database))
    }

    /// Returns what `key` holds in the server's own form, for [`restore`](Self::restore).
    ///
    /// The expiry is not in it. A server reads the dumps of its own and of older versions.
    ///
    /// `DUMP key` · 2.6.0 · O(n) elements
    fn dump(self, key: impl Arg) -> Self::Output<Option<Bytes>> {
        self.run(Command::new("DUMP").key(key).read_only())
    }

    /// Makes `key` from a dump, without an expiry; an existing key is an error (`BUSYKEY`).
    ///
    /// `RESTORE key 0 serialized-value` · 2.6.0 · O(n) elements, sorted sets O(n·log n)
    fn restore(self, key: impl Arg, dump: impl Arg) -> Self::Output<()> {
        self.restore_with(key, dump, RestoreOptions::new())
    }

    /// As [`restore`](Self::restore), with an expiry, with an age, or over an existing key.
    ///
    /// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds | FREQ frequency]` · 2.6.0,
    /// `REPLACE` 3.0.0, the others 5.0.0 · O(n) elements, sorted sets O(n·log n)
    fn restore_with(self, key: impl Arg, dump: impl Arg, options: RestoreOptions) -> Self::Output<()> {
        self.run(Command::new("RESTORE").key(key).arg(options.ttl()).arg(dump).args(options))
    }

    /// Moves keys to another server in one step; returns whether any was there.
    ///
    /// The server connects on its own and does nothing else until the keys have arrived. `timeout` bounds
    /// each pause in the conversation, not the whole of it. When it is over, the keys may be on both
    /// servers, but never on neither (`IOERR`).
    ///
    /// `MIGRATE host port "" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
    /// KEYS key [key ...]` · 3.0.6, `AUTH` 4.0.7, `AUTH2` 6.0.0 · O(n) elements
    fn migrate(
        self,
        host: impl Arg,
        port: u16,
        keys: impl Args,
        database: u32,
        timeout: Duration,
        options: MigrateOptions,
    ) -> Self::Output<Migrated> {
        let command = Command::new("MIGRATE").arg(host).arg(port).arg("").arg(database);
        self.run(command.arg(whole_millis(timeout)).args(options).arg("KEYS").keys(keys))
    }

    /// Returns some key, or `None` if there is none.
    ///
    /// On a cluster all primaries are asked, and it is a key of the first that has any: not all keys are as
    /// likely then.
    ///
    /// `RANDOMKEY` · 1.0.0 · O(1)
    fn randomkey<T: FromReply>(self) -> Self::Output<Option<T>> {
        self.run(Command::new("RANDOMKEY").read_only().route(Route::AllPrimaries).join(Join::FirstNonNil))
    }

    /// Returns every key that matches a glob-style pattern; on a cluster, those of all primaries.
    ///
    /// It holds up the server while it looks at all keys: [`scan`](Self::scan) goes in small steps.
    ///
    /// `KEYS pattern` · 1.0.0 · O(n), n keys in the database
    fn keys<T: FromReply>(self, pattern: impl Arg) -> Self::Output<Vec<T>> {
        self.run(Command::new("KEYS").arg(pattern).read_only().route(Route::AllPrimaries))
    }

    /// Returns one page of a walk through all keys, starting at cursor 0.
    ///
    /// [`scan_iter`](crate::commands::ScanIterators::scan_iter) goes through all pages, and on a cluster through all
    /// nodes. This goes to some primary there, and its cursor belongs to that one alone: for a walk of your own,
    /// choose the [node](Command::node) of every page. Read preferences do not move it.
    ///
    /// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]` · 2.8.0, `TYPE` 6.0.0 · O(1) per page
    fn scan<T: FromReply>(self, cursor: u64, options: KeyScanOptions) -> Self::Output<ScanPage<T>> {
        self.run(Command::new("SCAN").arg(cursor).args(options).read_only().route(Route::Primary))
    }

    /// Returns the elements of a list, set or sorted set in order.
    ///
    /// Ask for `Option<T>` where a pattern of [`SortOptions::get`] may find nothing.
    ///
    /// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [DESC] [ALPHA]` · 1.0.0 ·
    /// O(n + m·log m), m elements returned
    fn sort<T: FromReply>(self, key: impl Arg, options: SortOptions) -> Self::Output<Vec<T>> {
        self.run(Command::new("SORT").key(key).args(options))
    }

    /// As [`sort`](Self::sort), on a replica too.
    ///
    /// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [DESC] [ALPHA]` · 7.0.0 ·
    /// O(n + m·log m), m elements returned
    fn sort_ro<T: FromReply>(self, key: impl Arg, options: SortOptions) -> Self::Output<Vec<T>> {
        // Keys that patterns find are not tracked: nobody would say that the reply is stale.
        let cacheable = !options.reads_other_keys();
        let command = Command::new("SORT_RO").key(key).args(options);
        self.run(if cacheable { command.cacheable() } else { command.read_only() })
    }

    /// Writes what [`sort`](Self::sort) returns to `destination` as a list; returns how long it is. What
    /// was there is replaced.
    ///
    /// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [DESC] [ALPHA] STORE destination` ·
    /// 1.0.0 · O(n + m·log m), m elements stored
    fn sort_store(self, key: impl Arg, destination: impl Arg, options: SortOptions) -> Self::Output<u64> {
        self.run(Command::new("SORT").key(key).args(options).arg("STORE").key(destination))
    }

    /// Returns how the server keeps what `key` holds, such as `listpack`, or `None` without a key.
    ///
    /// `OBJECT ENCODING key` · 2.2.3 · O(1)
    fn object_encoding(self, key: impl Arg) -> Self::Output<Option<String>> {
        self.run(Command::new("OBJECT ENCODING").key(key).read_only())
    }

    /// Returns about how often `key` is used, on a logarithmic scale, or `None` without a key.
    ///
    /// It is an error unless `maxmemory-policy` is one of the LFU policies.
    ///
    /// `OBJECT FREQ key` · 4.0.0 · O(1)
    fn object_freq(self, key: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("OBJECT FREQ").key(key).read_only())
    }

    /// Returns for how many seconds `key` was not used, or `None` without a key.
    ///
    /// It is an error if `maxmemory-policy` is one of the LFU policies.
    ///
    /// `OBJECT IDLETIME key` · 2.2.3 · O(1)
    fn object_idletime(self, key: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("OBJECT IDLETIME").key(key).read_only())
    }

    /// Returns how often the server refers to the value of `key`, or `None` without a key.
    ///
    /// `OBJECT REFCOUNT key` · 2.2.3 · O(1)
    fn object_refcount(self, key: impl Arg) -> Self::Output<Option<u64>> {
        self.run(Command::new("OBJECT REFCOUNT").key(key).read_only())
    }
}

impl<R: Run> KeyCommands for R {}
