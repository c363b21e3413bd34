//! Commands about the server against real servers.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redstart_core::command::{Command, Run};
use redstart_core::commands::{
    BackgroundJob, FlushMode, ReplicaLink, Role, Samples, SaveMode, ServerCommands, ShutdownOptions,
    StringCommands,
};
use redstart_core::error::{Delivery, ServerCode};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::{Server, Version, poll_until};
use redstart_tests::wire::{Wire, for_each_wire};

fn connect(target: &Target) -> Wire {
    Wire::connect(target.addr(), target.protocol().number())
}

/// Sends a command that this family does not offer.
fn raw(wire: &Wire, name: &str, args: &[&str]) {
    wire.run(Command::<()>::new(name).args(args)).expect(name);
}

#[test]
fn databases_are_counted_swapped_and_flushed() {
    for_each_wire(|wire, _| {
        for mode in [FlushMode::Configured, FlushMode::Async, FlushMode::Sync] {
            raw(wire, "SELECT", &["0"]);
            wire.set("a", 1).unwrap();
            wire.set("b", 1).unwrap();
            assert_eq!(wire.dbsize().unwrap(), 2);
            wire.swapdb(0, 1).unwrap();
            assert_eq!(wire.dbsize().unwrap(), 0);
            wire.set("c", 1).unwrap();
            wire.flushdb(mode).unwrap();
            assert_eq!(wire.dbsize().unwrap(), 0);
            raw(wire, "SELECT", &["1"]);
            assert_eq!(wire.dbsize().unwrap(), 2, "the other database is spared");
            raw(wire, "SELECT", &["0"]);
            wire.flushall(mode).unwrap();
            raw(wire, "SELECT", &["1"]);
            assert_eq!(wire.dbsize().unwrap(), 0);
        }
    });
}

#[test]
fn settings_are_read_changed_and_written_down() {
    for_each_target(|target| {
        let wire = &connect(target);
        wire.config_set([("maxclients", "77"), ("maxmemory", "100mb")]).unwrap();
        let settings = wire.config_get(["maxclients", "maxmemory"]).unwrap();
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(settings, [("maxclients", "77"), ("maxmemory", "104857600")]);

        assert!(wire.config_set([("maxclients", "78"), ("maxmemory", "much")]).is_err());
        assert_eq!(wire.config_get("maxclients").unwrap()["maxclients"], "77", "all or none");
        assert!(wire.config_get("no-such-setting").unwrap().is_empty());
        assert!(wire.config_get("maxmemory*").unwrap().len() > 3);

        wire.config_rewrite().unwrap();
        let file = fs::read_to_string(target.dir().join("redis.conf")).unwrap();
        assert!(file.lines().any(|line| line == "maxclients 77"), "{file}");
    });
}

#[test]
fn info_by_section() {
    for_each_target(|target| {
        let wire = &connect(target);
        let info = wire.info(()).unwrap();
        assert_eq!(info.version(), Some(target.version().number()));
        assert_eq!(
            (info.mode(), info.is_primary(), info.is_loading()),
            (Some("standalone"), Some(true), Some(false))
        );
        assert_eq!(info.parse::<u16>("tcp_port"), Some(target.port()));
        assert!(info.uptime().unwrap() < Duration::from_secs(60));
        assert!(info.connected_clients().unwrap() >= 1 && info.used_memory().unwrap() > 0);
        assert!(info.keyspace().is_empty() && info.section("Commandstats").is_none());

        wire.set("k", "v").unwrap();
        raw(wire, "SET", &["volatile", "v", "EX", "1000"]);
        raw(wire, "SELECT", &["3"]);
        wire.set("k", "v").unwrap();
        let info = wire.info(["keyspace", "clients", "no-such-section"]).unwrap();
        let names: Vec<_> = info.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["Clients", "Keyspace"]);
        let databases = info.keyspace();
        assert_eq!(databases.keys().copied().collect::<Vec<u32>>(), [0, 3]);
        assert_eq!((databases[&0].keys, databases[&0].expires), (2, 1));
        assert_eq!((databases[&3].keys, databases[&3].expires), (1, 0));

        poll_until("the server to sample expiries", || {
            let average = wire.info("keyspace").unwrap().keyspace()[&0].average_ttl;
            (average > Duration::from_secs(900)).then_some(())
        });

        let sets = |wire: &Wire| {
            let info = wire.info("everything").unwrap();
            info.parts("cmdstat_set").map(|parts| parts["calls"].to_owned())
        };
        assert_eq!(sets(wire).as_deref(), Some("3"));
        wire.config_resetstat().unwrap();
        assert_eq!(sets(wire), None);
    });
}

#[test]
fn memory_reports() {
    for_each_wire(|wire, _| {
        assert_eq!(wire.memory_usage("list", Samples::All).unwrap(), None);
        let mut push = Command::<u64>::new("RPUSH").key("list");
        for len in 0..1000 {
            push = push.arg("x".repeat(len));
        }
        wire.run(push).unwrap();
        let usage = |samples| wire.memory_usage("list", samples).unwrap().unwrap();
        // The values alone have 499,500 bytes.
        assert!(usage(Samples::All) > 499_500);
        assert_eq!(usage(Samples::Count(0)), usage(Samples::All));
        assert!(usage(Samples::Few) > 0 && usage(Samples::Count(1)) > 0);

        raw(wire, "SET", &["volatile", "v", "EX", "1000"]);
        let stats = wire.memory_stats().unwrap();
        assert_eq!((stats.keys_count, stats.databases.len()), (2, 1));
        assert!(stats.databases[&0].hashtable_main > 0);
        assert!(stats.databases[&0].hashtable_expires > 0);
        assert!(stats.total_allocated > stats.startup_allocated + 499_500);
        assert!(stats.peak_allocated > stats.startup_allocated && stats.overhead_total > 0);
        assert!(stats.dataset_bytes > 499_500 && stats.fragmentation > 0.0);
        assert!((1.0..=100.0).contains(&stats.dataset_percentage), "{}", stats.dataset_percentage);
        assert!((1.0..=101.0).contains(&stats.peak_percentage), "{}", stats.peak_percentage);
        assert!(stats.fragmentation_bytes != 0);
        assert!(stats.other["clients.normal"] >= 0.0 && stats.other["allocator-rss.ratio"] > 0.0);

        wire.memory_purge().unwrap();
        assert!(wire.memory_doctor().unwrap().contains("Sam"));
        assert!(wire.memory_malloc_stats().unwrap().contains("jemalloc"));
    });
}

#[test]
fn data_sets_are_saved() {
    for_each_target(|target| {
        let wire = &connect(target);
        wire.set("k", "v").unwrap();
        let before = wire.time().unwrap().seconds;
        wire.save().unwrap();
        assert!(wire.lastsave().unwrap() >= before);
        assert!(target.dir().join("dump.rdb").exists());

        // A quarter of a second per job, so that the next one meets it.
        wire.config_set([("rdb-key-save-delay", "250000")]).unwrap();
        assert_eq!(wire.bgsave(SaveMode::Now).unwrap(), BackgroundJob::Started);
        assert!(wire.bgsave(SaveMode::Now).is_err());
        assert_eq!(wire.bgrewriteaof().unwrap(), BackgroundJob::Scheduled);
        until_idle(wire);
        assert_eq!(wire.bgrewriteaof().unwrap(), BackgroundJob::Started);
        assert!(wire.bgsave(SaveMode::Now).is_err());
        assert_eq!(wire.bgsave(SaveMode::Schedule).unwrap(), BackgroundJob::Scheduled);
        until_idle(wire);
    });
}

/// Waits until no background job is under way or scheduled.
fn until_idle(wire: &Wire) {
    const JOBS: [&str; 4] = [
        "rdb_bgsave_in_progress",
        "aof_rewrite_in_progress",
        "aof_rewrite_scheduled",
        "rdb_bgsave_scheduled",
    ];
    poll_until("the background jobs to end", || {
        let info = wire.info("persistence").expect("a section");
        JOBS.iter().all(|job| info.get(job).is_none_or(|flag| flag == "0")).then_some(())
    });
}

#[test]
fn the_parts_in_replication() {
    for_each_target(|target| {
        let primary = &connect(target);
        assert_eq!(primary.role().unwrap(), Role::Primary { offset: 0, replicas: Vec::new() });

        primary.config_set([("repl-diskless-sync-delay", "0")]).unwrap();
        let server = Server::start(target.version());
        let replica = &Wire::connect(server.addr(), target.protocol().number());
        raw(replica, "REPLICAOF", &["127.0.0.1", &target.port().to_string()]);
        poll_until("the link to the primary", || match replica.role().unwrap() {
            Role::Replica { host, port, link, offset } => {
                assert_eq!((host.as_str(), port), ("127.0.0.1", target.port()));
                (link == ReplicaLink::Connected && offset.is_some()).then_some(())
            }
            role => panic!("{role:?}"),
        });
        let replicas = poll_until("the primary to list its replica", || match primary.role().unwrap() {
            Role::Primary { replicas, .. } => (!replicas.is_empty()).then_some(replicas),
            role => panic!("{role:?}"),
        });
        assert_eq!((replicas[0].host.as_str(), replicas[0].port), ("127.0.0.1", server.port()));
        assert_eq!(replica.info("replication").unwrap().is_primary(), Some(false));
        assert_eq!(primary.info("replication").unwrap().parts("slave0").unwrap()["ip"], "127.0.0.1");
    });
}

#[test]
fn clock_and_art() {
    for_each_wire(|wire, version| {
        let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let there = wire.time().unwrap();
        assert!(there.microseconds < 1_000_000);
        assert!(there.since_epoch().abs_diff(here) < Duration::from_secs(60), "{there:?}");

        assert!(!wire.lolwut(None, ()).unwrap().is_empty());
        let art = wire.lolwut(Some(5), (1, 1, 1)).unwrap();
        assert!(art.ends_with(&format!("Redis ver. {}\n", version.number())), "{art}");
    });
}

#[test]
fn a_server_is_shut_down() {
    for version in Version::ALL {
        for_each_runtime(|runtime| {
            let server = Server::start(version);
            let client = runtime.connect(server.url()).unwrap();
            assert_eq!(client.shutdown_abort().unwrap_err().code(), Some(ServerCode::Err), "there is none");
            client.set("k", "v").unwrap();
            let gone = client.shutdown(ShutdownOptions::new().save(true).now().force()).unwrap_err();
            assert!(gone.is_connection() && gone.delivery() == Delivery::MaybeExecuted, "{gone}");
            poll_until("the server to end", || (!server.is_running()).then_some(()));
            assert!(server.dir().join("dump.rdb").exists());
        });
    }
}

#[test]
fn a_shutdown_that_fails_is_an_error_of_the_server() {
    for_each_target(|target| {
        let wire = &connect(target);
        wire.set("k", "v").unwrap();
        // A folder has the name of the file.
        fs::create_dir(target.dir().join("dump.rdb")).unwrap();
        let failed = wire.shutdown(ShutdownOptions::new().save(true)).unwrap_err();
        assert_eq!(failed.code(), Some(ServerCode::Err), "{failed}");
        wire.time().unwrap();
    });
}
