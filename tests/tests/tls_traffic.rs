//! What goes over TLS, and how it ends: large values, pipelines, lost connections, streams that are cut off.

use std::time::Duration;

use redstart_core::client::Options;
use redstart_core::command::Prepare as p;
use redstart_core::commands::*;
use redstart_core::config::{Config, Endpoint, Tls};
use redstart_core::error::{ConnectionError, Delivery, TlsError};
use redstart_core::{Error, ErrorKind};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::load::Plan;
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::pki::{Authority, Issue};
use redstart_tests::server::{Server, ServerConfig, ServerTls, Version, poll_until};

fn secured(port: u16, ca: &Authority) -> Config {
    Config::new(Endpoint::tcp("localhost", port)).tls(Tls::new().ca_pem(&ca.pem()))
}

fn server(ca: &Authority) -> Server {
    ServerConfig::new(Version::V7).tls(&ServerTls::new(&ca.issue(&Issue::localhost()), ca)).start()
}

fn hostile(ca: &Authority, script: Script) -> Hostile {
    script.tls(ca.issue(&Issue::localhost()).server_config(Vec::new())).start()
}

fn reason(error: &Error) -> &ConnectionError {
    let ErrorKind::Connection(reason) = error.kind() else { panic!("{error}") };
    reason
}

#[test]
fn large_values_go_both_ways() {
    let ca = Authority::root("ca");
    let server = server(&ca);
    let large: Vec<u8> =
        (0..16 << 20).map(|place: u32| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for_each_runtime(|runtime| {
        let client = runtime.connect(secured(server.tls_port(), &ca)).unwrap();
        client.set("large", large.clone()).unwrap();
        assert_eq!(client.strlen("large"), Ok(16 << 20));
        assert!(client.get::<Vec<u8>>("large").unwrap().is_some_and(|value| value == large));
        // Both at once: what is written waits for what is read.
        let medium = &large[..4 << 20];
        client.set("large", medium).unwrap();
        let pairs = client.pipeline((0..4).map(|_| p.getset::<Vec<u8>>("large", medium)).collect::<Vec<_>>());
        assert!(pairs.unwrap().iter().all(|value| value.as_deref() == Some(medium)));
        client.del("large").unwrap();
    });
}

#[test]
fn pipelines_and_many_callers() {
    let ca = Authority::root("ca");
    let server = server(&ca);
    for_each_runtime(|runtime| {
        let client = runtime.connect(secured(server.tls_port(), &ca)).unwrap();
        client.flushall(FlushMode::Sync).unwrap();
        let sums = client.pipeline((0..20_000).map(|_| p.incr("n")).collect::<Vec<_>>());
        assert!(sums.unwrap().into_iter().eq(1..=20_000));
        let load = Plan::new(8).start(&client);
        load.wait_for(2000);
        let verdict = load.finish(server.addr());
        verdict.assert_true();
        assert_eq!((verdict.writes, verdict.ambiguous()), (verdict.acked, 0));
    });
}

#[test]
fn connections_that_are_killed_are_made_anew() {
    let ca = Authority::root("ca");
    for_each_runtime(|runtime| {
        let mut server = server(&ca);
        let client = runtime.connect(secured(server.tls_port(), &ca)).unwrap();
        let load = Plan::new(8).start(&client);
        for _ in 0..5 {
            load.wait_for(200);
            server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
        load.wait_for(200);
        let verdict = load.finish(server.addr());
        verdict.assert_true();
        assert!(verdict.applied <= verdict.ambiguous(), "{verdict:?}");
        server.kill9();
        // The first may meet the connection before its end is known.
        let _ = client.with(Options::new().timeout(Duration::from_millis(100))).get::<String>("k");
        server.restart();
        client.set("k", 2).unwrap();
        assert_eq!(server.cli(&["GET", "k"]), "2");
    });
}

#[test]
fn a_stream_that_ends_with_a_word_and_one_that_is_cut_off() {
    let ca = Authority::root("ca");
    let table = [
        (Fault::CloseAfter(Vec::new()), ConnectionError::ClosedByPeer),
        (Fault::CutAfter(Vec::new()), ConnectionError::Tls(TlsError::Truncated)),
        (Fault::CutAfter(b"$5\r\nab".to_vec()), ConnectionError::Tls(TlsError::Truncated)),
    ];
    for_each_runtime(|runtime| {
        for (fault, expected) in &table {
            let server = hostile(&ca, Script::new().on_first(1, "SET last", fault.clone()));
            let client = runtime.connect(secured(server.port(), &ca)).unwrap();
            // What came before the end counts.
            let (first, last) = client.try_pipeline((p.set("first", 1), p.set("last", 1)));
            assert_eq!(first, Ok(()));
            let error = last.expect_err("the connection ended");
            assert_eq!((reason(&error), error.delivery()), (expected, Delivery::MaybeExecuted));
            client.set("k", 1).unwrap();
            assert_eq!((server.count("SET last"), server.received().len()), (1, 2));
        }
    });
}

#[test]
fn replies_that_come_byte_by_byte() {
    let ca = Authority::root("ca");
    let reply = Fault::Drip { bytes: b"$5\r\nvalue\r\n".to_vec(), interval: Duration::from_millis(1) };
    for_each_runtime(|runtime| {
        let server = hostile(&ca, Script::new().on("GET", reply.clone()));
        let client = runtime.connect(secured(server.port(), &ca)).unwrap();
        assert_eq!(client.get::<String>("k").unwrap().as_deref(), Some("value"));
        assert_eq!(server.received().len(), 1);
    });
}

/// A client that is closed says so.
#[test]
fn the_last_word_is_said() {
    let ca = Authority::root("ca");
    for_each_runtime(|runtime| {
        let server = hostile(&ca, Script::new());
        let client = runtime.connect(secured(server.port(), &ca)).unwrap();
        client.set("k", 1).unwrap();
        client.close();
        poll_until("the connection to end", || (server.open() == 0).then_some(()));
        assert_eq!(server.cut_off(), 0);
    });
}
