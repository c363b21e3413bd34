//! Locks against real servers, on every runtime.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redstart_core::Config;
use redstart_core::client::Options;
use redstart_core::client::lock::{Lock, LockError, Locks};
use redstart_core::commands::{ClusterFailover, FlushMode, KeyCommands, ScriptingCommands, StringCommands};
use redstart_core::config::Endpoint;
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime, tokio};
use redstart_tests::live::for_each_target;
use redstart_tests::server::cluster::ClusterConfig;
use redstart_tests::server::sentinel::SentinelConfig;
use redstart_tests::server::{Server, Version, poll_until};

const LONG: Duration = Duration::from_secs(60);

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

type Call = fn(&mut Lock<AnyClient>) -> Result<(), LockError>;

fn short(client: &AnyClient, ttl: u64) -> Lock<AnyClient> {
    client.lock("lock", ms(ttl)).wait_at_most(ms(60)).retry_every(ms(5))
}

/// Runs the test on every runtime, with a client of one server.
fn for_each_client(test: impl Fn(&Server, &AnyClient)) {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        server.cli(&["FLUSHALL"]);
        test(&server, &runtime.connect(&*server.url()).expect("a client"));
    });
}

fn connections(server: &Server) -> usize {
    let list = server.cli(&["INFO", "clients"]);
    let count = list.lines().find_map(|line| line.strip_prefix("connected_clients:"));
    count.expect("a count").trim().parse().expect("a number")
}

#[test]
fn one_has_it_at_a_time() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(&*target.url()).unwrap();
            client.script_flush(FlushMode::Sync).unwrap();
            let (mut one, mut other) = (short(&client, 60_000), short(&client, 60_000));
            assert_eq!((one.locked(), one.owned()), (Ok(false), Ok(false)));
            assert_eq!((one.acquire(), one.is_held()), (Ok(()), true));
            assert_eq!(
                (one.acquire(), one.try_acquire()),
                (Err(LockError::AlreadyHeld), Err(LockError::AlreadyHeld))
            );
            assert_eq!((other.try_acquire(), other.acquire()), (Ok(false), Err(LockError::TimedOut)));
            assert_eq!(
                (other.release(), other.extend(LONG)),
                (Err(LockError::NotHeld), Err(LockError::NotHeld))
            );
            assert_eq!((other.locked(), other.owned(), one.owned()), (Ok(true), Ok(false), Ok(true)));
            assert_eq!((one.release(), one.is_held(), one.locked()), (Ok(()), false, Ok(false)));
            assert_eq!((other.try_acquire(), other.release()), (Ok(true), Ok(())));
        });
    });
}

#[test]
fn it_is_waited_for_until_it_is_given_back() {
    for_each_client(|_, client| {
        let mut one = short(client, 60_000);
        let mut other = short(client, 60_000).wait_at_most(None);
        one.acquire().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(move || other.acquire().map(|()| other));
            thread::sleep(ms(30));
            assert!(!waiting.is_finished());
            one.release().unwrap();
            assert_eq!(waiting.join().expect("no panic").expect("the lock").owned(), Ok(true));
        });
        poll_until("the lock to be given back by its drop", || (one.locked() == Ok(false)).then_some(()));
    });
}

#[test]
fn its_end_can_be_moved() {
    for_each_client(|_, client| {
        let mut lock = short(client, 10_000);
        lock.acquire().unwrap();
        let is_about = |seconds: u64| {
            let left = client.pttl("lock").unwrap().left().expect("it expires");
            let most = Duration::from_secs(seconds);
            assert!(most - ms(5_000) < left && left <= most, "{left:?} of {most:?}");
        };
        is_about(10);
        lock.extend(ms(50_000)).unwrap();
        is_about(60);
        lock.extend_to(ms(30_000)).unwrap();
        is_about(30);
        lock.reacquire().unwrap();
        is_about(10);
        lock.leave();
        assert_eq!(client.exists("lock"), Ok(1), "it is left to expire");
    });
}

#[test]
fn what_is_lost_is_said_to_be_lost_and_what_is_anothers_stays_so() {
    for_each_client(|_, client| {
        let calls: [Call; 4] =
            [|it| it.release(), |it| it.extend(LONG), |it| it.extend_to(LONG), |it| it.reacquire()];
        for call in calls {
            let mut one = short(client, 60_000);
            one.acquire().unwrap();
            client.del("lock").unwrap();
            let mut other = short(client, 60_000);
            other.acquire().unwrap();
            assert_eq!((call(&mut one), one.is_held()), (Err(LockError::Lost), false));
            assert_eq!(other.owned(), Ok(true));
            other.release().unwrap();
        }
        let mut brief = short(client, 1);
        brief.acquire().unwrap();
        poll_until("the lock to expire", || (brief.locked() == Ok(false)).then_some(()));
        assert_eq!(
            (brief.is_held(), brief.owned(), brief.release()),
            (true, Ok(false), Err(LockError::Lost))
        );
    });
}

#[test]
fn a_release_that_fails_can_be_repeated() {
    for_each_client(|server, client| {
        let client = client.with(Options::new().timeout(ms(100)));
        let mut lock = short(&client, 60_000);
        lock.acquire().unwrap();
        let frozen = server.frozen();
        let error = lock.release().unwrap_err();
        assert!(error.failure().is_some_and(redstart_core::Error::is_timeout), "{error:?}");
        assert!(lock.is_held());
        drop(frozen);
        poll_until("the server to answer", || lock.locked().ok());
        // The first release has run by now: that is no loss.
        assert_eq!((lock.release(), lock.locked()), (Ok(()), Ok(false)));
    });
}

/// A future that can be spawned.
fn send<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn a_held_lock_is_prolonged() {
    let server = Server::start(Version::V7);
    let (ttl, work) = (ms(700), ms(1_800));
    thread::scope(|scope| {
        for runtime in Runtime::ALL {
            let client = runtime.connect(&*server.url()).expect("a client");
            scope.spawn(move || {
                let key = format!("{runtime:?}");
                let mut lock = client.lock(&key, ttl);
                let mut other = client.lock(&key, ttl);
                let ended = lock.hold(|held| {
                    thread::sleep(work);
                    (other.try_acquire(), held.is_lost())
                });
                assert_eq!(ended, Ok((Ok(false), false)), "{runtime:?}");
                assert_eq!((lock.is_held(), lock.locked()), (false, Ok(false)));
            });
        }
        tokio().block_on(async {
            let client = redstart_tokio::Client::connect(&*server.url()).await.unwrap();
            let (mut lock, mut other) = (client.lock("lock", ttl), client.lock("lock", ttl));
            let ended = send(lock.hold(async {
                ::tokio::time::sleep(work).await;
                other.try_acquire().await
            }));
            assert_eq!(ended.await, Ok(Ok(false)));
            assert_eq!((lock.is_held(), lock.locked().await), (false, Ok(false)));
        });
    });
}

#[test]
fn work_hears_that_its_lock_is_lost() {
    for_each_client(|server, client| {
        for freezes in [false, true] {
            let mut lock = short(client, 150);
            let ended = lock.hold(|held| {
                let _frozen = if freezes { Some(server.frozen()) } else { None };
                if !freezes {
                    client.del("lock").unwrap();
                }
                poll_until("the loss to be noticed", || held.is_lost().then_some(()));
            });
            assert_eq!((ended, lock.is_held()), (Err(LockError::Lost), false));
            poll_until("the server to answer", || client.del("lock").ok());
        }
    });
    let server = Server::start(Version::V7);
    tokio().block_on(async {
        let client = redstart_tokio::Client::connect(&*server.url()).await.unwrap();
        for freezes in [false, true] {
            let mut lock = client.lock("lock", ms(150)).wait_at_most(LONG);
            let ended = lock.hold(async {
                let _frozen = if freezes { Some(server.frozen()) } else { None };
                if !freezes {
                    client.del("lock").await.unwrap();
                }
                std::future::pending::<()>().await;
            });
            assert_eq!(ended.await, Err(LockError::Lost));
        }
    });
}

#[test]
fn those_who_hold_it_never_meet() {
    for_each_client(|_, client| {
        let (writers, rounds) = (8, 10);
        let inside = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..writers {
                scope.spawn(|| {
                    let mut lock = client.lock("lock", LONG).wait_at_most(LONG).retry_every(ms(2));
                    for _ in 0..rounds {
                        lock.acquire().unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                        let count = client.get::<u32>("count").unwrap().unwrap_or(0);
                        client.set("count", count + 1).unwrap();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        lock.release().unwrap();
                    }
                });
            }
        });
        assert_eq!(client.get("count"), Ok(Some(writers * rounds)));
    });
}

#[test]
fn calls_that_are_dropped_leave_no_lock_behind() {
    let server = Server::start(Version::V8);
    let mut rng = fastrand::Rng::with_seed(7);
    tokio().block_on(async {
        let client = redstart_tokio::Client::connect(&*server.url()).await.unwrap();
        let (mut taken, mut dropped) = (0, 0);
        let start = Instant::now();
        while start.elapsed() < ms(1500) {
            let mut lock = client.lock("lock", LONG).wait_at_most(LONG).retry_every(ms(1));
            let patience = Duration::from_micros(rng.u64(20..3000));
            let work = async {
                lock.acquire().await?;
                ::tokio::task::yield_now().await;
                lock.release().await
            };
            match ::tokio::time::timeout(patience, work).await {
                Ok(ended) => taken += ended.map(|()| 1).unwrap(),
                Err(_) => dropped += 1,
            }
        }
        assert!(taken > 20 && dropped > 20, "{taken} taken, {dropped} dropped");
        let mut lock = client.lock("lock", LONG).wait_at_most(ms(500));
        assert_eq!(lock.acquire().await, Ok(()), "nobody has it");
        assert_eq!(connections(&server), 2, "the client's, and that of who counts");
    });
}

#[test]
fn calls_that_run_out_of_time_leave_no_lock_behind() {
    for_each_client(|server, client| {
        let late = AtomicU32::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for seed in 0..3 {
                let late = &late;
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    while start.elapsed() < ms(500) {
                        let mut hasty = || Duration::from_micros(rng.u64(50..5_000));
                        let client = client.with(Options::new().timeout(hasty()));
                        let mut lock = client.lock("lock", LONG).wait_at_most(hasty()).retry_every(ms(1));
                        match lock.acquire() {
                            Ok(()) => drop(lock.release()),
                            Err(LockError::TimedOut | LockError::Failed(_)) => {
                                late.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                });
            }
        });
        assert!(late.load(Ordering::SeqCst) > 10, "calls run out of time");
        let mut lock = client.lock("lock", LONG).wait_at_most(ms(1_000));
        assert_eq!(lock.acquire(), Ok(()), "nobody has it");
        lock.release().expect("it is held");
        assert_eq!(connections(server), 2, "the client's, and that of who counts");
    });
}

#[test]
fn it_goes_along_when_a_replica_takes_over_in_order() {
    let cluster = ClusterConfig::new(Version::V8).replicas(3).start();
    let seed = Endpoint::tcp("127.0.0.1", cluster.server(0).port());
    let client = Runtime::Blocking.connect(Config::cluster([seed])).unwrap();
    let mut lock = client.lock("lock", ms(3_000)).wait_at_most(LONG);
    let primary = cluster.primary_of(redstart_core::command::slot::of(b"lock"));
    let replica = cluster.replicas_of(primary)[0];
    let ended = lock.hold(|held| {
        cluster.fail_over(replica, ClusterFailover::Agreed);
        cluster.await_primary(replica);
        thread::sleep(ms(1_500));
        held.is_lost()
    });
    assert_eq!((ended, lock.locked()), (Ok(false), Ok(false)));
}

#[test]
fn it_works_behind_sentinels() {
    let service = SentinelConfig::new(Version::V7).start();
    let client = Runtime::Tokio.connect(&*service.url()).unwrap();
    let mut lock = client.lock("lock", LONG);
    assert_eq!((lock.acquire(), lock.owned(), lock.release()), (Ok(()), Ok(true), Ok(())));
}
