//! Commands that concern several slots or several nodes of a real cluster: they are split, sent to all, or
//! refused, and there is one reply.

use std::collections::BTreeSet;
use std::thread;

use bytes::Bytes;
use redstart_core::command::{Command, Join, Prepare as p, Route, Run, slot};
use redstart_core::commands::{
    AclCommands, AclRules, ClusterCommands, ConnectionCommands, FlushMode, FunctionCommands, KeyCommands,
    LibraryLoad, ListCommands, Role, Script, ScriptingCommands, ServerCommands, SetCommands, SlotRange,
    SlowlogCommands, StringCommands,
};
use redstart_core::config::{Endpoint, Protocol};
use redstart_core::error::{Delivery, ErrorKind, ServerCode};
use redstart_core::{Config, Error};
use redstart_tests::clients::{AnyClient, Runtime};
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::{Version, poll_until};

/// Starts a cluster of each version and runs the test on it, empty, with clients of both protocols.
fn for_each_client(config: impl Fn(ClusterConfig) -> ClusterConfig, test: impl Fn(&Cluster, &AnyClient)) {
    for version in Version::ALL {
        let cluster = config(ClusterConfig::new(version)).start();
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            for runtime in [Runtime::Tokio, Runtime::Blocking] {
                // Shown by the test runner when the test fails.
                eprintln!("{version:?}, {protocol:?}, {runtime:?}");
                let seed = Endpoint::tcp("127.0.0.1", cluster.server(1).port());
                let client = runtime.connect(Config::cluster([seed]).protocol(protocol)).expect("a client");
                client.flushall(FlushMode::Sync).expect("all primaries are up");
                test(&cluster, &client);
            }
        }
    }
}

fn three_primaries(config: ClusterConfig) -> ClusterConfig {
    config
}

fn with_replicas(config: ClusterConfig) -> ClusterConfig {
    config.replicas(3)
}

/// Keys that lie on all of three primaries.
fn keys() -> Vec<String> {
    let keys: Vec<String> = (0..100).map(|number| format!("key:{number}")).collect();
    let shards: BTreeSet<u16> = keys.iter().map(|key| shard(key)).collect();
    assert_eq!(shards.len(), 3, "every shard has keys");
    keys
}

/// The primary, of three, that serves a key.
fn shard(key: &str) -> u16 {
    slot::of(key.as_bytes()) / 5_462
}

/// A key of this primary.
fn key_on(primary: u16) -> String {
    keys().into_iter().find(|key| shard(key) == primary).expect("every shard has keys")
}

/// How many keys each node has.
fn sizes(cluster: &Cluster) -> Vec<u64> {
    (0..cluster.len()).map(|node| cluster.wire(node).dbsize().expect("a size")).collect()
}

fn is_cross_slot(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::CrossSlot { .. }) && error.delivery() == Delivery::NotSent
}

#[test]
fn keys_of_several_slots_are_one_call() {
    for_each_client(three_primaries, |cluster, client| {
        let keys = keys();
        let pairs: Vec<(&String, &String)> = keys.iter().map(|key| (key, key)).collect();
        client.mset(pairs).unwrap();
        let sizes = sizes(cluster);
        assert!(sizes.iter().all(|&size| size > 0) && sizes.iter().sum::<u64>() == 100, "{sizes:?}");

        client.rpush("key:7", "x").expect_err("a string");
        client.del("key:9").unwrap();
        client.rpush("key:9", "no string").unwrap();
        let mut asked = keys.clone();
        asked.splice(3..3, ["missing".to_owned(), "key:99".to_owned()]);
        let expected = asked.iter().map(|key| match &**key {
            "missing" | "key:9" => None,
            key => Some(key.to_owned()),
        });
        assert_eq!(client.mget::<String>(&asked).unwrap(), expected.collect::<Vec<_>>(), "in their order");

        assert_eq!(client.exists(["key:1", "key:2", "missing", "key:1", "key:3"]), Ok(4));
        assert_eq!(client.touch(["key:1", "key:2", "missing"]), Ok(2));
        assert_eq!(client.unlink(["key:1", "key:2", "missing", "key:3"]), Ok(3));
        assert_eq!(client.del(&keys), Ok(97));
        assert_eq!(client.dbsize(), Ok(0));
    });
}

#[test]
fn large_values_arrive_whole() {
    for_each_client(three_primaries, |_, client| {
        let value = |fill: u8| Bytes::from(vec![fill; 300_000 + usize::from(fill)]);
        let pairs: Vec<(String, Bytes)> = keys().into_iter().zip((1..=20).map(value)).collect();
        client.mset(&pairs).unwrap();
        let names: Vec<&String> = pairs.iter().map(|(key, _)| key).collect();
        let values: Vec<Option<Bytes>> = client.mget(names).unwrap();
        assert!(values.into_iter().flatten().eq(pairs.iter().map(|(_, value)| value.clone())));
    });
}

#[test]
fn what_cannot_be_split_is_refused_and_does_nothing() {
    for_each_client(three_primaries, |_, client| {
        let (a, b) = (&key_on(0), &key_on(2));
        assert!(is_cross_slot(&client.msetnx([(a, 1), (b, 2)]).unwrap_err()));
        assert!(is_cross_slot(&client.rename(a, b).unwrap_err()));
        assert!(is_cross_slot(&client.sunionstore("s", [a, b]).unwrap_err()));
        assert!(is_cross_slot(&client.eval::<()>("return 1", [a, b], ()).unwrap_err()));
        let error = client.transaction((p.set(a, 1), p.set(b, 2))).unwrap_err();
        assert!(is_cross_slot(&error) && error.command() == Some("MULTI"), "{error}");
        // What is split elsewhere is not in a transaction, which is for one slot.
        assert!(is_cross_slot(&client.transaction((p.mset([(a, 1), (b, 2)]),)).unwrap_err()));

        let (set, renamed, mset) = client.try_pipeline((p.set(a, 1), p.rename(a, b), p.mset([(a, 1)])));
        for error in [set.unwrap_err(), renamed.unwrap_err(), mset.unwrap_err()] {
            assert!(is_cross_slot(&error) && error.command() == Some("RENAME"), "{error}");
        }
        assert_eq!(client.dbsize(), Ok(0), "nothing has run");
    });
}

#[test]
fn pipelines_keep_their_order_over_slots_and_nodes() {
    for_each_client(three_primaries, |_, client| {
        let keys = keys();
        let commands = keys.iter().flat_map(|key| [p.incrby(key, 5), p.incr(key), p.strlen(key).reply_as()]);
        let replies = client.pipeline(commands.collect::<Vec<_>>()).unwrap();
        assert_eq!(replies, [5, 6, 1].repeat(100), "commands on one key in their order");

        let (a, b, c) = (&key_on(0), &key_on(1), &key_on(2));
        let (set, values, size, deleted, missing, left) = client
            .pipeline((
                p.mset([(a, "1"), (c, "3"), (b, "2")]),
                p.mget::<String>([c, a, b, a]),
                p.dbsize(),
                p.del(&keys),
                p.get::<String>(a),
                p.keys::<String>("*"),
            ))
            .unwrap();
        let values: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
        assert_eq!((set, &*values, size, deleted), ((), &["3", "1", "2", "1"][..], 100, 100));
        assert_eq!((missing, left), (None, vec![]));

        client.rpush(b, "no number").unwrap();
        let outcomes = client.try_pipeline((p.incr(a), p.incr(b), p.mset([(a, 7), (c, 7)]), p.incr(c)));
        assert_eq!((outcomes.0, outcomes.2, outcomes.3), (Ok(1), Ok(()), Ok(8)));
        let error = outcomes.1.unwrap_err();
        assert_eq!((error.code(), error.command()), (Some(ServerCode::WrongType), Some("INCR")));
    });
}

#[test]
fn transactions_stay_in_one_slot() {
    for_each_client(three_primaries, |_, client| {
        for primary in 0..3 {
            let key = &key_on(primary);
            let other = &format!("{{{key}}}:other");
            let (sums, values, size) = client
                .transaction((p.mset([(key, 1), (other, 2)]), p.mget::<u8>([key, other]), p.dbsize()))
                .map(|((), values, size)| (values.iter().flatten().sum::<u8>(), values.len(), size))
                .unwrap();
            assert_eq!((sums, values, size), (3, 2, 2), "its size is that of its own node");
        }
        assert_eq!(client.dbsize(), Ok(6));
    });
}

#[test]
fn some_commands_ask_all_primaries() {
    for_each_client(with_replicas, |cluster, client| {
        assert_eq!((client.dbsize(), client.randomkey::<String>()), (Ok(0), Ok(None)));
        // Whichever shard has the only key.
        for primary in 0..3 {
            let key = key_on(primary);
            client.set(&key, 1).unwrap();
            assert_eq!(client.randomkey(), Ok(Some(key.clone())));
            assert_eq!(client.keys("key:*"), Ok(vec![key.clone()]));
            assert_eq!(client.del(key), Ok(1));
        }
        let mut keys = keys();
        client.mset(keys.iter().map(|key| (key, 1)).collect::<Vec<_>>()).unwrap();
        let mut found: Vec<String> = client.keys("*").unwrap();
        keys.sort();
        found.sort();
        assert_eq!((client.dbsize(), found), (Ok(100), keys.clone()));

        assert_eq!((client.ping(), client.ping_with("hello")), (Ok(()), Ok("hello".to_owned())));
        assert_eq!(client.memory_purge(), Ok(()));
        for _ in 0..10 {
            assert!(matches!(client.role(), Ok(Role::Primary { .. })), "of one node, never a replica");
        }

        // A write is at one replica of each shard.
        let wait = Command::<u64>::new("WAIT").arg(1).arg(20_000);
        assert_eq!(client.run(wait.route(Route::AllPrimaries).join(Join::Min)), Ok(1));
        assert_eq!(client.flushall(FlushMode::Sync), Ok(()));
        poll_until("the replicas to follow", || (sizes(cluster) == [0; 6]).then_some(()));
    });
}

#[test]
fn settings_and_scripts_are_for_all_nodes() {
    for_each_client(with_replicas, |cluster, client| {
        let nodes = || (0..cluster.len()).map(|node| cluster.wire(node));
        for setting in ["100mb", "0"] {
            client.config_set([("maxmemory", setting)]).unwrap();
            let bytes = if setting == "0" { "0" } else { "104857600" };
            assert!(nodes().all(|wire| wire.config_get("maxmemory").unwrap()["maxmemory"] == bytes));
            assert_eq!(client.config_get("maxmemory").unwrap()["maxmemory"], bytes);
        }
        let error = client.config_set([("maxmemory", "much")]).unwrap_err();
        assert_eq!((error.command(), error.code()), (Some("CONFIG SET"), Some(ServerCode::Err)));

        client.script_flush(FlushMode::Sync).unwrap();
        let script = Script::new("return {KEYS[1], redis.call('INCR', KEYS[1])}");
        cluster.wire(2).script_load(script.text()).unwrap();
        assert_eq!(client.script_exists([script.sha1()]), Ok(vec![false]), "one primary knows it");
        assert_eq!(client.script_load(script.text()).as_deref(), Ok(script.sha1()));
        assert_eq!(client.script_exists([script.sha1(), "0"]), Ok(vec![true, false]));
        assert!(nodes().all(|wire| wire.script_exists([script.sha1()]) == Ok(vec![true])));
        let keys = keys();
        let calls = keys.iter().map(|key| script.evalsha::<(String, u8)>(key, ()));
        let replies = client.pipeline(calls.collect::<Vec<_>>()).unwrap();
        assert!(replies.iter().eq(keys.iter().map(|key| (key.clone(), 1)).collect::<Vec<_>>().iter()));

        client.script_flush(FlushMode::Sync).unwrap();
        assert!(nodes().all(|wire| wire.script_exists([script.sha1()]) == Ok(vec![false])));

        let code =
            "#!lua name=lib\nredis.register_function('twice', function(_, args) return 2 * args[1] end)";
        assert_eq!(client.function_load(code, LibraryLoad::Replace).as_deref(), Ok("lib"));
        for primary in 0..3 {
            assert_eq!(client.fcall::<u64>("twice", key_on(primary), 21), Ok(42));
        }
        client.function_delete("lib").unwrap();
        assert_eq!(client.fcall::<u64>("twice", key_on(2), 21).unwrap_err().code(), Some(ServerCode::Err));

        client.acl_setuser("ann", AclRules::new().enable()).unwrap();
        assert!(nodes().all(|wire| wire.acl_getuser("ann").unwrap().is_some_and(|ann| ann.is_enabled())));
        assert_eq!(client.acl_deluser("ann"), Ok(1));
        assert!(nodes().all(|wire| wire.acl_getuser("ann") == Ok(None)));
        client.slowlog_reset().unwrap();
        assert!(nodes().all(|wire| wire.slowlog_len() == Ok(0)));
    });
}

#[test]
fn a_script_is_stopped_wherever_it_runs() {
    // Below that a busy server listens to nobody.
    let impatient = |config: ClusterConfig| config.arg("busy-reply-threshold", 20);
    for_each_client(impatient, |cluster, client| {
        let error = client.script_kill().unwrap_err();
        assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NotBusy), Delivery::Rejected));
        for node in 0..3 {
            thread::scope(|scope| {
                let wire = move || cluster.wire(node);
                let run = scope.spawn(move || wire().eval::<()>("while true do end", (), ()));
                poll_until("the script to be stopped", || client.script_kill().ok());
                let error = run.join().expect("no panic").unwrap_err();
                assert!(error.to_string().contains("killed by user"), "{error}");
            });
        }
    });
}

#[test]
fn questions_about_a_slot_go_to_its_node() {
    for_each_client(three_primaries, |cluster, client| {
        for key in (0..3).map(key_on) {
            let slot = slot::of(key.as_bytes());
            client.mset([(&key, 1), (&format!("{{{key}}}"), 2)]).unwrap();
            assert_eq!(client.cluster_countkeysinslot(slot), Ok(2));
            let found: Vec<String> = client.cluster_getkeysinslot(slot, 10).unwrap();
            assert_eq!(BTreeSet::from_iter(found), BTreeSet::from([key.clone(), format!("{{{key}}}")]));
        }
        let error = client.cluster_countkeysinslot(16_384).unwrap_err();
        assert_eq!(error.code(), Some(ServerCode::Err), "any node says that there is none");
        if cluster.server(0).version() == Version::V8 {
            let stats = client.cluster_slot_stats(SlotRange::from(0..=16_383)).unwrap();
            let slots: BTreeSet<u16> = stats.iter().map(|stats| stats.slot).collect();
            assert_eq!((stats.len(), slots.len()), (16_384, 16_384), "each slot once");
            assert_eq!(stats.iter().map(|stats| stats.key_count).sum::<u64>(), 6);
        }
    });
}

#[test]
fn the_error_of_one_part_says_what_became_of_the_whole() {
    for_each_client(three_primaries, |cluster, client| {
        let (a, b, c) = (&key_on(0), &key_on(1), &key_on(2));
        client.mset([(a, 1), (b, 1), (c, 1)]).unwrap();
        let forbid = |rule: &str| {
            let set = Command::<()>::new("ACL SETUSER").arg("default").arg(rule);
            cluster.wire(1).run(set).expect("the rule is legal");
        };
        let fate = |error: Error| {
            assert_eq!(error.code(), Some(ServerCode::NoPerm), "{error}");
            let node = format!("127.0.0.1:{}", cluster.server(1).port());
            assert_eq!(error.node(), Some(&*node), "it names its node");
            (error.command().map(str::to_owned), error.delivery())
        };
        let of = |name: &str, delivery| (Some(name.to_owned()), delivery);

        ["-mget", "-del", "-mset", "-dbsize", "-flushall"].into_iter().for_each(forbid);
        assert_eq!(fate(client.mget::<u8>([a, b, c]).unwrap_err()), of("MGET", Delivery::Rejected));
        assert_eq!(fate(client.dbsize().unwrap_err()), of("DBSIZE", Delivery::Rejected));
        assert_eq!(fate(client.del([b]).unwrap_err()), of("DEL", Delivery::Rejected));
        assert_eq!(fate(client.del([a, b]).unwrap_err()), of("DEL", Delivery::MaybeExecuted));
        assert_eq!(client.exists([a, b, c]), Ok(2), "what has run is not undone");
        let outcomes = client.try_pipeline((p.mset([(a, 2), (b, 2)]), p.get::<u8>(a), p.get::<u8>(b)));
        assert_eq!(fate(outcomes.0.unwrap_err()), of("MSET", Delivery::MaybeExecuted));
        assert_eq!((outcomes.1, outcomes.2), (Ok(Some(2)), Ok(Some(1))));
        let error = client.flushall(FlushMode::Sync).unwrap_err();
        assert_eq!(fate(error), of("FLUSHALL", Delivery::MaybeExecuted));
        assert_eq!(client.exists([a, b, c]), Ok(1), "two nodes are empty");
        forbid("+@all");
    });
}
