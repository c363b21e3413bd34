//! Walks through collections and the key space on real servers, while others change them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_lite::StreamExt;
use redstart_core::Result;
use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::{
    HashCommands, KeyCommands, KeyScanOptions, KeyType, ScanIterators, ScanOptions, SetCommands,
    SortedSetCommands, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::clients::tokio;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::Version;

const KEYS: u32 = 10_000;

fn keys(prefix: &str) -> BTreeSet<String> {
    (0..KEYS).map(|n| format!("{prefix}:{n}")).collect()
}

fn blocking(target: &Target) -> redstart_blocking::Client {
    redstart_blocking::Client::connect(target.url()).expect("a client")
}

/// Makes keys that stay, and some that are gone before any walk begins.
fn populate(client: &redstart_blocking::Client) {
    let stay = keys("stay").into_iter().chain((0..100).map(|n| format!("gone:{n}")));
    client.pipeline(stay.map(|key| p.set(key, 1)).collect::<Vec<_>>()).expect("keys");
    assert_eq!(client.del((0..100).map(|n| format!("gone:{n}")).collect::<Vec<_>>()).expect("keys"), 100);
}

/// Makes and deletes keys until told to end: so many that the server's table grows and shrinks.
fn change(client: &redstart_blocking::Client, end: &AtomicBool) {
    let mut rounds = 0;
    while !end.load(Ordering::Relaxed) || rounds < 3 {
        let names: Vec<_> = keys("change").into_iter().collect();
        for names in names.chunks(1000) {
            client.pipeline(names.iter().map(|key| p.set(key, 1)).collect::<Vec<_>>()).expect("keys");
        }
        for names in names.chunks(1000) {
            client.del(names).expect("keys");
        }
        rounds += 1;
    }
}

/// Runs walks while keys come and go.
fn amid_changes(target: &Target, walks: impl FnOnce(&redstart_blocking::Client)) {
    let client = blocking(target);
    populate(&client);
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| change(&blocking(target), &end));
        // Ends the changes even if a walk fails.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&end);
        walks(&client);
    });
}

/// All that stays was seen, and else only what comes and goes.
fn check(seen: Vec<String>) {
    let seen: BTreeSet<_> = seen.into_iter().collect();
    let stay = keys("stay");
    assert!(seen.is_superset(&stay), "{:?} were missed", stay.difference(&seen).collect::<Vec<_>>());
    let others = seen.difference(&stay).find(|key| !key.starts_with("change:"));
    assert_eq!(others, None);
}

#[test]
fn all_keys_are_seen_while_others_come_and_go() {
    for_each_target(|target| {
        amid_changes(target, |client| {
            let seen: Result<Vec<String>> = client.scan_iter(KeyScanOptions::new()).collect();
            check(seen.unwrap());
            let options = || KeyScanOptions::new().count(500);
            let mut seen = Vec::new();
            for key in client.scan_iter::<String>(options()) {
                seen.push(key.unwrap());
            }
            check(seen);

            tokio().block_on(async {
                let client = redstart_tokio::Client::connect(target.url()).await.unwrap();
                let mut seen = Vec::new();
                let mut walk = client.scan_iter::<String>(options());
                while let Some(key) = walk.next().await {
                    seen.push(key.unwrap());
                }
                check(seen);
                check(client.scan_iter::<String>(options()).try_collect().await.unwrap());
            });
            async_std::task::block_on(async {
                let client = redstart_async_std::Client::connect(target.url()).await.unwrap();
                check(client.scan_iter::<String>(options()).try_collect().await.unwrap());
            });
        });
    });
}

#[test]
fn collections_are_seen_whole() {
    for_each_target(|target| {
        let client = &blocking(target);
        let fields: BTreeMap<String, u32> = (0..KEYS).map(|n| (format!("f{n}"), n)).collect();
        client.hset("hash", &fields).unwrap();
        client.sadd("set", (0..KEYS).collect::<Vec<_>>()).unwrap();
        client.zadd("sorted", (0..KEYS).map(|n| (f64::from(n) / 2.0, n)).collect::<Vec<_>>()).unwrap();
        let options = ScanOptions::new;

        let hash: Result<BTreeMap<String, u32>> = client.hscan_iter("hash", options()).collect();
        assert_eq!(hash.unwrap(), fields);
        let set: Result<BTreeSet<u32>> = client.sscan_iter("set", options().count(1000)).collect();
        assert!(set.unwrap().into_iter().eq(0..KEYS));
        let sorted: Result<BTreeMap<u32, String>> = client
            .zscan_iter::<u32>("sorted", options())
            .map(|pair| pair.map(|(n, score)| (n, score.to_string())))
            .collect();
        assert!(sorted.unwrap().into_iter().eq((0..KEYS).map(|n| (n, (f64::from(n) / 2.0).to_string()))));

        let mut names = client.hscan_novalues_iter::<String>("hash", options());
        if target.version() == Version::V7 {
            assert_eq!(names.next().unwrap().unwrap_err().code(), Some(ServerCode::Err));
            assert!(names.next().is_none(), "the error has ended the walk");
        } else {
            let names: Result<BTreeSet<String>> = names.collect();
            assert!(names.unwrap().iter().eq(fields.keys()));
        }

        // Small collections come whole, and missing ones are empty.
        client.sadd("small", [1, 2, 3]).unwrap();
        assert_eq!(client.sscan_iter::<u32>("small", options().count(1)).count(), 3);
        assert_eq!(client.sscan_iter::<u32>("none", options()).count(), 0);
        let error = client.sscan_iter::<u32>("hash", options()).next().unwrap().unwrap_err();
        assert_eq!(error.code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn collections_are_seen_whole_over_futures() {
    for_each_target(|target| {
        let seeds = blocking(target);
        seeds.hset("hash", (0..KEYS).map(|n| (n, n * 2)).collect::<Vec<_>>()).unwrap();
        seeds.zadd("sorted", (0..KEYS).map(|n| (f64::from(n), n)).collect::<Vec<_>>()).unwrap();
        seeds.sadd("set", (0..KEYS).collect::<Vec<_>>()).unwrap();
        // On a task of its own: walks can move between threads.
        let url = target.url();
        let walks = tokio().spawn(async move {
            let client = redstart_tokio::Client::connect(url).await.unwrap();
            let options = ScanOptions::new;
            let hash: BTreeMap<u32, u32> =
                client.hscan_iter::<u32, u32>("hash", options()).try_collect().await.unwrap();
            assert!(hash.into_iter().eq((0..KEYS).map(|n| (n, n * 2))));
            let sorted: Vec<(u32, f64)> =
                client.zscan_iter::<u32>("sorted", options()).try_collect().await.unwrap();
            assert!(sorted.iter().all(|&(n, score)| f64::from(n) == score));
            assert_eq!(sorted.iter().map(|&(n, _)| n).collect::<BTreeSet<_>>().len(), KEYS as usize);
            let set: BTreeSet<u32> = client.sscan_iter::<u32>("set", options()).try_collect().await.unwrap();
            assert!(set.into_iter().eq(0..KEYS));
            let mut names = client.hscan_novalues_iter::<u32>("hash", options());
            let first = names.next().await.unwrap();
            if first.is_err() {
                assert!(names.next().await.is_none(), "the error has ended the walk");
                return None;
            }
            Some(1 + names.count().await)
        });
        let names = tokio().block_on(walks).unwrap();
        match target.version() {
            Version::V7 => assert_eq!(names, None),
            Version::V8 => assert!(names.is_some_and(|count| count >= KEYS as usize)),
        }
    });
}

#[test]
fn options_choose_what_is_seen() {
    for_each_target(|target| {
        let client = &blocking(target);
        let names: Vec<_> = (0..1000).map(|n| format!("s:{n}")).collect();
        client.pipeline(names.iter().map(|key| p.set(key, 1)).collect::<Vec<_>>()).unwrap();
        client.sadd("set:a", [1, 2]).unwrap();
        client.sadd("set:b", [1, 2]).unwrap();
        client.hset("hash:a", [("one", 1), ("two", 2)]).unwrap();
        let seen = |options| -> BTreeSet<String> {
            client.scan_iter::<String>(options).collect::<Result<_>>().unwrap()
        };
        let all = KeyScanOptions::new;
        assert_eq!(seen(all()).len(), 1003);
        assert_eq!(seen(all().matching("s:1?")).len(), 10);
        assert_eq!(seen(all().of_type(KeyType::Set)), ["set:a", "set:b"].map(String::from).into());
        let last = all().of_type(KeyType::Hash).matching("*:a").count(1);
        assert_eq!(seen(last), ["hash:a".to_owned()].into());
        let none: Vec<Result<String>> = client.scan_iter(all().matching("nothing")).collect();
        assert!(none.is_empty());
        let one: Result<Vec<(String, i64)>> =
            client.hscan_iter("hash:a", ScanOptions::new().matching("o*")).collect();
        assert_eq!(one.unwrap(), [("one".to_owned(), 1)]);

        // About as many keys to a page as were asked for.
        let pages = |count: u64| {
            let commands = |client: &redstart_blocking::Client| -> u64 {
                let info: String = client.run(Command::new("INFO").arg("commandstats")).unwrap();
                let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_scan:calls=")).unwrap();
                line.split(',').next().unwrap().parse().unwrap()
            };
            let before = commands(client);
            assert_eq!(seen(all().count(count)).len(), 1003);
            commands(client) - before
        };
        assert_eq!(pages(10_000), 1);
        assert!((8..=11).contains(&pages(100)), "a thousand keys in pages of a hundred");
    });
}

#[test]
fn a_walk_that_is_interrupted_goes_on() {
    for_each_target(|target| {
        populate(&blocking(target));
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(target.url()).await.unwrap();
            let mut walk = client.scan_iter::<String>(KeyScanOptions::new().count(1000));
            let mut seen = vec![walk.next().await.unwrap().unwrap()];
            // All that is at hand, and a page that cannot come yet.
            target.stop_signal();
            while let Some(key) = poll_fn(|cx| {
                let next = pin!(walk.next());
                Poll::Ready(match next.poll(cx) {
                    Poll::Ready(key) => key,
                    Poll::Pending => None,
                })
            })
            .await
            {
                seen.push(key.unwrap());
            }
            assert!((900..2000).contains(&seen.len()), "one page: {}", seen.len());
            let late = ::tokio::time::timeout(Duration::from_millis(20), walk.next()).await;
            assert!(late.is_err(), "{late:?}");
            target.cont_signal();

            while let Some(key) = walk.next().await {
                seen.push(key.unwrap());
            }
            check(seen);
        });
    });
}
