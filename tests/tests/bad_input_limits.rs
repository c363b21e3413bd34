//! Replies and commands beyond the client's limits, to the client of each runtime.

use std::thread;

use bytes::Bytes;
use redstart_core::command::Prepare as p;
use redstart_core::commands::{ConnectionCommands, ListCommands, StringCommands};
use redstart_core::error::{Delivery, Limit};
use redstart_core::resp::ProtocolError;
use redstart_core::{Error, ErrorKind, Result};
use redstart_tests::clients::for_each_runtime;
use redstart_tests::live::for_each_target;
use redstart_tests::server::hostile::{Fault, Script};
use redstart_tests::server::{Server, Version, poll_until};

#[track_caller]
fn assert_passes<T: std::fmt::Debug>(result: Result<T>, what: &'static str, limit: u64) {
    let error = result.expect_err("the reply passes a limit");
    assert_eq!(error.kind(), &ErrorKind::Protocol(ProtocolError::Limit { what, limit }));
    assert_eq!(error.delivery(), Delivery::MaybeExecuted, "it has run: {error}");
}

#[test]
fn replies_beyond_the_limits_cost_their_connection_and_no_more() {
    for_each_target(|target| {
        let other = redstart_blocking::Client::connect(target.url()).unwrap();
        other.set("large", vec![b'x'; 2000]).unwrap();
        other.rpush("long", (0..600).collect::<Vec<_>>()).unwrap();
        for_each_runtime(|runtime| {
            let limits = "max_bulk_bytes=1000&max_reply_bytes=4k&max_elements=700";
            let client = runtime.connect(format!("{}&{limits}&backoff_cap=10ms", target.url())).unwrap();
            let before = client.client_id().unwrap();
            assert_passes(client.get::<Bytes>("large"), "bytes in a string", 1000);
            assert_eq!(client.getrange::<String>("large", 0, 3), Ok("xxxx".to_owned()));
            assert_passes(client.lrange::<Bytes>("long", 0, -1), "bytes", 4096);
            assert_passes(client.mget::<Bytes>(vec!["k"; 701]), "elements", 700);
            assert_eq!(client.lrange::<u64>("long", 0, 3), Ok(vec![0, 1, 2, 3]));
            assert!(client.client_id().unwrap() > before, "on a new connection");
        });
    });
}

fn refused_by(limit: Limit) -> impl Fn(Error) {
    move |error| {
        assert_eq!(error.kind(), &ErrorKind::Limit(limit));
        assert_eq!((error.delivery(), error.command()), (Delivery::NotSent, Some("SET")));
    }
}

#[test]
fn commands_beyond_the_limits_are_refused_and_cost_nothing() {
    // Nothing ever reads it, so it takes no memory.
    let huge = Bytes::from(vec![0; (512 << 20) + 1]);
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(format!("{}?queue_bytes=1g&queue_commands=10", server.url())).unwrap();
        let before = client.client_id().unwrap();
        let refused = refused_by(Limit::ArgumentBytes(512 << 20));
        refused(client.set("k", huge.clone()).unwrap_err());
        let batch = || (p.set("fine", 1), p.set("k", huge.clone()));
        let (first, second) = client.try_pipeline(batch());
        refused(first.unwrap_err());
        refused(second.unwrap_err());
        refused(client.pipeline(batch()).unwrap_err());
        let sets = (0..11).map(|n| p.set("fine", n)).collect::<Vec<_>>();
        refused_by(Limit::QueueCommands(10))(client.pipeline(sets).unwrap_err());
        let error = client.transaction(batch()).unwrap_err();
        assert_eq!(
            (error.kind(), error.delivery()),
            (&ErrorKind::Limit(Limit::ArgumentBytes(512 << 20)), Delivery::NotSent)
        );

        let small = runtime.connect(format!("{}?queue_bytes=1000", server.url())).unwrap();
        let refused = refused_by(Limit::CommandBytes(1000));
        refused(small.set("k", "x".repeat(1000)).unwrap_err());
        let sets = (0..20).map(|_| p.set("fine", "x".repeat(50))).collect::<Vec<_>>();
        refused(small.pipeline(sets).unwrap_err());
        small.set("k", "x".repeat(900)).unwrap();

        assert_eq!(client.getdel::<String>("k").unwrap().map(|value| value.len()), Some(900));
        assert_eq!(client.get::<String>("fine"), Ok(None));
        assert_eq!(client.client_id().unwrap(), before, "on the same connection");
    });
}

#[test]
fn a_full_queue_can_refuse() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("SET", Fault::Silence).start();
        for (option, limit) in
            [("queue_commands=1", Limit::QueueCommands(1)), ("queue_bytes=40", Limit::QueueBytes(40))]
        {
            let url = format!("{}?when_full=fail&{option}&close_timeout=0&response_timeout=2s", server.url());
            let client = runtime.connect(url).unwrap();
            let count = server.count("SET");
            let waits = thread::spawn({
                let client = client.clone();
                move || client.set("k", 1)
            });
            poll_until("the queue to be full", || (server.count("SET") > count).then_some(()));
            refused_by(limit)(client.set("k", 2).unwrap_err());
            client.close();
            assert_eq!(waits.join().unwrap().unwrap_err().delivery(), Delivery::MaybeExecuted);
        }
    });
}
