//! One storm over all that has connections or state of its own: calls of every kind on one client, each given up after
//! a random time of 0.05 to 5 ms, but for a few that are let go to their end. Where calls are futures they are dropped; on every runtime they run out of time.
//!
//! Afterwards all that was answered was the right answer, no item is lost, nothing waits, listens or locks any more, and
//! the client has as many connections as before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, or};
use redstart_core::client::Options;
use redstart_core::client::lock::{LockError, Locks};
use redstart_core::client::session::Sessions;
use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ClientFilter, ConnectionCommands, ListCommands, PubSubCommands, SessionCommands, StringCommands,
};
use redstart_core::pubsub::Event;
use redstart_core::{Client, Result};
use redstart_tests::clients::{AnyClient, Runtime};
use redstart_tests::live::Protocol;
use redstart_tests::server::{Server, Version, poll_until};
use redstart_tests::wire::Wire;

const STORM: Duration = Duration::from_millis(800);
const TASKS: usize = 24;
/// How many side connections there may be.
const POOL: usize = 8;
/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Shared,
    Pop,
    Session,
    Messages,
    Lock,
}

const KINDS: [Kind; 5] = [Kind::Shared, Kind::Pop, Kind::Session, Kind::Messages, Kind::Lock];

/// What all tasks of a storm know together.
#[derive(Debug, Default)]
struct Storm {
    over: AtomicBool,
    /// Items that were taken out of the list.
    taken: Mutex<Vec<u32>>,
    /// Who is between `acquire` and `release`.
    is_locked: AtomicBool,
    /// How many calls of each kind went to their end, and how many were given up.
    counts: Mutex<BTreeMap<Kind, (u32, u32)>>,
    numbers: AtomicU32,
}

impl Storm {
    fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    fn note(&self, kind: Kind, is_done: bool) {
        let mut counts = self.counts.lock().expect("no task panics");
        let (done, given_up) = counts.entry(kind).or_default();
        if is_done { *done += 1 } else { *given_up += 1 }
    }

    fn take(&self, taken: Option<(String, u32)>) {
        let Some((list, item)) = taken else { return };
        assert_eq!(list, "jobs");
        self.taken.lock().expect("no task panics").push(item);
    }

    /// A text that nobody else says.
    fn say(&self) -> String {
        format!("said {}", self.numbers.fetch_add(1, SeqCst))
    }

    /// Nobody else is inside, until this is dropped.
    fn enter(&self) -> Inside<'_> {
        assert!(!self.is_locked.swap(true, SeqCst), "two have the lock");
        Inside(self)
    }
}

struct Inside<'a>(&'a Storm);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.is_locked.store(false, SeqCst);
    }
}

/// How long a call may take. Some have the time to go through all of their steps, whatever others do.
fn draw_patience(rng: &mut fastrand::Rng) -> Duration {
    if rng.u8(..5) == 0 { Duration::from_millis(400) } else { Duration::from_micros(rng.u64(50..5_000)) }
}

/// What a task hears on the channel that it alone publishes to: nothing of others, nothing twice.
fn check_heard(channel: &str, event: &Event, last: &mut u32) {
    let Event::Message(message) = event else { panic!("{event:?} is no message") };
    assert_eq!(message.channel(), channel.as_bytes());
    let number: u32 = message.payload_as().expect("a number");
    assert!(number > *last, "{number} after {last}");
    *last = number;
}

/// Calls that are futures. Whatever is dropped is dropped at any of their steps.
mod dropped {
    use super::*;

    async fn call(storm: &Storm, client: &Client, kind: Kind, channel: &str) -> Result<()> {
        let said = storm.say();
        match kind {
            Kind::Shared => {
                let replies = client.transaction((p.echo(&said), p.get("one"))).await?;
                assert_eq!(replies, (said, Some(1)));
            }
            Kind::Pop => storm.take(client.blpop(["none", "jobs"], Duration::ZERO).await?),
            Kind::Session => {
                let session = client.session().await?;
                assert_eq!(session.get("one").await?, Some(1), "it is database 0");
                session.select(1).await?;
                assert_eq!(session.get::<u8>("one").await?, None);
                session.watch("two").await?;
                let replies = session.transaction((p.echo(&said), p.incr("two"))).await?;
                assert!(replies.is_none_or(|(echoed, two): (String, _)| echoed == said && two > 0));
                session.select(0).await?;
            }
            Kind::Messages => {
                let mut subscription = client.subscribe(channel).await?;
                let mut last = 0;
                for _ in 0..2 {
                    client.publish(channel, storm.numbers.fetch_add(1, SeqCst)).await?;
                    let event = subscription.next().await.expect("the client is open");
                    check_heard(channel, &event, &mut last);
                }
                subscription.unsubscribe(());
                subscription.subscribe(format!("{channel}:more")).await?;
            }
            Kind::Lock => {
                let lock = client.lock("lock", LONG);
                let mut lock = lock.wait_at_most(LONG).retry_every(Duration::from_millis(3));
                lock.acquire().await.expect("it is had in the end");
                let inside = storm.enter();
                assert_eq!(client.echo::<String>(&said).await?, said);
                drop(inside);
                lock.release().await.expect("it is held");
            }
        }
        Ok(())
    }

    pub(super) fn run(storm: &Arc<Storm>, client: &AnyClient, server: &Server, runtime: Runtime) -> u32 {
        let client = client.clone().into_async().expect("its calls are futures");
        let task = |seed: usize| {
            let (storm, client) = (Arc::clone(storm), client.clone());
            runtime.spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed as u64);
                let channel = format!("channel {seed}");
                while !storm.is_over() {
                    let kind = KINDS[rng.usize(..KINDS.len())];
                    let whole = async {
                        call(&storm, &client, kind, &channel).await.expect("it has all the time");
                        true
                    };
                    let given_up = async {
                        runtime.sleep(draw_patience(&mut rng)).await;
                        false
                    };
                    let is_done = or(whole, given_up).await;
                    storm.note(kind, is_done);
                }
            })
        };
        let tasks: Vec<_> = (0..TASKS).map(task).collect();
        let items = rage(storm, server);
        tasks.into_iter().for_each(block_on);
        items
    }
}

/// Calls that wait for their reply, or for the end of their time.
mod late {
    use super::*;

    /// Each call has its own time.
    fn hasty(client: &AnyClient, rng: &mut fastrand::Rng) -> AnyClient {
        client.with(Options::new().timeout(draw_patience(rng)))
    }

    fn call(
        storm: &Storm,
        client: &AnyClient,
        rng: &mut fastrand::Rng,
        kind: Kind,
        channel: &str,
    ) -> Result<bool> {
        let said = storm.say();
        let hasty_client = hasty(client, rng);
        match kind {
            Kind::Shared => {
                // It does not wait at the server, so it would mostly be in time.
                let time = draw_patience(rng).div_f64(10.0);
                let hasty_client = client.with(Options::new().timeout(time));
                let replies = hasty_client.transaction((p.echo(&said), p.get("one")))?;
                assert_eq!(replies, (said, Some(1)));
            }
            Kind::Pop => storm.take(hasty_client.blpop(["none", "jobs"], Duration::ZERO)?),
            Kind::Session => {
                let session = hasty_client.session()?;
                assert_eq!(session.get("one")?, Some(1), "it is database 0");
                session.watch("two")?;
                let replies = session.transaction((p.echo(&said), p.incr("two")))?;
                assert!(replies.is_none_or(|(echoed, two): (String, _)| echoed == said && two > 0));
                storm.take(session.blpop(["none", "jobs"], Duration::ZERO)?);
            }
            Kind::Messages => {
                let mut subscription = hasty_client.subscribe(channel)?;
                let mut last = 0;
                hasty(client, rng).publish(channel, storm.numbers.fetch_add(1, SeqCst))?;
                while let Ok(event) = subscription.next_timeout(draw_patience(rng)) {
                    check_heard(channel, &event, &mut last);
                }
                subscription.unsubscribe(());
            }
            Kind::Lock => {
                let lock = hasty_client.lock("lock", LONG);
                let mut lock = lock.wait_at_most(draw_patience(rng)).retry_every(Duration::from_millis(3));
                match lock.acquire() {
                    Ok(()) => {}
                    Err(LockError::TimedOut) => return Ok(false),
                    Err(LockError::Failed(error)) => return Err(error),
                    Err(other) => panic!("{other:?}"),
                }
                let inside = storm.enter();
                assert_eq!(client.echo::<String>(&said)?, said);
                drop(inside);
                lock.release().map_err(|error| error.failure().cloned().expect("it is held"))?;
            }
        }
        Ok(true)
    }

    pub(super) fn run(storm: &Arc<Storm>, client: &AnyClient, server: &Server) -> u32 {
        thread::scope(|scope| {
            for seed in 0..TASKS {
                scope.spawn(move || {
                    let mut rng = fastrand::Rng::with_seed(seed as u64);
                    let channel = format!("channel {seed}");
                    while !storm.is_over() {
                        let kind = KINDS[rng.usize(..KINDS.len())];
                        let is_done = call(storm, client, &mut rng, kind, &channel).unwrap_or_else(|error| {
                            assert!(error.is_timeout(), "{kind:?}: {error}");
                            false
                        });
                        storm.note(kind, is_done);
                    }
                });
            }
            rage(storm, server)
        })
    }
}

/// Lets the storm go on for a while, with something to take now and then. Returns how many items there were.
fn rage(storm: &Storm, server: &Server) -> u32 {
    let wire = Wire::connect(server.addr(), 3);
    let (start, mut items) = (Instant::now(), 0);
    while start.elapsed() < STORM {
        wire.rpush("jobs", items).expect("it is a list");
        items += 1;
        thread::sleep(Duration::from_millis(1));
    }
    storm.over.store(true, SeqCst);
    items
}

/// All side connections at once: each is there, is another, and is as new. Returns how many connections there are then.
fn lease_all(client: &AnyClient) -> usize {
    let all: Vec<_> = (0..POOL).map(|_| client.session().expect("one is free in the end")).collect();
    let ids: BTreeSet<_> = all.iter().map(|session| session.client_id().expect("it is there")).collect();
    assert_eq!(ids.len(), POOL, "each has its own");
    for session in &all {
        let own = session.client_info().expect("it is there");
        let state = (own.db, own.channels, own.multi, own.watch.unwrap_or(0));
        assert_eq!(state, (0, 0, None, 0), "it is as new");
    }
    poll_until("what was closed to be gone", || {
        let clients = client.client_list(ClientFilter::All).ok()?;
        let count = clients.iter().filter(|client| client.name.as_deref() == Some("storm")).count();
        (count == 1 + POOL).then_some(count)
    })
}

/// Everything comes to rest, and nothing is left behind.
fn check(server: &Server, client: &AnyClient, storm: &Storm, items: u32) {
    poll_until("the last to wait, to listen and to lock", || {
        // Where nobody drives while idle, a call does.
        let clients = client.client_list(ClientFilter::All).expect("it is there");
        let waits = clients.iter().any(|client| client.flags.contains('b'));
        let listens = client.pubsub_channels::<String>(()).expect("it is there").len();
        let locked = client.lock("lock", LONG).locked().expect("it is there");
        (!waits && listens == 0 && !locked).then_some(())
    });
    let taken = storm.taken.lock().expect("no task panics").clone();
    let left: Vec<u32> = client.lrange("jobs", 0, -1).expect("it is a list");
    let all: BTreeSet<_> = taken.iter().chain(&left).copied().collect();
    let lost: Vec<_> = (0..items).filter(|item| !all.contains(item)).collect();
    assert_eq!(lost, [], "lost items");
    assert_eq!(taken.len() + left.len(), items as usize, "items that are there twice");
    let counts = storm.counts.lock().expect("no task panics");
    eprintln!("(done, given up): {counts:?}; {} of {items} items taken", taken.len());
    for kind in KINDS {
        let (done, given_up) = counts.get(&kind).copied().unwrap_or_default();
        assert!(done >= 5 && given_up >= 3, "a storm has both: {kind:?} {done} and {given_up}");
    }
    assert!(taken.len() > 10, "only {} items were taken", taken.len());
    assert_eq!(server.cli(&["GET", "one"]), "1");
}

/// One storm at a time: they are to load the client, not the machine.
static STORMS: Mutex<()> = Mutex::new(());

fn storm(runtime: Runtime, protocol: Protocol, run: impl Fn(&Arc<Storm>, &AnyClient, &Server) -> u32) {
    let _alone = STORMS.lock().unwrap_or_else(PoisonError::into_inner);
    eprintln!("{runtime:?}, {protocol:?}");
    let server = Server::start(Version::V8);
    let options = format!("pool_max={POOL}&client_name=storm&protocol={}", protocol.number());
    let client = runtime.connect(format!("{}?{options}", server.url())).expect("the server is there");
    client.set("one", 1).expect("it is there");
    let (shared, before) = (client.client_id().expect("it is there"), lease_all(&client));
    let storm = Arc::new(Storm::default());
    let items = run(&storm, &client, &server);
    check(&server, &client, &storm, items);
    assert_eq!(lease_all(&client), before);
    assert_eq!(client.client_id(), Ok(shared), "the connection of all others is the same");
    client.close();
    poll_until("all connections to be gone", || {
        server.cli(&["INFO", "clients"]).contains("connected_clients:1\r\n").then_some(())
    });
}

#[test]
fn calls_that_are_dropped_leave_nothing_behind() {
    for runtime in Runtime::ASYNC {
        for protocol in Protocol::ALL {
            storm(runtime, protocol, |it, client, server| dropped::run(it, client, server, runtime));
        }
    }
}

#[test]
fn calls_whose_time_is_over_leave_nothing_behind() {
    for runtime in Runtime::ALL {
        storm(runtime, Protocol::Resp3, late::run);
    }
}
