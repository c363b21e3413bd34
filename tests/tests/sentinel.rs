//! Commands of sentinels against real ones.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use redstart_core::Error;
use redstart_core::commands::{
    ConnectionCommands, ScriptState, SentinelCommands, SentinelFailure, SentinelNode, SentinelScript,
    ServerCommands,
};
use redstart_tests::live::{Protocol, for_each_protocol};
use redstart_tests::server::sentinel::{NAME, SentinelConfig, Sentinels};
use redstart_tests::server::{Server, ServerConfig, Version, poll_until};
use redstart_tests::wire::Wire;
use rustix::process::{Pid, Signal, kill_process};

/// The most that a sentinel may have been silent, on a machine however busy.
const LONG: Duration = Duration::from_secs(60);

/// Connections to the first sentinel, one for each protocol.
fn both(sentinels: &Sentinels) -> [Wire; 2] {
    Protocol::ALL.map(|protocol| Wire::connect(sentinels.sentinels()[0].addr(), protocol.number()))
}

/// A sentinel that watches nothing, of every version with every protocol.
fn for_each_idle(test: impl Fn(&Wire, Version)) {
    for version in Version::ALL {
        for_each_protocol(&ServerConfig::new(version).sentinel(), |target| {
            test(&Wire::connect(target.addr(), target.protocol().number()), version);
        });
    }
}

/// What a well node looks like from the first sentinel.
fn check_node(node: &SentinelNode, server: &Server, flag: &str) {
    assert_eq!((node.host.as_str(), node.port), ("127.0.0.1", server.port()));
    assert_eq!(node.flags, BTreeSet::from([flag.to_owned()]));
    assert!(node.run_id.as_ref().is_some_and(|id| id.len() == 40), "{node:?}");
    assert!(!node.is_down() && !node.is_disconnected() && node.link_refcount >= 1);
    assert!(node.last_ok_ping_reply < LONG && node.last_ping_reply < LONG && node.last_ping_sent < LONG);
    assert_eq!((node.s_down_time, node.o_down_time), (None, None));
    assert_eq!(node.down_after, Duration::from_secs(2));
    assert!(node.other.is_empty(), "{:?}", node.other);
}

fn starts_with(error: &Error, code: &str) -> bool {
    error.server().is_some_and(|error| error.code_text() == code)
}

#[test]
fn what_a_sentinel_knows() {
    for version in Version::ALL {
        let sentinels = SentinelConfig::new(version).replicas(2).start();
        let servers = sentinels.servers();
        for wire in both(&sentinels) {
            let primary = wire.sentinel_master(NAME).unwrap();
            check_node(&primary.node, &servers[0], "master");
            assert_eq!((primary.node.name.as_str(), primary.role_reported.as_str()), (NAME, "master"));
            assert_eq!((primary.replicas, primary.other_sentinels, primary.quorum), (2, 2, 2));
            assert_eq!((primary.config_epoch, primary.parallel_syncs), (0, 1));
            assert_eq!((primary.failover_timeout, primary.failover_state), (Duration::from_secs(3), None));
            assert!(primary.info_refresh < LONG && primary.role_reported_time < LONG);
            assert_eq!((primary.notification_script, primary.client_reconfig_script), (None, None));
            let masters = wire.sentinel_masters().unwrap();
            assert_eq!((masters.len(), masters[0].node.name.as_str()), (1, NAME));

            for replicas in [wire.sentinel_replicas(NAME), wire.sentinel_slaves(NAME)] {
                let mut replicas = replicas.unwrap();
                replicas.sort_by_key(|replica| replica.node.port != servers[1].port());
                assert_eq!(replicas.len(), 2);
                for (replica, server) in replicas.iter().zip(&servers[1..]) {
                    check_node(&replica.node, server, "slave");
                    assert_eq!(replica.node.name, server.addr().to_string());
                    assert_eq!((replica.role_reported.as_str(), replica.is_linked), ("slave", true));
                    assert_eq!(replica.primary_host.as_deref(), Some("127.0.0.1"));
                    assert_eq!((replica.primary_port, replica.priority), (servers[0].port(), 100));
                    assert_eq!((replica.link_down_time, replica.is_announced), (Duration::ZERO, true));
                    assert!(replica.info_refresh < LONG && replica.role_reported_time < LONG);
                }
            }

            let peers = wire.sentinel_sentinels(NAME).unwrap();
            assert_eq!(peers.len(), 2);
            for peer in &peers {
                let server = sentinels.sentinels().iter().find(|server| server.port() == peer.node.port);
                check_node(&peer.node, server.unwrap(), "sentinel");
                assert_eq!(peer.node.run_id.as_ref(), Some(&peer.node.name));
                assert!(peer.last_hello < LONG);
                assert_eq!((peer.voted_leader.as_deref(), peer.voted_leader_epoch), (None, 0));
            }
            let ids: BTreeSet<_> = peers.into_iter().map(|peer| peer.node.name).collect();
            let others = [1, 2].map(|index| sentinels.wire(index).sentinel_myid().unwrap());
            assert_eq!(ids, BTreeSet::from(others));

            let address = ("127.0.0.1".to_owned(), servers[0].port());
            assert_eq!(wire.sentinel_get_master_addr_by_name(NAME).unwrap(), Some(address));
            assert_eq!(wire.sentinel_get_master_addr_by_name("other").unwrap(), None);
            assert!(wire.sentinel_master("other").is_err());
            let info = wire.info("sentinel").unwrap();
            assert_eq!(info.parts("master0").unwrap()["slaves"], "2");
        }
    }
}

#[test]
fn what_info_said_is_kept() {
    for version in Version::ALL {
        let sentinels = SentinelConfig::new(version).sentinels(1).start();
        for wire in both(&sentinels) {
            let cache = wire.sentinel_info_cache([NAME, "other"]).unwrap();
            assert_eq!(cache.keys().collect::<Vec<_>>(), [NAME]);
            let ports = cache[NAME].iter().map(|cached| {
                assert!(cached.age < LONG);
                let info = cached.info.as_ref().unwrap();
                assert_eq!(info.version(), Some(version.number()));
                info.parse::<u16>("tcp_port").unwrap()
            });
            let servers = sentinels.servers();
            assert_eq!(ports.collect::<Vec<_>>(), [servers[0].port(), servers[1].port()]);
            assert!(wire.sentinel_info_cache("other").unwrap().is_empty());
        }
    }
}

#[test]
fn a_primary_is_watched_changed_and_left() {
    for_each_idle(|wire, version| {
        assert!(wire.sentinel_masters().unwrap().is_empty());
        let server = Server::start(version);
        wire.sentinel_monitor("a", "127.0.0.1", server.port(), 2).unwrap();
        wire.sentinel_monitor("b", "127.0.0.1", server.port(), 1).unwrap();
        assert!(wire.sentinel_monitor("b", "127.0.0.1", server.port(), 1).is_err());
        let names: BTreeSet<_> =
            wire.sentinel_masters().unwrap().into_iter().map(|seen| seen.node.name).collect();
        assert_eq!(names, ["a", "b"].map(String::from).into());

        wire.sentinel_set("a", [("quorum", 1), ("down-after-milliseconds", 5000)]).unwrap();
        wire.sentinel_set("a", ("rename-command", "CONFIG", "SECRET")).unwrap();
        wire.sentinel_set("a", ("auth-pass", "secret")).unwrap();
        assert!(wire.sentinel_set("a", ("no-such-option", 1)).is_err());
        let seen = wire.sentinel_master("a").unwrap();
        assert_eq!((seen.quorum, seen.node.down_after), (1, Duration::from_secs(5)));

        assert_eq!(wire.sentinel_reset("no-such-*").unwrap(), 0);
        assert_eq!(wire.sentinel_reset("*").unwrap(), 2);
        wire.sentinel_remove("a").unwrap();
        assert!(wire.sentinel_remove("a").is_err());
        assert_eq!(wire.sentinel_masters().unwrap().len(), 1);
        poll_until("the sentinel to reach the primary", || {
            let seen = wire.sentinel_master("b").unwrap();
            (!seen.node.is_disconnected() && seen.role_reported == "master").then_some(())
        });
        assert!(starts_with(&wire.sentinel_failover("b").unwrap_err(), "NOGOODSLAVE"));
    });
}

#[test]
fn settings_and_periods() {
    for_each_idle(|wire, version| {
        let port = || wire.sentinel_config_get("announce-p*").unwrap();
        assert_eq!(port(), [("announce-port".to_owned(), "0".to_owned())].into());
        wire.sentinel_config_set([("announce-port", 26_379)]).unwrap();
        assert_eq!(port()["announce-port"], "26379");
        assert_eq!(wire.sentinel_config_get("*").unwrap()["resolve-hostnames"], "no");
        assert!(wire.sentinel_config_set([("no-such-setting", "1")]).is_err());
        let several = wire.sentinel_config_get(["announce-ip", "resolve-*"]);
        let set = wire.sentinel_config_set([("announce-port", "0"), ("loglevel", "warning")]);
        if version == Version::V7 {
            assert!(several.is_err() && set.is_err(), "one at a time");
        } else {
            assert_eq!(
                several.unwrap().into_keys().collect::<Vec<_>>(),
                ["announce-ip", "resolve-hostnames"]
            );
            set.unwrap();
            assert_eq!(wire.sentinel_config_get("loglevel").unwrap()["loglevel"], "warning");
        }

        assert_eq!(wire.sentinel_debug().unwrap()["INFO-PERIOD"], 10_000);
        wire.sentinel_debug_set([("info-period", 500), ("tilt-period", 700)]).unwrap();
        let periods = wire.sentinel_debug().unwrap();
        assert_eq!((periods["INFO-PERIOD"], periods["TILT-PERIOD"]), (500, 700));
        assert!(wire.sentinel_debug_set([("no-such-period", 1)]).is_err());
        wire.ping().unwrap();
    });
}

#[test]
fn state_is_written_down() {
    for version in Version::ALL {
        let sentinel = ServerConfig::new(version).sentinel().start();
        let wire = Wire::connect(sentinel.addr(), 3);
        let file = sentinel.dir().join("redis.conf");
        fs::remove_file(&file).unwrap();
        wire.sentinel_flushconfig().unwrap();
        let id = wire.sentinel_myid().unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains(&format!("sentinel myid {id}")));
    }
}

#[test]
fn quorum_votes_and_replacement() {
    for version in Version::ALL {
        let mut sentinels = SentinelConfig::new(version).start();
        let port = sentinels.servers()[0].port();
        for (epoch, wire) in both(&sentinels).into_iter().enumerate() {
            assert_eq!(wire.sentinel_ckquorum(NAME).unwrap().usable, 3);
            let opinion = wire.sentinel_is_master_down_by_addr("127.0.0.1", port, 0, "*").unwrap();
            assert_eq!((opinion.is_down, opinion.leader, opinion.leader_epoch), (false, None, 0));
            let (epoch, candidate) = (epoch as u64 + 1, "c".repeat(40));
            let vote = wire.sentinel_is_master_down_by_addr("127.0.0.1", port, epoch, &candidate).unwrap();
            assert_eq!((vote.is_down, vote.leader, vote.leader_epoch), (false, Some(candidate), epoch));
            let again =
                wire.sentinel_is_master_down_by_addr("127.0.0.1", port, epoch, "d".repeat(40)).unwrap();
            assert_eq!(again.leader.as_deref(), Some("c".repeat(40).as_str()), "it votes once");
        }

        sentinels.wire(1).sentinel_failover(NAME).unwrap();
        assert!(starts_with(&sentinels.wire(1).sentinel_failover(NAME).unwrap_err(), "INPROG"));
        let state = sentinels.wire(1).sentinel_master(NAME).unwrap();
        assert!(
            state.failover_state.is_some() && state.node.flags.contains("failover_in_progress"),
            "{state:?}"
        );
        sentinels.await_primary(1);
        assert!(sentinels.wire(2).sentinel_master(NAME).unwrap().config_epoch > 0);

        for index in [1, 2] {
            sentinels.sentinels_mut()[index].kill9();
        }
        for wire in both(&sentinels) {
            poll_until("the loss of the others to be noticed", || {
                wire.sentinel_ckquorum(NAME).is_err_and(|error| starts_with(&error, "NOQUORUM")).then_some(())
            });
            let peers = wire.sentinel_sentinels(NAME).unwrap();
            assert!(
                peers.iter().all(|peer| peer.node.is_down() && peer.node.s_down_time.is_some()),
                "{peers:?}"
            );
        }
    }
}

fn is_running(script: &SentinelScript) -> bool {
    matches!(script.state, ScriptState::Running { .. })
}

#[test]
fn scripts_that_run_and_wait() {
    for version in Version::ALL {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(version));
        let script = folder.path().join("notify");
        fs::write(&script, "#!/bin/sh\nexec sleep 60\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let sentinel = ServerConfig::new(version)
            .sentinel()
            .arg("sentinel monitor", format!("{NAME} 127.0.0.1 {} 1", server.port()))
            .arg("sentinel notification-script", format!("{NAME} {}", script.display()))
            .start();
        for protocol in Protocol::ALL {
            let wire = Wire::connect(sentinel.addr(), protocol.number());
            assert_eq!(wire.sentinel_master(NAME).unwrap().notification_script.as_deref(), script.to_str());
            // Changing a setting is an event of which the script is told; no more than 16 run at once.
            let scripts = poll_until("scripts that wait", || {
                wire.sentinel_set(NAME, ("quorum", 1)).unwrap();
                let scripts = wire.sentinel_pending_scripts().unwrap();
                (scripts.len() > 16).then_some(scripts)
            });
            for seen in &scripts {
                assert_eq!(seen.argv[0], script.to_str().unwrap());
                assert_eq!(seen.argv.len(), 3, "an event and what it is about");
                match seen.state {
                    ScriptState::Running { pid, time } => assert!(pid > 1 && time < LONG),
                    ScriptState::Scheduled { delay } => assert_eq!(delay, Duration::ZERO),
                }
                assert_eq!(seen.attempts, u64::from(is_running(seen)));
            }
            poll_until("as many scripts as may run", || {
                let scripts = wire.sentinel_pending_scripts().unwrap();
                (scripts.iter().filter(|seen| is_running(seen)).count() == 16).then_some(())
            });
        }
        let scripts = Wire::connect(sentinel.addr(), 3).sentinel_pending_scripts().unwrap();
        // No other script starts while as many run as may, nor without the sentinel, which they outlive.
        drop(sentinel);
        for script in scripts {
            if let ScriptState::Running { pid, .. } = script.state {
                let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
                kill_process(pid, Signal::KILL).unwrap();
            }
        }
    }
}

#[test]
fn a_failure_is_simulated() {
    for version in Version::ALL {
        for protocol in Protocol::ALL {
            let sentinels = SentinelConfig::new(version).start();
            let victim = &sentinels.sentinels()[0];
            let wire = Wire::connect(victim.addr(), protocol.number());
            let all = [SentinelFailure::AfterElection, SentinelFailure::AfterPromotion];
            wire.sentinel_simulate_failure(all).unwrap();
            wire.sentinel_simulate_failure(SentinelFailure::AfterElection).unwrap();
            wire.sentinel_failover(NAME).unwrap();
            poll_until("the sentinel to end itself", || (!victim.is_running()).then_some(()));
        }
    }
}
