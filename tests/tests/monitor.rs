//! Watching what a server does, on every runtime.

use redstart_core::client::monitor::{MONITOR_BYTES, MonitorEvent, Monitors};
use redstart_core::commands::{
    Caller, ClientFilter, ConnectionCommands, MonitorLine, ScriptingCommands, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_core::{ErrorKind, Result};
use redstart_tests::clients::{AnyClient, for_each_runtime};
use redstart_tests::live::for_each_target;
use redstart_tests::server::{Server, Version, poll_until};

/// The next line of a command of this name.
fn next_line(monitor: &mut impl Iterator<Item = Result<MonitorEvent>>, name: &str) -> MonitorLine {
    loop {
        match monitor.next().expect("it has not ended").expect("a line") {
            MonitorEvent::Line(line) if line.args[0].eq_ignore_ascii_case(name.as_bytes()) => return line,
            MonitorEvent::Line(_) => {}
            event => panic!("{event:?}"),
        }
    }
}

/// How many connections watch.
fn watching(client: &AnyClient) -> usize {
    let clients = client.client_list(ClientFilter::All).expect("a list");
    clients.iter().filter(|client| client.flags.contains('O')).count()
}

#[test]
fn lines_as_they_were_sent() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let mut monitor = client.monitor().unwrap();
            let odd = b"\x00\xff \"quoted\" \\ \r\n\t\x07\x08".to_vec();
            client.set("k", odd.clone()).unwrap();
            let line = next_line(&mut monitor, "SET");
            assert_eq!(line.args, [b"SET".to_vec(), b"k".to_vec(), odd]);
            assert_eq!(line.database, 0);
            let Caller::Address(address) = &line.caller else { panic!("{:?}", line.caller) };
            assert!(address.starts_with("127.0.0.1:"), "{address}");
            client.eval::<String>("return redis.call('GETRANGE', KEYS[1], 0, 0)", "other", ()).unwrap();
            assert_eq!(next_line(&mut monitor, "GETRANGE").caller, Caller::Script);
            assert_eq!(watching(&client), 1);
            drop(monitor);
            poll_until("the watch to end", || (watching(&client) == 0).then_some(()));
            client.close();
        });
    });
}

#[test]
fn the_end_of_the_connection_is_told_once() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*server.url()).unwrap();
        let mut monitor = client.monitor().unwrap();
        let clients = client.client_list(ClientFilter::All).unwrap();
        let watcher = clients.iter().find(|client| client.flags.contains('O')).expect("it watches");
        assert_eq!(server.cli(&["CLIENT", "KILL", "ID", &watcher.id.to_string()]), "1");
        let error = loop {
            match monitor.next().expect("it has not ended") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.is_connection(), "{error}");
        assert!(monitor.next().is_none());
        let mut monitor = client.monitor().unwrap();
        client.close();
        let error = loop {
            if let Err(error) = monitor.next().expect("it has not ended") {
                break error;
            }
        };
        assert!(error.is_connection() || error.kind() == &ErrorKind::Closed, "{error}");
    });
}

#[test]
fn who_does_not_read_lags_and_disturbs_nobody() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*server.url()).unwrap();
        let mut monitor = client.monitor().unwrap();
        let (value, sets) = ("x".repeat(100_000), MONITOR_BYTES / 100_000 * 2);
        for _ in 0..sets {
            client.set("k", &value).unwrap();
        }
        let mut lines = 0;
        let lost = loop {
            match monitor.next().expect("it has not ended").expect("an event") {
                MonitorEvent::Line(line) => lines += usize::from(line.args[0] == b"SET"),
                MonitorEvent::Lagged(lost) => break lost as usize,
            }
        };
        assert!(
            lines >= MONITOR_BYTES / 101_000 && lost > 0 && lines + lost <= sets + 10,
            "{lines}, {lost} lost"
        );
        client.set("k", "end").unwrap();
        while next_line(&mut monitor, "SET").args[2] != b"end" {}
        client.close();
    });
}

#[test]
fn who_may_not_watch_is_told() {
    let server = Server::start(Version::V8);
    server.cli(&["ACL", "SETUSER", "default", "-monitor"]);
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*server.url()).unwrap();
        assert_eq!(client.monitor().unwrap_err().code(), Some(ServerCode::NoPerm));
        client.close();
    });
}
