//! Commands about connections against real servers.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redstart_core::Result;
use redstart_core::command::{Command, Run};
use redstart_core::commands::{
    ClientFilter, ClientInfo, ClientKillFilter, ClientKind, ConnectionCommands, PauseMode, StringCommands,
    TrackingRedirect, UnblockMode,
};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::{Version, poll_until};
use redstart_tests::wire::{Wire, for_each_wire};

fn connect(target: &Target) -> Wire {
    Wire::connect(target.addr(), target.protocol().number())
}

/// A connection to close, which must be kept until then, and what the server knows of it.
fn connect_as_victim(target: &Target) -> (Wire, ClientInfo) {
    let wire = connect(target);
    let info = wire.client_info().expect("the server knows it");
    (wire, info)
}

/// Sends a command that this family does not offer.
fn raw(wire: &Wire, name: &str, args: &[&str]) {
    wire.run(Command::<()>::new(name).args(args)).expect(name);
}

fn ids(list: Vec<ClientInfo>) -> BTreeSet<u64> {
    list.into_iter().map(|client| client.id).collect()
}

fn ids_of(wire: &Wire, filter: ClientFilter) -> BTreeSet<u64> {
    ids(wire.client_list(filter).expect("a list"))
}

/// Waits until the server has made the connection wait.
fn until_waiting(wire: &Wire, id: u64) {
    poll_until("the connection to wait", || {
        let list = wire.client_list(ClientFilter::Ids(vec![id])).expect("a list");
        list[0].flags.contains('b').then_some(())
    });
}

#[test]
fn signs_of_life() {
    for_each_wire(|wire, _| {
        wire.ping().unwrap();
        assert_eq!(wire.ping_with::<String>("hello").unwrap(), "hello");
        assert_eq!(wire.echo::<Vec<u8>>(b"\0\xff").unwrap(), b"\0\xff");
    });
}

#[test]
fn a_connection_about_itself() {
    for_each_target(|target| {
        let wire = &connect(target);
        let id = wire.client_id().unwrap();
        assert_eq!(wire.client_getname().unwrap(), None);
        let info = wire.client_info().unwrap();
        assert_eq!((info.id, info.name, info.db), (id, None, 0));
        assert_eq!(info.laddr, target.addr().to_string());
        assert!(info.addr.starts_with("127.0.0.1:"), "{}", info.addr);
        assert_eq!((info.user.as_str(), info.cmd.as_deref()), ("default", Some("client|info")));
        assert_eq!((info.flags.as_str(), info.events.as_str(), info.multi), ("N", "r", None));
        assert_eq!(info.resp, Some(target.protocol().number()));
        assert_eq!((info.channels, info.patterns, info.shard_channels), (0, 0, Some(0)));
        assert!(info.total_memory > 0 && info.query_buffer_free > 0 && info.argv_memory > 0);
        assert!(info.reply_buffer_size.is_some() && info.reply_buffer_peak.is_some());
        let newer = target.version() == Version::V8;
        assert_eq!((info.watch.is_some(), info.io_thread.is_some()), (newer, newer));
        assert_eq!((info.total_net_in.is_some(), info.total_net_out.is_some()), (newer, newer));
        assert_eq!(info.total_commands.is_some(), newer);
        assert!(info.other.is_empty(), "{:?}", info.other);

        raw(wire, "CLIENT SETNAME", &["me"]);
        assert_eq!(wire.client_getname().unwrap().as_deref(), Some("me"));
        if newer {
            raw(wire, "CLIENT SETINFO", &["LIB-NAME", "redstart"]);
            raw(wire, "CLIENT SETINFO", &["LIB-VER", "1"]);
        }
        let info = wire.client_info().unwrap();
        assert_eq!(info.name.as_deref(), Some("me"));
        assert_eq!(info.lib_name.as_deref(), newer.then_some("redstart"));
        assert_eq!(info.lib_version.as_deref(), newer.then_some("1"));
    });
}

#[test]
fn tracking_and_its_redirection() {
    for_each_target(|target| {
        let (wire, other) = (&connect(target), &connect(target));
        assert_eq!(wire.client_getredir().unwrap(), TrackingRedirect::NotTracking);
        let info = wire.client_trackinginfo().unwrap();
        assert_eq!((info.flags, info.redirect), (["off".to_owned()].into(), TrackingRedirect::NotTracking));
        assert_eq!(wire.client_info().unwrap().redirect, TrackingRedirect::NotTracking);

        raw(wire, "CLIENT TRACKING", &["ON", "BCAST", "PREFIX", "user:", "PREFIX", "job:"]);
        assert_eq!(wire.client_getredir().unwrap(), TrackingRedirect::None);
        let info = wire.client_trackinginfo().unwrap();
        assert_eq!(info.flags, ["bcast", "on"].map(String::from).into());
        let prefixes: BTreeSet<_> = info.prefixes.iter().map(|prefix| &prefix[..]).collect();
        assert_eq!(prefixes, BTreeSet::from([&b"job:"[..], b"user:"]));

        let id = other.client_id().unwrap();
        raw(wire, "CLIENT TRACKING", &["OFF"]);
        raw(wire, "CLIENT TRACKING", &["ON", "REDIRECT", &id.to_string()]);
        assert_eq!(wire.client_getredir().unwrap(), TrackingRedirect::To(id));
        assert_eq!(wire.client_trackinginfo().unwrap().redirect, TrackingRedirect::To(id));
        assert_eq!(wire.client_info().unwrap().redirect, TrackingRedirect::To(id));
    });
}

#[test]
fn lists_of_connections() {
    for_each_target(|target| {
        let (a, b) = (&connect(target), &connect(target));
        let (id_a, id_b) = (a.client_id().unwrap(), b.client_id().unwrap());
        let mut listener = TcpStream::connect(target.addr()).unwrap();
        listener.write_all(b"SUBSCRIBE news\r\n").unwrap();
        assert_ne!(listener.read(&mut [0; 64]).unwrap(), 0);

        let all = ids_of(a, ClientFilter::All);
        let normal = ids_of(a, ClientFilter::Kind(ClientKind::Normal));
        let listening = ids_of(a, ClientFilter::Kind(ClientKind::PubSub));
        assert!(normal.contains(&id_a) && normal.contains(&id_b));
        assert_eq!(listening.len(), 1);
        assert_eq!(all, &normal | &listening);
        assert_eq!(ids_of(a, ClientFilter::Kind(ClientKind::Primary)), BTreeSet::new());
        assert_eq!(ids_of(a, ClientFilter::Kind(ClientKind::Replica)), BTreeSet::new());
        assert_eq!(ids_of(a, ClientFilter::Ids(vec![id_b, 1 << 40, id_a])), BTreeSet::from([id_a, id_b]));
        assert_eq!(ids_of(a, ClientFilter::Ids(vec![1 << 40])), BTreeSet::new());
        let channels = a.client_list(ClientFilter::Kind(ClientKind::PubSub)).unwrap()[0].channels;
        assert_eq!(channels, 1);
    });
}

#[test]
fn connections_are_closed_by_filter() {
    let kill = ClientKillFilter::new;
    for_each_target(|target| {
        let wire = &connect(target);
        let victim = || connect_as_victim(target);
        let (_alive, info) = victim();
        assert_eq!(wire.client_kill(kill().id(info.id)).unwrap(), 1);
        assert_eq!(wire.client_kill(kill().id(info.id)).unwrap(), 0);
        let (_alive, info) = victim();
        let all = kill().addr(info.addr).laddr(info.laddr).user("default").kind(ClientKind::Normal);
        assert_eq!(wire.client_kill(all).unwrap(), 1);
        assert_eq!(wire.client_kill(kill().kind(ClientKind::PubSub)).unwrap(), 0);
        assert_eq!(wire.client_kill(kill().kind(ClientKind::Replica)).unwrap(), 0);
        assert_eq!(wire.client_kill(kill().kind(ClientKind::Primary)).unwrap(), 0);

        let (_alive, _) = victim();
        let others = ids_of(wire, ClientFilter::All).len() as u64 - 1;
        assert_eq!(wire.client_kill(kill().user("default").skip_me(true)).unwrap(), others);
        assert!(wire.client_kill(kill()).is_err(), "a condition is needed");
        assert_eq!(wire.client_kill(kill().user("default").skip_me(false)).unwrap(), 1);
    });
}

#[test]
fn connections_are_closed_by_age() {
    for_each_target(|target| {
        let wire = &connect(target);
        let (_alive, info) = connect_as_victim(target);
        let older_than = |secs| {
            let age = Duration::from_secs(secs);
            wire.client_kill(ClientKillFilter::new().id(info.id).max_age(age))
        };
        if target.version() == Version::V7 {
            assert!(older_than(1000).is_err(), "7.0.15 does not know MAXAGE");
            return;
        }
        assert_eq!(older_than(1000).unwrap(), 0);
        poll_until("the connection to be a second old", || (older_than(1).unwrap() == 1).then_some(()));
    });
}

#[test]
fn a_pause_of_writes_lets_reads_pass() {
    for_each_target(|target| {
        let (wire, writer) = (&connect(target), connect(target));
        wire.set("k", "old").unwrap();
        wire.client_pause(Duration::from_secs(60), PauseMode::Writes).unwrap();
        let id = writer.client_id().unwrap();
        let write = thread::spawn(move || writer.set("k", "new"));
        until_waiting(wire, id);
        assert_eq!(wire.get::<String>("k").unwrap().as_deref(), Some("old"));
        wire.client_unpause().unwrap();
        write.join().unwrap().unwrap();
        assert_eq!(wire.get::<String>("k").unwrap().as_deref(), Some("new"));
    });
}

#[test]
fn a_pause_of_all_lets_nothing_pass() {
    for_each_target(|target| {
        let wire = &connect(target);
        let begin = Instant::now();
        wire.client_pause(Duration::from_millis(100), PauseMode::All).unwrap();
        wire.client_unpause().unwrap();
        // The server counts in milliseconds of its own clock.
        assert!(begin.elapsed() >= Duration::from_millis(90), "{:?}", begin.elapsed());
    });
}

/// What a waiting command ends with: a queue and a job, or nothing.
type Ended = Result<Option<(String, String)>>;

/// Makes another connection wait; returns its number too.
fn wait_for_job(target: &Target) -> (u64, JoinHandle<Ended>) {
    let waiter = connect(target);
    let id = waiter.client_id().expect("a number");
    (id, thread::spawn(move || waiter.run(Command::new("BLPOP").key("jobs").arg(0))))
}

#[test]
fn waiting_is_ended() {
    for_each_target(|target| {
        let wire = &connect(target);
        assert!(!wire.client_unblock(wire.client_id().unwrap(), UnblockMode::Timeout).unwrap());

        let (id, reply) = wait_for_job(target);
        until_waiting(wire, id);
        assert!(wire.client_unblock(id, UnblockMode::Timeout).unwrap());
        assert_eq!(reply.join().unwrap().unwrap(), None);

        let (id, reply) = wait_for_job(target);
        until_waiting(wire, id);
        assert!(wire.client_unblock(id, UnblockMode::Error).unwrap());
        assert_eq!(reply.join().unwrap().unwrap_err().code(), Some(ServerCode::Unblocked));
    });
}
