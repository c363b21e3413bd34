//! Commands that wait, on clusters and behind sentinels: they follow their keys and the primary while they wait.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use redstart_core::client::Options;
use redstart_core::client::session::Sessions;
use redstart_core::commands::{
    ClusterFailover, ListCommands, SentinelCommands, SessionCommands, StringCommands,
};
use redstart_core::config::PoolOptions;
use redstart_core::{Config, ErrorKind, Result};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime};
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::sentinel::{NAME, SentinelConfig};
use redstart_tests::server::{Server, Version, poll_until};

const LONG: Duration = Duration::from_secs(60);

type Popped = Result<Option<(String, String)>>;

fn wait_for(client: &AnyClient, key: &'static str) -> JoinHandle<Popped> {
    let client = client.clone();
    thread::spawn(move || client.blpop(key, LONG))
}

fn await_waiting(server: &Server, count: usize) {
    poll_until("the command to wait there", || {
        let clients = server.cli(&["CLIENT", "LIST"]);
        (clients.lines().filter(|client| client.contains(" flags=b ")).count() == count).then_some(())
    });
}

fn pair(key: &str, item: &str) -> Popped {
    Ok(Some((key.into(), item.into())))
}

fn node_of(cluster: &Cluster, key: &str) -> usize {
    cluster.primary_of(redstart_core::command::slot::of(key.as_bytes()))
}

#[test]
fn in_a_cluster_each_waits_at_the_node_of_its_keys() {
    let cluster = ClusterConfig::new(Version::V8).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(cluster.url()).unwrap();
        // Each is at another node.
        let keys = ["a", "b", "c"];
        let waits: Vec<_> = keys.iter().map(|key| wait_for(&client, key)).collect();
        for key in keys {
            await_waiting(cluster.server(node_of(&cluster, key)), 1);
        }
        for (key, waits) in keys.iter().zip(waits) {
            assert_eq!(client.rpush(key, "a"), Ok(1));
            assert_eq!(waits.join().unwrap(), pair(key, "a"));
        }
        let crossed = client.blpop::<String, String>(["a", "b"], LONG).unwrap_err();
        assert!(matches!(crossed.kind(), ErrorKind::CrossSlot { .. }));
        let hasty = client.with(Options::new().timeout(Duration::from_millis(20)));
        poll_until("a wait to be ended", || hasty.blpop::<String, String>("a", LONG).is_err().then_some(()));
        await_waiting(cluster.server(node_of(&cluster, "a")), 0);
        client.close();
    });
}

#[test]
fn who_waits_follows_a_slot() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        let slot = redstart_core::command::slot::of(b"foo");
        for_each_runtime(|runtime| {
            let client = runtime.connect(cluster.url()).unwrap();
            let from = cluster.primary_of(slot);
            let to = (from + 1) % 3;
            let waits = wait_for(&client, "foo");
            await_waiting(cluster.server(from), 1);
            cluster.begin_move(slot, to);
            cluster.end_move(slot, to);
            await_waiting(cluster.server(to), 1);
            assert_eq!(client.rpush("foo", "a"), Ok(1));
            assert_eq!(waits.join().unwrap(), pair("foo", "a"));
            client.close();
        });
    }
}

#[test]
fn who_waits_follows_a_primary_of_a_cluster() {
    let cluster = ClusterConfig::new(Version::V8).replicas(3).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(cluster.url()).unwrap();
        let from = node_of(&cluster, "foo");
        let waits = wait_for(&client, "foo");
        await_waiting(cluster.server(from), 1);
        let to = cluster.replicas_of(from)[0];
        cluster.fail_over(to, ClusterFailover::Takeover);
        await_waiting(cluster.server(to), 1);
        assert_eq!(client.rpush("foo", "a"), Ok(1));
        assert_eq!(waits.join().unwrap(), pair("foo", "a"));
        client.close();
        cluster.await_ok();
    });
}

#[test]
fn behind_sentinels_who_waits_follows_the_primary_and_sessions_end() {
    for version in Version::ALL {
        let all = SentinelConfig::new(version).start();
        let url = format!("redis-sentinel://127.0.0.1:{}/{NAME}", all.sentinels()[0].port());
        let config = Config::from_url(&url).unwrap().response_timeout(LONG).pool(PoolOptions::new().max(3));
        let client = Runtime::Tokio.connect(config).unwrap();
        let (from, to) = (0, 1);
        let waits = wait_for(&client, "foo");
        await_waiting(&all.servers()[from], 1);
        let session = client.session().unwrap();
        session.watch("k").unwrap();
        all.wire(0).sentinel_failover(NAME).unwrap();
        all.await_primary(to);
        await_waiting(&all.servers()[to], 1);
        assert_eq!(client.rpush("foo", "a"), Ok(1));
        assert_eq!(waits.join().unwrap(), pair("foo", "a"));
        let error = poll_until("the session to end", || session.get::<u8>("k").err());
        assert!(error.is_connection(), "{error}");
        assert_eq!(client.session().unwrap().set("k", 1), Ok(()));
        client.close();
    }
}
