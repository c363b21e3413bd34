//! Subscriptions in clusters and behind sentinels: they follow slots, nodes that fail, and primaries.

use std::collections::BTreeSet;
use std::time::Duration;

use redstart_core::command::slot;
use redstart_core::commands::ClusterFailover;
use redstart_core::pubsub::{Event, KeyChannel, Notification};
use redstart_tests::clients::tokio;
use redstart_tests::server::cluster::ClusterConfig;
use redstart_tests::server::sentinel::SentinelConfig;
use redstart_tests::server::{PATIENCE, Version, poll_until};
use redstart_tokio::commands::*;
use redstart_tokio::{Client, Subscription};

/// Each version and each protocol.
const CASES: [(Version, u8); 2] = [(Version::V7, 3), (Version::V8, 2)];
/// Each version with each protocol.
const ALL_CASES: [(Version, u8); 4] =
    [(Version::V7, 2), (Version::V7, 3), (Version::V8, 2), (Version::V8, 3)];

async fn next(subscription: &mut Subscription) -> Event {
    subscription.next_timeout(PATIENCE).await.expect("an event in time")
}

/// The next message, where gaps may be told of before it. Returns whether one was.
async fn message(subscription: &mut Subscription) -> (String, bool) {
    let mut interrupted = false;
    loop {
        match next(subscription).await {
            Event::Message(message) => return (message.payload_as().expect("text"), interrupted),
            Event::Interrupted => interrupted = true,
            Event::Resumed => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_sharded_subscription_moves_with_its_slot() {
    for (version, protocol) in ALL_CASES {
        let cluster = ClusterConfig::new(version).start();
        tokio().block_on(async {
            let client = Client::connect(format!("{}?protocol={protocol}", cluster.url())).await.unwrap();
            let slot = slot::of(b"orders");
            let mut both = client.ssubscribe(["orders", "others"]).await.unwrap();
            let mut orders = client.ssubscribe("orders").await.unwrap();
            let from = cluster.primary_of(slot);
            let to = (0..3)
                .find(|node| *node != from && *node != cluster.primary_of(slot::of(b"others")))
                .unwrap();
            client.spublish("orders", "before").await.unwrap();
            assert_eq!(message(&mut both).await, ("before".to_owned(), false));
            assert_eq!(message(&mut orders).await, ("before".to_owned(), false));
            cluster.begin_move(slot, to);
            cluster.end_move(slot, to);
            for subscription in [&mut both, &mut orders] {
                assert_eq!(next(subscription).await, Event::Interrupted);
                assert_eq!(next(subscription).await, Event::Resumed);
            }
            assert_eq!(cluster.server(to).cli(&["SPUBLISH", "orders", "after"]), "1");
            assert_eq!(message(&mut both).await, ("after".to_owned(), false));
            assert_eq!(message(&mut orders).await, ("after".to_owned(), false));
            client.spublish("others", "still").await.unwrap();
            assert_eq!(message(&mut both).await, ("still".to_owned(), false));
        });
    }
}

#[test]
fn ordinary_and_sharded_subscriptions_survive_the_loss_of_any_node() {
    for (version, protocol) in CASES {
        let mut cluster = ClusterConfig::new(version).replicas(3).start();
        tokio().block_on(async {
            let client = Client::connect(format!("{}?protocol={protocol}", cluster.url())).await.unwrap();
            let mut news = client.subscribe("news").await.unwrap();
            let mut orders = client.ssubscribe("orders").await.unwrap();
            let counted =
                |node: usize| cluster.server(node).cli(&["PUBSUB", "NUMSUB", "news"]).ends_with('1');
            let home = (0..6).find(|node| counted(*node)).expect("it is subscribed somewhere");
            let replica = cluster.replicas_of(home)[0];
            cluster.kill(home);
            cluster.fail_over(replica, ClusterFailover::Takeover);
            let other = (0..3).find(|node| *node != home).unwrap();
            assert_eq!(next(&mut news).await, Event::Interrupted);
            assert_eq!(next(&mut news).await, Event::Resumed);
            cluster.server(other).cli(&["PUBLISH", "news", "after"]);
            assert_eq!(message(&mut news).await, ("after".to_owned(), false));
            // Wherever it was, it is where its slot is now; until then nobody hears of it.
            let told = async {
                loop {
                    let _ = client.spublish("orders", "after").await;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let heard = tokio::select! {
                heard = message(&mut orders) => heard.0,
                () = told => unreachable!("it goes on"),
            };
            assert_eq!(heard, "after");
        });
    }
}

#[test]
fn notifications_come_from_every_primary_and_from_one_that_joins() {
    for (version, protocol) in CASES {
        let mut cluster = ClusterConfig::new(version).arg("notify-keyspace-events", "KEA").start();
        tokio().block_on(async {
            let url = format!("{}?protocol={protocol}&refresh_period=1s", cluster.url());
            let client = Client::connect(url).await.unwrap();
            let mut events = client.notifications([KeyChannel::event("set")]).await.unwrap();
            let keys: BTreeSet<String> = (0..30).map(|number| format!("key:{number}")).collect();
            for key in &keys {
                client.set(key, 1).await.unwrap();
            }
            let mut told = BTreeSet::new();
            while told.len() < keys.len() {
                let Event::Message(message) = next(&mut events).await else { panic!("no message") };
                let notification = Notification::read(&message).unwrap();
                assert!(told.insert(String::from_utf8(notification.key.to_vec()).unwrap()), "each key once");
            }
            assert_eq!(told, keys);

            let joined = cluster.add_node();
            cluster.reshard(0, joined, 1);
            let slot = cluster.slots_of(joined)[0].start;
            // The client learns of it by the redirect of a command, or by looking at the cluster.
            let key = (0..)
                .map(|number| format!("moved:{number}"))
                .find(|key| slot::of(key.as_bytes()) == slot)
                .unwrap();
            client.set(&key, 1).await.unwrap();
            assert_eq!(next(&mut events).await, Event::Interrupted);
            assert_eq!(next(&mut events).await, Event::Resumed);
            client.set(&key, 2).await.unwrap();
            let Event::Message(message) = next(&mut events).await else { panic!("no message") };
            assert_eq!(Notification::read(&message).unwrap().key, key.as_bytes());
        });
    }
}

#[test]
fn who_listens_is_asked_of_all_nodes() {
    let cluster = ClusterConfig::new(Version::V8).start();
    tokio().block_on(async {
        let clients =
            [Client::connect(cluster.url()).await.unwrap(), Client::connect(cluster.url()).await.unwrap()];
        let mut kept = Vec::new();
        for client in &clients {
            kept.push(client.subscribe("news").await.unwrap());
            kept.push(client.ssubscribe(["a", "b", "c"]).await.unwrap());
            kept.push(client.psubscribe("n*").await.unwrap());
        }
        let [client, _] = &clients;
        assert_eq!(client.pubsub_numsub(["news", "none"]).await.unwrap().of("news"), 2);
        assert_eq!(client.pubsub_channels::<String>(()).await.unwrap().len(), 1);
        assert_eq!(client.pubsub_shardchannels::<String>(()).await.unwrap().len(), 3);
        assert_eq!(client.pubsub_shardnumsub(["a", "b"]).await.unwrap().of("b"), 2);
        assert!((1..=2).contains(&client.pubsub_numpat().await.unwrap()));
    });
}

#[test]
fn a_failover_under_sentinels_resumes() {
    for (version, protocol) in CASES {
        let mut service = SentinelConfig::new(version).start();
        tokio().block_on(async {
            let client = Client::connect(format!("{}?protocol={protocol}", service.url())).await.unwrap();
            let mut news = client.subscribe("news").await.unwrap();
            news.psubscribe("n*").await.unwrap();
            let first = service.primary();
            service.servers_mut()[first].kill9();
            assert_eq!(next(&mut news).await, Event::Interrupted);
            let resumed = tokio::time::timeout(Duration::from_secs(30), news.next()).await.expect("in time");
            assert_eq!(resumed, Some(Event::Resumed));
            let second =
                poll_until("the sentinels to agree", || Some(service.primary()).filter(|now| *now != first));
            assert_eq!(service.servers()[second].cli(&["PUBLISH", "news", "after"]), "2");
            assert_eq!(message(&mut news).await, ("after".to_owned(), false));
            assert_eq!(message(&mut news).await, ("after".to_owned(), false));
        });
    }
}
