//! Clusters: which node serves which slots, and how that is changed.
//!
//! Most of these commands speak of the node that they are given to and change that node alone, so they are for
//! a client that is connected to it rather than to the cluster as a whole. What any node can answer says so.
//!
//! `READONLY`, `READWRITE` and `ASKING` are not here: they change the state of a connection.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{ClusterCommands, SetSlot};
//!
//! let command = p.cluster_setslot(866, SetSlot::Importing("07c37dfeb235213a872192d90877d0cd55635b91".into()));
//! assert_eq!(command.packed().name(), "CLUSTER SETSLOT");
//! ```

mod info;
mod nodes;
mod options;
mod shards;
mod slots;
mod stats;

use alloc::string::String;
use alloc::vec::Vec;

pub use info::{ClusterInfo, ClusterLink, EpochBump, LinkDirection};
pub use nodes::ClusterNode;
pub use options::{ClusterFailover, ClusterReset, SetSlot};
pub use shards::{ClusterRole, ClusterShard, ClusterShardNode, NodeHealth};
pub use slots::{ClusterHost, ClusterSlotNode, ClusterSlots, SlotRange};
pub use stats::{SlotMetric, SlotOrder, SlotStats, SlotStatsQuery};

use crate::command::{Arg, Args, Command, FromReply, Join, Route, Run};

/// Commands about a cluster. <https://redis.io/docs/latest/commands/?group=cluster>
///
/// Nodes are named by their ids, of 40 hexadecimal digits, not by their addresses.
pub trait ClusterCommands: Run {
    /// Makes the node serve slots that, as far as it knows, no node serves.
    ///
    /// Fails, without taking any, when one of them is served already.
    ///
    /// `CLUSTER ADDSLOTS slot [slot ...]` · 3.0.0 · O(n) in the slots
    fn cluster_addslots(self, slots: impl Args) -> Self::Output<()> {
        self.run(Command::new("CLUSTER ADDSLOTS").args(slots))
    }

    /// As [`cluster_addslots`](Self::cluster_addslots), for whole ranges, such as `[0..=5460]`.
    ///
    /// `CLUSTER ADDSLOTSRANGE start end [start end ...]` · 7.0.0 · O(n) in the slots
    fn cluster_addslotsrange<S>(self, ranges: S) -> Self::Output<()>
    where
        S: IntoIterator<Item: Into<SlotRange>>,
    {
        self.run(with_ranges("CLUSTER ADDSLOTSRANGE", ranges))
    }

    /// Gives the node's slots a new configuration epoch without asking the other nodes, unless it has the
    /// greatest one already.
    ///
    /// `CLUSTER BUMPEPOCH` · 3.0.0 · O(1)
    fn cluster_bumpepoch(self) -> Self::Output<EpochBump> {
        self.run(Command::new("CLUSTER BUMPEPOCH"))
    }

    /// Returns how many nodes have told this one lately that another node fails.
    ///
    /// `CLUSTER COUNT-FAILURE-REPORTS node-id` · 3.0.0 · O(n) in the reports
    fn cluster_count_failure_reports(self, node: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("CLUSTER COUNT-FAILURE-REPORTS").arg(node).read_only())
    }

    /// Returns how many keys of a slot the node has, whoever serves the slot. A cluster's client asks the node that
    /// serves it.
    ///
    /// `CLUSTER COUNTKEYSINSLOT slot` · 3.0.0 · O(1)
    fn cluster_countkeysinslot(self, slot: u16) -> Self::Output<u64> {
        self.run(Command::new("CLUSTER COUNTKEYSINSLOT").arg(slot).slot(slot).read_only())
    }

    /// Makes the node forget who serves these slots. It neither moves keys nor tells other nodes.
    ///
    /// Fails, without forgetting any, when one of them is served by nobody.
    ///
    /// `CLUSTER DELSLOTS slot [slot ...]` · 3.0.0 · O(n) in the slots
    fn cluster_delslots(self, slots: impl Args) -> Self::Output<()> {
        self.run(Command::new("CLUSTER DELSLOTS").args(slots))
    }

    /// As [`cluster_delslots`](Self::cluster_delslots), for whole ranges, such as `[0..=5460]`.
    ///
    /// `CLUSTER DELSLOTSRANGE start end [start end ...]` · 7.0.0 · O(n) in the slots
    fn cluster_delslotsrange<S>(self, ranges: S) -> Self::Output<()>
    where
        S: IntoIterator<Item: Into<SlotRange>>,
    {
        self.run(with_ranges("CLUSTER DELSLOTSRANGE", ranges))
    }

    /// Makes the node, a replica, take the place of its primary. It has begun, not ended, with the reply.
    ///
    /// `CLUSTER FAILOVER [FORCE | TAKEOVER]` · 3.0.0 · O(1)
    fn cluster_failover(self, mode: ClusterFailover) -> Self::Output<()> {
        self.run(Command::new("CLUSTER FAILOVER").args(mode))
    }

    /// Makes the node forget who serves any slot. It must have no keys.
    ///
    /// `CLUSTER FLUSHSLOTS` · 3.0.0 · O(1)
    fn cluster_flushslots(self) -> Self::Output<()> {
        self.run(Command::new("CLUSTER FLUSHSLOTS"))
    }

    /// Makes the node forget another one, and take no news of it for a minute: until then, every node has to
    /// be told.
    ///
    /// Since 7.2 a node that is told tells the others.
    ///
    /// `CLUSTER FORGET node-id` · 3.0.0 · O(1)
    fn cluster_forget(self, node: impl Arg) -> Self::Output<()> {
        self.run(Command::new("CLUSTER FORGET").arg(node))
    }

    /// Returns at most `count` of the keys of a slot that the node has, whoever serves the slot. A cluster's client
    /// asks the node that serves it.
    ///
    /// `CLUSTER GETKEYSINSLOT slot count` · 3.0.0 · O(n) in the keys returned
    fn cluster_getkeysinslot<T: FromReply>(self, slot: u16, count: u64) -> Self::Output<Vec<T>> {
        self.run(Command::new("CLUSTER GETKEYSINSLOT").arg(slot).arg(count).slot(slot).read_only())
    }

    /// Returns how the cluster is, as any node sees it.
    ///
    /// `CLUSTER INFO` · 3.0.0 · O(1)
    fn cluster_info(self) -> Self::Output<ClusterInfo> {
        self.run(Command::new("CLUSTER INFO").read_only().route(Route::AnyNode))
    }

    /// Returns the slot of a key, as any node computes it; [`slot::of`](crate::command::slot::of) does so without
    /// asking.
    ///
    /// `CLUSTER KEYSLOT key` · 3.0.0 · O(n) in the bytes of the key
    fn cluster_keyslot(self, key: impl Arg) -> Self::Output<u16> {
        self.run(Command::new("CLUSTER KEYSLOT").arg(key).read_only().route(Route::AnyNode))
    }

    /// Returns the connections between the node and the others, two for each that it knows.
    ///
    /// `CLUSTER LINKS` · 7.0.0 · O(n) in the nodes
    fn cluster_links(self) -> Self::Output<Vec<ClusterLink>> {
        self.run(Command::new("CLUSTER LINKS").read_only())
    }

    /// Makes the node get acquainted with another one, and by it with all that one knows: so nodes become a
    /// cluster. It has begun, not ended, with the reply.
    ///
    /// The address must be an IP, and the bus port is the port plus 10,000 unless given (4.0.0).
    ///
    /// `CLUSTER MEET ip port [bus-port]` · 3.0.0 · O(1)
    fn cluster_meet(self, ip: impl Arg, port: u16, bus_port: Option<u16>) -> Self::Output<()> {
        self.run(Command::new("CLUSTER MEET").arg(ip).arg(port).args(bus_port))
    }

    /// Returns the id of the node.
    ///
    /// `CLUSTER MYID` · 3.0.0 · O(1)
    fn cluster_myid(self) -> Self::Output<String> {
        self.run(Command::new("CLUSTER MYID").read_only())
    }

    /// Returns the id of the shard, which a primary and its replicas share.
    ///
    /// `CLUSTER MYSHARDID` · 7.2.0 · O(1)
    fn cluster_myshardid(self) -> Self::Output<String> {
        self.run(Command::new("CLUSTER MYSHARDID").read_only())
    }

    /// Returns the nodes that any node knows, itself among them.
    ///
    /// `CLUSTER NODES` · 3.0.0 · O(n) in the nodes
    fn cluster_nodes(self) -> Self::Output<Vec<ClusterNode>> {
        self.run(Command::new("CLUSTER NODES").read_only().route(Route::AnyNode))
    }

    /// Returns the replicas of a primary.
    ///
    /// Fails when the node is unknown or no primary.
    ///
    /// `CLUSTER REPLICAS node-id` · 5.0.0 · O(n) in the nodes
    fn cluster_replicas(self, node: impl Arg) -> Self::Output<Vec<ClusterNode>> {
        self.run(Command::new("CLUSTER REPLICAS").arg(node).read_only())
    }

    /// Makes the node a replica of a primary. A primary can become one only if it serves no slot and has no
    /// keys.
    ///
    /// `CLUSTER REPLICATE node-id` · 3.0.0 · O(1)
    fn cluster_replicate(self, node: impl Arg) -> Self::Output<()> {
        self.run(Command::new("CLUSTER REPLICATE").arg(node))
    }

    /// Makes the node leave the cluster and forget it. A replica becomes a primary and loses its data; a
    /// primary must have no keys.
    ///
    /// `CLUSTER RESET [HARD | SOFT]` · 3.0.0 · O(n) in the nodes, and in the keys of a replica
    fn cluster_reset(self, mode: ClusterReset) -> Self::Output<()> {
        self.run(Command::new("CLUSTER RESET").args(mode))
    }

    /// Makes the node write what it knows of the cluster to its disk.
    ///
    /// `CLUSTER SAVECONFIG` · 3.0.0 · O(1)
    fn cluster_saveconfig(self) -> Self::Output<()> {
        self.run(Command::new("CLUSTER SAVECONFIG"))
    }

    /// Sets the configuration epoch of a fresh node, that has none yet and knows no other node.
    ///
    /// `CLUSTER SET-CONFIG-EPOCH config-epoch` · 3.0.0 · O(1)
    fn cluster_set_config_epoch(self, epoch: u64) -> Self::Output<()> {
        self.run(Command::new("CLUSTER SET-CONFIG-EPOCH").arg(epoch))
    }

    /// Tells the node that a slot is on its way to another one or from it, or who serves it.
    ///
    /// `CLUSTER SETSLOT slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE>` · 3.0.0 · O(1)
    fn cluster_setslot(self, slot: u16, state: SetSlot) -> Self::Output<()> {
        self.run(Command::new("CLUSTER SETSLOT").arg(slot).args(state))
    }

    /// Returns the shards, each a primary and its replicas, with the slots that they serve, as any node sees
    /// them.
    ///
    /// `CLUSTER SHARDS` · 7.0.0 · O(n) in the nodes
    fn cluster_shards(self) -> Self::Output<Vec<ClusterShard>> {
        self.run(Command::new("CLUSTER SHARDS").read_only().route(Route::AnyNode))
    }

    /// Deprecated since 5.0.0: [`cluster_replicas`](Self::cluster_replicas) under its old name.
    ///
    /// `CLUSTER SLAVES node-id` · 3.0.0 · O(n) in the nodes
    fn cluster_slaves(self, node: impl Arg) -> Self::Output<Vec<ClusterNode>> {
        self.run(Command::new("CLUSTER SLAVES").arg(node).read_only())
    }

    /// Returns what the slots that a node serves are used for; on a cluster, those of all primaries.
    ///
    /// Ask for a [`SlotRange`], or for the first in a [`SlotOrder`]: on a cluster, for the first of each primary.
    ///
    /// `CLUSTER SLOT-STATS <SLOTSRANGE start end | ORDERBY metric [LIMIT count] [ASC | DESC]>` · 8.2.0 · O(n) in
    /// the slots, O(n log n) to order them
    fn cluster_slot_stats(self, query: impl Into<SlotStatsQuery>) -> Self::Output<Vec<SlotStats>> {
        let command = Command::new("CLUSTER SLOT-STATS").args(query.into());
        self.run(command.read_only().route(Route::AllPrimaries).join(Join::Merge))
    }

    /// Returns which nodes serve which slots, as any node sees it. Slots that nobody serves are left out.
    ///
    /// Deprecated since 7.0.0 in favour of [`cluster_shards`](Self::cluster_shards), which older servers lack.
    ///
    /// `CLUSTER SLOTS` · 3.0.0 · O(n) in the nodes
    fn cluster_slots(self) -> Self::Output<Vec<ClusterSlots>> {
        self.run(Command::new("CLUSTER SLOTS").read_only().route(Route::AnyNode))
    }
}

impl<R: Run> ClusterCommands for R {}

fn with_ranges<T>(name: &str, ranges: impl IntoIterator<Item: Into<SlotRange>>) -> Command<T> {
    ranges.into_iter().fold(Command::new(name), |command, range| command.args(range.into()))
}
