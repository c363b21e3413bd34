//! Scripts as callers run them: alone, in pipelines and transactions, on one server and on a cluster, whether the
//! servers know them or not.

use redstart_core::Config;
use redstart_core::client::Options;
use redstart_core::client::session::Sessions;
use redstart_core::command::Prepare as p;
use redstart_core::commands::{FlushMode, KeyCommands, Script, ScriptingCommands, StringCommands};
use redstart_core::config::{Endpoint, Protocol, ReadFrom};
use redstart_core::error::{Delivery, ServerCode};
use redstart_tests::clients::{Runtime, for_each_runtime};
use redstart_tests::live::for_each_target;
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::{Server, Version};

fn get() -> Script {
    Script::new("return redis.call('GET', KEYS[1])")
}

fn incr() -> Script {
    Script::new("return redis.call('INCR', KEYS[1])")
}

/// How often a server was sent a script by its digest, and by its text.
fn calls(server: &Server) -> (u64, u64) {
    let stats = server.cli(&["INFO", "commandstats"]);
    let of = |name: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls="))?.split(',').next());
        line.map_or(0, |calls| calls.parse().expect("a number"))
    };
    (of("evalsha"), of("eval"))
}

#[test]
fn a_server_is_sent_the_text_once() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            target.cli(&["FLUSHALL"]);
            target.cli(&["SCRIPT", "FLUSH"]);
            target.cli(&["CONFIG", "RESETSTAT"]);
            let client = runtime.connect(&*target.url()).unwrap();
            for expected in 1..=3 {
                assert_eq!(client.run_script::<u64>(&incr(), "n", ()), Ok(expected));
            }
            assert_eq!(calls(target), (3, 1));
            assert_eq!(client.run_script_ro::<String>(&get(), "n", ()).as_deref(), Ok("3"));
            assert!(client.run_script_ro::<u64>(&incr(), "n", ()).is_err(), "it would write");
        });
    });
}

#[test]
fn scripts_of_a_pipeline_run_in_its_order_and_so_do_those_of_a_transaction() {
    for_each_target(|target| {
        let client = Runtime::Blocking.connect(&*target.url()).unwrap();
        let (get, incr) = (get(), incr());
        let batch = || {
            let read = || p.run_script::<String>(&get, "k", ());
            (p.set("k", "a"), read(), p.set("k", "b"), read(), p.run_script::<u64>(&incr, "n", ()), read())
        };
        for round in 0..4 {
            if round % 2 == 0 {
                client.script_flush(FlushMode::Sync).unwrap();
            }
            let ((), a, (), b, n, c) = client.pipeline(batch()).unwrap();
            assert_eq!((&*a, &*b, n, &*c), ("a", "b", 2 * round + 1, "b"));
            if round % 2 == 0 {
                client.script_flush(FlushMode::Sync).unwrap();
            }
            let ((), a, (), b, n, c) = client.transaction(batch()).unwrap();
            assert_eq!((&*a, &*b, n, &*c), ("a", "b", 2 * round + 2, "b"));
        }
    });
}

#[test]
fn a_session_is_told_scripts_at_once() {
    for_each_target(|target| {
        let client = Runtime::Blocking.connect(&*target.url()).unwrap();
        client.script_flush(FlushMode::Sync).unwrap();
        let session = client.session().unwrap();
        assert_eq!(session.run_script::<u64>(&incr(), "n", ()), Ok(1));
        assert_eq!(session.transaction((p.run_script::<u64>(&incr(), "n", ()),)), Ok(Some((2,))));
    });
}

#[test]
fn what_a_script_did_before_it_failed_is_not_denied() {
    for_each_target(|target| {
        let client = Runtime::Blocking.connect(&*target.url()).unwrap();
        // What servers themselves say of commands that they turn away.
        let codes = [
            "TRYAGAIN later",
            "LOADING the truck",
            "BUSY elsewhere",
            "CLUSTERDOWN",
            "NOSCRIPT x",
            "MOVED x y",
        ];
        for (count, code) in (1..).zip(codes) {
            let script = format!("redis.call('INCR', KEYS[1]); return redis.error_reply('{code}')");
            let error = client.run_script::<()>(&Script::new(script), "n", ()).unwrap_err();
            assert_eq!(error.delivery(), Delivery::MaybeExecuted, "{code}");
            assert_eq!(client.get::<u64>("n"), Ok(Some(count)), "{code}: it ran once");
        }
        let broken = client.run_script::<()>(&Script::new("return ("), "n", ()).unwrap_err();
        assert_eq!((broken.code(), broken.command()), (Some(ServerCode::Err), Some("EVAL")));
    });
}

#[test]
fn another_user_is_turned_away_before_the_script_runs() {
    let server = Server::start(Version::V8);
    server.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~k", "+@all"]);
    let url = format!("redis://ann:secret@{}/", server.addr());
    let client = Runtime::Blocking.connect(&*url).unwrap();
    let error = client.run_script::<u64>(&incr(), "other", ()).unwrap_err();
    assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NoPerm), Delivery::Rejected));
    assert_eq!(client.run_script::<u64>(&incr(), "k", ()), Ok(1));
}

fn connect(cluster: &Cluster, protocol: Protocol, runtime: Runtime) -> redstart_tests::clients::AnyClient {
    let seed = Endpoint::tcp("127.0.0.1", cluster.server(0).port());
    runtime.connect(Config::cluster([seed]).protocol(protocol)).expect("a client")
}

#[test]
fn each_node_of_a_cluster_is_told_when_its_turn_comes() {
    let cluster = ClusterConfig::new(Version::V8).replicas(3).start();
    let (get, incr) = (get(), incr());
    let keys: Vec<String> = (0..50).map(|number| format!("key:{number}")).collect();
    for (protocol, runtime) in [(Protocol::Resp2, Runtime::Blocking), (Protocol::Resp3, Runtime::Tokio)] {
        let client = connect(&cluster, protocol, runtime);
        client.script_flush(FlushMode::Sync).unwrap();
        client.del(&keys).unwrap();
        for key in &keys {
            assert_eq!(client.run_script::<u64>(&incr, key, ()), Ok(1));
        }
        client.script_flush(FlushMode::Sync).unwrap();
        let calls = |n: u64| keys.iter().map(move |_| n).collect::<Vec<_>>();
        let batch = || keys.iter().map(|key| p.run_script::<u64>(&incr, key, ())).collect::<Vec<_>>();
        assert_eq!(client.pipeline(batch()), Ok(calls(2)));
        client.script_flush(FlushMode::Sync).unwrap();
        let replicas = client.with(Options::new().read_from(ReadFrom::RoundRobin));
        redstart_tests::server::poll_until("the replicas to have all", || {
            let reads = keys.iter().map(|key| p.run_script_ro::<Option<u64>>(&get, key, ()));
            (replicas.pipeline(reads.collect::<Vec<_>>()).unwrap().iter().all(|n| *n == Some(2)))
                .then_some(())
        });
        for key in &keys {
            assert_eq!(replicas.run_script_ro::<u64>(&get, key, ()), Ok(2));
        }
    }
}

#[test]
fn a_script_follows_its_slot() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        let client = connect(&cluster, Protocol::Auto, Runtime::Blocking);
        // Of "foo" the slot is 12182.
        let (slot, from) = (12_182, cluster.primary_of(12_182));
        let to = (from + 1) % 3;
        assert_eq!(client.run_script::<u64>(&incr(), "foo", ()), Ok(1));
        cluster.wire(to).script_flush(FlushMode::Sync).unwrap();
        cluster.begin_move(slot, to);
        // A key that is not there is asked for at the new node (ASK), which does not know the script.
        assert_eq!(client.run_script::<u64>(&incr(), "{foo}2", ()), Ok(1));
        assert_eq!(client.run_script::<u64>(&incr(), "{foo}2", ()), Ok(2));
        cluster.wire(to).script_flush(FlushMode::Sync).unwrap();
        cluster.end_move(slot, to);
        assert_eq!(client.run_script::<u64>(&incr(), "foo", ()), Ok(2), "MOVED is followed, then NOSCRIPT");
        assert_eq!(client.run_script::<u64>(&incr(), "{foo}2", ()), Ok(3));
    }
}
