//! A load whose outcome can be judged exactly.
//!
//! Each call appends an id of its own to its worker's list. Afterwards the lists tell which ids were lost
//! although they were acknowledged, which are there twice, and which are there although an error said that they
//! are not. Since a worker has its list for itself, each reply can be checked too: it is the place of the id.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redstart_core::client::Options;
use redstart_core::commands::{ListCommands, StringCommands};
use redstart_core::error::Delivery;
use redstart_core::{Error, Result};

use crate::clients::AnyClient;
use crate::server::{PATIENCE, poll_until};
use crate::wire::Wire;

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

/// What one worker saw.
#[derive(Debug, Default)]
struct Log {
    /// By id.
    writes: Vec<Result<u64>>,
    failed_reads: Vec<Error>,
    slowest: Duration,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Writes in all.
    pub writes: usize,
    /// Writes that were acknowledged.
    pub acked: usize,
    /// Acknowledged, and not there.
    pub lost: usize,
    /// There more than once.
    pub duplicated: usize,
    /// There, although the error said that it was not sent, or rejected.
    pub phantom: usize,
    /// Acknowledged with a reply that is not its own.
    pub misled: usize,
    /// There, of those whose error said that they might be.
    pub applied: usize,
    /// Errors of writes, by delivery and text.
    pub errors: BTreeMap<(&'static str, String), usize>,
    /// Reads that failed, or were answered with another's value.
    pub failed_reads: Vec<Error>,
    /// The longest that any call took.
    pub slowest: Duration,
}

impl Load {
    /// Starts the workers. Each writes and reads in turn, until [`finish`](Self::finish).
    ///
    /// # Panics
    /// If the server does not take the values that are to be read.
    #[must_use]
    pub fn start(client: &AnyClient, workers: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let names = (0..workers).map(|name| (format!("name:{name}"), name)).collect::<Vec<_>>();
        let patient = client.with(Options::new().timeout(PATIENCE));
        patient.mset(names).expect("the server is up");
        let start = |name| {
            let (client, shared) = (client.clone(), Arc::clone(&shared));
            thread::spawn(move || work(&client, &shared, name))
        };
        let workers = (0..workers).map(start).collect();
        Self { shared, workers }
    }

    /// Waits until this many more writes have been acknowledged.
    ///
    /// # Panics
    /// If that takes longer than [`PATIENCE`].
    pub fn wait_for(&self, more: usize) {
        let acked = || self.shared.acked.load(Ordering::Relaxed);
        let enough = acked() + more;
        poll_until("writes to be acknowledged", || (acked() >= enough).then_some(()));
    }

    /// Ends the workers and reads their lists.
    ///
    /// # Panics
    /// If a worker has, or the server does not answer.
    #[must_use]
    pub fn finish(self, server: SocketAddr) -> Verdict {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut verdict = Verdict::default();
        for (name, worker) in self.workers.into_iter().enumerate() {
            let log = worker.join().expect("a worker does not panic");
            let list = Wire::connect(server, 3).lrange(format!("list:{name}"), 0, -1);
            verdict.add(log, &list.expect("the list of ids"));
        }
        eprintln!("{verdict}");
        verdict
    }
}

fn work(client: &AnyClient, shared: &Shared, name: usize) -> Log {
    let mut log = Log::default();
    while !shared.stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        let written = client.rpush(format!("list:{name}"), log.writes.len());
        log.slowest = log.slowest.max(start.elapsed());
        shared.acked.fetch_add(usize::from(written.is_ok()), Ordering::Relaxed);
        log.writes.push(written);

        let start = Instant::now();
        let read = client.get(format!("name:{name}"));
        log.slowest = log.slowest.max(start.elapsed());
        match read {
            Ok(value) => assert_eq!(value, Some(name), "another's reply"),
            Err(error) => log.failed_reads.push(error),
        }
    }
    log
}

impl Verdict {
    /// Whatever happened, replies and errors told the truth.
    ///
    /// # Panics
    /// If one did not.
    #[track_caller]
    pub fn assert_true(&self) {
        let untrue = [self.lost, self.duplicated, self.phantom, self.misled];
        assert_eq!(untrue, [0; 4], "lost, duplicated, phantom, misled: {self}");
    }

    fn add(&mut self, log: Log, list: &[usize]) {
        let mut places = vec![Vec::new(); log.writes.len()];
        list.iter().enumerate().for_each(|(place, id)| places[*id].push(place));
        for (outcome, places) in log.writes.into_iter().zip(places) {
            self.writes += 1;
            self.duplicated += usize::from(places.len() > 1);
            match outcome {
                Ok(length) => {
                    self.acked += 1;
                    self.lost += usize::from(places.is_empty());
                    self.misled +=
                        usize::from(places.first().is_some_and(|place| *place as u64 + 1 != length));
                }
                Err(error) => {
                    let applied = usize::from(!places.is_empty());
                    let delivery = match error.delivery() {
                        Delivery::MaybeExecuted => {
                            self.applied += applied;
                            "maybe"
                        }
                        _ => {
                            self.phantom += applied;
                            "never"
                        }
                    };
                    *self.errors.entry((delivery, error.to_string())).or_default() += 1;
                }
            }
        }
        self.failed_reads.extend(log.failed_reads);
        self.slowest = self.slowest.max(log.slowest);
    }

    /// Errors that said that the write may have been done.
    #[must_use]
    pub fn ambiguous(&self) -> usize {
        self.errors.iter().filter(|((delivery, _), _)| *delivery == "maybe").map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writes, acked, lost, duplicated, phantom, misled, applied, slowest, .. } = self;
        write!(f, "{acked} of {writes} writes acknowledged; {lost} lost, {duplicated} duplicated, ")?;
        write!(f, "{phantom} phantom, {misled} misled; {} reads failed; ", self.failed_reads.len())?;
        write!(f, "slowest {slowest:?}; {applied} applied of the {} ambiguous", self.ambiguous())?;
        self.errors.iter().try_for_each(|((_, text), count)| write!(f, "\n    {count} x {text}"))
    }
}
