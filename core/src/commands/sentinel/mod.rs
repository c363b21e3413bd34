//! Sentinels: servers that watch over primaries and replace those that fail.
//!
//! These commands are for a client that is connected to a sentinel; other servers do not know them. A primary goes
//! by the name that the sentinels were given for it.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::SentinelCommands;
//!
//! let command = p.sentinel_get_master_addr_by_name("main");
//! assert_eq!(command.packed().name(), "SENTINEL GET-MASTER-ADDR-BY-NAME");
//! ```

mod records;
mod replies;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

pub use records::{SentinelNode, SentinelPeer, SentinelPrimary, SentinelReplica};
pub use replies::{
    ScriptState, SentinelCachedInfo, SentinelFailure, SentinelOpinion, SentinelQuorum, SentinelScript,
};

use crate::command::{Arg, Args, Command, Pairs, Run};

/// Commands of sentinels. <https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/>
pub trait SentinelCommands: Run {
    /// Returns how many sentinels can be reached, if they are enough to replace the primary.
    ///
    /// Fails with `NOQUORUM` when they are not.
    ///
    /// `SENTINEL CKQUORUM name` · 2.8.4 · O(n) in the sentinels
    fn sentinel_ckquorum(self, name: impl Arg) -> Self::Output<SentinelQuorum> {
        self.run(Command::new("SENTINEL CKQUORUM").arg(name).read_only())
    }

    /// Returns the settings of the sentinel whose names match a pattern; several patterns need 7.2.
    ///
    /// Passwords are returned like any other setting.
    ///
    /// `SENTINEL CONFIG GET pattern [pattern ...]` · 6.2.0 · O(n) in the settings
    fn sentinel_config_get(self, patterns: impl Args) -> Self::Output<BTreeMap<String, String>> {
        self.run(Command::new("SENTINEL CONFIG").arg("GET").args(patterns).read_only())
    }

    /// Changes settings of the sentinel; several at once need 7.2.
    ///
    /// `SENTINEL CONFIG SET parameter value [parameter value ...]` · 6.2.0 · O(n) in the settings
    fn sentinel_config_set(self, settings: impl Pairs) -> Self::Output<()> {
        self.run(Command::new("SENTINEL CONFIG").arg("SET").pairs(settings))
    }

    /// Returns the periods and timeouts by which the sentinel works, in milliseconds.
    ///
    /// `SENTINEL DEBUG` · 7.0.0 · O(n) in the parameters
    fn sentinel_debug(self) -> Self::Output<BTreeMap<String, u64>> {
        self.run(Command::new("SENTINEL DEBUG").read_only())
    }

    /// Changes periods and timeouts by which the sentinel works, in milliseconds, until it is restarted.
    ///
    /// `SENTINEL DEBUG parameter value [parameter value ...]` · 7.0.0 · O(n) in the parameters
    fn sentinel_debug_set(self, parameters: impl Pairs) -> Self::Output<()> {
        self.run(Command::new("SENTINEL DEBUG").pairs(parameters))
    }

    /// Makes the sentinel replace a primary by a replica without asking other sentinels. It has begun, not ended,
    /// with the reply.
    ///
    /// Fails with `INPROG` when it is being replaced already, with `NOGOODSLAVE` when no replica is fit for it.
    ///
    /// `SENTINEL FAILOVER name` · 2.8.4 · O(n) in the replicas
    fn sentinel_failover(self, name: impl Arg) -> Self::Output<()> {
        self.run(Command::new("SENTINEL FAILOVER").arg(name))
    }

    /// Makes the sentinel write what it knows to its configuration file.
    ///
    /// `SENTINEL FLUSHCONFIG` · 2.8.4 · O(1)
    fn sentinel_flushconfig(self) -> Self::Output<()> {
        self.run(Command::new("SENTINEL FLUSHCONFIG"))
    }

    /// Returns host and port of a primary, of the new one as soon as it is one; `None` for an unknown name.
    ///
    /// `SENTINEL GET-MASTER-ADDR-BY-NAME name` · 2.8.4 · O(1)
    fn sentinel_get_master_addr_by_name(self, name: impl Arg) -> Self::Output<Option<(String, u16)>> {
        self.run(Command::new("SENTINEL GET-MASTER-ADDR-BY-NAME").arg(name).read_only())
    }

    /// Returns what `INFO` of a primary and its replicas last said to the sentinel, the primary first, for each
    /// of the primaries named. Unknown names are left out.
    ///
    /// `SENTINEL INFO-CACHE name [name ...]` · 3.2.0 · O(n) in the servers
    fn sentinel_info_cache(
        self,
        names: impl Args,
    ) -> Self::Output<BTreeMap<String, Vec<SentinelCachedInfo>>> {
        self.run(Command::new("SENTINEL INFO-CACHE").args(names).read_only())
    }

    /// Asks as one sentinel another one, whether a primary is down and, with a run id instead of `*`, for its vote.
    ///
    /// A sentinel votes once in an epoch, for the first who asks.
    ///
    /// `SENTINEL IS-MASTER-DOWN-BY-ADDR ip port current-epoch run-id` · 2.8.4 · O(1)
    fn sentinel_is_master_down_by_addr(
        self,
        ip: impl Arg,
        port: u16,
        current_epoch: u64,
        run_id: impl Arg,
    ) -> Self::Output<SentinelOpinion> {
        let command = Command::new("SENTINEL IS-MASTER-DOWN-BY-ADDR").arg(ip).arg(port);
        self.run(command.arg(current_epoch).arg(run_id))
    }

    /// Returns what the sentinel knows of a primary.
    ///
    /// `SENTINEL MASTER name` · 2.8.4 · O(1)
    fn sentinel_master(self, name: impl Arg) -> Self::Output<SentinelPrimary> {
        self.run(Command::new("SENTINEL MASTER").arg(name).read_only())
    }

    /// Returns what the sentinel knows of all primaries that it watches.
    ///
    /// `SENTINEL MASTERS` · 2.8.4 · O(n) in the primaries
    fn sentinel_masters(self) -> Self::Output<Vec<SentinelPrimary>> {
        self.run(Command::new("SENTINEL MASTERS").read_only())
    }

    /// Makes the sentinel watch a primary, which `quorum` sentinels must find down before it is replaced.
    ///
    /// The address must be an IP unless `resolve-hostnames` is set.
    ///
    /// `SENTINEL MONITOR name ip port quorum` · 2.8.4 · O(1)
    fn sentinel_monitor(self, name: impl Arg, ip: impl Arg, port: u16, quorum: u64) -> Self::Output<()> {
        self.run(Command::new("SENTINEL MONITOR").arg(name).arg(ip).arg(port).arg(quorum))
    }

    /// Returns the id of the sentinel.
    ///
    /// `SENTINEL MYID` · 6.2.0 · O(1)
    fn sentinel_myid(self) -> Self::Output<String> {
        self.run(Command::new("SENTINEL MYID").read_only())
    }

    /// Returns the scripts that the sentinel runs, or waits to run.
    ///
    /// `SENTINEL PENDING-SCRIPTS` · 2.8.4 · O(n) in the scripts
    fn sentinel_pending_scripts(self) -> Self::Output<Vec<SentinelScript>> {
        self.run(Command::new("SENTINEL PENDING-SCRIPTS").read_only())
    }

    /// Makes the sentinel watch a primary no more.
    ///
    /// `SENTINEL REMOVE name` · 2.8.4 · O(1)
    fn sentinel_remove(self, name: impl Arg) -> Self::Output<()> {
        self.run(Command::new("SENTINEL REMOVE").arg(name))
    }

    /// Returns what the sentinel knows of the replicas of a primary.
    ///
    /// `SENTINEL REPLICAS name` · 5.0.0 · O(n) in the replicas
    fn sentinel_replicas(self, name: impl Arg) -> Self::Output<Vec<SentinelReplica>> {
        self.run(Command::new("SENTINEL REPLICAS").arg(name).read_only())
    }

    /// Makes the sentinel forget the replicas and the other sentinels of all primaries whose name matches, to find
    /// them anew; returns how many primaries there are. A replacement under way is given up.
    ///
    /// `SENTINEL RESET pattern` · 2.8.4 · O(n) in the primaries
    fn sentinel_reset(self, pattern: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("SENTINEL RESET").arg(pattern))
    }

    /// Returns what the sentinel knows of the other sentinels of a primary.
    ///
    /// `SENTINEL SENTINELS name` · 2.8.4 · O(n) in the sentinels
    fn sentinel_sentinels(self, name: impl Arg) -> Self::Output<Vec<SentinelPeer>> {
        self.run(Command::new("SENTINEL SENTINELS").arg(name).read_only())
    }

    /// Changes how the sentinel treats a primary, such as `("quorum", 2)`. Other sentinels are not told.
    ///
    /// `SENTINEL SET name option value [option value ...]` · 2.8.4 · O(n) in the options
    fn sentinel_set(self, name: impl Arg, options: impl Args) -> Self::Output<()> {
        self.run(Command::new("SENTINEL SET").arg(name).args(options))
    }

    /// Makes the sentinel end itself at a certain point, for tests: one [`SentinelFailure`], or several.
    ///
    /// `SENTINEL SIMULATE-FAILURE <CRASH-AFTER-ELECTION | CRASH-AFTER-PROMOTION> [...]` · 3.2.0 · O(1)
    fn sentinel_simulate_failure(self, failures: impl Args) -> Self::Output<()> {
        self.run(Command::new("SENTINEL SIMULATE-FAILURE").args(failures))
    }

    /// Deprecated since 5.0.0: [`sentinel_replicas`](Self::sentinel_replicas) under its old name.
    ///
    /// `SENTINEL SLAVES name` · 2.8.0 · O(n) in the replicas
    fn sentinel_slaves(self, name: impl Arg) -> Self::Output<Vec<SentinelReplica>> {
        self.run(Command::new("SENTINEL SLAVES").arg(name).read_only())
    }
}

impl<R: Run> SentinelCommands for R {}
