//! The server: its state, configuration, memory and persistence.
//!
//! On a cluster each of these commands speaks of one node, a primary, unless its documentation says otherwise.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::ServerCommands;
//!
//! let command = p.config_set([("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru")]);
//! assert_eq!(command.packed().name(), "CONFIG SET");
//! ```

mod info;
mod memory;
mod options;
mod replies;
mod role;

use alloc::collections::BTreeMap;
use alloc::string::String;

pub use info::{Info, InfoSection, Keyspace};
pub use memory::{DatabaseMemory, MemoryStats};
pub use options::{FlushMode, Samples, SaveMode, ShutdownOptions};
pub use replies::{BackgroundJob, ServerTime};
pub use role::{ReplicaLink, Role, RoleReplica};

use crate::command::{Arg, Args, Command, Join, Pairs, Route, Run};

/// Commands about the server as a whole. <https://redis.io/docs/latest/commands/?group=server>
pub trait ServerCommands: Run {
    /// Starts rewriting the append-only file in the background; returns whether it began or waits its turn.
    ///
    /// Fails when a rewrite is under way.
    ///
    /// `BGREWRITEAOF` · 1.0.0 · O(1)
    fn bgrewriteaof(self) -> Self::Output<BackgroundJob> {
        self.run(Command::new("BGREWRITEAOF"))
    }

    /// Starts saving the data set in the background; returns whether it began or waits its turn.
    ///
    /// Fails when another background job is under way that `mode` does not wait for.
    ///
    /// `BGSAVE [SCHEDULE]` · 1.0.0 · O(1)
    fn bgsave(self, mode: SaveMode) -> Self::Output<BackgroundJob> {
        self.run(Command::new("BGSAVE").args(mode))
    }

    /// Returns the settings whose names match any of the patterns.
    ///
    /// Several patterns need Redis 7.0. Settings that are secrets are returned like any other.
    ///
    /// `CONFIG GET pattern [pattern ...]` · 2.0.0 · O(n) in the settings
    fn config_get(self, patterns: impl Args) -> Self::Output<BTreeMap<String, String>> {
        self.run(Command::new("CONFIG GET").args(patterns).read_only())
    }

    /// Sets the counters of `INFO` to zero, on every node of a cluster.
    ///
    /// `CONFIG RESETSTAT` · 2.0.0 · O(1)
    fn config_resetstat(self) -> Self::Output<()> {
        self.run(Command::new("CONFIG RESETSTAT").route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Writes the settings in use to the configuration file, on every node of a cluster.
    ///
    /// Fails when the server was started without one.
    ///
    /// `CONFIG REWRITE` · 2.8.0 · O(1)
    fn config_rewrite(self) -> Self::Output<()> {
        self.run(Command::new("CONFIG REWRITE").route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Changes settings, all or none, on every node of a cluster.
    ///
    /// Several settings need Redis 7.0.
    ///
    /// `CONFIG SET parameter value [parameter value ...]` · 2.0.0 · O(n) in the settings
    fn config_set(self, settings: impl Pairs) -> Self::Output<()> {
        let command = Command::new("CONFIG SET").pairs(settings);
        self.run(command.route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Returns how many keys the database has; on a cluster, those of all primaries.
    ///
    /// `DBSIZE` · 1.0.0 · O(1)
    fn dbsize(self) -> Self::Output<u64> {
        self.run(Command::new("DBSIZE").read_only().route(Route::AllPrimaries).join(Join::Sum))
    }

    /// Deletes all keys of all databases, on every primary of a cluster.
    ///
    /// `FLUSHALL [ASYNC | SYNC]` · 1.0.0 · O(n) in the keys
    fn flushall(self, mode: FlushMode) -> Self::Output<()> {
        self.run(Command::new("FLUSHALL").args(mode).route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Deletes all keys of the database, on every primary of a cluster.
    ///
    /// `FLUSHDB [ASYNC | SYNC]` · 1.0.0 · O(n) in the keys
    fn flushdb(self, mode: FlushMode) -> Self::Output<()> {
        self.run(Command::new("FLUSHDB").args(mode).route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Returns figures and states of the server: of the sections named, or the usual ones for `()`.
    ///
    /// Besides the sections there are `default`, `all` and `everything`. Unknown sections are passed over.
    /// Several sections need Redis 7.0.
    ///
    /// `INFO [section [section ...]]` · 1.0.0 · O(1)
    fn info(self, sections: impl Args) -> Self::Output<Info> {
        self.run(Command::new("INFO").args(sections).read_only())
    }

    /// Returns when the data set was last saved, in seconds since the Unix epoch.
    ///
    /// `LASTSAVE` · 1.0.0 · O(1)
    fn lastsave(self) -> Self::Output<u64> {
        self.run(Command::new("LASTSAVE").read_only())
    }

    /// Returns computer art, of the server's version or another, which takes arguments of its own.
    ///
    /// `LOLWUT [VERSION version] [argument ...]` · 5.0.0 · O(1)
    fn lolwut(self, version: Option<u32>, arguments: impl Args) -> Self::Output<String> {
        let version = version.map(|version| ("VERSION", version));
        self.run(Command::new("LOLWUT").args(version).args(arguments).read_only().route(Route::AnyNode))
    }

    /// Returns the server's advice on its use of memory.
    ///
    /// `MEMORY DOCTOR` · 4.0.0 · O(1)
    fn memory_doctor(self) -> Self::Output<String> {
        self.run(Command::new("MEMORY DOCTOR").read_only())
    }

    /// Returns the report of the server's memory allocator.
    ///
    /// `MEMORY MALLOC-STATS` · 4.0.0 · depends on the memory in use, can be slow
    fn memory_malloc_stats(self) -> Self::Output<String> {
        self.run(Command::new("MEMORY MALLOC-STATS").read_only())
    }

    /// Makes the allocator give memory back to the system, on every primary of a cluster.
    ///
    /// `MEMORY PURGE` · 4.0.0 · depends on the memory in use, can be slow
    fn memory_purge(self) -> Self::Output<()> {
        self.run(Command::new("MEMORY PURGE").route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Returns what the server uses memory for.
    ///
    /// `MEMORY STATS` · 4.0.0 · O(1)
    fn memory_stats(self) -> Self::Output<MemoryStats> {
        self.run(Command::new("MEMORY STATS").read_only())
    }

    /// Returns how many bytes `key` costs, itself and its overhead included; `None` if it does not exist.
    ///
    /// `MEMORY USAGE key [SAMPLES count]` · 4.0.0 · O(n) in the samples
    fn memory_usage(self, key: impl Arg, samples: Samples) -> Self::Output<Option<u64>> {
        self.run(Command::new("MEMORY USAGE").key(key).args(samples).read_only())
    }

    /// Returns the server's part in replication, and with whom it replicates.
    ///
    /// `ROLE` · 2.8.12 · O(1)
    fn role(self) -> Self::Output<Role> {
        self.run(Command::new("ROLE").read_only())
    }

    /// Saves the data set, during which the server serves nobody.
    ///
    /// `SAVE` · 1.0.0 · O(n) in the keys
    fn save(self) -> Self::Output<()> {
        self.run(Command::new("SAVE"))
    }

    /// Ends the server, once it has saved its data as it is configured to and its replicas have them.
    ///
    /// There is no reply to that: what shows it is an error about the [connection](crate::Error::is_connection),
    /// [`MaybeExecuted`](crate::error::Delivery::MaybeExecuted). An error of the server says that it goes on. On a
    /// cluster, or behind sentinels, another node may take its place; [`Command::node`] chooses whom to end.
    ///
    /// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE]` · 1.0.0 · O(n) in the keys, if they are saved
    fn shutdown(self, options: ShutdownOptions) -> Self::Output<()> {
        self.run(Command::new("SHUTDOWN").args(options))
    }

    /// Calls off a shutdown that waits for replicas. Fails when there is none.
    ///
    /// `SHUTDOWN ABORT` · 7.0.0 · O(1)
    fn shutdown_abort(self) -> Self::Output<()> {
        self.run(Command::new("SHUTDOWN").arg("ABORT"))
    }

    /// Swaps two databases at once for all clients.
    ///
    /// `SWAPDB index1 index2` · 4.0.0 · O(n) in the clients that watch or wait for their keys
    fn swapdb(self, first: u32, second: u32) -> Self::Output<()> {
        self.run(Command::new("SWAPDB").arg(first).arg(second))
    }

    /// Returns the server's wall clock.
    ///
    /// `TIME` · 2.6.0 · O(1)
    fn time(self) -> Self::Output<ServerTime> {
        self.run(Command::new("TIME").read_only())
    }
}

impl<R: Run> ServerCommands for R {}
