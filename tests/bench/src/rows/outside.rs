//! What takes a process of its own to find out: this program, called again for the work of one contender.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::Command;

use crate::measure::Result;

/// The flag that such a process is called with.
pub const FLAG: &str = "--child";

/// What such a process is to do.
#[derive(Clone, Debug)]
pub struct Job {
    pub family: String,
    pub row: String,
    pub name: String,
    pub passes: u64,
    pub servers: Vec<SocketAddr>,
}

impl Job {
    /// Reads the arguments behind the flag.
    pub fn parse(args: &[String]) -> Result<Self> {
        let [family, row, name, passes, servers @ ..] = args else {
            return Err("a child is told more".into());
        };
        let servers = servers.iter().map(|server| server.parse()).collect::<Result<_, _>>()?;
        let [family, row, name] = [family, row, name].map(Clone::clone);
        Ok(Self { family, row, name, passes: passes.parse()?, servers })
    }

    fn args(&self) -> Vec<String> {
        let mut args = vec![FLAG.to_owned(), self.family.clone(), self.row.clone(), self.name.clone()];
        args.push(self.passes.to_string());
        args.extend(self.servers.iter().map(ToString::to_string));
        args
    }
}

/// What a process says in its first line: operations, and kilobytes.
fn numbers(mut command: Command) -> Result<(f64, f64)> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(operations)), Some(Ok(kilobytes))) if output.status.success() => Ok((operations, kilobytes)),
        _ => Err(format!("{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Kilobytes that were resident besides those of before: at the most, or in the end, as the job says.
pub fn resident(job: &Job) -> Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(job.args());
    Ok(numbers(command)?.1)
}

/// System calls per operation, by the difference between more and fewer passes, of several attempts the least: a client
/// that the machine keeps from running looks at its socket once more afterwards. `None` for one who does not do as many
/// as it is told.
pub fn system_calls(job: &Job) -> Result<Option<f64>> {
    const ATTEMPTS: usize = 3;
    let more = Job { passes: job.passes * 3, ..job.clone() };
    let mut least = None::<f64>;
    for _ in 0..ATTEMPTS {
        let ((few_calls, few), (many_calls, many)) = (traced(job)?, traced(&more)?);
        if many <= few {
            return Ok(None);
        }
        let found = (many_calls - few_calls) / (many - few);
        least = Some(least.map_or(found, |least| least.min(found)));
    }
    Ok(least)
}

/// System calls of a whole process and its children, and its operations.
fn traced(job: &Job) -> Result<(f64, f64)> {
    let summary = std::env::temp_dir().join(format!("redstart-bench-{}-strace", std::process::id()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "calls,name", "-o"]).args([summary.as_os_str()]);
    strace.arg(std::env::current_exe()?).args(job.args().iter().map(OsStr::new));
    let (operations, _) = numbers(strace)?;
    let text = std::fs::read_to_string(&summary)?;
    std::fs::remove_file(&summary)?;
    let total = text.lines().find(|line| line.ends_with(" total"));
    let calls = total.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok((calls.ok_or_else(|| format!("strace said: {text}"))?, operations))
}
