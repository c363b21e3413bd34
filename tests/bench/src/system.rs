//! What the system knows of this process, and where it lets it run.

use std::fs;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::unistd::Pid;

use crate::measure::Result;

/// User and system time that this process has used, all threads together.
pub fn cpu_time() -> Result<Duration> {
    used_by(UsageWho::RUSAGE_SELF)
}

/// User and system time of the child processes that have ended and were waited for.
pub fn cpu_time_of_children() -> Result<Duration> {
    used_by(UsageWho::RUSAGE_CHILDREN)
}

fn used_by(who: UsageWho) -> Result<Duration> {
    let usage = getrusage(who)?;
    let time = |t: nix::sys::time::TimeVal| Duration::new(t.tv_sec() as u64, t.tv_usec() as u32 * 1000);
    Ok(time(usage.user_time()) + time(usage.system_time()))
}

/// The CPUs that this process may use, or one of them.
pub struct Cpus {
    all: CpuSet,
    one: usize,
}

impl Cpus {
    /// `one`, or else the last that there is, is the one to be alone on.
    pub fn new(one: Option<usize>) -> Result<Self> {
        let all = sched_getaffinity(Pid::from_raw(0))?;
        let last = (0..CpuSet::count()).rev().find(|&cpu| all.is_set(cpu).unwrap_or(false));
        Ok(Self { all, one: one.or(last).ok_or("no CPU to run on")? })
    }

    /// Binds all threads of this process, and what they start from now on, to one CPU, or lets them go.
    pub fn pin(&self, pinned: bool) -> Result<()> {
        let mut cpus = self.all;
        if pinned {
            cpus = CpuSet::new();
            cpus.set(self.one)?;
        }
        for task in fs::read_dir("/proc/self/task")? {
            let id = task?.file_name().to_string_lossy().parse()?;
            sched_setaffinity(Pid::from_raw(id), &cpus)?;
        }
        Ok(())
    }
}

/// Kilobytes of memory that are resident now, and that were at the most.
pub fn resident() -> Result<(u64, u64)> {
    Ok((status("VmRSS:")?, status("VmHWM:")?))
}

/// Kilobytes of memory that are resident now and no part of a file: heaps and stacks, without the pages of programs that
/// were run for the first time.
pub fn anonymous() -> Result<u64> {
    status("RssAnon:")
}

fn status(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Allows as many open files as the system does.
pub fn raise_file_limit() -> Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}
