//! Walks through the keys of real clusters, while slots move, nodes are replaced and nodes join.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_lite::StreamExt;
use redstart_core::command::{Prepare as p, slot};
use redstart_core::commands::{
    ClusterCommands, ClusterFailover, ClusterNode, HashCommands, KeyCommands, KeyScanOptions, KeyType,
    MigrateOptions, ScanIterators, ScanOptions, ServerCommands, SetCommands, SetSlot, StringCommands,
};
use redstart_core::config::{AddressMap, ClusterOptions, Endpoint, ReadFrom};
use redstart_core::{Config, Result};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime, tokio};
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::{Server, ServerConfig, Version, poll_until};
use redstart_tests::wire::Wire;

/// So many slots have keys, and so many keys each.
const TAGS: usize = 60;
const KEYS: usize = 30;

fn endpoint(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.port())
}

fn config(cluster: &Cluster) -> Config {
    Config::cluster([endpoint(cluster.server(0))])
}

fn keys() -> impl Iterator<Item = String> {
    (0..TAGS * KEYS).map(|number| format!("{{tag{}}}:{number}", number % TAGS))
}

fn populate(client: &AnyClient) {
    client.pipeline(keys().map(|key| p.set(key, 1)).collect::<Vec<_>>()).expect("keys");
}

fn tag_slot(tag: usize) -> u16 {
    slot::of(format!("tag{tag}").as_bytes())
}

/// Slots with keys that a node serves.
fn slots_of(cluster: &Cluster, node: usize) -> Vec<u16> {
    (0..TAGS).map(tag_slot).filter(|&slot| cluster.primary_of(slot) == node).collect()
}

/// Moves half of the keys of a slot that is on its way.
fn move_half(cluster: &Cluster, slot: u16, from: usize, to: usize) {
    move_some(&cluster.wire(from), cluster.server(to), slot, KEYS as u64 / 2);
}

fn move_some(from: &Wire, to: &Server, slot: u16, count: u64) {
    let keys: Vec<String> = from.cluster_getkeysinslot(slot, count).expect("keys");
    assert!(!keys.is_empty(), "the slot has keys");
    let patience = Duration::from_secs(10);
    from.migrate("127.0.0.1", to.port(), keys, 0, patience, MigrateOptions::new()).expect("keys that move");
}

/// Walks through all keys in small pages. After every `every`th key, `meanwhile` is told how many there were, and
/// the last one.
fn walk(client: &AnyClient, every: usize, mut meanwhile: impl FnMut(usize, &str)) -> usize {
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for key in client.scan_iter::<String>(KeyScanOptions::new().count(10)) {
        let key = key.expect("a key");
        count += 1;
        if count % every == 0 {
            meanwhile(count / every, &key);
        }
        seen.insert(key);
    }
    let all: BTreeSet<String> = keys().collect();
    let missed: Vec<&String> = all.difference(&seen).collect();
    assert!(missed.is_empty(), "{} of {} keys were not seen: {missed:?}", missed.len(), all.len());
    eprintln!("{count} keys for {}", all.len());
    count
}

fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.cli(&["info", "commandstats"]);
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().and_then(|count| count.parse().ok()).unwrap_or(0))
}

#[test]
fn every_node_is_gone_through_once() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).replicas(3).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster).read_from(ReadFrom::RoundRobin)).expect("a client");
            populate(&client);
            let asked = |command| (0..6).map(|node| calls(cluster.server(node), command)).collect::<Vec<_>>();
            let before = asked("scan");
            let words = asked("cluster|nodes");
            let count = walk(&client, usize::MAX, |_, _| {});
            // A table that grows or shrinks may give some twice.
            assert!(count < TAGS * KEYS * 11 / 10, "{count}");
            let pages: Vec<u64> =
                asked("scan").iter().zip(before).map(|(after, before)| after - before).collect();
            assert!(pages[..3].iter().all(|&pages| pages > 20), "{pages:?}");
            assert_eq!(pages[3..], [0, 0, 0], "pages come from primaries");
            let words: Vec<u64> =
                asked("cluster|nodes").iter().zip(words).map(|(after, before)| after - before).collect();
            assert_eq!(words, [2, 2, 2, 0, 0, 0], "each primary is asked before and after");
        });
    }
}

#[test]
fn options_choose_what_is_seen_on_all_nodes() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            for number in 0..9 {
                client.sadd(format!("set:{number}"), [1]).unwrap();
            }
            let seen = |options| -> BTreeSet<String> {
                client.scan_iter::<String>(options).collect::<Result<_>>().expect("keys")
            };
            let all = KeyScanOptions::new;
            for count in [1, 1_000_000] {
                assert_eq!(seen(all().count(count)).len(), TAGS * KEYS + 9);
            }
            assert_eq!(seen(all().matching("*}:7")), ["{tag7}:7".to_owned()].into());
            assert_eq!(seen(all().matching("{tag7}:*")).len(), KEYS, "of one slot");
            assert_eq!(
                seen(all().of_type(KeyType::Set)),
                (0..9).map(|number| format!("set:{number}")).collect()
            );
            assert_eq!(seen(all().of_type(KeyType::Set).matching("set:4")).len(), 1);
            assert_eq!(seen(all().matching("nothing")).len(), 0);
            client.del((0..9).map(|number| format!("set:{number}")).collect::<Vec<_>>()).unwrap();
        });
    }
}

#[test]
fn streams_see_every_key() {
    let cluster = ClusterConfig::new(Version::V8).start();
    let config = config(&cluster);
    let all: BTreeSet<String> = keys().collect();
    // On a task of its own: walks can move between threads.
    let task = tokio().spawn({
        let config = config.clone();
        async move {
            let client = redstart_tokio::Client::connect(config).await.expect("a client");
            client.pipeline(keys().map(|key| p.set(key, 1)).collect::<Vec<_>>()).await.expect("keys");
            let stream = client.scan_iter::<String>(KeyScanOptions::new());
            stream.try_collect::<String, _, BTreeSet<_>>().await.expect("keys")
        }
    });
    assert_eq!(tokio().block_on(task).expect("no panic"), all);
    async_std::task::block_on(async {
        let client = redstart_async_std::Client::connect(config).await.expect("a client");
        let (mut walk, mut seen) = (client.scan_iter::<String>(KeyScanOptions::new()), BTreeSet::new());
        while let Some(key) = walk.next().await {
            seen.insert(key.expect("a key"));
        }
        assert_eq!(seen, all);
    });
}

#[test]
fn slots_that_move_under_the_walk_are_seen() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            // Each node gives a slot to the one that was gone through first, while it is gone through itself.
            let (mut nodes, mut moves) = (Vec::new(), Vec::new());
            let mut step = 0;
            walk(&client, 30, |_, key| {
                let from = cluster.primary_of(slot::of(key.as_bytes()));
                if !nodes.contains(&from) {
                    nodes.push(from);
                    step = 0;
                }
                let to = nodes[0];
                if from == to {
                    return;
                }
                step += 1;
                match step {
                    1 => {
                        let slot = slots_of(&cluster, from).into_iter().max().expect("a slot");
                        moves.push(slot);
                        cluster.begin_move(slot, to);
                    }
                    2 => move_half(&cluster, moves[moves.len() - 1], from, to),
                    3 => cluster.end_move(moves[moves.len() - 1], to),
                    _ => {}
                }
            });
            let are_there = moves.iter().filter(|&&slot| cluster.primary_of(slot) == nodes[0]).count();
            assert_eq!((nodes.len(), are_there), (3, 2), "two slots have moved");
        });
    }
}

#[test]
fn slots_that_stay_on_their_way_are_seen() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            let moves = [(0, 2), (2, 0)].map(|(from, to)| (slots_of(&cluster, from)[0], from, to));
            walk(&client, 200, |step, _| match step {
                1 => moves.iter().for_each(|&(slot, _, to)| cluster.begin_move(slot, to)),
                2 => moves.iter().for_each(|&(slot, from, to)| move_half(&cluster, slot, from, to)),
                _ => {}
            });
            walk(&client, usize::MAX, |_, _| {});
            moves.iter().for_each(|&(slot, _, to)| cluster.end_move(slot, to));
        });
    }
}

/// Walks until `replace` has made a replica take the place of the node that is gone through, and on to the end.
/// Returns the replica.
fn walk_over_failover(
    client: &AnyClient,
    cluster: &mut Cluster,
    replace: impl Fn(&mut Cluster, usize, usize),
) -> usize {
    let mut heir = None;
    walk(client, 100, |step, key| {
        if step == 1 {
            let primary = cluster.primary_of(slot::of(key.as_bytes()));
            let replica = cluster.replicas_of(primary)[0];
            poll_until("the replica to follow", || {
                (cluster.wire(primary).dbsize() == cluster.wire(replica).dbsize()).then_some(())
            });
            replace(cluster, primary, replica);
            heir = Some(replica);
        }
    });
    heir.expect("a node was gone through")
}

#[test]
fn replicas_that_take_over_are_gone_through_from_the_beginning() {
    for version in Version::ALL {
        let mut cluster = ClusterConfig::new(version).replicas(3).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            let heir = walk_over_failover(&client, &mut cluster, |cluster, _, replica| {
                cluster.fail_over(replica, ClusterFailover::Takeover);
            });
            assert!(calls(cluster.server(heir), "scan") > 0, "it was gone through");
        });
    }
}

#[test]
fn it_does_not_matter_who_knows_already_that_a_replica_has_taken_over() {
    for version in Version::ALL {
        let mut cluster = ClusterConfig::new(version).replicas(3).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            let heir = walk_over_failover(&client, &mut cluster, |cluster, _, replica| {
                cluster.wire(replica).cluster_failover(ClusterFailover::Takeover).expect("a replica");
            });
            cluster.await_primary(heir);
        });
    }
}

#[test]
fn nodes_that_die_are_gone_through_where_they_have_heirs() {
    for version in Version::ALL {
        let mut cluster = ClusterConfig::new(version).replicas(3).start();
        for runtime in [Runtime::Tokio, Runtime::Blocking] {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            walk_over_failover(&client, &mut cluster, |cluster, primary, replica| {
                cluster.kill(primary);
                cluster.await_primary(replica);
            });
            let dead = (0..cluster.len()).find(|&node| !cluster.server(node).is_running());
            cluster.restart(dead.expect("a node was killed"));
            cluster.await_ok();
        }
    }
}

/// Starts a node and makes it one of the cluster, without slots and unknown to clients.
fn add_node(cluster: &Cluster, version: Version) -> Server {
    let server = ServerConfig::new(version).cluster_node(Duration::from_secs(2)).start();
    let wire = Wire::connect(server.addr(), 3);
    let own = &wire.cluster_nodes().expect("a list")[0];
    wire.cluster_set_config_epoch(100).expect("a fresh node");
    cluster.wire(0).cluster_meet("127.0.0.1", own.port, own.bus_port).expect("a node to meet");
    poll_until("the nodes to know each other", || {
        let is_whole = |wire: &Wire| {
            let nodes = wire.cluster_nodes().expect("a list");
            let knows = |node: &ClusterNode| node.is_connected && !node.flags.contains("handshake");
            nodes.len() == cluster.len() + 1 && nodes.iter().all(knows)
        };
        let all = (0..cluster.len()).all(|node| is_whole(&cluster.wire(node)));
        (all && is_whole(&wire) && wire.cluster_info().expect("lines").is_ok).then_some(())
    });
    server
}

#[test]
fn nodes_that_join_are_found() {
    for version in Version::ALL {
        for runtime in [Runtime::Tokio, Runtime::Blocking] {
            let cluster = ClusterConfig::new(version).start();
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            let server = add_node(&cluster, version);
            let fresh = Wire::connect(server.addr(), 3);
            let id: String = fresh.cluster_myid().expect("an id");
            // One slot of each node: of those that are gone through, and of those that are not.
            let slots =
                [0, 1, 2].map(|node| (slots_of(&cluster, node)[0], cluster.wire(node), cluster.id(node)));
            walk(&client, 100, |step, _| {
                let Some((slot, wire, from)) = slots.get((step - 1) / 2) else { return };
                if step % 2 == 1 {
                    fresh.cluster_setslot(*slot, SetSlot::Importing((*from).into())).expect("a primary");
                    wire.cluster_setslot(*slot, SetSlot::Migrating(id.clone())).expect("a primary");
                    move_some(wire, &server, *slot, KEYS as u64 / 2);
                } else {
                    move_some(wire, &server, *slot, KEYS as u64);
                    for wire in [&fresh, wire] {
                        wire.cluster_setslot(*slot, SetSlot::Node(id.clone())).expect("a primary");
                    }
                }
            });
            assert!(fresh.dbsize().expect("a number") >= 3 * KEYS as u64, "slots have moved to the new node");
        }
    }
}

#[test]
fn nodes_are_found_by_other_names_and_without_names() {
    for version in Version::ALL {
        let cluster =
            ClusterConfig::new(version).arg("cluster-preferred-endpoint-type", "unknown-endpoint").start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster)).expect("a client");
            populate(&client);
            walk(&client, usize::MAX, |_, _| {});
            // All are told to be at another host than they are.
            let seed = Endpoint::tcp("localhost", cluster.server(0).port());
            let map = AddressMap::new(|told| match told {
                Endpoint::Tcp { port, .. } => Endpoint::tcp("127.0.0.1", *port),
                other => other.clone(),
            });
            let mapped = Config::default().deployment(ClusterOptions::new([seed]).address_map(map));
            walk(&runtime.connect(mapped).expect("a client"), usize::MAX, |_, _| {});
        });
    }
}

const FIELDS: u32 = 3_000;

/// Walks through a hash in small pages, of which `meanwhile` happens after the first third.
fn walk_hash(client: &AnyClient, meanwhile: impl FnOnce()) {
    let (mut seen, mut meanwhile) = (BTreeSet::new(), Some(meanwhile));
    for field in client.hscan_iter::<u32, u32>("hash", ScanOptions::new().count(50)) {
        seen.insert(field.expect("a field").0);
        if seen.len() as u32 == FIELDS / 3
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
        }
    }
    assert!(meanwhile.is_none(), "it has happened");
    assert!(seen.into_iter().eq(0..FIELDS), "all fields are seen");
}

#[test]
fn collections_are_seen_whole_wherever_they_go() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).replicas(3).start();
        let slot = slot::of(b"hash");
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(&cluster).read_from(ReadFrom::RoundRobin)).expect("a client");
            client.hset("hash", (0..FIELDS).map(|n| (n, n)).collect::<Vec<_>>()).unwrap();
            walk_hash(&client, || {});
            let from = cluster.primary_of(slot);
            let to = (from + 1) % 3;
            walk_hash(&client, || {
                cluster.begin_move(slot, to);
                move_some(&cluster.wire(from), cluster.server(to), slot, 1);
            });
            walk_hash(&client, || cluster.end_move(slot, to));
            let replica = cluster.replicas_of(to)[0];
            poll_until("the replica to follow", || {
                (cluster.wire(replica).dbsize() == cluster.wire(to).dbsize()).then_some(())
            });
            walk_hash(&client, || cluster.fail_over(replica, ClusterFailover::Takeover));
            cluster.fail_over(to, ClusterFailover::Takeover);
        });
    }
}
