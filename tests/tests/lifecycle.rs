//! From the first greeting to the last handle, by the client of each runtime.

use std::thread;
use std::time::{Duration, Instant};

use redstart_core::ErrorKind;
use redstart_core::commands::{ConnectionCommands, StringCommands};
use redstart_core::config::{Config, Endpoint, Protocol};
use redstart_core::error::{Delivery, Waiting};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::live::for_each_target;
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::{PATIENCE, ServerConfig, Version, poll_until};

#[test]
fn the_server_sees_name_library_protocol_and_database() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(format!("{}&db=5&client_name=me.1", target.url())).unwrap();
            let info = client.connected().unwrap();
            assert_eq!(info.protocol, target.protocol().number());
            client.set("k", "in five").unwrap();
            assert_eq!(target.cli(&["-n", "5", "GET", "k"]), "in five");
            assert_eq!(target.cli(&["GET", "k"]), "");
            let clients = target.cli(&["CLIENT", "LIST", "TYPE", "normal"]);
            let me = clients.lines().find(|line| line.contains(" name=me.1 ")).expect("it has a name");
            let me = format!("{me} ");
            assert!(me.contains(" db=5 ") && me.contains(&format!(" resp={} ", info.protocol)), "{me}");
            if target.version() >= Version::V8 {
                let version = env!("CARGO_PKG_VERSION");
                assert!(me.contains(&format!(" lib-name=redstart lib-ver={version} ")), "{me}");
            }
            if info.protocol == 3 {
                assert_eq!((&*info.server, &*info.version), ("redis", target.version().number()));
                assert_eq!((&*info.mode, &*info.role), ("standalone", "master"));
                assert_eq!(client.client_id(), Ok(info.client_id));
            }
        });
    });
}

#[test]
fn a_unix_socket_serves_like_tcp() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).unix_socket().start();
        let path = server.unix_path();
        let path = path.to_str().expect("a path in ASCII");
        for_each_runtime(|runtime| {
            let url = format!("unix://{path}?db=2&client_name=unix");
            for config in [Config::new(Endpoint::unix(path)).database(2), Config::from_url(&url).unwrap()] {
                let client = runtime.connect(config).unwrap();
                client.set("k", "v".repeat(100_000)).unwrap();
                assert_eq!(server.cli(&["-n", "2", "STRLEN", "k"]), "100000");
                let error = client.incr("k").unwrap_err();
                assert_eq!(error.node(), Some(path));
            }
        });
    }
}

#[test]
fn closing_lets_what_is_under_way_end() {
    for_each_runtime(|runtime| {
        let slow = Fault::Drip { bytes: b"+OK\r\n".to_vec(), interval: Duration::from_millis(20) };
        let server = Script::new().on("SET", slow).start();
        let client = runtime.connect(server.url()).unwrap();
        let calls = [1, 2].map(|value| {
            let client = client.clone();
            thread::spawn(move || client.set("k", value))
        });
        poll_until("the first to be under way", || (server.count("SET") == 1).then_some(()));
        client.close();
        for call in calls {
            // The second may have come too late.
            match call.join().unwrap() {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!((error.kind(), error.delivery()), (&ErrorKind::Closed, Delivery::NotSent));
                }
            }
        }
        closed(&server);
        assert_eq!(server.answered(), server.received().concat().len(), "nothing was cut off");
        let error = client.set("k", 3).unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (&ErrorKind::Closed, Delivery::NotSent));
        assert_eq!(error.command(), Some("SET"));
        assert_eq!(client.connected().unwrap_err().kind(), &ErrorKind::Closed);
        client.close();
    });
}

#[test]
fn closing_has_an_end_even_if_the_server_does_not_answer() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("SET", Fault::Silence).start();
        let client =
            runtime.connect(format!("{}?close_timeout=50ms&response_timeout=none", server.url())).unwrap();
        let waits = thread::spawn({
            let client = client.clone();
            move || client.set("k", 1)
        });
        poll_until("the call to be under way", || (server.count("SET") == 1).then_some(()));
        let start = Instant::now();
        client.close();
        assert!(start.elapsed() < PATIENCE);
        let error = waits.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Drain));
        assert_eq!((error.delivery(), error.command()), (Delivery::MaybeExecuted, Some("SET")));
        closed(&server);
    });
}

#[test]
fn the_last_handle_takes_the_connection_with_it() {
    for_each_runtime(|runtime| {
        let server = Script::new().start();
        let client = runtime.connect(server.url()).unwrap();
        let other = client.clone();
        drop(client);
        other.set("k", 1).unwrap();
        assert_eq!(server.open(), 1);
        drop(other);
        closed(&server);
        assert_eq!(server.received().len(), 1);
    });
}

#[test]
fn a_client_that_failed_to_connect_leaves_nothing_behind() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("HELLO", Fault::error("ERR no")).start();
        let config = Config::new(Endpoint::tcp("127.0.0.1", server.port())).protocol(Protocol::Resp3);
        runtime.connect(config).unwrap_err();
        closed(&server);
    });
}

fn closed(server: &Hostile) {
    poll_until("every connection to be closed", || (server.open() == 0).then_some(()));
}
