//! Commands that wait at the server, on the client that others share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, or};
use redstart_core::client::Options;
use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ByRank, ClientFilter, ConnectionCommands, KeyCommands, ListCommands, ListEnd, Popped,
    ReplicationCommands, ScoreEnd, SortedSetCommands, StringCommands,
};
use redstart_core::error::{Delivery, ServerCode, Waiting};
use redstart_core::{Client, ErrorKind};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime};
use redstart_tests::live::{Protocol, for_each_target};
use redstart_tests::server::{Server, Version, poll_until};
use redstart_tests::wire::Wire;

const SOON: Duration = Duration::from_millis(20);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

type Pair = Option<(String, String)>;

/// How many connections to the server wait in a command.
fn waiting(client: &AnyClient) -> usize {
    let clients = client.client_list(ClientFilter::All).expect("a list");
    clients.iter().filter(|client| client.flags.contains('b')).count()
}

fn poll_waiting(client: &AnyClient, count: usize) {
    poll_until("the commands to wait", || (waiting(client) == count).then_some(()));
}

#[test]
fn nobody_waits_behind_a_command_that_waits() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            client.set("k", 1).unwrap();
            let waits = thread::spawn({
                let client = client.clone();
                move || client.blpop("jobs", Duration::ZERO)
            });
            poll_waiting(&client, 1);
            assert_eq!(client.get("k"), Ok(Some(1)));
            assert_eq!(client.rpush("jobs", "a"), Ok(1));
            let pair: Pair = waits.join().unwrap().unwrap();
            assert_eq!(pair, Some(("jobs".into(), "a".into())));
            assert_eq!(client.bzpopmin::<String, String>("none", SOON), Ok(None));
            let error = client.blpop::<String, String>("k", LONG).unwrap_err();
            assert_eq!((error.code(), error.delivery()), (Some(ServerCode::WrongType), Delivery::Rejected));
            client.set("k", 2).unwrap();
            assert_eq!(
                client.transaction((p.blpop("none", LONG), p.get("k"))),
                Ok((None::<(u8, u8)>, Some(2)))
            );
            client.close();
        });
    });
}

#[test]
fn what_cannot_wait_is_refused() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(server.url()).unwrap();
        let usage = |error: redstart_core::Error| {
            assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
            assert_eq!(error.delivery(), Delivery::NotSent);
        };
        usage(client.pipeline((p.get::<u8>("k"), p.blpop::<u8, u8>("k", LONG))).unwrap_err());
        usage(client.wait(1, LONG).unwrap_err());
        usage(client.waitaof(true, 1, LONG).unwrap_err());
    });
}

#[test]
fn a_wait_that_is_bounded_by_the_caller_is_ended_at_the_server() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let hasty = client.with(Options::new().timeout(SOON));
            poll_until("a wait that has begun when its time is over", || {
                let error = hasty.blpop::<String, String>("jobs", LONG).unwrap_err();
                assert!(error.is_timeout(), "{error}");
                (error.kind() == &ErrorKind::Timeout(Waiting::Reply)).then_some(())
            });
            poll_waiting(&client, 0);
            assert_eq!(client.rpush("jobs", "a"), Ok(1));
            assert_eq!(client.lrange("jobs", 0, -1), Ok(vec!["a".to_owned()]));
            assert_eq!(client.del("jobs"), Ok(1));
            client.close();
        });
    });
}

#[test]
fn waits_are_bounded_in_number_and_served_in_their_order() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(format!("{}?pool_max=1&pool_queue=1", server.url())).unwrap();
        let wait = |key: &'static str| {
            let client = client.clone();
            // The place in line may be taken, for a moment, by who looks whether it is.
            thread::spawn(move || {
                loop {
                    match client.blpop::<String, u32>(key, LONG) {
                        Err(error) if matches!(error.kind(), ErrorKind::Limit(_)) => thread::sleep(SOON),
                        outcome => return outcome,
                    }
                }
            })
        };
        let first = wait("a");
        poll_waiting(&client, 1);
        let second = wait("b");
        let hasty = client.with(Options::new().timeout(SOON));
        let full = poll_until("the line to be full", || {
            let error = hasty.blpop::<String, u32>("c", LONG).unwrap_err();
            matches!(error.kind(), ErrorKind::Limit(_)).then_some(error)
        });
        assert_eq!(full.delivery(), Delivery::NotSent);
        assert_eq!(client.rpush("b", 2), Ok(1));
        assert_eq!(client.rpush("a", 1), Ok(1));
        assert_eq!(first.join().unwrap(), Ok(Some(("a".into(), 1))));
        assert_eq!(second.join().unwrap(), Ok(Some(("b".into(), 2))));
        client.close();
    });
}

#[test]
fn closing_ends_what_waits() {
    let server = Server::start(Version::V7);
    for_each_runtime(|runtime| {
        let client = runtime.connect(server.url()).unwrap();
        let waits = thread::spawn({
            let client = client.clone();
            move || client.blpop::<String, String>("jobs", Duration::ZERO)
        });
        poll_waiting(&client, 1);
        let begun = Instant::now();
        client.close();
        assert!(begun.elapsed() < Duration::from_secs(3), "it does not wait for what waits for ever");
        let error = waits.join().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (&ErrorKind::Closed, Delivery::Rejected));
    });
}

/// What was taken out of lists and sorted sets, and by how many calls.
#[derive(Debug, Default)]
struct Storm {
    taken: Mutex<Vec<u32>>,
    over: AtomicBool,
    calls: AtomicU64,
    slowest_get: AtomicU64,
}

/// One storm at a time: they are to load the client, not the machine.
static STORMS: Mutex<()> = Mutex::new(());

const CALLERS: usize = 1_000;
const ITEMS: u32 = 2_000;
const STORM: Duration = Duration::from_millis(1_500);

/// Takes in one of several ways.
async fn take(client: &Client, way: usize) -> Vec<u32> {
    let one = |pair: Option<(String, u32)>| pair.map(|(_, item)| item).into_iter().collect();
    let zero = Duration::ZERO;
    match way {
        0 | 1 => one(client.blpop(["jobs", "others"], zero).await.expect("it works")),
        2 => one(client.brpop(["others", "jobs"], LONG).await.expect("it works")),
        3 => client
            .blmpop("jobs", ListEnd::Right, 3, zero)
            .await
            .expect("it works")
            .map_or(vec![], |(_, items): (String, _)| items),
        4 => {
            let taken: Option<(String, u32, f64)> = client.bzpopmin("ranks", zero).await.expect("it works");
            taken.map(|(_, item, _)| item).into_iter().collect()
        }
        _ => {
            let taken = client.bzmpop("ranks", ScoreEnd::Highest, 3, zero).await.expect("it works");
            taken.map_or(vec![], |(_, members): Popped<String, u32>| {
                members.into_iter().map(|(member, _)| member).collect()
            })
        }
    }
}

impl Storm {
    /// One caller: takes something, each time giving up after a random time.
    async fn call(&self, client: Client, runtime: Runtime, seed: usize) {
        let mut rng = fastrand::Rng::with_seed(seed as u64);
        while !self.over.load(Ordering::Relaxed) {
            // Where the machine is slow, whoever comes to its turn in line is about to give up: a few do not so soon.
            let longest = if rng.u8(..16) == 0 { 600_000 } else { 60_000 };
            let patience = Duration::from_micros(rng.u64(50..longest));
            let taken = or(take(&client, rng.usize(..6)), async {
                runtime.sleep(patience).await;
                Vec::new()
            });
            let taken = taken.await;
            self.taken.lock().expect("it works").extend(taken);
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The same for a thread: it gives up by the time that it allows.
    fn call_blocking(&self, client: &redstart_blocking::Client, seed: usize) {
        let mut rng = fastrand::Rng::with_seed(seed as u64);
        while !self.over.load(Ordering::Relaxed) {
            let hasty = client.with(Options::new().timeout(Duration::from_micros(rng.u64(50..600_000))));
            let taken: redstart_core::Result<Option<(String, u32)>> = hasty.blpop(["jobs", "others"], LONG);
            if let Ok(Some((_, item))) = taken {
                self.taken.lock().expect("it works").push(item);
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn note_get(&self, begun: Instant) {
        self.slowest_get.fetch_max(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
    }
}

/// Fills lists and sorted sets with items, one after the other.
fn produce(server: &Server, with_ranks: bool) {
    let wire = Wire::connect(server.addr(), 3);
    let mut rng = fastrand::Rng::with_seed(7);
    for item in 0..ITEMS {
        match rng.u8(..4) {
            0 if with_ranks => assert_eq!(wire.zadd("ranks", [(f64::from(item), item)]), Ok(1)),
            0 | 1 => drop(wire.rpush("jobs", item).expect("it works")),
            2 => drop(wire.lpush("jobs", item).expect("it works")),
            _ => drop(wire.rpush("others", item).expect("it works")),
        }
        if item % 8 == 0 {
            thread::sleep(STORM / (ITEMS / 8));
        }
    }
}

/// Every item was taken by a call that returned it, or is there still; none is there twice.
fn check(server: &Server, storm: &Storm) {
    let wire = Wire::connect(server.addr(), 3);
    let mut left: Vec<u32> = wire.lrange("jobs", 0, -1).expect("it works");
    left.extend(wire.lrange::<u32>("others", 0, -1).expect("it works"));
    let ranks: Vec<u32> = wire.zrange("ranks", ByRank::new(0, -1)).expect("it works");
    left.extend(ranks);
    let taken = storm.taken.lock().expect("it works").clone();
    let all: BTreeSet<_> = taken.iter().chain(&left).copied().collect();
    let lost: Vec<_> = (0..ITEMS).filter(|item| !all.contains(item)).collect();
    assert_eq!(lost, [], "lost items");
    assert_eq!(taken.len() + left.len(), ITEMS as usize, "items that are there twice");
    let (calls, slowest) = (storm.calls.load(Ordering::Relaxed), storm.slowest_get.load(Ordering::Relaxed));
    eprintln!("{calls} calls, {} taken, {} left, slowest GET {slowest} us", taken.len(), left.len());
    assert!(taken.len() > ITEMS as usize / 20 && calls > CALLERS as u64, "the storm has done something");
    assert!(slowest < 1_000_000, "a GET has waited for {slowest} us");
    assert_eq!(server.cli(&["GET", "k"]), "1");
}

fn storm(protocol: Protocol, runtime: Runtime) {
    let _alone = STORMS.lock().expect("it works");
    let server = Server::start(Version::V8);
    let url = format!("{}?pool_max=50&protocol={}&client_name=storm", server.url(), protocol.number());
    let storm = Arc::new(Storm::default());
    let seeds = 0..CALLERS;
    let builder = || thread::Builder::new().stack_size(256 << 10);
    match runtime.connect(url).expect("it works").into_async() {
        Ok(client) => {
            block_on(client.set("k", 1)).expect("it works");
            let call = |seed| {
                let (storm, client) = (Arc::clone(&storm), client.clone());
                runtime.spawn(async move { storm.call(client, runtime, seed).await })
            };
            let calls: Vec<_> = seeds.map(call).collect();
            let gets = runtime.spawn({
                let (storm, client) = (Arc::clone(&storm), client.clone());
                async move {
                    while !storm.over.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        assert_eq!(client.get("k").await, Ok(Some(1)));
                        storm.note_get(begun);
                    }
                }
            });
            produce(&server, true);
            storm.over.store(true, Ordering::Relaxed);
            calls.into_iter().for_each(block_on);
            block_on(gets);
            check_connections(&server);
            block_on(client.close());
        }
        Err(client) => {
            client.set("k", 1).expect("it works");
            let call = |seed| {
                let (storm, client) = (Arc::clone(&storm), client.clone());
                builder().spawn(move || storm.call_blocking(&client, seed)).expect("it works")
            };
            let calls: Vec<_> = seeds.map(call).collect();
            let gets = thread::spawn({
                let (storm, client) = (Arc::clone(&storm), client.clone());
                move || {
                    while !storm.over.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        assert_eq!(client.get("k"), Ok(Some(1)));
                        storm.note_get(begun);
                    }
                }
            });
            produce(&server, false);
            storm.over.store(true, Ordering::Relaxed);
            calls.into_iter().for_each(|call| call.join().expect("it works"));
            gets.join().expect("it works");
            check_connections(&server);
            client.close();
        }
    }
    check(&server, &storm);
}

/// The pool keeps its limit.
fn check_connections(server: &Server) {
    let wire = Wire::connect(server.addr(), 3);
    let clients = wire.client_list(ClientFilter::All).expect("it works");
    let count = clients.iter().filter(|client| client.name.as_deref() == Some("storm")).count();
    assert!((1..=51).contains(&count), "{count} connections");
}

#[test]
fn calls_given_up_at_any_time_lose_no_item_on_tokio() {
    Protocol::ALL.into_iter().for_each(|protocol| storm(protocol, Runtime::Tokio));
}

#[test]
fn calls_given_up_at_any_time_lose_no_item_on_async_std() {
    storm(Protocol::Resp3, Runtime::AsyncStd);
}

#[test]
fn calls_given_up_at_any_time_lose_no_item_on_threads() {
    storm(Protocol::Resp3, Runtime::Blocking);
    storm(Protocol::Resp2, Runtime::Background);
}
