//! The client against real sentinels: it finds the primary, follows it when another server takes its place,
//! and says why if there is none.

use std::collections::BTreeSet;
use std::time::Duration;

use redstart_core::client::Options;
use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::{
    FlushMode, KeyScanOptions, ScanIterators, SentinelCommands, ServerCommands, StringCommands,
};
use redstart_core::config::{Credentials, Endpoint, Protocol, ReadFrom, SentinelOptions};
use redstart_core::error::{ErrorKind, SentinelFault, ServerCode};
use redstart_core::{Config, Error};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime};
use redstart_tests::load::{Plan, Verdict};
use redstart_tests::server::sentinel::{NAME, SentinelConfig, Sentinels};
use redstart_tests::server::{Server, Version, poll_until};

const WORKERS: usize = 12;
/// Longer than the sentinels take to replace a primary, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(40);

fn at(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.port())
}

/// Options that know these sentinels.
fn options<'a>(sentinels: impl IntoIterator<Item = &'a Server>) -> SentinelOptions {
    SentinelOptions::new(NAME, sentinels.into_iter().map(at))
}

fn config(options: SentinelOptions) -> Config {
    Config::default().deployment(options).response_timeout(PATIENCE)
}

/// The port of the server that answers the client.
fn port(client: &AnyClient) -> u16 {
    client.info("server").expect("a server").parse("tcp_port").expect("a port")
}

/// What was wrong with each sentinel.
fn faults(error: &Error) -> Vec<&SentinelFault> {
    match error.kind() {
        ErrorKind::NoPrimary { sentinels } => sentinels.iter().map(|(_, fault)| fault).collect(),
        other => panic!("{other:?}"),
    }
}

fn code(fault: &SentinelFault) -> Option<ServerCode> {
    match fault {
        SentinelFault::Failed(error) => error.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_primary_is_found_by_one_sentinel() {
    for version in Version::ALL {
        let all = SentinelConfig::new(version).start();
        for_each_runtime(|runtime| {
            for protocol in [Protocol::Resp2, Protocol::Resp3] {
                let config = config(options([&all.sentinels()[1]])).protocol(protocol).database(2);
                let client = runtime.connect(config).expect("a client");
                client.set("k", version.number()).unwrap();
                assert_eq!(client.get::<String>("k").unwrap().as_deref(), Some(version.number()));
                assert_eq!(port(&client), all.servers()[0].port());
            }
        });
        let url = format!("redis-sentinel://127.0.0.1:{}/{NAME}/2", all.sentinels()[2].port());
        let client = Runtime::Tokio.connect(url).expect("a client");
        assert_eq!(client.get::<String>("k").unwrap().as_deref(), Some(version.number()));
    }
}

#[test]
fn a_service_that_no_sentinel_knows() {
    for version in Version::ALL {
        let all = SentinelConfig::new(version).start();
        let unknown = SentinelOptions::new("other", all.sentinels().iter().map(at));
        for_each_runtime(|runtime| {
            let error = runtime.connect(config(unknown.clone())).expect_err("there is none");
            assert_eq!(faults(&error), [&SentinelFault::UnknownService; 3], "{error}");
        });
        let alone = options(all.sentinels()).min_other_sentinels(3);
        let error = Runtime::Tokio.connect(config(alone)).expect_err("two others do not suffice");
        assert_eq!(faults(&error), [&SentinelFault::TooFewSentinels { known: 2, wanted: 3 }; 3]);
        // Servers are no sentinels.
        let error = Runtime::Tokio.connect(config(options(all.servers()))).expect_err("no sentinels");
        assert!(faults(&error).into_iter().all(|fault| code(fault) == Some(ServerCode::Err)), "{error}");
    }
}

#[test]
fn sentinels_that_are_gone_are_passed_over() {
    for version in Version::ALL {
        let mut all = SentinelConfig::new(version).start();
        all.sentinels_mut()[0].kill9();
        all.sentinels()[1].stop_signal();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(options(all.sentinels()))).expect("one is left");
            assert_eq!(port(&client), all.servers()[0].port());
        });
        let error = Runtime::Tokio.connect(config(options(&all.sentinels()[..2]))).expect_err("none is left");
        assert_eq!(faults(&error).len(), 2, "{error}");
    }
}

#[test]
fn sentinels_that_want_a_password() {
    for version in Version::ALL {
        let all = SentinelConfig::new(version).start();
        for sentinel in 0..3 {
            let wire = all.wire(sentinel);
            let users = [
                "ann on >hunter2 +@all &*",
                // Nothing but what is needed.
                "bob on >hunter2 +sentinel|get-master-addr-by-name",
                "default resetpass >other",
            ];
            for user in users {
                let words = user.split(' ').collect::<Vec<_>>();
                let done: Result<String, Error> = wire.run(Command::new("ACL SETUSER").args(words));
                assert_eq!(done.as_deref(), Ok("OK"));
            }
        }
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let connect = |credentials: Option<Credentials>| {
                let options = options(all.sentinels()).credentials(credentials);
                Runtime::Tokio.connect(config(options).protocol(protocol))
            };
            for user in ["ann", "bob"] {
                let client = connect(Some(Credentials::new(user, "hunter2"))).expect(user);
                assert_eq!(port(&client), all.servers()[0].port());
            }
            let error = connect(Some(Credentials::new("ann", "wrong"))).expect_err("it is wrong");
            let codes = faults(&error).into_iter().map(code).collect::<Vec<_>>();
            assert_eq!(codes, [Some(ServerCode::WrongPass); 3]);
            assert!(!error.to_string().contains("wrong "), "{error}");
            let error = connect(None).expect_err("there is none");
            let codes = faults(&error).into_iter().map(code).collect::<Vec<_>>();
            assert_eq!(codes, [Some(ServerCode::NoAuth); 3]);
        }
    }
}

/// Whatever happened, replies and errors told the truth; what a primary lost with it is the servers' affair.
fn assert_true(verdict: &Verdict) {
    let untrue = [verdict.duplicated, verdict.phantom, verdict.misled];
    assert_eq!(untrue, [0; 3], "duplicated, phantom, misled: {verdict}");
    assert!(verdict.failed_reads.is_empty(), "{:?}", verdict.failed_reads);
    let failed = verdict.writes - verdict.acked;
    assert!(failed <= WORKERS && failed == verdict.ambiguous(), "only what was under way fails: {verdict}");
}

/// Kills the primary, or freezes it, while commands go to it.
fn lose_primary(runtime: Runtime, version: Version, lose: fn(&mut Server)) -> (Sentinels, AnyClient) {
    let mut all = SentinelConfig::new(version).down_after(Duration::from_secs(1)).start();
    // The one sentinel that the client was given tells of the others.
    let client = runtime.connect(config(options([&all.sentinels()[0]]))).expect("a client");
    let load = Plan::new(WORKERS).start(&client);
    load.wait_for(300);
    all.sentinels_mut()[0].kill9();
    load.wait_for(300);
    lose(&mut all.servers_mut()[0]);
    load.wait_for(1000);
    assert_eq!(port(&client), all.servers()[1].port());
    assert_true(&load.finish(all.servers()[1].addr()));
    (all, client)
}

#[test]
fn a_killed_primary_is_replaced_tokio() {
    Version::ALL.into_iter().for_each(|version| _ = lose_primary(Runtime::Tokio, version, Server::kill9));
}

#[test]
fn a_killed_primary_is_replaced_async_std() {
    lose_primary(Runtime::AsyncStd, Version::V7, Server::kill9);
}

#[test]
fn a_killed_primary_is_replaced_blocking() {
    lose_primary(Runtime::Blocking, Version::V8, Server::kill9);
    lose_primary(Runtime::Background, Version::V7, Server::kill9);
}

/// Nothing goes to a primary that does not answer, nor to one that was replaced and is back.
fn freeze_primary(runtime: Runtime, version: Version) {
    let (all, client) = lose_primary(runtime, version, |primary| primary.stop_signal());
    all.servers()[0].cont_signal();
    client.flushall(FlushMode::Sync).expect("it takes writes");
    let load = Plan::new(WORKERS).start(&client);
    load.wait_for(1000);
    assert_eq!(port(&client), all.servers()[1].port());
    let verdict = load.finish(all.servers()[1].addr());
    assert_eq!((verdict.acked, verdict.lost.len()), (verdict.writes, 0), "{verdict}");
}

#[test]
fn a_frozen_primary_is_replaced_tokio() {
    Version::ALL.into_iter().for_each(|version| freeze_primary(Runtime::Tokio, version));
}

#[test]
fn a_frozen_primary_is_replaced_blocking() {
    freeze_primary(Runtime::Blocking, Version::V8);
}

#[test]
fn an_idle_client_follows_as_well() {
    for version in Version::ALL {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let all = SentinelConfig::new(version).start();
            let config = config(options(all.sentinels())).protocol(protocol);
            let client = Runtime::Tokio.connect(config).expect("a client");
            assert_eq!(port(&client), all.servers()[0].port());
            all.wire(1).sentinel_failover(NAME).expect("a failover");
            all.await_primary(1);
            // It learns of it at the next question at the latest.
            poll_until("the client to follow", || (port(&client) == all.servers()[1].port()).then_some(()));
            client.set("k", "v").expect("it takes writes");
        }
    }
}

/// How many GET the servers have served since the last time.
fn reads(all: &Sentinels) -> Vec<u64> {
    let count = |server: &Server| {
        let stats = server.cli(&["info", "commandstats"]);
        assert_eq!(server.cli(&["config", "resetstat"]), "OK");
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls="));
        calls.map_or(0, |calls| {
            calls.split(',').next().and_then(|calls| calls.parse().ok()).expect("a number")
        })
    };
    all.servers().iter().filter(|server| server.is_running()).map(count).collect()
}

#[test]
fn reads_go_where_the_client_says() {
    for version in Version::ALL {
        let mut all = SentinelConfig::new(version).replicas(2).start();
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(options(all.sentinels()))).expect("a client");
            client.set("k", runtime as u64).expect("a primary");
            for replica in &all.servers()[1..] {
                let copied = || (replica.cli(&["get", "k"]) == (runtime as u64).to_string()).then_some(());
                poll_until("the replica to follow", copied);
            }
            let served = |from| {
                reads(&all);
                for _ in 0..60 {
                    let value = client.with(Options::new().read_from(from)).get("k");
                    assert_eq!(value, Ok(Some(runtime as u64)));
                }
                reads(&all)
            };
            assert_eq!(served(ReadFrom::Primary), [60, 0, 0]);
            assert_eq!(served(ReadFrom::Replica), [0, 30, 30]);
            assert_eq!(served(ReadFrom::PreferReplica), [0, 30, 30]);
            assert!(served(ReadFrom::RoundRobin).iter().all(|&count| count >= 15));
            assert_eq!(served(ReadFrom::LowestLatency).iter().sum::<u64>(), 60);
            let writing = client.with(Options::new().read_from(ReadFrom::Replica));
            assert_eq!(writing.set("k", 1), Ok(()), "what is no read goes to the primary");
        });

        // A replica that is gone is passed over, and used again when it is back.
        let config = config(options(all.sentinels())).read_from(ReadFrom::PreferReplica);
        let client = Runtime::Tokio.connect(config).expect("a client");
        for _ in 0..10 {
            assert_eq!(client.get("k"), Ok(Some(1)));
        }
        all.servers_mut()[2].kill9();
        for _ in 0..60 {
            assert_eq!(client.get("k"), Ok(Some(1)));
        }
        all.servers_mut()[2].restart();
        poll_until("the replica to be read from", || {
            client.get::<u64>("k").expect("a read");
            (reads(&all)[2] > 0).then_some(())
        });
    }
}

#[test]
fn without_sentinels_the_primary_that_was_found_goes_on() {
    let mut all = SentinelConfig::new(Version::V8).start();
    let client = Runtime::Tokio.connect(config(options(all.sentinels()))).expect("a client");
    for sentinel in all.sentinels_mut() {
        sentinel.kill9();
    }
    let load = Plan::new(WORKERS).start(&client);
    load.wait_for(10_000);
    let verdict = load.finish(all.servers()[0].addr());
    verdict.assert_true();
    assert_eq!(verdict.acked, verdict.writes, "{verdict}");
}

#[test]
fn what_waits_for_a_primary_says_why_there_is_none() {
    let mut all = SentinelConfig::new(Version::V7).down_after(Duration::from_secs(60)).start();
    let config = config(options(all.sentinels())).response_timeout(Duration::from_secs(1));
    let client = Runtime::Tokio.connect(config).expect("a client");
    client.set("k", "v").unwrap();
    all.servers_mut()[0].kill9();
    poll_until("the loss to be noticed", || client.set("k", "v").err());
    let error = client.set("k", "v").expect_err("nobody is");
    assert!(error.is_timeout() && !error.may_have_run(), "{error}");
    assert!(error.cause().is_some_and(Error::is_connection), "{error}");
}

#[test]
fn walks_begin_anew_when_another_server_takes_over() {
    const KEYS: u32 = 2_000;
    for version in Version::ALL {
        let all = SentinelConfig::new(version).start();
        let mut primary = 0;
        for_each_runtime(|runtime| {
            let client = runtime.connect(config(options(all.sentinels()))).expect("a client");
            client.pipeline((0..KEYS).map(|key| p.set(key, 1)).collect::<Vec<_>>()).unwrap();
            let followed = |server: &Server| server.cli(&["dbsize"]) == KEYS.to_string();
            poll_until("the replica to follow", || all.servers().iter().all(followed).then_some(()));
            let (mut seen, mut count) = (BTreeSet::new(), 0);
            for key in client.scan_iter::<u32>(KeyScanOptions::new()) {
                seen.insert(key.expect("a key"));
                count += 1;
                if count == KEYS / 2 {
                    primary = 1 - primary;
                    all.wire(0).sentinel_failover(NAME).expect("a failover");
                    all.await_primary(primary);
                }
            }
            assert!(seen.into_iter().eq(0..KEYS), "all keys are seen");
            assert!(count > KEYS, "some of them twice");
            assert_eq!(port(&client), all.servers()[primary].port());
        });
    }
}
