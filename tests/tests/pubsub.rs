//! Subscriptions against real servers: both versions, both protocols, all runtimes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use redstart_core::client::Options;
use redstart_core::command::Command;
use redstart_core::error::{Delivery, ServerCode};
use redstart_core::pubsub::{Event, KeyChannel, Message, Notification};
use redstart_tests::clients::{AnySubscription, Runtime, for_each_runtime, tokio};
use redstart_tests::live::{Protocol, for_each_target};
use redstart_tests::server::{PATIENCE, Server, ServerConfig, Version, poll_until};
use redstart_tokio::commands::*;
use redstart_tokio::{Client, Subscription};

/// What was published, of an event that must be a message.
fn payload(event: Option<Event>) -> String {
    match event {
        Some(Event::Message(message)) => message.payload_as().expect("text"),
        other => panic!("{other:?} is no message"),
    }
}

fn subscribers(server: &Server, channel: &str) -> String {
    server.cli(&["PUBSUB", "NUMSUB", channel]).split_once('\n').expect("a name and a number").1.to_owned()
}

#[test]
fn messages_come_from_channels_patterns_and_sharded_channels_on_every_runtime_and_target() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let mut news = client.subscribe(["news", "weather"]).unwrap();
            let mut all = client.psubscribe("n*").unwrap();
            let mut shard = client.ssubscribe("orders").unwrap();
            assert_eq!(target.cli(&["PUBLISH", "news", "rain"]), "2");
            assert_eq!(target.cli(&["SPUBLISH", "orders", "one"]), "1");
            assert_eq!(payload(news.next()), "rain");
            let Some(Event::Message(message)) = all.next() else { panic!("no message") };
            assert_eq!(message, Message::new("news", "rain").with_pattern("n*"));
            assert_eq!((message.channel(), message.pattern()), (&b"news"[..], Some(&b"n*"[..])));
            assert_eq!(payload(shard.next()), "one");
            // Requests go on beside subscriptions.
            assert_eq!(client.incr("hits"), Ok(1));
            assert_eq!(target.cli(&["DEL", "hits"]), "1");
            assert!(news.next_timeout(Duration::from_millis(5)).is_err());
            news.unsubscribe("news");
            news.subscribe("sports").unwrap();
            assert_eq!(target.cli(&["PUBLISH", "news", "sun"]), "1");
            assert_eq!(target.cli(&["PUBLISH", "sports", "goal"]), "1");
            assert_eq!(payload(news.next()), "goal");
            drop((news, all, shard));
            // Where nobody drives while idle, the next call does.
            poll_until("the end of all subscriptions", || {
                client.connected().unwrap();
                let _ = client.run(Command::<String>::new("PING"));
                let left = [target.cli(&["PUBSUB", "CHANNELS"]), target.cli(&["PUBSUB", "NUMPAT"])];
                (left == ["", "0"]).then_some(())
            });
            client.close();
        });
    });
}

#[test]
fn a_refusal_is_told_to_the_call_that_it_concerns_and_to_no_other() {
    for_each_target(|target| {
        target.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all", "resetchannels", "&open:*"]);
        let url = target.url().replace("redis://", "redis://ann:secret@");
        tokio().block_on(async {
            let client = Client::connect(url).await.unwrap();
            let (open, shut, incr) =
                tokio::join!(client.subscribe("open:1"), client.subscribe("shut:1"), client.incr("n"));
            assert_eq!(incr, Ok(1));
            let error = shut.unwrap_err();
            assert_eq!((error.code(), error.delivery()), (Some(ServerCode::NoPerm), Delivery::Rejected));
            assert_eq!(error.command(), Some("SUBSCRIBE"));
            let mut open = open.unwrap();
            assert!(open.subscribe(["open:2", "shut:2"]).await.is_err());
            // None of the channels was added.
            poll_until("the end of what came with it", || {
                (subscribers(target, "open:2") == "0").then_some(())
            });
            assert_eq!(target.cli(&["PUBLISH", "open:1", "kept"]), "1");
            assert_eq!(payload(open.next().await), "kept");
        });
        target.cli(&["DEL", "n"]);
    });
}

#[test]
fn hundred_thousand_messages_come_to_twenty_subscriptions_in_order() {
    const SUBSCRIPTIONS: usize = 20;
    for_each_target(|target| {
        let is_last = (target.version(), target.protocol()) == (Version::V8, Protocol::Resp3);
        let messages = if is_last { 100_000 } else { 10_000 };
        tokio().block_on(async {
            // Room for all, so that none is dropped where this machine is busy with other things.
            let client = Client::connect(format!("{}&subscription_bytes=256m", target.url())).await.unwrap();
            let mut readers = Vec::new();
            for _ in 0..SUBSCRIPTIONS {
                let mut subscription = client.subscribe("numbers").await.unwrap();
                readers.push(tokio::spawn(async move {
                    for number in 0..messages {
                        assert_eq!(payload(subscription.next().await), number.to_string());
                    }
                }));
            }
            publish(target, messages).await;
            for reader in readers {
                tokio::time::timeout(PATIENCE, reader).await.unwrap().unwrap();
            }
        });
    });
}

/// Publishes numbers to `numbers`, in batches, by a client of its own.
async fn publish(server: &Server, count: usize) {
    let client = Client::connect(server.url()).await.expect("it is sent");
    let numbers: Vec<_> = (0..count).collect();
    for part in numbers.chunks(1000) {
        let batch: Vec<_> =
            part.iter().map(|number| Command::<i64>::new("PUBLISH").arg("numbers").arg(*number)).collect();
        client.pipeline(batch).await.expect("it is sent");
    }
}

/// Reads until a number that is not below `end`, and demands that every number that is missing lies in a gap that was
/// told of. Returns how many gaps there were.
async fn read_with_gaps(mut subscription: Subscription, end: Arc<AtomicUsize>) -> usize {
    let (mut next, mut interrupted, mut gaps, mut excused) = (0, false, 0, false);
    loop {
        match subscription.next().await.expect("the client is open") {
            Event::Interrupted => {
                assert!(!interrupted, "interrupted twice");
                (interrupted, excused) = (true, true);
                gaps += 1;
            }
            Event::Resumed => interrupted = false,
            Event::Message(message) => {
                let number: usize = message.payload_as().expect("a number");
                assert!(number == next || (excused && number > next), "{number} after {next} without a word");
                (next, excused) = (number + 1, interrupted);
                if number >= end.load(SeqCst) {
                    return gaps;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_gap_is_told_when_connections_are_killed_all_the_time() {
    for_each_target(|target| {
        tokio().block_on(async {
            let client = Client::connect(target.url()).await.unwrap();
            let end = Arc::new(AtomicUsize::new(usize::MAX));
            let mut readers = Vec::new();
            for _ in 0..4 {
                let subscription = client.subscribe("numbers").await.unwrap();
                readers.push(tokio::spawn(read_with_gaps(subscription, end.clone())));
            }
            let publisher =
                Client::connect(format!("{}?client_name=publisher", target.url().split('?').next().unwrap()))
                    .await
                    .unwrap();
            let start = Instant::now();
            let (mut number, mut kills) = (0_usize, 0);
            while start.elapsed() < Duration::from_millis(1500) {
                let batch: Vec<_> = (number..number + 50)
                    .map(|number| Command::<i64>::new("PUBLISH").arg("numbers").arg(number))
                    .collect();
                publisher.pipeline(batch).await.unwrap();
                number += 50;
                if start.elapsed().as_millis() / 200 > kills {
                    kills += 1;
                    target.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            end.store(number, SeqCst);
            // Until all are subscribed again, nobody hears it.
            let last = tokio::spawn(async move {
                loop {
                    let _: i64 =
                        publisher.run(Command::new("PUBLISH").arg("numbers").arg(number)).await.unwrap();
                    number += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            for reader in readers {
                let gaps = tokio::time::timeout(PATIENCE, reader).await.unwrap().unwrap();
                assert!(gaps > 0, "no gap was told although the connection was killed {kills} times");
            }
            last.abort();
        });
    });
}

#[test]
fn who_does_not_read_lags_by_its_own_bound_and_disturbs_nobody() {
    const MESSAGES: usize = 20_000;
    for_each_target(|target| {
        tokio().block_on(async {
            let client = Client::connect(format!("{}&subscription_bytes=64k", target.url())).await.unwrap();
            let mut lazy = client.subscribe("numbers").await.unwrap();
            let mut eager = client.subscribe("numbers").await.unwrap();
            let reader = tokio::spawn(async move {
                let mut read = 0;
                let mut lost = 0;
                while read + lost < MESSAGES {
                    match eager.next().await.unwrap() {
                        Event::Message(_) => read += 1,
                        Event::Lagged(more) => lost += more as usize,
                        other => panic!("{other:?}"),
                    }
                }
                read
            });
            publish(target, MESSAGES).await;
            let hits: i64 = client.incr("hits").await.unwrap();
            assert!(hits > 0);
            let read = tokio::time::timeout(PATIENCE, reader).await.unwrap().unwrap();
            assert!(read > 0);
            let Some(Event::Lagged(lost)) = lazy.next().await else { panic!("it has not lagged") };
            let lost = usize::try_from(lost).unwrap();
            for number in lost..MESSAGES {
                assert_eq!(payload(lazy.next().await), number.to_string());
            }
            let kept = MESSAGES - lost;
            assert!((100..1000).contains(&kept), "64 KiB hold {kept} messages of about 110 bytes");
        });
        target.cli(&["FLUSHALL"]);
    });
}

#[test]
fn a_restarted_server_has_all_subscriptions_again() {
    for version in Version::ALL {
        for protocol in [2, 3] {
            let mut server = Server::start(version);
            tokio().block_on(async {
                let client = Client::connect(format!("{}?protocol={protocol}", server.url())).await.unwrap();
                let mut subscription = client.subscribe(["a", "b"]).await.unwrap();
                subscription.psubscribe("c*").await.unwrap();
                server.restart();
                assert_eq!(subscription.next().await, Some(Event::Interrupted));
                assert_eq!(subscription.next().await, Some(Event::Resumed));
                for channel in ["a", "b", "cc"] {
                    assert_eq!(server.cli(&["PUBLISH", channel, channel]), "1");
                    assert_eq!(payload(subscription.next().await), channel);
                }
            });
        }
    }
}

#[test]
fn calls_and_subscriptions_that_are_dropped_leave_nothing_behind() {
    for_each_target(|target| {
        tokio().block_on(async {
            let client = Client::connect(target.url()).await.unwrap();
            let mut kept = client.subscribe("kept").await.unwrap();
            let mut rng = fastrand::Rng::with_seed(7);
            let mut calls = tokio::task::JoinSet::new();
            for call in 0..2000 {
                let client = client.clone();
                let (channel, patience) = (rng.u8(..20), Duration::from_micros(rng.u64(50..5000)));
                calls.spawn(async move {
                    let _ = tokio::time::timeout(patience, async {
                        let mut subscription = client.subscribe(format!("storm:{channel}")).await.unwrap();
                        if call % 2 == 0 {
                            subscription.psubscribe("storm:*").await.unwrap();
                        }
                        subscription.next().await
                    })
                    .await;
                });
            }
            for _ in 0..200 {
                assert!(client.incr("n").await.unwrap() > 0);
            }
            while let Some(done) = calls.join_next().await {
                done.unwrap();
            }
            poll_until("the end of the storm", || {
                let channels: BTreeSet<_> =
                    target.cli(&["PUBSUB", "CHANNELS"]).lines().map(str::to_owned).collect();
                let patterns = target.cli(&["PUBSUB", "NUMPAT"]);
                (channels == BTreeSet::from(["kept".to_owned()]) && patterns == "0").then_some(())
            });
            assert_eq!(target.cli(&["PUBLISH", "kept", "still"]), "1");
            assert_eq!(payload(kept.next().await), "still");
            assert_eq!(subscribers(target, "kept"), "1");
        });
        target.cli(&["DEL", "n"]);
    });
}

#[test]
fn calls_that_are_given_up_leave_nothing_behind_on_any_runtime() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(server.url()).unwrap();
        let mut kept = client.subscribe("kept").unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let client = client.clone();
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(thread);
                    for _ in 0..100 {
                        let patience = Duration::from_micros(rng.u64(50..5000));
                        let hasty = client.with(Options::new().timeout(patience));
                        if let Ok(mut subscription) = hasty.subscribe(format!("storm:{}", rng.u8(..5))) {
                            let _ = subscription.next_timeout(patience / 10);
                        }
                        client.incr("n").unwrap();
                    }
                });
            }
        });
        poll_until("the end of the storm", || {
            client.incr("n").unwrap();
            (server.cli(&["PUBSUB", "CHANNELS"]) == "kept").then_some(())
        });
        assert_eq!(server.cli(&["PUBLISH", "kept", "still"]), "1");
        assert_eq!(payload(kept.next()), "still");
        client.close();
    });
}

#[test]
fn who_listens_is_told_by_commands_alike_in_both_protocols() {
    for_each_target(|target| {
        tokio().block_on(async {
            let client = Client::connect(target.url()).await.unwrap();
            let mut news = client.subscribe(["news", "weather"]).await.unwrap();
            let _all = client.psubscribe("*").await.unwrap();
            let _orders = client.ssubscribe("orders").await.unwrap();
            assert_eq!(client.publish("news", "rain").await, Ok(2));
            assert_eq!(payload(news.next().await), "rain");
            assert_eq!(client.spublish("orders", "one").await, Ok(1));
            let channels: BTreeSet<String> = client.pubsub_channels(()).await.unwrap();
            assert_eq!(channels, BTreeSet::from(["news".to_owned(), "weather".to_owned()]));
            assert_eq!(client.pubsub_channels::<String>("w*").await.unwrap().len(), 1);
            let counts = client.pubsub_numsub(["news", "nobody"]).await.unwrap();
            assert_eq!((counts.of("news"), counts.of("nobody"), counts.iter().count()), (1, 0, 2));
            assert_eq!(client.pubsub_numpat().await, Ok(1));
            let shards: BTreeSet<String> = client.pubsub_shardchannels(()).await.unwrap();
            assert_eq!(shards, BTreeSet::from(["orders".to_owned()]));
            assert_eq!(client.pubsub_shardnumsub("orders").await.unwrap().of("orders"), 1);
        });
    });
}

#[test]
fn keys_tell_what_happens_to_them() {
    for_each_target(|target| {
        target.cli(&["CONFIG", "SET", "notify-keyspace-events", "KEA"]);
        tokio().block_on(async {
            let client = Client::connect(target.url()).await.unwrap();
            let channels =
                [KeyChannel::key("a"), KeyChannel::event("del"), KeyChannel::keys("b*").any_database()];
            let mut events = client.notifications(channels).await.unwrap();
            target.cli(&["SET", "a", "1"]);
            target.cli(&["DEL", "a"]);
            target.cli(&["-n", "3", "SET", "bc", "1"]);
            let mut told = Vec::new();
            for _ in 0..4 {
                let Some(Event::Message(message)) = events.next().await else { panic!("no message") };
                let Notification { database, key, event, .. } = Notification::read(&message).unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                told.push((database, text(&key), text(&event)));
            }
            let expected = [(0, "a", "set"), (0, "a", "del"), (0, "a", "del"), (3, "bc", "set")];
            assert_eq!(
                told,
                expected.map(|(database, key, event)| (database, key.to_owned(), event.to_owned()))
            );
        });
        target.cli(&["FLUSHALL"]);
    });
}

#[test]
fn a_subscription_ends_with_its_client() {
    let server = ServerConfig::new(Version::V8).start();
    for runtime in Runtime::ALL {
        let client = runtime.connect(server.url()).unwrap();
        let mut subscription: AnySubscription = client.subscribe("a").unwrap();
        client.close();
        assert_eq!(subscription.next(), None);
        let error = subscription.subscribe("b").unwrap_err();
        assert_eq!(
            (error.to_string(), error.delivery()),
            ("SUBSCRIBE: the client is closed (not sent)".into(), Delivery::NotSent)
        );
    }
}
