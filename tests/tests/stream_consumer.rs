//! Consumers of groups against real servers, as iterators and as streams.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use redstart_core::commands::{
    ClientFilter, ClientKillFilter, ClientKind, ConnectionCommands, Consumer, ConsumerOptions, FlushMode,
    KeyCommands, PendingQuery, ServerCommands, StreamCommands, StreamConsumers, StreamEntry,
    StreamGroupCommands, StreamRange, XreadOptions,
};
use redstart_core::config::Endpoint;
use redstart_core::error::ServerCode;
use redstart_core::{Config, Result};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime, tokio};
use redstart_tests::live::for_each_target;
use redstart_tests::server::cluster::ClusterConfig;
use redstart_tests::server::{Server, Version, poll_until};
use redstart_tests::wire::{Wire, for_each_wire};

type Fields = Vec<(String, u64)>;

const DRAIN: ConsumerOptions = ConsumerOptions::new().count(7).drain();

fn add(c: &Wire, numbers: std::ops::Range<u64>) {
    for number in numbers {
        c.xadd("k", [("n", number)]).expect("a reply");
    }
}

fn number(entry: Result<StreamEntry<Fields>>) -> u64 {
    entry.expect("an entry").fields[0].1
}

/// What a consumer of this name gets, without acknowledging any of it.
fn drained(c: &Wire, name: &str, options: ConsumerOptions) -> Vec<u64> {
    c.xconsume("k", "g", name, options).map(number).collect()
}

#[test]
fn what_is_not_acknowledged_comes_again() {
    for_each_wire(|c, _| {
        let nothing: [u64; 0] = [];
        assert_eq!(drained(c, "ann", DRAIN), nothing, "stream and group are made");
        assert_eq!(c.xinfo_groups("k").unwrap().len(), 1);
        add(c, 0..20);
        let mut ann: Consumer<_, Fields> = c.xconsume("k", "g", "ann", DRAIN);
        for expected in 0..10 {
            let entry = ann.next().unwrap().unwrap();
            assert_eq!(entry.fields[0].1, expected);
            if expected < 5 {
                assert_eq!(ann.ack(entry.id).unwrap(), 1);
            }
        }
        drop(ann);
        assert_eq!(drained(c, "bob", DRAIN), (14..20).collect::<Vec<_>>(), "two pages were ann's");
        assert_eq!(drained(c, "ann", DRAIN), (5..14).collect::<Vec<_>>());
        let entries = c.xpending_range("k", "g", PendingQuery::new(1)).unwrap();
        assert_eq!((&*entries[0].consumer, entries[0].deliveries), ("ann", 2));
    });
}

#[test]
fn stale_entries_are_claimed() {
    for_each_wire(|c, _| {
        assert!(drained(c, "ann", DRAIN).is_empty());
        add(c, 0..20);
        assert_eq!(drained(c, "ann", DRAIN).len(), 20);
        assert!(drained(c, "bob", DRAIN.claim_after(Duration::from_secs(60))).is_empty(), "not stale yet");
        let one = c.xrange::<Fields>("k", ..).unwrap()[3].id;
        assert_eq!(c.xdel("k", one).unwrap(), 1);
        // Nothing is old enough to be taken twice in one round, so it ends.
        let bob: Vec<u64> =
            c.xconsume("k", "g", "bob", DRAIN.claim_after(Duration::ZERO)).take(19).map(number).collect();
        assert_eq!(bob, (0..20).filter(|number| *number != 3).collect::<Vec<_>>());
        let consumers = c.xpending("k", "g").unwrap().consumers;
        assert_eq!(consumers, [("bob".to_owned(), 19)], "one that is gone is nobody's");
    });
}

#[test]
fn a_consumer_ends_with_errors_that_last() {
    for_each_wire(|c, _| {
        let mut missing = c.xconsume::<Fields>("k", "g", "ann", DRAIN.must_exist());
        assert_eq!(missing.next().unwrap().unwrap_err().code(), Some(ServerCode::NoGroup));
        assert!(missing.next().is_none());
        c.xadd("k", [("n", "no number")]).unwrap();
        let mut wrong = c.xconsume::<Fields>("k", "g", "ann", DRAIN);
        assert!(wrong.next().unwrap().unwrap_err().to_string().contains("expected an integer"));
        assert!(wrong.next().is_none());
        assert_eq!(c.del("k").unwrap(), 1);
    });
}

#[test]
fn a_stream_of_entries_waits_for_more() {
    for_each_target(|target| {
        let url = target.url();
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(&*url).await.unwrap();
            let options = ConsumerOptions::new().claim_after(Duration::from_secs(60));
            let mut consumer = client.xconsume::<Fields>("k", "g", "ann", options);
            for expected in 0..30_u64 {
                let entry = {
                    // A future that is given up in the middle loses nothing.
                    let given_up = tokio::time::timeout(Duration::from_millis(1), consumer.next()).await;
                    if expected % 10 == 0 {
                        assert!(given_up.is_err(), "nothing is there yet");
                        let other = redstart_tokio::Client::connect(&*url).await.unwrap();
                        for number in expected..expected + 10 {
                            other.xadd("k", [("n", number)]).await.unwrap();
                        }
                    }
                    match given_up {
                        Ok(entry) => entry,
                        Err(_) => consumer.next().await,
                    }
                };
                let entry = entry.unwrap().unwrap();
                assert_eq!(entry.fields[0].1, expected);
                assert_eq!(consumer.ack(entry.id).await.unwrap(), 1);
            }
        });
    });
}

/// Consumes until the number 399 was seen; returns all numbers, and how often an error passed.
fn consume(client: &AnyClient, name: &str) -> (Vec<u64>, usize) {
    let options = ConsumerOptions::new().count(10).block(Duration::from_millis(20));
    let mut consumer =
        client.xconsume::<Fields>("k", "g", name, options.claim_after(Duration::from_millis(500)));
    let (mut numbers, mut errors) = (Vec::new(), 0);
    loop {
        match consumer.next().expect("it goes on") {
            Ok(entry) => {
                numbers.push(entry.fields[0].1);
                // One whose acknowledgement fails comes again.
                errors += usize::from(consumer.ack(entry.id).is_err());
            }
            Err(_) => errors += 1,
        }
        if numbers.last() == Some(&399) {
            return (numbers, errors);
        }
    }
}

#[test]
fn nothing_is_lost_when_connections_are() {
    for_each_runtime(|runtime| {
        let server = Server::start(Version::V8);
        let client = runtime.connect(server.url()).unwrap();
        let wire = Wire::connect(server.addr(), 3);
        let (numbers, errors) = thread::scope(|scope| {
            let consuming = scope.spawn(|| consume(&client, "ann"));
            for number in 0..400_u64 {
                wire.xadd("k", [("n", number)]).unwrap();
                if number % 100 == 50 {
                    poll_until("the consumer to wait", || {
                        let clients = wire.client_list(ClientFilter::All).expect("a list");
                        clients.iter().any(|client| client.flags.contains('b')).then_some(())
                    });
                    let all = ClientKillFilter::new().kind(ClientKind::Normal).skip_me(true);
                    wire.client_kill(all).unwrap();
                }
            }
            consuming.join().unwrap()
        });
        let seen: BTreeSet<u64> = numbers.iter().copied().collect();
        eprintln!("{} deliveries, {errors} errors", numbers.len());
        assert_eq!(seen.len(), 400);
        assert!(errors > 0, "it was waiting when its connection was closed");
        assert!(numbers.len() < 450, "few of them twice: {}", numbers.len());
        let left = wire.xpending("k", "g").unwrap().count;
        assert!(left <= errors as u64, "{left} are pending");
    });
}

#[test]
fn consumers_of_streams_on_several_nodes() {
    for version in Version::ALL {
        let cluster = ClusterConfig::new(version).start();
        for runtime in [Runtime::Tokio, Runtime::Blocking] {
            let seed = Endpoint::tcp("127.0.0.1", cluster.server(0).port());
            let client = runtime.connect(Config::cluster([seed])).unwrap();
            client.flushall(FlushMode::Sync).unwrap();
            // Three slots at three nodes.
            for key in ["a", "b", "c"] {
                for number in 0..30_u64 {
                    client.xadd(key, [("n", number)]).unwrap();
                }
                let consumer = client.xconsume::<Fields>(key, "g", "ann", DRAIN);
                assert_eq!(consumer.map(number).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
                assert_eq!(client.xpending(key, "g").unwrap().count, 30);
            }
            let last = client.xrevrange::<Fields>("b", StreamRange::new(..).count(1)).unwrap()[0].id;
            let options = XreadOptions::new().block(Duration::from_millis(5));
            assert_eq!(client.xread::<String, Fields>([("b", last)], options).unwrap(), None);
        }
    }
}

#[test]
fn consumers_that_are_given_up_lose_nothing() {
    let mut rng = fastrand::Rng::with_seed(7);
    let server = Server::start(Version::V8);
    let wire = Wire::connect(server.addr(), 3);
    let mut seen = BTreeSet::new();
    tokio().block_on(async {
        let client = redstart_tokio::Client::connect(server.url()).await.unwrap();
        for round in 0..100_u64 {
            let mut consumer = client.xconsume::<Fields>("k", "g", "ann", ConsumerOptions::new().count(3));
            add(&wire, 3 * round..3 * (round + 1));
            let patience = Duration::from_micros(rng.u64(50..3_000));
            while let Ok(Some(entry)) = tokio::time::timeout(patience, consumer.next()).await {
                let entry = entry.expect("an entry");
                assert_eq!(consumer.ack(entry.id).await, Ok(1), "it was pending");
                assert!(seen.insert(entry.fields[0].1), "it was acknowledged before");
            }
        }
    });
    seen.extend(drained(&wire, "ann", DRAIN));
    assert!(seen.into_iter().eq(0..300));
}
