//! Lanes measured side by side: CPU time, throughput and allocations per operation.

use std::error::Error;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

use crate::alloc;

/// Whatever goes wrong in a benchmark ends it.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// One contender in one row.
pub struct Lane {
    name: &'static str,
    run: Box<dyn FnMut(u64) -> Result<u64>>,
}

impl Lane {
    /// `run(n)` does the row's work `n` times and returns how many operations that were.
    pub fn new(name: &'static str, run: impl FnMut(u64) -> Result<u64> + 'static) -> Self {
        Self { name, run: Box::new(run) }
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

/// What was found for one lane: medians over the rounds.
pub struct Figures {
    pub name: &'static str,
    /// User and system time of this process, per operation.
    pub cpu_ns: f64,
    pub per_second: f64,
    pub allocations: f64,
    /// (largest - smallest) / median of the CPU times.
    pub spread: f64,
}

/// Measures the lanes in turns, so that whatever disturbs the machine disturbs all of them.
pub fn lanes(mut lanes: Vec<Lane>, plan: Plan) -> Result<Vec<Figures>> {
    let mut passes = Vec::new();
    let mut allocations = Vec::new();
    for lane in &mut lanes {
        let n = calibrate(lane, plan.sample)?;
        let (operations, count) = alloc::counted(|| (lane.run)(n));
        passes.push(n);
        allocations.push(count as f64 / operations? as f64);
    }
    let mut samples: Vec<Vec<(f64, f64)>> = lanes.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for ((lane, &n), samples) in lanes.iter_mut().zip(&passes).zip(&mut samples) {
            samples.push(sample(lane, n)?);
        }
    }
    let found = lanes.iter().zip(samples).zip(allocations);
    Ok(found.map(|((lane, samples), allocations)| figures(lane.name, &samples, allocations)).collect())
}

/// The number of passes that takes about `target`; the doubling is the warm-up.
fn calibrate(lane: &mut Lane, target: Duration) -> Result<u64> {
    let mut n = 1;
    loop {
        let start = Instant::now();
        (lane.run)(n)?;
        let taken = start.elapsed();
        if taken * 4 >= target && n > 1 || taken >= target {
            let scaled = n as f64 * target.as_secs_f64() / taken.as_secs_f64();
            return Ok((scaled as u64).max(1));
        }
        n *= 2;
    }
}

/// CPU and wall-clock nanoseconds per operation.
fn sample(lane: &mut Lane, n: u64) -> Result<(f64, f64)> {
    let (cpu, wall) = (cpu_time()?, Instant::now());
    let operations = (lane.run)(n)? as f64;
    let (wall, cpu) = (wall.elapsed(), cpu_time()? - cpu);
    Ok((cpu.as_nanos() as f64 / operations, wall.as_nanos() as f64 / operations))
}

fn figures(name: &'static str, samples: &[(f64, f64)], allocations: f64) -> Figures {
    let cpu = sorted(samples.iter().map(|sample| sample.0));
    let wall = sorted(samples.iter().map(|sample| sample.1));
    let cpu_ns = cpu[cpu.len() / 2];
    let spread = (cpu[cpu.len() - 1] - cpu[0]) / cpu_ns;
    Figures { name, cpu_ns, per_second: 1e9 / wall[wall.len() / 2], allocations, spread }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// User and system time that this process has used, all threads together.
fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let time = |t: nix::sys::time::TimeVal| Duration::new(t.tv_sec() as u64, t.tv_usec() as u32 * 1000);
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// Binds this process, and every child that it starts from now on, to one CPU; returns which.
pub fn pin(cpu: Option<usize>) -> Result<usize> {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this)?;
    let last = (0..CpuSet::count()).rev().find(|&cpu| allowed.is_set(cpu).unwrap_or(false));
    let cpu = cpu.or(last).ok_or("no CPU to run on")?;
    let mut one = CpuSet::new();
    one.set(cpu)?;
    sched_setaffinity(this, &one)?;
    Ok(cpu)
}
