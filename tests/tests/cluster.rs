//! Commands about clusters against real ones: one node, and several.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redstart_core::command::slot;
use redstart_core::commands::{
    ClusterCommands, ClusterFailover, ClusterHost, ClusterNode, ClusterReset, ClusterRole, EpochBump,
    LinkDirection, NodeHealth, ServerCommands, SetSlot, SlotMetric, SlotOrder, SlotRange, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Protocol, Target, for_each_protocol};
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::{ServerConfig, Version, poll_until};
use redstart_tests::wire::{Wire, is_unknown_command};

const ALL: SlotRange = SlotRange::new(0, 16_383);

/// A fresh node alone, without slots, of every version with every protocol.
fn for_each_node(mut test: impl FnMut(&Wire, &Target)) {
    for version in Version::ALL {
        let config = ServerConfig::new(version).cluster_node(Duration::from_secs(2));
        for_each_protocol(&config, |target| {
            test(&Wire::connect(target.addr(), target.protocol().number()), target);
        });
    }
}

/// Connections to a node, one for each protocol.
fn both(cluster: &Cluster, index: usize) -> [Wire; 2] {
    Protocol::ALL.map(|protocol| Wire::connect(cluster.server(index).addr(), protocol.number()))
}

fn until_serving(wire: &Wire) {
    poll_until("the node to serve", || wire.cluster_info().expect("lines").is_ok.then_some(()));
}

#[test]
fn slots_of_one_node() {
    for_each_node(|wire, target| {
        let own = || wire.cluster_nodes().unwrap().pop().unwrap();
        let node = own();
        assert_eq!((&node.id, node.port), (&wire.cluster_myid().unwrap(), target.port()));
        assert_eq!((node.id.len(), node.ip.as_str(), node.hostname.as_deref()), (40, "", None));
        assert!(node.bus_port.is_some_and(|port| port != target.port()));
        assert!(node.is_myself() && node.is_primary() && node.is_connected && node.primary.is_none());
        assert_eq!((node.slots, node.ping_sent, node.pong_received), (vec![], None, None));
        assert!(wire.cluster_slots().unwrap().is_empty());
        assert_eq!(wire.cluster_shards().unwrap()[0].slots, []);

        wire.cluster_addslots([7, 1, 2]).unwrap();
        wire.cluster_addslots(4).unwrap();
        wire.cluster_addslotsrange([10..=20, 21..=30]).unwrap();
        let [low, four, seven, high] =
            [(1, 2), (4, 4), (7, 7), (10, 30)].map(|(start, end)| SlotRange::new(start, end));
        assert_eq!(own().slots, [low, four, seven, high]);
        assert_eq!(wire.cluster_shards().unwrap()[0].slots, [low, four, seven, high]);
        let served = |wire: &Wire| -> Vec<SlotRange> {
            wire.cluster_slots().unwrap().iter().map(|slots| slots.range).collect()
        };
        assert_eq!(served(wire), [low, four, seven, high]);
        assert!(wire.cluster_addslotsrange([29..=31]).is_err(), "two of them are served");
        assert!(wire.cluster_addslots(16_384).is_err());

        wire.cluster_delslots([4, 7]).unwrap();
        wire.cluster_delslotsrange([12..=30]).unwrap();
        assert_eq!(served(wire), [low, SlotRange::new(10, 11)]);
        assert!(wire.cluster_delslots(4).is_err(), "nobody serves it");
        wire.cluster_flushslots().unwrap();
        assert_eq!(served(wire), []);
    });
}

#[test]
fn the_state_of_one_node() {
    for_each_node(|wire, target| {
        let info = wire.cluster_info().unwrap();
        assert_eq!((info.is_ok, info.slots_assigned, info.known_nodes), (false, 0, 1));
        assert_eq!(wire.set("k", "v").unwrap_err().code(), Some(ServerCode::ClusterDown));

        wire.cluster_addslotsrange([ALL]).unwrap();
        until_serving(wire);
        let info = wire.cluster_info().unwrap();
        assert_eq!(
            (info.slots_assigned, info.slots_ok, info.slots_pfail, info.slots_fail),
            (16_384, 16_384, 0, 0)
        );
        assert_eq!((info.size, info.current_epoch, info.my_epoch), (1, 0, 0));
        assert_eq!((info.messages_sent, info.messages_received), (0, 0));
        assert!(info.other.contains_key("total_cluster_links_buffer_limit_exceeded"), "{:?}", info.other);

        assert_eq!(wire.cluster_bumpepoch().unwrap(), EpochBump::Bumped(1));
        assert_eq!(wire.cluster_bumpepoch().unwrap(), EpochBump::Still(1));
        assert_eq!(wire.cluster_info().unwrap().my_epoch, 1);
        assert!(wire.cluster_set_config_epoch(5).is_err(), "it has one");
        assert!(wire.cluster_failover(ClusterFailover::Agreed).is_err(), "it is no replica");
        wire.cluster_saveconfig().unwrap();
        let file = std::fs::read_to_string(target.dir().join("nodes.conf")).unwrap();
        assert!(file.contains("0-16383"), "{file}");
        assert_eq!(wire.cluster_links().unwrap(), []);
        assert!(wire.cluster_count_failure_reports("nobody").is_err());
        assert_eq!(wire.cluster_count_failure_reports(wire.cluster_myid().unwrap()).unwrap(), 0);

        let shard = wire.cluster_myshardid();
        match target.version() {
            Version::V7 => assert!(is_unknown_command(shard)),
            Version::V8 => assert_eq!(shard.unwrap().len(), 40),
        }
    });
}

#[test]
fn a_node_is_reset() {
    for_each_node(|wire, _| {
        let id = wire.cluster_myid().unwrap();
        wire.cluster_set_config_epoch(5).unwrap();
        wire.cluster_addslotsrange([ALL]).unwrap();
        wire.cluster_reset(ClusterReset::Soft).unwrap();
        let node = &wire.cluster_nodes().unwrap()[0];
        assert_eq!((&node.id, node.config_epoch, node.slots.len()), (&id, 5, 0));

        wire.cluster_reset(ClusterReset::Hard).unwrap();
        let node = &wire.cluster_nodes().unwrap()[0];
        assert!(node.id != id && node.config_epoch == 0);

        wire.cluster_addslotsrange([ALL]).unwrap();
        until_serving(wire);
        wire.set("k", "v").unwrap();
        assert!(wire.cluster_reset(ClusterReset::Soft).is_err(), "it has a key");
        assert!(wire.cluster_flushslots().is_err(), "it has a key");
    });
}

#[test]
fn keys_of_slots() {
    for_each_node(|wire, _| {
        wire.cluster_addslotsrange([ALL]).unwrap();
        until_serving(wire);
        for key in ["hello", "{user1000}.x", "", "foo"] {
            assert_eq!(wire.cluster_keyslot(key).unwrap(), slot::of(key.as_bytes()));
        }
        let names: BTreeSet<String> = (0..5).map(|n| format!("{n}{{foo}}")).collect();
        for name in &names {
            wire.set(name, 1).unwrap();
        }
        wire.set("bar", 1).unwrap();
        assert_eq!(wire.cluster_countkeysinslot(slot::of(b"foo")).unwrap(), 5);
        assert_eq!(wire.cluster_countkeysinslot(0).unwrap(), 0);
        let keys: Vec<String> = wire.cluster_getkeysinslot(slot::of(b"foo"), 100).unwrap();
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>(), names);
        assert_eq!(wire.cluster_getkeysinslot::<String>(slot::of(b"foo"), 2).unwrap().len(), 2);
        assert!(wire.cluster_getkeysinslot::<String>(0, 10).unwrap().is_empty());
    });
}

#[test]
fn statistics_of_slots() {
    for_each_node(|wire, target| {
        let foo = slot::of(b"foo");
        wire.cluster_addslotsrange([0..=99, foo..=foo]).unwrap();
        if target.version() == Version::V7 {
            assert!(is_unknown_command(wire.cluster_slot_stats(ALL)));
            return;
        }
        wire.config_set([("cluster-require-full-coverage", "no")]).unwrap();
        until_serving(wire);
        let stats = wire.cluster_slot_stats(SlotRange::new(98, 16_383)).unwrap();
        assert_eq!(stats.iter().map(|stats| stats.slot).collect::<Vec<_>>(), [98, 99, foo]);
        assert_eq!((stats[0].key_count, stats[0].cpu, stats[0].network_bytes_in), (0, None, None));
        assert!(wire.cluster_slot_stats(SlotOrder::by(SlotMetric::Cpu)).is_err(), "it is not counted");

        wire.config_set([("cluster-slot-stats-enabled", "yes")]).unwrap();
        wire.set("foo", "x".repeat(100_000)).unwrap();
        assert_eq!(wire.get::<String>("foo").unwrap().map(|value| value.len()), Some(100_000));
        for metric in
            [SlotMetric::KeyCount, SlotMetric::Cpu, SlotMetric::NetworkBytesIn, SlotMetric::NetworkBytesOut]
        {
            let first = wire.cluster_slot_stats(SlotOrder::by(metric).limit(1)).unwrap();
            let [first] = &first[..] else { panic!("{metric:?}: {first:?}") };
            assert_eq!((first.slot, first.key_count), (foo, 1));
            assert!(first.cpu.unwrap() > Duration::ZERO, "{first:?}");
            assert!(first.network_bytes_in.unwrap() > 100_000, "{first:?}");
            assert!(first.network_bytes_out.unwrap() > 100_000, "{first:?}");
            assert!(first.other.is_empty(), "{first:?}");
            let last = wire.cluster_slot_stats(SlotOrder::by(metric).ascending()).unwrap();
            assert_eq!((last.len(), last.last().map(|stats| stats.slot)), (101, Some(foo)));
        }
    });
}

#[test]
fn hosts_are_named_as_configured() {
    for_each_node(|wire, _| {
        wire.cluster_addslotsrange([ALL]).unwrap();
        let hosts = || {
            let slots = wire.cluster_slots().unwrap().remove(0);
            let shard = wire.cluster_shards().unwrap().remove(0);
            let primary = slots.primary().unwrap();
            assert_eq!(primary.port, shard.primary().unwrap().port.unwrap());
            (primary.host.clone(), shard.primary().unwrap().host.clone())
        };
        assert_eq!(hosts(), (ClusterHost::Asked, ClusterHost::Asked), "it knows no address of its own");

        wire.config_set([("cluster-announce-ip", "127.0.0.1")]).unwrap();
        let named = |name: &str| ClusterHost::Named(name.to_owned());
        assert_eq!(hosts(), (named("127.0.0.1"), named("127.0.0.1")));
        assert!(wire.cluster_slots().unwrap()[0].nodes[0].metadata.is_empty());

        let prefer = |kind: &str| wire.config_set([("cluster-preferred-endpoint-type", kind)]).unwrap();
        prefer("unknown-endpoint");
        assert_eq!(hosts().0, ClusterHost::Asked);
        assert_eq!(wire.cluster_slots().unwrap()[0].nodes[0].metadata["ip"], "127.0.0.1");

        prefer("hostname");
        assert_eq!(hosts(), (ClusterHost::Unknown, ClusterHost::Unknown));
        wire.config_set([("cluster-announce-hostname", "node.example")]).unwrap();
        assert_eq!(hosts(), (named("node.example"), named("node.example")));
        let node = &wire.cluster_nodes().unwrap()[0];
        assert_eq!((node.ip.as_str(), node.hostname.as_deref()), ("127.0.0.1", Some("node.example")));
        assert!(node.other.is_empty(), "{:?}", node.other);
        let shard = &wire.cluster_shards().unwrap()[0].nodes[0];
        assert_eq!((shard.ip.as_str(), shard.hostname.as_deref()), ("127.0.0.1", Some("node.example")));

        prefer("ip");
        let slots = wire.cluster_slots().unwrap();
        assert_eq!(slots[0].nodes[0].metadata["hostname"], "node.example");
        assert_eq!(slots[0].nodes[0].id, wire.cluster_myid().ok());
    });
}

#[test]
fn nodes_shards_and_slots_say_the_same() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).replicas(3).start();
        for wire in both(&cluster, 0) {
            let nodes = wire.cluster_nodes().unwrap();
            let shards = wire.cluster_shards().unwrap();
            let slots = wire.cluster_slots().unwrap();
            assert_eq!((nodes.len(), shards.len(), slots.len()), (6, 3, 3));
            for index in 0..6 {
                let node = nodes.iter().find(|node| node.id == cluster.id(index)).unwrap();
                check_node(&cluster, index, node);
                let shard =
                    shards.iter().find(|shard| shard.nodes.iter().any(|seen| seen.id == node.id)).unwrap();
                let seen = shard.nodes.iter().find(|seen| seen.id == node.id).unwrap();
                assert_eq!((&seen.ip, seen.port, seen.tls_port), (&node.ip, Some(node.port), None));
                assert_eq!(seen.host, ClusterHost::Named("127.0.0.1".into()));
                assert_eq!(seen.role == ClusterRole::Primary, node.is_primary());
                assert_eq!(seen.health, NodeHealth::Online);
                assert_eq!(shard.primary().map(|node| node.id.as_str()), Some(cluster.id(index % 3)));
                assert_eq!(
                    shard.replicas().map(|node| &*node.id).collect::<Vec<_>>(),
                    [cluster.id(index % 3 + 3)]
                );

                let slots = slots.iter().find(|slots| slots.range == shard.slots[0]).unwrap();
                assert_eq!(slots.primary().unwrap().id.as_deref(), Some(cluster.id(index % 3)));
                assert_eq!(slots.replicas()[0].id.as_deref(), Some(cluster.id(index % 3 + 3)));
                assert_eq!(slots.replicas()[0].port, cluster.server(index % 3 + 3).port());
            }
            let info = wire.cluster_info().unwrap();
            assert_eq!((info.known_nodes, info.size), (6, 3));
            assert!(info.messages_sent > 0 && info.messages_received > 0 && info.current_epoch >= 6);
            if version == Version::V8 {
                let ids: BTreeSet<_> =
                    (0..6).map(|index| cluster.wire(index).cluster_myshardid().unwrap()).collect();
                assert_eq!(ids.len(), 3);
            }
        }
    }
}

/// What node 0 of six says of a node, of which the last three follow the first three.
fn check_node(cluster: &Cluster, index: usize, node: &ClusterNode) {
    assert_eq!((node.ip.as_str(), node.port), ("127.0.0.1", cluster.server(index).port()));
    assert_eq!((node.is_myself(), node.is_replica()), (index == 0, index >= 3));
    assert!(node.is_connected && !node.has_failed());
    assert_eq!(node.primary.as_deref(), (index >= 3).then(|| cluster.id(index - 3)));
    assert_eq!(node.slots.len(), usize::from(index < 3));
    if index != 0 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
        let answered = node.pong_received.expect("an answer").as_millis();
        let ago = now.saturating_sub(Duration::from_millis(answered));
        assert!(ago < Duration::from_secs(60), "{ago:?}");
    }
}

#[test]
fn links_replicas_and_reports_of_failures() {
    for version in Version::ALL {
        let mut cluster = ClusterConfig::new(version).replicas(1).start();
        for wire in both(&cluster, 0) {
            let links = wire.cluster_links().unwrap();
            for direction in [LinkDirection::To, LinkDirection::From] {
                let linked = links.iter().filter(|link| link.direction == direction).map(|link| &*link.node);
                let others = (1..4).map(|index| cluster.id(index)).collect::<BTreeSet<_>>();
                assert_eq!(linked.collect::<BTreeSet<_>>(), others);
            }
            assert!(
                links.iter().all(|link| link.created.as_millis() > 0 && link.events.contains('r')),
                "{links:?}"
            );
            for replicas in [wire.cluster_replicas(cluster.id(0)), wire.cluster_slaves(cluster.id(0))] {
                let replicas = replicas.unwrap();
                assert_eq!((replicas.len(), replicas[0].id.as_str()), (1, cluster.id(3)));
                assert_eq!(replicas[0].primary.as_deref(), Some(cluster.id(0)));
            }
            assert!(wire.cluster_replicas(cluster.id(1)).unwrap().is_empty());
            assert!(wire.cluster_replicas(cluster.id(3)).is_err(), "it is no primary");
            assert_eq!(wire.cluster_count_failure_reports(cluster.id(2)).unwrap(), 0);
        }

        cluster.kill(2);
        for wire in both(&cluster, 0) {
            poll_until("the report of the other primary", || {
                (wire.cluster_count_failure_reports(cluster.id(2)).unwrap() == 1).then_some(())
            });
            poll_until("the node to be given up", || {
                let nodes = wire.cluster_nodes().unwrap();
                nodes.iter().any(|node| node.id == cluster.id(2) && node.has_failed()).then_some(())
            });
            let info = wire.cluster_info().unwrap();
            assert!(!info.is_ok && info.slots_fail > 5000 && info.slots_ok < 11_000, "{info:?}");
            let shards = wire.cluster_shards().unwrap();
            let failed = shards.iter().flat_map(|shard| &shard.nodes).find(|node| node.id == cluster.id(2));
            assert_eq!(failed.unwrap().health, NodeHealth::Failed);
        }
    }
}

#[test]
fn a_slot_on_its_way() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        let slot = slot::of(b"foo");
        let (from, to) = (cluster.primary_of(slot), (cluster.primary_of(slot) + 1) % 3);
        let own =
            |wire: &Wire| wire.cluster_nodes().unwrap().into_iter().find(ClusterNode::is_myself).unwrap();
        let pairs = both(&cluster, from).into_iter().zip(both(&cluster, to));
        for (source, target) in pairs {
            let (here, there) = (cluster.id(from).to_owned(), cluster.id(to).to_owned());
            target.cluster_setslot(slot, SetSlot::Importing(here.clone())).unwrap();
            source.cluster_setslot(slot, SetSlot::Migrating(there.clone())).unwrap();
            assert_eq!(own(&source).migrating, [(slot, there.clone())].into());
            assert_eq!(own(&target).importing, [(slot, here.clone())].into());
            assert_eq!(source.get::<String>("foo").unwrap_err().code(), Some(ServerCode::Ask));

            source.cluster_setslot(slot, SetSlot::Stable).unwrap();
            assert!(own(&source).migrating.is_empty());
            assert_eq!(source.get::<String>("foo").unwrap(), None);
            assert!(source.cluster_setslot(slot, SetSlot::Importing(there)).is_err(), "it has the slot");
            target.cluster_setslot(slot, SetSlot::Stable).unwrap();
            assert!(own(&target).importing.is_empty());
            source.cluster_setslot(slot, SetSlot::Node(here)).unwrap();
        }
        assert_eq!(cluster.primary_of(slot), from);
    }
}

#[test]
fn a_node_is_met_and_forgotten() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        // Found by its port alone: its bus port is where it is by default.
        let config = ServerConfig::new(version).cluster_node(Duration::from_secs(2)).arg("cluster-port", 0);
        let guest = config.start();
        let [two, three] = Protocol::ALL.map(|protocol| Wire::connect(guest.addr(), protocol.number()));
        let id = three.cluster_myid().unwrap();
        let hosts = [0, 1, 2].map(|index| cluster.wire(index));
        let is_known = |wire: &Wire| {
            let nodes = wire.cluster_nodes().unwrap();
            nodes.iter().any(|node| node.id == id && node.is_connected)
        };
        hosts[0].cluster_meet("127.0.0.1", guest.port(), None).unwrap();
        assert!(hosts[0].cluster_meet("node.example", guest.port(), None).is_err(), "names are not resolved");
        poll_until("all to know the guest", || hosts.iter().all(is_known).then_some(()));

        two.cluster_replicate(cluster.id(0)).unwrap();
        poll_until("the guest to be a replica", || {
            let replicas = hosts[0].cluster_replicas(cluster.id(0)).unwrap();
            replicas.iter().any(|node| node.id == id).then_some(())
        });
        assert!(hosts[0].cluster_replicate(cluster.id(1)).is_err(), "it serves slots");
        assert!(hosts[0].cluster_forget(cluster.id(0)).is_err(), "a node cannot forget itself");
        assert!(three.cluster_forget(cluster.id(0)).is_err(), "a replica cannot forget its primary");

        // A node that is gone tells nobody of itself.
        drop(guest);
        for host in &hosts {
            // Since 7.2 the first one that is told tells the others.
            assert!(host.cluster_forget(&id).is_ok() || version == Version::V8);
        }
        assert!(!hosts.iter().any(is_known));
    }
}
