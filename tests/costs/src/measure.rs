//! How a case is measured: by the difference between more and fewer passes of it, so that neither making ready
//! nor warming up counts.

use std::io;
use std::process::{Child, Command, Stdio};

use stats_alloc::{Region, Stats, StatsAlloc};

use crate::cases::{Case, Outcome};

/// The allocator of the program, which counts.
pub type Allocator = StatsAlloc<std::alloc::System>;

/// What one operation costs, in the order of [`COLUMNS`].
pub type Costs = [f64; 4];

/// A kind of cost.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// In the plural.
    pub name: &'static str,
    /// Decimal places that are told.
    pub decimals: usize,
    /// The part of it that it may differ by.
    tolerance: f64,
}

/// What is counted. Instructions may differ a little, since a compiler lays out the same code in other ways; the
/// server in memory has its part in them.
pub const COLUMNS: [Column; 4] = [
    Column { name: "instructions", decimals: 1, tolerance: 0.03 },
    Column { name: "allocations", decimals: 3, tolerance: 0.0 },
    Column { name: "bytes allocated", decimals: 1, tolerance: 0.0 },
    Column { name: "socket calls", decimals: 3, tolerance: 0.0 },
];

impl Column {
    /// How far a cost may be from what it was: never less than what rounding takes off.
    pub(crate) fn tolerance(&self, before: f64) -> f64 {
        (before * self.tolerance).max(0.6 * 0.1_f64.powi(self.decimals as i32))
    }
}

/// Measures a case. `program` must run it when it is called with `--run`, the title and the passes.
///
/// # Errors
/// valgrind is not there, or has nothing to tell.
pub fn costs(case: &Case, allocator: &'static Allocator, program: &str) -> io::Result<Costs> {
    let mut work = case.work();
    // Buffers that change places take some passes until each has its room.
    let calls_before = work(case.passes.max(8)).socket_calls;
    let (few, few_stats) = counted(allocator, || work(case.passes));
    let (many, many_stats) = counted(allocator, || work(case.passes * 2));
    let operations = few.operations as f64;
    let allocated = |of: fn(&Stats) -> usize| of(&many_stats) as f64 - of(&few_stats) as f64;
    let (short, long) = (start(case, program, case.passes)?, start(case, program, case.passes * 3)?);
    let instructions = instructions(long)? - instructions(short)?;
    Ok([
        instructions / (2.0 * operations),
        allocated(|stats| stats.allocations + stats.reallocations) / operations,
        allocated(|stats| stats.bytes_allocated) / operations,
        (many.socket_calls - calls_before) as f64 / (3.0 * operations),
    ])
}

fn counted(allocator: &'static Allocator, work: impl FnOnce() -> Outcome) -> (Outcome, Stats) {
    let region = Region::new(allocator);
    let outcome = work();
    (outcome, region.change())
}

/// A process that does a case by itself under callgrind.
fn start(case: &Case, program: &str, passes: u64) -> io::Result<Child> {
    let mut valgrind = Command::new("valgrind");
    // A repeated move would count as an instruction per byte, and is not chosen on every machine.
    valgrind.env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", program, "--run", &case.title]);
    valgrind.arg(passes.to_string()).stderr(Stdio::piped()).spawn()
}

/// All instructions that it took.
fn instructions(process: Child) -> io::Result<f64> {
    let output = process.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.filter(|_| output.status.success()).ok_or_else(|| io::Error::other(format!("callgrind: {text}")))
}
