//! A thousand calls wait at the server on the client that others use, and are given up again and again: the others are
//! not to notice, and no item is lost.
//!
//! Whoever waits is there from the beginning, and waits and does not in turns, so that all else is equal. A figure is
//! the median over those turns: one hiccup of the machine is not to decide.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, or};
use redstart_core::client::Options;
use redstart_core::commands::ListCommands;

use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::clients::{AnyClient, Runtime, Task};
use crate::load::{Verdict, Window};
use crate::server::Server;
use crate::wire::Wire;

/// How many calls wait.
const CALLERS: usize = 1_000;

/// Over how many connections.
const OPTION: &str = "pool_max=50";

/// How many times longer the slowest hundredth of all other calls may take.
const SLOWER: f64 = 1.5;

/// How often they are measured without those that wait, and with them.
const TURNS: usize = 5;

/// How long a call waits at the most, and half as long on average: a thousand are given up in a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// An item comes this often.
const EVERY: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    Waiting,
    Over,
}

/// What all who wait know together.
#[derive(Debug, Default)]
struct Shared {
    phase: Mutex<(Phase, Vec<Waker>)>,
    /// Callers that are not idle.
    busy: AtomicUsize,
    taken: Mutex<Vec<u32>>,
}

impl Shared {
    fn phase(&self) -> MutexGuard<'_, (Phase, Vec<Waker>)> {
        self.phase.lock().expect("nobody panics with it")
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.phase();
        state.0 = phase;
        let idle = std::mem::take(&mut state.1);
        drop(state);
        idle.into_iter().for_each(Waker::wake);
    }

    /// Waits while all are to be idle. Returns whether another call is to be made.
    async fn is_wanted(&self) -> bool {
        let phase = poll_fn(|cx| {
            let mut state = self.phase();
            if state.0 == Phase::Idle {
                state.1.push(cx.waker().clone());
                return Poll::Pending;
            }
            self.busy.fetch_add(1, SeqCst);
            Poll::Ready(state.0)
        });
        phase.await == Phase::Waiting
    }

    fn take(&self, item: Option<(String, u32)>) {
        self.taken.lock().expect("no task panics").extend(item.map(|(_, item)| item));
        self.busy.fetch_sub(1, SeqCst);
    }

    /// Lets the calls end, and begins no others.
    fn calm_down(&self) {
        self.enter(Phase::Idle);
        while self.busy.load(SeqCst) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

pub(super) fn beside(settings: &Settings) -> Report {
    let mut settings = settings.clone();
    settings.options.push(OPTION.to_owned());
    let server = Server::start(settings.version);
    let stage = Stage::begin(&settings, &server.url(), lists(settings.workers));
    let shared = Arc::new(Shared::default());
    let callers = start(settings.runtime, stage.client(), &shared);

    let (mut without, mut with, mut items) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let calm = Instant::now();
        stage.go_on();
        without.push(calm..Instant::now());
        shared.enter(Phase::Waiting);
        items += produce(&server, items, settings.extent.calm / 2);
        let begun = Instant::now();
        items += produce(&server, items, without[0].end - without[0].start);
        with.push(begun..Instant::now());
        shared.calm_down();
    }
    shared.enter(Phase::Over);
    callers.into_iter().for_each(block_on);

    let wire = Wire::connect(server.addr(), 3);
    let verdict = stage.end().judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    let (before, during) = (typical(&verdict, &settings, &without), typical(&verdict, &settings, &with));
    let left: Vec<u32> = wire.lrange("jobs", 0, -1).expect("a list of numbers");
    let taken = shared.taken.lock().expect("no task panics").clone();
    let all: BTreeSet<_> = taken.iter().chain(&left).collect();
    let are_exact = all.len() == items as usize && taken.len() + left.len() == items as usize;

    let ratio = during.as_secs_f64() / before.as_secs_f64();
    let note = format!(
        "without/beside {CALLERS} waits: p99 {before:.2?}/{during:.2?} ({ratio:.2} times), {} of {items} items taken",
        taken.len(),
    );
    Report::new(&settings, verdict)
        .errors_at_most(0)
        .lost_none()
        .gate(are_exact, "items were lost, or are there twice")
        .gate(!taken.is_empty(), "no item was taken")
        .gate(!settings.extent.timed || ratio <= SLOWER, "others became slower")
        .note(note)
}

/// The median of what 99 of 100 calls did not exceed at these times.
fn typical(verdict: &Verdict, settings: &Settings, times: &[Range<Instant>]) -> Duration {
    let window = |time: &Range<Instant>| verdict.window(0..settings.workers, time.clone());
    let mut found = times.iter().map(window).map(|Window { p99, .. }| p99).collect::<Vec<_>>();
    found.sort();
    found[found.len() / 2]
}

/// Starts all who wait: as tasks whose calls are dropped, or as threads whose calls run out of time.
fn start(runtime: Runtime, client: &AnyClient, shared: &Arc<Shared>) -> Vec<Task> {
    let seeds = 0..CALLERS as u64;
    if !Runtime::ASYNC.contains(&runtime) {
        return seeds.map(|seed| start_thread(client.clone(), Arc::clone(shared), seed)).collect();
    }
    let client = client.clone().into_async().expect("its calls are futures");
    let start = |seed| {
        let (client, shared) = (client.clone(), Arc::clone(shared));
        runtime.spawn(async move {
            let mut rng = fastrand::Rng::with_seed(seed);
            while shared.is_wanted().await {
                let patience = PATIENCE.mul_f64(rng.f64());
                let taken =
                    or(async { client.blpop("jobs", Duration::ZERO).await.expect("it works") }, async {
                        runtime.sleep(patience).await;
                        None
                    });
                shared.take(taken.await);
            }
        })
    };
    seeds.map(start).collect()
}

fn start_thread(client: AnyClient, shared: Arc<Shared>, seed: u64) -> Task {
    let builder = thread::Builder::new().stack_size(256 << 10);
    let call = move || {
        let mut rng = fastrand::Rng::with_seed(seed);
        while block_on(shared.is_wanted()) {
            let hasty = client.with(Options::new().timeout(PATIENCE.mul_f64(rng.f64())));
            shared.take(hasty.blpop("jobs", Duration::ZERO).unwrap_or_default());
        }
    };
    let thread = builder.spawn(call).expect("the system has threads to spare");
    Box::pin(async { thread.join().expect("no thread panics") })
}

/// Fills the list for a while with numbers from `first` on. Returns how many there were.
fn produce(server: &Server, first: u32, time: Duration) -> u32 {
    let (wire, start, mut items) = (Wire::connect(server.addr(), 3), Instant::now(), 0);
    while start.elapsed() < time {
        wire.rpush("jobs", first + items).expect("the server is up");
        items += 1;
        thread::sleep(EVERY);
    }
    items
}
