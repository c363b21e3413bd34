//! The scenarios, each with its gates.

mod change;
mod isolation;
mod network;
mod promotion;
mod storm;
mod tokens;
mod waits;

use std::time::Duration;

use super::observer::Observer;
use super::{Report, Settings};
use crate::server::cluster::{Cluster, ClusterConfig};
use crate::server::sentinel::{SentinelConfig, Sentinels};

/// What fails, or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// A primary of a cluster is killed.
    ClusterKill,
    /// A primary of a cluster is frozen, replaced, and comes back.
    ClusterFreeze,
    /// Slots move from one primary to another and back.
    ClusterReshard,
    /// Replicas take their primaries' places when told.
    ClusterFailover,
    /// A node joins a cluster, gets slots, gives them back and leaves.
    ClusterAddRemoveNode,
    /// A primary of a cluster is frozen while others are measured.
    ClusterIsolation,
    /// A primary that sentinels watch is killed.
    SentinelKill,
    /// A primary that sentinels watch is frozen, replaced, and comes back.
    SentinelFreeze,
    /// A server closes all connections again and again.
    KillStorm,
    /// All nodes of a cluster do.
    KillStormCluster,
    /// The network loses what a server sends.
    RepliesLost,
    /// Tokens expire.
    TokensExpire,
    /// Those of a cluster do.
    TokensExpireCluster,
    /// A thousand calls wait at the server on the same client.
    Waits,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClusterKill,
        Self::ClusterFreeze,
        Self::ClusterReshard,
        Self::ClusterFailover,
        Self::ClusterAddRemoveNode,
        Self::ClusterIsolation,
        Self::SentinelKill,
        Self::SentinelFreeze,
        Self::KillStorm,
        Self::KillStormCluster,
        Self::RepliesLost,
        Self::TokensExpire,
        Self::TokensExpireCluster,
        Self::Waits,
    ];

    /// As it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClusterKill => "cluster-kill",
            Self::ClusterFreeze => "cluster-freeze",
            Self::ClusterReshard => "cluster-reshard",
            Self::ClusterFailover => "cluster-failover",
            Self::ClusterAddRemoveNode => "cluster-add-remove-node",
            Self::ClusterIsolation => "cluster-isolation",
            Self::SentinelKill => "sentinel-kill",
            Self::SentinelFreeze => "sentinel-freeze",
            Self::KillStorm => "kill-storm",
            Self::KillStormCluster => "kill-storm-cluster",
            Self::RepliesLost => "replies-lost",
            Self::TokensExpire => "tokens-expire",
            Self::TokensExpireCluster => "tokens-expire-cluster",
            Self::Waits => "waits",
        }
    }

    /// Runs it once, on servers of its own.
    ///
    /// # Panics
    /// If the servers do not what they should.
    #[must_use]
    pub fn run(self, settings: &Settings) -> Report {
        let report = match self {
            Self::ClusterKill => promotion::cluster_kill(settings),
            Self::ClusterFreeze => promotion::cluster_freeze(settings),
            Self::ClusterReshard => change::reshard(settings),
            Self::ClusterFailover => change::fail_over(settings),
            Self::ClusterAddRemoveNode => change::add_and_remove_node(settings),
            Self::ClusterIsolation => isolation::freeze_one(settings),
            Self::SentinelKill => promotion::sentinel_kill(settings),
            Self::SentinelFreeze => promotion::sentinel_freeze(settings),
            Self::KillStorm => storm::on_one(settings),
            Self::KillStormCluster => storm::on_cluster(settings),
            Self::RepliesLost => network::lose_replies(settings),
            Self::TokensExpire => tokens::on_one(settings),
            Self::TokensExpireCluster => tokens::on_cluster(settings),
            Self::Waits => waits::beside(settings),
        };
        let report = report.titled(self.name());
        eprintln!("{}", report.verdict());
        report
    }
}

/// Who is not heard of for so long is taken to fail, where that is what a scenario is about.
const FAILS_AFTER: Duration = Duration::from_secs(1);

/// Three primaries with a replica each.
fn cluster(settings: &Settings, node_timeout: Duration) -> Cluster {
    let config = ClusterConfig::new(settings.version).replicas(3).node_timeout(node_timeout);
    let config = config.arg("repl-timeout", 5);
    // A replica takes over however long it has not heard of its primary, and until then the others serve.
    config.arg("cluster-replica-validity-factor", 0).arg("cluster-require-full-coverage", "no").start()
}

/// A primary, two replicas and three sentinels.
fn sentinels(settings: &Settings) -> Sentinels {
    SentinelConfig::new(settings.version).replicas(2).down_after(FAILS_AFTER).start()
}

fn observe_replicas(cluster: &Cluster, primary: usize) -> Observer {
    let replicas = cluster.replicas_of(primary).into_iter();
    Observer::of_promotion(replicas.map(|replica| cluster.server(replica).addr()).collect())
}
