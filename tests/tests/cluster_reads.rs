//! Reads that go to replicas, and commands for a node of the caller's choice, on real clusters.

use redstart_core::Config;
use redstart_core::client::Options;
use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::StringCommands;
use redstart_core::config::{Endpoint, ReadFrom};
use redstart_core::error::{Delivery, ErrorKind};
use redstart_tests::clients::{AnyClient, for_each_runtime};
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::{Version, poll_until};

fn endpoint(cluster: &Cluster, node: usize) -> Endpoint {
    Endpoint::tcp("127.0.0.1", cluster.server(node).port())
}

/// How many commands of a name each node has served.
fn calls(cluster: &Cluster, name: &str) -> Vec<u64> {
    let count = |node| {
        let stats = cluster.server(node).cli(&["info", "commandstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
        line.map_or(0, |line| line.split(',').next().and_then(|count| count.parse().ok()).unwrap_or(0))
    };
    (0..cluster.len()).map(count).collect()
}

/// How many commands of a name primaries and replicas serve meanwhile.
fn served_during(cluster: &Cluster, name: &str, work: impl FnOnce()) -> (u64, u64) {
    let before = calls(cluster, name);
    work();
    let after = calls(cluster, name);
    let counts: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    (counts[..3].iter().sum(), counts[3..].iter().sum())
}

/// Keys in all shards.
fn keys() -> Vec<String> {
    (0..60).map(|number| format!("key:{number}")).collect()
}

/// Which nodes serve 60 reads of keys in all shards.
fn served(cluster: &Cluster, client: &AnyClient) -> (u64, u64) {
    served_during(cluster, "get", || {
        for key in keys() {
            let value: Option<String> = client.get(key).expect("a read");
            assert_eq!(value.as_deref(), Some("v"));
        }
    })
}

#[test]
fn reads_go_where_the_client_says() {
    for version in [Version::V7, Version::V8] {
        let cluster = ClusterConfig::new(version).replicas(3).start();
        let config = Config::cluster([endpoint(&cluster, 0)]);
        let zones = (0..6).map(|node| (endpoint(&cluster, node), if node < 3 { "a" } else { "b" }));
        let config = config.zones(zones.collect::<Vec<_>>());
        for_each_runtime(|runtime| {
            let client = runtime.connect(config.clone().zone("a")).expect("a client");
            for number in 0..60 {
                client.set(format!("key:{number}"), "v").unwrap();
            }
            let replicated = |node: usize| {
                let mine = cluster.server(node).cli(&["dbsize"]);
                (mine == cluster.server(node + 3).cli(&["dbsize"])).then_some(())
            };
            (0..3).for_each(|node| poll_until("the replica to follow", || replicated(node)));
            assert_eq!(served(&cluster, &client), (60, 0));
            let from = |from| client.with(Options::new().read_from(from));
            for place in [ReadFrom::Replica, ReadFrom::PreferReplica] {
                assert_eq!(served(&cluster, &from(place)), (0, 60), "{place:?}");
            }
            let (primaries, replicas) = served(&cluster, &from(ReadFrom::RoundRobin));
            assert!(primaries.min(replicas) >= 15, "{primaries} and {replicas}");
            let (primaries, replicas) = served(&cluster, &from(ReadFrom::LowestLatency));
            assert_eq!(primaries + replicas, 60);
            // The primaries are the only nodes in this zone.
            assert_eq!(served(&cluster, &from(ReadFrom::SameZone)), (60, 0));
            let other =
                runtime.connect(config.clone().zone("b").read_from(ReadFrom::SameZone)).expect("a client");
            assert_eq!(served(&cluster, &other), (0, 60));
            // Reads in a pipeline, and the parts of one that is split, go there too.
            let replicas = from(ReadFrom::Replica);
            let pipeline = || {
                let gets: Vec<_> = keys().iter().map(|key| p.get::<String>(key)).collect();
                assert_eq!(replicas.pipeline(gets).expect("reads").into_iter().flatten().count(), 60);
            };
            assert_eq!(served_during(&cluster, "get", pipeline), (0, 60));
            let mget = || {
                let values = replicas.mget::<String>(keys()).expect("reads");
                assert_eq!(values.into_iter().flatten().count(), 60);
            };
            let (of_primaries, of_replicas) = served_during(&cluster, "mget", mget);
            assert!(of_primaries == 0 && of_replicas > 30, "{of_primaries} and {of_replicas}");
            // What is no read goes to the primary all the same.
            assert_eq!(from(ReadFrom::Replica).set("key:0", "v"), Ok(()));
        });
    }
}

#[test]
fn a_node_can_be_chosen() {
    let cluster = ClusterConfig::new(Version::V8).replicas(3).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(Config::cluster([endpoint(&cluster, 0)])).expect("a client");
        for node in 0..6 {
            let command = Command::<String>::new("CLUSTER MYID").node(&endpoint(&cluster, node));
            assert_eq!(client.run(command).as_deref(), Ok(cluster.id(node)));
        }
        let command = Command::<()>::new("PING").node(&Endpoint::tcp("127.0.0.1", 1));
        let error = client.run(command).expect_err("no such node");
        assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
        assert_eq!((error.delivery(), error.command()), (Delivery::NotSent, Some("PING")));
    });
}
