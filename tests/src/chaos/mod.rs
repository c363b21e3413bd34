//! Long runs against real servers that fail on purpose. Each prints one line of figures, which are held against the
//! gates of its scenario.
//!
//! The load writes ids and reads them back, so that what was lost, done twice, or told wrongly is counted exactly
//! ([`load`](crate::load)). What a deployment does meanwhile is told by an independent party
//! ([`Observer`](observer::Observer)), and the lists are read by another client than the one under test.

pub mod observer;
mod report;
mod scenarios;
mod stage;

use std::time::Duration;

pub use self::report::Report;
pub use self::scenarios::Scenario;
use crate::clients::Runtime;
use crate::server::Version;

/// How to run a scenario.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the servers.
    pub version: Version,
    /// Of the client.
    pub runtime: Runtime,
    /// Of each call.
    pub deadline: Duration,
    /// Threads that call, with one call under way each.
    pub workers: usize,
    /// Calls that all workers make in a second, or as many as they can.
    pub rate: Option<u32>,
    /// Options of the client's URL.
    pub options: Vec<String>,
    /// What chooses among nodes and times.
    pub seed: u64,
    /// How much a run does.
    pub extent: Extent,
}

/// How much a run does.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// How many writes are acknowledged before the first fault, between faults, and after the last.
    pub writes: usize,
    /// How long the load goes on there at the least.
    pub calm: Duration,
    /// How long a node is frozen, at the least and at the most. It stays so until another has taken its place.
    pub frozen: (Duration, Duration),
    /// How many slots move, there and back.
    pub slots: u16,
    /// How many keys move with each list, so that it takes time and calls meet the move.
    pub ballast: usize,
    /// How many times replicas take over without a fault.
    pub failovers: usize,
    /// How often all connections are closed.
    pub kills: usize,
    /// For how long tokens are renewed.
    pub tokens: Duration,
    /// How long a node of a cluster is not heard of until it is taken to fail, where none is meant to.
    pub node_timeout: Duration,
    /// Whether times are held against their gates, which a machine that is busy with other things breaks.
    pub timed: bool,
}

impl Extent {
    /// For a run by hand, on a machine that has little else to do.
    pub const LONG: Self = Self {
        writes: 3000,
        calm: Duration::from_millis(1500),
        frozen: (Duration::from_secs(5), Duration::from_secs(9)),
        slots: 1500,
        ballast: 2000,
        failovers: 6,
        kills: 60,
        tokens: Duration::from_secs(60),
        node_timeout: Duration::from_secs(1),
        timed: true,
    };

    /// For the tests that are run on every change.
    pub const SHORT: Self = Self {
        writes: 300,
        calm: Duration::ZERO,
        frozen: (Duration::ZERO, Duration::ZERO),
        slots: 60,
        ballast: 500,
        failovers: 2,
        kills: 20,
        tokens: Duration::from_secs(6),
        node_timeout: Duration::from_secs(3),
        timed: false,
    };
}

impl Settings {
    /// What the scenarios are meant to be run with: 12 workers, together 2,000 calls a second, 5 s for each.
    #[must_use]
    pub fn new(version: Version, runtime: Runtime) -> Self {
        Self {
            version,
            runtime,
            deadline: Duration::from_secs(5),
            workers: 12,
            rate: Some(2000),
            options: Vec::new(),
            seed: 1,
            extent: Extent::LONG,
        }
    }

    /// For the tests that are run on every change, on a machine that may be busy: calls outlast whatever it adds.
    #[must_use]
    pub fn brief(version: Version, runtime: Runtime) -> Self {
        let deadline = Duration::from_secs(30);
        Self { deadline, extent: Extent::SHORT, ..Self::new(version, runtime) }
    }

    fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed)
    }

    /// For how long a node is to be frozen.
    fn frozen_for(&self) -> Duration {
        let (least, most) = self.extent.frozen;
        least + (most - least).mul_f64(self.rng().f64())
    }

    /// Whether calls have the time to outlast the faults, all of which end sooner than this.
    fn is_patient(&self) -> bool {
        self.deadline >= Duration::from_secs(5)
    }
}
