//! The client against real clusters: it finds the nodes, sends each command to the node that serves its keys,
//! and goes on when the cluster changes.

use redstart_core::command::Prepare as p;
use redstart_core::command::slot;
use redstart_core::commands::{FlushMode, KeyCommands, ServerCommands, StringCommands};
use redstart_core::config::Endpoint;
use redstart_core::error::{Delivery, ErrorKind};
use redstart_core::{Config, Error};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::server::Version;
use redstart_tests::server::cluster::{Cluster, ClusterConfig};

/// A configuration that knows one node of the cluster.
fn config(cluster: &Cluster, node: usize) -> Config {
    Config::cluster([Endpoint::tcp("127.0.0.1", cluster.server(node).port())])
}

#[test]
fn commands_go_to_the_node_that_serves_their_keys() {
    for version in [Version::V7, Version::V8] {
        let cluster = ClusterConfig::new(version).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster, 1)).expect("a client");
            let keys: Vec<String> = (0..60).map(|number| format!("key:{number}")).collect();
            for key in &keys {
                client.set(key, key).unwrap();
            }
            let slots = keys.iter().map(|key| slot::of(key.as_bytes()) / 5_462);
            assert!(slots.collect::<std::collections::BTreeSet<_>>().len() == 3, "every shard has keys");
            let replies = client.pipeline(keys.iter().map(|key| p.get::<String>(key)).collect::<Vec<_>>());
            let replies: Vec<String> = replies.unwrap().into_iter().flatten().collect();
            assert_eq!(replies, keys, "in the order of the commands");
            let sums = client.transaction((p.incr("{a}1"), p.incr("{a}2"), p.del(["{a}1", "{a}2"])));
            assert_eq!(sums, Ok((1, 1, 2)));
        });
    }
}

#[test]
fn keys_in_different_slots_are_refused_before_anything_is_sent() {
    let cluster = ClusterConfig::new(Version::V8).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(config(&cluster, 0)).expect("a client");
        let refused = |error: Error| {
            let slots = (slot::of(b"a"), slot::of(b"b"));
            assert_eq!(
                (error.kind(), error.delivery()),
                (&ErrorKind::CrossSlot { slots }, Delivery::NotSent)
            );
        };
        refused(client.rename("a", "b").expect_err("two slots"));
        refused(client.transaction((p.incr("a"), p.incr("b"))).expect_err("two slots"));
        assert_eq!(client.exists("a"), Ok(0), "no part of the transaction has run");
    });
}

#[test]
fn some_commands_go_to_several_nodes_and_their_replies_are_joined() {
    let cluster = ClusterConfig::new(Version::V7).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(config(&cluster, 0)).expect("a client");
        client.flushall(FlushMode::Configured).unwrap();
        for number in 0..30 {
            client.set(format!("key:{number}"), number).unwrap();
        }
        assert_eq!(client.dbsize(), Ok(30));
        let keys: Vec<String> = client.keys("key:*").unwrap();
        assert_eq!(keys.len(), 30);
        client.flushall(FlushMode::Configured).unwrap();
        assert_eq!(client.dbsize(), Ok(0));
    });
}
