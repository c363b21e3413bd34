//! Lanes measured side by side: CPU time, throughput and allocations per operation.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

use crate::alloc::{self, Count};
use crate::quantity::{Figures, Quantity};
use crate::system;

/// Whatever goes wrong in a benchmark ends it.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// What some passes of a lane came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    pub operations: u64,
    /// What another process says of itself, if that has done it.
    pub elsewhere: Option<Spent>,
}

/// What a sample has cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    pub cpu: Duration,
    pub wall: Duration,
    /// `None` if that is not known.
    pub count: Option<Count>,
}

impl From<u64> for Done {
    fn from(operations: u64) -> Self {
        Self { operations, elsewhere: None }
    }
}

/// One contender in one row.
pub struct Lane {
    pub name: &'static str,
    run: Box<dyn FnMut(u64) -> Result<Done>>,
}

impl Lane {
    /// `run(n)` does the row's work `n` times and returns how many operations that were.
    pub fn new<D: Into<Done>>(name: &'static str, mut run: impl FnMut(u64) -> Result<D> + 'static) -> Self {
        Self { name, run: Box::new(move |passes| run(passes).map(Into::into)) }
    }

    /// Does the work once more than nothing, unmeasured.
    pub fn run(&mut self, passes: u64) -> Result<u64> {
        (self.run)(passes).map(|done| done.operations)
    }
}

/// How long and how often to measure.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Timed samples of each lane.
    pub rounds: usize,
    /// About how long one sample takes.
    pub sample: Duration,
}

/// Measures the lanes in turns, so that whatever disturbs the machine disturbs all of them.
pub fn lanes(mut lanes: Vec<Lane>, plan: Plan) -> Result<Vec<Figures>> {
    let mut passes = Vec::new();
    let mut counts = Vec::new();
    for lane in &mut lanes {
        let named = |error| format!("{}: {error}", lane.name);
        let n = calibrate(&mut lane.run, plan.sample).map_err(named)?;
        let (done, here) = alloc::counted(|| (lane.run)(n));
        let done = done?;
        let count = done.elsewhere.map_or(Some(here), |spent| spent.count);
        passes.push(n);
        counts.push(count.map(|count| (count, done.operations as f64)));
    }
    let mut samples: Vec<Vec<(f64, f64)>> = lanes.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for ((lane, &n), samples) in lanes.iter_mut().zip(&passes).zip(&mut samples) {
            samples.push(sample(lane, n)?);
        }
    }
    let found = lanes.iter().zip(samples).zip(counts);
    Ok(found.map(|((lane, samples), count)| figures(lane.name, &samples, count)).collect())
}

/// The number of passes that takes about `target`; the doubling is the warm-up.
fn calibrate(run: &mut dyn FnMut(u64) -> Result<Done>, target: Duration) -> Result<u64> {
    let mut time = |n| {
        let start = Instant::now();
        let done = run(n)?;
        Ok::<_, Box<dyn Error + Send + Sync>>(
            done.elsewhere.map_or_else(|| start.elapsed(), |spent| spent.wall),
        )
    };
    let mut n = 1;
    loop {
        let mut taken = time(n)?;
        if taken * 4 >= target {
            // Once more: other programs may have had the CPU.
            taken = taken.min(time(n)?);
        }
        if taken * 4 >= target && n > 1 || taken >= target {
            let scaled = n as f64 * target.as_secs_f64() / taken.as_secs_f64();
            return Ok((scaled as u64).max(1));
        }
        n *= 2;
    }
}

/// CPU and wall-clock nanoseconds per operation.
fn sample(lane: &mut Lane, n: u64) -> Result<(f64, f64)> {
    let (cpu, wall) = (system::cpu_time()?, Instant::now());
    let done = (lane.run)(n)?;
    let (wall, cpu) = (wall.elapsed(), system::cpu_time()? - cpu);
    let (cpu, wall) = done.elsewhere.map_or((cpu, wall), |spent| (spent.cpu, spent.wall));
    let each = |time: Duration| time.as_nanos() as f64 / done.operations as f64;
    Ok((each(cpu), each(wall)))
}

/// Medians over the rounds.
fn figures(name: &'static str, samples: &[(f64, f64)], count: Option<(Count, f64)>) -> Figures {
    let cpu = sorted(samples.iter().map(|sample| sample.0));
    let wall = sorted(samples.iter().map(|sample| sample.1));
    let (cpu_ns, wall_ns) = (cpu[cpu.len() / 2], wall[wall.len() / 2]);
    let spread = (cpu[cpu.len() - 1] - cpu[0]) / cpu_ns;
    let mut values = BTreeMap::from([
        (Quantity::Cpu, cpu_ns),
        (Quantity::Wall, wall_ns),
        (Quantity::PerSecond, 1e9 / wall_ns),
    ]);
    if let Some((count, operations)) = count {
        values.insert(Quantity::Allocations, count.allocations as f64 / operations);
        values.insert(Quantity::Bytes, count.bytes as f64 / operations);
    }
    Figures { name, values, spread }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
