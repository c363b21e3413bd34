//! redis-benchmark, the load generator of Redis itself, in the rows where one connection does the same.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::runtime::Runtime;

use super::{Endpoint, Suite};
use crate::measure::{Done, Result, Spent};
use crate::rows::work::{KEYS_IN_TURN, VALUE, Work};
use crate::system;

pub const NAME: &str = "redis-benchmark";

pub fn register(suite: &mut Suite) {
    suite.endpoint::<Benchmark>(NAME);
    suite.blocking::<Benchmark>(NAME);
}

struct Benchmark(SocketAddr);

impl Endpoint for Benchmark {
    fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        servers.first().map(|server| Self(*server)).ok_or_else(|| "no server".into())
    }

    fn takes(work: Work) -> bool {
        matches!(work, Work::Get { tasks: 1 } | Work::Pipeline { .. })
    }

    fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
        // Its start is a cost that does not count, and should not: so there are many operations each time.
        let least = if work.depth() == 1 { 20_000 } else { 500_000 };
        let operations = (passes * work.depth() as u64).max(least);
        let (cpu, wall) = (system::cpu_time_of_children()?, Instant::now());
        // What it fills in for the key has twelve digits, as those of the others have.
        let status = Command::new("redis-benchmark")
            .args(["-h", &self.0.ip().to_string(), "-p", &self.0.port().to_string(), "-c", "1", "-q"])
            .args(["-n", &operations.to_string(), "-P", &work.depth().to_string()])
            .args(["-r", &KEYS_IN_TURN.to_string(), "-d", &VALUE.len().to_string()])
            .args(["GET", "key:__rand_int__"])
            .stdout(Stdio::null())
            .status()?;
        let (wall, cpu) = (wall.elapsed(), system::cpu_time_of_children()? - cpu);
        if !status.success() {
            return Err(format!("redis-benchmark: {status}").into());
        }
        Ok(Done { operations, elsewhere: Some(Spent { cpu, wall, count: None }) })
    }
}
