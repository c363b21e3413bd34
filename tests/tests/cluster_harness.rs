//! The harness for real clusters does what the tests that use it rely on.

use std::time::Duration;

use redstart_core::command::slot;
use redstart_core::commands::{ClusterCommands, ClusterFailover, StringCommands};
use redstart_core::error::ServerCode;
use redstart_tests::server::Version;
use redstart_tests::server::cluster::{Cluster, ClusterConfig};

/// Keys of the slots 866, 12,182 and 5,061.
const KEYS: [&str; 3] = ["hello", "foo", "bar"];

fn set_and_get(cluster: &Cluster) {
    for key in KEYS {
        let wire = cluster.wire(cluster.primary_of(slot::of(key.as_bytes())));
        wire.set(key, key).expect("the node serves the slot");
        assert_eq!(wire.get::<String>(key).expect("a value").as_deref(), Some(key));
    }
}

#[test]
fn primaries_share_the_slots() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        assert_eq!(cluster.len(), 3);
        assert_eq!(cluster.server(2).version(), version);
        assert_eq!([0, 5460, 5461, 10922, 16383].map(|slot| cluster.primary_of(slot)), [0, 0, 1, 2, 2]);
        assert_eq!(cluster.index_of(cluster.id(1)), 1);
        assert!(cluster.urls().nth(2).unwrap().ends_with(&format!(":{}/", cluster.server(2).port())));
        set_and_get(&cluster);
        let error = cluster.wire(1).get::<String>("hello").unwrap_err();
        assert_eq!(error.code(), Some(ServerCode::Moved));
    }
}

#[test]
fn a_replica_takes_the_place_of_a_primary_that_was_killed() {
    for version in Version::ALL {
        let config = ClusterConfig::new(version).replicas(4).node_timeout(Duration::from_secs(1));
        let mut cluster = config.start();
        assert_eq!((cluster.replicas_of(0).len(), cluster.replicas_of(1)), (2, vec![4]));
        let id = cluster.id(1).to_owned();
        cluster.kill(1);
        cluster.await_primary(4);
        assert_eq!(cluster.primary_of(8000), 4);
        set_and_get(&cluster);

        cluster.restart(1);
        cluster.await_ok();
        assert_eq!(cluster.id(1), id);
        assert_eq!(cluster.replicas_of(4), [1]);
    }
}

#[test]
fn a_frozen_node_is_missed_and_comes_back() {
    for version in Version::ALL {
        let config = ClusterConfig::new(version).replicas(3);
        let cluster = config.node_timeout(Duration::from_secs(1)).start();
        cluster.freeze(0);
        cluster.await_primary(3);
        set_and_get(&cluster);
        cluster.thaw(0);
        cluster.await_ok();
        assert_eq!(cluster.replicas_of(3), [0]);
    }
}

#[test]
fn a_replica_takes_over_when_told() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).replicas(3).start();
        set_and_get(&cluster);
        for mode in [ClusterFailover::Agreed, ClusterFailover::Force, ClusterFailover::Takeover] {
            let old = cluster.primary_of(slot::of(b"foo"));
            let new = cluster.replicas_of(old)[0];
            cluster.fail_over(new, mode);
            assert_eq!(cluster.primary_of(slot::of(b"foo")), new);
            assert_eq!(cluster.replicas_of(new), [old]);
            assert_eq!(cluster.wire(new).get::<String>("foo").unwrap().as_deref(), Some("foo"));
        }
    }
}

#[test]
fn slots_move_with_their_keys() {
    for version in Version::ALL {
        let cluster =
            ClusterConfig::new(version).primaries(2).arg("cluster-announce-hostname", "here").start();
        let slot = slot::of(b"{foo}");
        let (from, to) = (cluster.primary_of(slot), 1 - cluster.primary_of(slot));
        let source = cluster.wire(from);
        for n in 0..250 {
            source.set(format!("{{foo}}{n}"), n).unwrap();
        }
        cluster.begin_move(slot, to);
        assert_eq!(cluster.primary_of(slot), from);
        assert_eq!(source.get::<i64>("{foo}0").unwrap(), Some(0));
        assert_eq!(source.get::<i64>("{foo}").unwrap_err().code(), Some(ServerCode::Ask));

        cluster.end_move(slot, to);
        assert_eq!(cluster.primary_of(slot), to);
        assert_eq!(source.get::<i64>("{foo}0").unwrap_err().code(), Some(ServerCode::Moved));
        assert_eq!(cluster.wire(to).cluster_countkeysinslot(slot).unwrap(), 250);
        let hostname = cluster.wire(to).cluster_nodes().unwrap()[0].hostname.clone();
        assert_eq!(hostname.as_deref(), Some("here"));
    }
}
