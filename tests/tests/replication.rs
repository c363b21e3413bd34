//! Commands about replication against real servers.

use std::time::Duration;

use redstart_core::commands::{
    FailoverOptions, ReplicaLink, ReplicaOf, ReplicationCommands, Role, ServerCommands, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::{Server, ServerConfig, Version, poll_until};
use redstart_tests::wire::{Wire, is_unknown_command};

const MOMENT: Duration = Duration::from_millis(5);
/// Longer than the test.
const LONG: Duration = Duration::from_secs(20);

/// A connection to a server which, as a primary, sends its data without waiting for more replicas.
fn connect(target: &Target, server: &Server) -> Wire {
    let wire = Wire::connect(server.addr(), target.protocol().number());
    wire.config_set([("repl-diskless-sync-delay", "0")]).expect("a setting");
    wire
}

/// A second server of the same version, and a connection to it.
fn second(target: &Target) -> (Server, Wire) {
    let server = Server::start(target.version());
    let wire = connect(target, &server);
    (server, wire)
}

fn is_primary(wire: &Wire) -> bool {
    matches!(wire.role().expect("a role"), Role::Primary { .. })
}

fn until_linked(wire: &Wire, primary: u16) {
    poll_until("the replica to be linked", || match wire.role().expect("a role") {
        Role::Replica { port, link: ReplicaLink::Connected, .. } if port == primary => Some(()),
        _ => None,
    });
}

fn until_listed(wire: &Wire, replicas: usize) {
    poll_until("the primary to have its replicas", || match wire.role().expect("a role") {
        Role::Primary { replicas: listed, .. } => (listed.len() == replicas).then_some(()),
        _ => None,
    });
}

#[test]
fn a_server_follows_and_stops_following() {
    for_each_target(|target| {
        let replica = connect(target, target);
        let (server, primary) = second(target);
        let at = || ReplicaOf::primary("127.0.0.1", server.port());
        let methods: [fn(&Wire, ReplicaOf) -> redstart_core::Result<()>; 2] =
            [|wire, primary| wire.replicaof(primary), |wire, primary| wire.slaveof(primary)];
        for (round, follow) in methods.into_iter().enumerate() {
            primary.set("k", round).unwrap();
            follow(&replica, at()).unwrap();
            until_linked(&replica, server.port());
            assert_eq!(replica.get::<usize>("k").unwrap(), Some(round));
            assert_eq!(replica.set("k", "other").unwrap_err().code(), Some(ServerCode::ReadOnly));

            follow(&replica, ReplicaOf::NoOne).unwrap();
            assert!(is_primary(&replica));
            replica.set("k", "own").unwrap();
            assert_eq!(primary.get::<usize>("k").unwrap(), Some(round));
        }
    });
}

#[test]
fn places_are_changed() {
    for_each_target(|target| {
        let (first, (server, second)) = (connect(target, target), second(target));
        second.replicaof(ReplicaOf::primary("127.0.0.1", target.port())).unwrap();
        until_linked(&second, target.port());
        until_listed(&first, 1);
        first.set("k", "v").unwrap();

        first.failover(FailoverOptions::new().timeout(Duration::from_secs(60))).unwrap();
        until_linked(&first, server.port());
        assert!(is_primary(&second));
        until_listed(&second, 1);

        second.failover(FailoverOptions::new().to("127.0.0.1", target.port())).unwrap();
        until_linked(&second, target.port());
        assert!(is_primary(&first));
        assert_eq!(first.get::<String>("k").unwrap().as_deref(), Some("v"));
        let nobody = FailoverOptions::new().to("127.0.0.1", 1);
        assert!(first.failover(nobody).is_err(), "there is no such replica");
        assert!(second.failover(FailoverOptions::new()).is_err(), "it is no primary");
    });
}

#[test]
fn a_replica_that_does_not_catch_up() {
    for_each_target(|target| {
        let first = connect(target, target);
        assert!(first.failover_abort().is_err(), "there is nothing to give up");
        let (server, second) = second(target);
        second.replicaof(ReplicaOf::primary("127.0.0.1", target.port())).unwrap();
        until_linked(&second, target.port());
        until_listed(&first, 1);
        let state = || first.info("replication").unwrap().get("master_failover_state").map(String::from);
        assert_eq!(state().as_deref(), Some("no-failover"));

        server.stop_signal();
        first.set("k", "not there").unwrap();
        let to = |timeout| FailoverOptions::new().to("127.0.0.1", server.port()).timeout(timeout);
        first.failover(to(Duration::from_secs(60))).unwrap();
        assert_eq!(state().as_deref(), Some("waiting-for-sync"));
        assert!(first.failover(to(Duration::from_secs(60))).is_err(), "one is under way");
        first.failover_abort().unwrap();
        assert_eq!(state().as_deref(), Some("no-failover"));
        assert!(is_primary(&first));

        first.failover(to(Duration::from_millis(20))).unwrap();
        poll_until("the attempt to end", || (state().as_deref() == Some("no-failover")).then_some(()));
        assert!(is_primary(&first));

        let force = FailoverOptions::new().force_to("127.0.0.1", server.port(), Duration::from_millis(20));
        first.failover(force).unwrap();
        poll_until("the failover to be forced", || {
            (state().as_deref() == Some("failover-in-progress")).then_some(())
        });
        server.cont_signal();
        until_linked(&first, server.port());
        assert!(is_primary(&second));
    });
}

#[test]
fn nodes_of_clusters_refuse() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).cluster_node(Duration::from_secs(2)).start();
        let wire = Wire::connect(server.addr(), 3);
        assert!(wire.replicaof(ReplicaOf::NoOne).is_err());
        assert!(wire.failover(FailoverOptions::new()).is_err());
    }
}

#[test]
fn writes_are_waited_for() {
    for_each_target(|target| {
        let primary = connect(target, target);
        assert_eq!(primary.wait(0, Duration::ZERO).unwrap(), 0);
        primary.set("k", 1).unwrap();
        assert_eq!(primary.wait(1, MOMENT).unwrap(), 0);
        let (_server, replica) = second(target);
        replica.replicaof(ReplicaOf::primary("127.0.0.1", target.port())).unwrap();
        until_listed(&primary, 1);
        primary.set("k", 2).unwrap();
        assert_eq!(primary.wait(1, LONG).unwrap(), 1);
        assert_eq!(replica.get::<u64>("k").unwrap(), Some(2));
        assert_eq!(primary.wait(2, MOMENT).unwrap(), 1, "the time is over");
        assert_eq!(replica.wait(0, MOMENT).unwrap_err().code(), Some(ServerCode::Err));

        let reply = primary.waitaof(false, 0, MOMENT);
        if target.version() == Version::V7 {
            assert!(is_unknown_command(reply));
            return;
        }
        assert_eq!(primary.waitaof(true, 0, MOMENT).unwrap_err().code(), Some(ServerCode::Err), "no file");
        for wire in [&primary, &replica] {
            wire.config_set([("appendonly", "yes")]).unwrap();
        }
        primary.set("k", 3).unwrap();
        let on_disk = primary.waitaof(true, 1, LONG).unwrap();
        assert_eq!((on_disk.local, on_disk.replicas), (true, 1));
    });
}
