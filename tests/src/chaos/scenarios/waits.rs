//! A thousand calls wait at the server on the client that others use, and are given up again and again: the others are
//! not to notice, and no item is lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::{block_on, or};
use redstart_core::client::Options;
use redstart_core::commands::ListCommands;

use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::clients::{AnyClient, Runtime, Task};
use crate::server::Server;
use crate::wire::Wire;

/// How many calls wait.
const CALLERS: usize = 1_000;

/// Over how many connections.
const OPTION: &str = "pool_max=50";

/// How many times longer the slowest hundredth of all other calls may take.
const SLOWER: f64 = 1.5;

/// How long a call waits at the most, and half as long on average: a thousand are given up in a second.
const PATIENCE: Duration = Duration::from_secs(2);

/// An item comes this often.
const EVERY: Duration = Duration::from_millis(2);

/// What all who wait know together.
#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    taken: Mutex<Vec<u32>>,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn take(&self, item: Option<(String, u32)>) {
        self.taken.lock().expect("no task panics").extend(item.map(|(_, item)| item));
    }
}

pub(super) fn beside(settings: &Settings) -> Report {
    let mut settings = settings.clone();
    settings.options.push(OPTION.to_owned());
    let server = Server::start(settings.version);
    let stage = Stage::begin(&settings, &server.url(), lists(settings.workers));
    let shared = Arc::new(Shared::default());

    let calm = Instant::now();
    stage.go_on();
    let begun = Instant::now();
    let callers = start(settings.runtime, stage.client(), &shared);
    let items = produce(&server, begun - calm);
    let ended = Instant::now();
    shared.is_over.store(true, Ordering::Relaxed);
    callers.into_iter().for_each(block_on);

    let wire = Wire::connect(server.addr(), 3);
    let verdict = stage.end().judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    let (before, during) =
        (verdict.window(0..settings.workers, calm..begun), verdict.window(0..settings.workers, begun..ended));
    let left: Vec<u32> = wire.lrange("jobs", 0, -1).expect("a list of numbers");
    let taken = shared.taken.lock().expect("no task panics").clone();
    let all: BTreeSet<_> = taken.iter().chain(&left).collect();
    let are_exact = all.len() == items as usize && taken.len() + left.len() == items as usize;

    let ratio = during.p99.as_secs_f64() / before.p99.as_secs_f64();
    let note = format!(
        "beside {CALLERS} waits before/during: p99 {:.2?}/{:.2?} ({ratio:.2} times), slowest {:.2?}/{:.2?}, {} of \
         {items} items taken",
        before.p99,
        during.p99,
        before.slowest,
        during.slowest,
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
            while !shared.is_over() {
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
        while !shared.is_over() {
            let hasty = client.with(Options::new().timeout(PATIENCE.mul_f64(rng.f64())));
            shared.take(hasty.blpop("jobs", Duration::ZERO).unwrap_or_default());
        }
    };
    let thread = builder.spawn(call).expect("the system has threads to spare");
    Box::pin(async { thread.join().expect("no thread panics") })
}

/// Fills the list for a while. Returns how many items there were.
fn produce(server: &Server, time: Duration) -> u32 {
    let (wire, start, mut items) = (Wire::connect(server.addr(), 3), Instant::now(), 0);
    while start.elapsed() < time {
        wire.rpush("jobs", items).expect("the server is up");
        items += 1;
        thread::sleep(EVERY);
    }
    items
}
