//! A load whose outcome can be judged exactly.
//!
//! Each call appends an id of its own to a list that only its worker writes. Afterwards the lists tell which ids
//! were lost although they were acknowledged, which are there twice, and which are there although an error said
//! that they are not. Since a worker has its lists for itself, each reply can be checked too: it is the place of the
//! id. Now and then a worker reads a value that is its own.

mod judge;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redstart_core::Result;
use redstart_core::client::Options;
use redstart_core::commands::{ListCommands, StringCommands};

pub use self::judge::{Lost, Verdict, Window};
use crate::clients::AnyClient;
use crate::server::PATIENCE;
use crate::wire::Wire;

/// What a load is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The lists of each worker.
    lists: Vec<Vec<String>>,
    writes_per_read: usize,
    rate: Option<u32>,
    deadline: Option<Duration>,
}

impl Plan {
    /// So many workers with a list each. Each writes and reads in turn, as fast as it can.
    #[must_use]
    pub fn new(workers: usize) -> Self {
        Self::on((0..workers).map(|worker| vec![format!("list:{worker}")]).collect())
    }

    /// A worker for each of these groups of keys, which it writes to in turn. No key may be there twice.
    #[must_use]
    pub fn on(lists: Vec<Vec<String>>) -> Self {
        Self { lists, writes_per_read: 1, rate: None, deadline: None }
    }

    /// How many writes there are for each read.
    #[must_use]
    pub fn writes_per_read(mut self, writes: usize) -> Self {
        self.writes_per_read = writes;
        self
    }

    /// How many calls all workers make in a second, or as many as they can. A worker that has to wait does not make
    /// up for it afterwards.
    #[must_use]
    pub fn rate(mut self, calls: impl Into<Option<u32>>) -> Self {
        self.rate = calls.into();
        self
    }

    /// How long a call may take, instead of what the client is configured with.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Starts the workers, until [`Load::stop`].
    ///
    /// # Panics
    /// If the server does not take the values that are to be read.
    #[must_use]
    pub fn start(&self, client: &AnyClient) -> Load {
        let shared = Arc::new(Shared::default());
        let patient = client.with(Options::new().timeout(PATIENCE));
        for (name, lists) in self.lists.iter().enumerate() {
            lists.iter().for_each(|list| patient.set(beside(list), name).expect("the server is up"));
        }
        let hasty = self.deadline.map(|deadline| client.with(Options::new().timeout(deadline)));
        let run = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let pause = self.rate.map(|rate| Duration::from_secs(1) * self.lists.len() as u32 / rate);
        let start = |(name, lists): (usize, &Vec<String>)| {
            let worker = Worker {
                client: hasty.as_ref().unwrap_or(client).clone(),
                shared: Arc::clone(&shared),
                name,
                // No other load, earlier or elsewhere, has the same.
                ids: format!("{run:x}-{name}-"),
                lists: lists.clone(),
                writes_per_read: self.writes_per_read,
                pause,
                turn: name as f64 / self.lists.len() as f64,
            };
            thread::spawn(move || worker.work())
        };
        let workers = self.lists.iter().enumerate().map(start).collect();
        Load { shared, workers }
    }
}

/// The key of what is read in turn with writes to a list, in the same slot.
fn beside(list: &str) -> String {
    format!("name:{{{list}}}")
}

/// Workers under way, a thread each.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<Log>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    acked: AtomicUsize,
}

impl Load {
    /// How many writes have been acknowledged.
    #[must_use]
    pub fn acked(&self) -> usize {
        self.shared.acked.load(Ordering::Relaxed)
    }

    /// Waits until this many more writes have been acknowledged.
    ///
    /// # Panics
    /// If that takes longer than [`PATIENCE`].
    pub fn wait_for(&self, more: usize) {
        assert!(self.has_acked(more, PATIENCE), "waited {PATIENCE:?} for writes to be acknowledged");
    }

    /// Whether this many more writes are acknowledged within this time; waits for them.
    #[must_use]
    pub fn has_acked(&self, more: usize, patience: Duration) -> bool {
        let (start, enough) = (Instant::now(), self.acked() + more);
        while self.acked() < enough && start.elapsed() < patience {
            thread::sleep(Duration::from_millis(1));
        }
        self.acked() >= enough
    }

    /// Ends the workers and waits for the calls that they have under way.
    ///
    /// # Panics
    /// If a worker has.
    #[must_use]
    pub fn stop(self) -> Logs {
        self.shared.stop.store(true, Ordering::Relaxed);
        let logs = self.workers.into_iter().map(|worker| worker.join().expect("a worker does not panic"));
        Logs(logs.collect())
    }

    /// Ends the workers and reads their lists from the one server that there is.
    ///
    /// # Panics
    /// If a worker has, or the server does not answer.
    #[must_use]
    pub fn finish(self, server: SocketAddr) -> Verdict {
        let logs = self.stop();
        let wire = Wire::connect(server, 3);
        let verdict = logs.judge(|list| wire.lrange(list, 0, -1).expect("a list of ids"));
        eprintln!("{verdict}");
        verdict
    }
}

/// What the workers saw.
#[derive(Debug)]
pub struct Logs(Vec<Log>);

impl Logs {
    /// Judges by what the lists hold.
    #[must_use]
    pub fn judge(self, read: impl FnMut(&str) -> Vec<String>) -> Verdict {
        judge::judge(self.0, read)
    }
}

/// What one worker saw.
#[derive(Debug)]
struct Log {
    ids: String,
    lists: Vec<String>,
    /// The number of a write is the end of its id.
    writes: Vec<Call<u64>>,
    reads: Vec<Call<Option<usize>>>,
    stopped: Instant,
}

/// One call and what came of it.
#[derive(Debug)]
struct Call<T> {
    start: Instant,
    end: Instant,
    outcome: Result<T>,
}

impl<T> Call<T> {
    fn make(call: impl FnOnce() -> Result<T>) -> Self {
        let start = Instant::now();
        let outcome = call();
        Self { start, end: Instant::now(), outcome }
    }

    fn took(&self) -> Duration {
        self.end - self.start
    }
}

struct Worker {
    client: AnyClient,
    shared: Arc<Shared>,
    name: usize,
    ids: String,
    lists: Vec<String>,
    writes_per_read: usize,
    pause: Option<Duration>,
    /// How much of its first pause a worker waits.
    turn: f64,
}

impl Worker {
    fn work(self) -> Log {
        let (mut writes, mut reads) = (Vec::new(), Vec::new());
        // The workers take turns, so that there is always about the same to do.
        let mut next = Instant::now() + self.pause.unwrap_or_default().mul_f64(self.turn);
        while !self.shared.stop.load(Ordering::Relaxed) {
            let number = writes.len();
            let list = &self.lists[number % self.lists.len()];
            let write = Call::make(|| self.client.rpush(list, format!("{}{number}", self.ids)));
            self.shared.acked.fetch_add(usize::from(write.outcome.is_ok()), Ordering::Relaxed);
            writes.push(write);
            self.rest(&mut next);
            if (writes.len() + self.name).is_multiple_of(self.writes_per_read) {
                reads.push(Call::make(|| self.client.get(beside(list))));
                self.rest(&mut next);
            }
        }
        Log { ids: self.ids, lists: self.lists, writes, reads, stopped: Instant::now() }
    }

    /// Waits until the next call is due. Those that were missed are left out.
    fn rest(&self, next: &mut Instant) {
        if let Some(pause) = self.pause {
            let now = Instant::now();
            *next += pause;
            while *next < now {
                *next += pause;
            }
            thread::sleep(*next - now);
        }
    }
}
