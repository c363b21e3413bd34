//! Redstart, its peers and the floors side by side: see README.md.

mod alloc;
mod contender;
mod floor;
mod measure;
mod network;
mod plot;
mod quantity;
mod rows;
mod save;
mod server;
mod system;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use contender::Suite;
use measure::{Plan, Result};
use rows::online::Online;
use rows::outside::{self, Job};
use rows::{Choice, Group, decode, encode, families, idle};
use save::Results;
use system::Cpus;

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const USAGE: &str =
    "usage: redstart-bench [FAMILY]... [--rounds N] [--only NAME]... [--row TEXT] [--cpu N] [--quick]
                      [--sample MILLISECONDS] [--save FOLDER]
families, all of them by default: decode owned encode e2e unpinned large cluster threads blocking pubsub sizes
                                  clients idle";

const OFFLINE: [(&str, Measure); 4] = [
    ("decode", decode::group),
    ("owned", decode::owned_group),
    ("encode", encode::group),
    (idle::NAME, idle::group),
];

type Measure = fn(&Suite, &Choice) -> Result<Group>;

/// The families with servers.
fn online() -> [Online; 9] {
    use families::{blocking, clients, cluster, e2e, large, pubsub, sizes, threads, unpinned};
    [e2e(), unpinned(), large(), cluster(), threads(), blocking(), pubsub(), sizes(), clients()]
}

#[derive(Default)]
struct Args {
    families: Vec<String>,
    rounds: Option<usize>,
    only: Vec<String>,
    row: Option<String>,
    cpu: Option<usize>,
    quick: bool,
    /// How long a contender runs in one round; a fifth of it without a server.
    sample: Option<u64>,
    save: Option<PathBuf>,
}

fn parse() -> Result<Args> {
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Value(family) => args.families.push(family.string()?),
            Long("rounds") => args.rounds = Some(parser.value()?.parse()?),
            Long("only") => args.only.push(parser.value()?.string()?),
            Long("row") => args.row = Some(parser.value()?.string()?),
            Long("cpu") => args.cpu = Some(parser.value()?.parse()?),
            Long("quick") => args.quick = true,
            Long("sample") => args.sample = Some(parser.value()?.parse()?),
            Long("save") => args.save = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Err(USAGE.into()),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    let names = || OFFLINE.iter().map(|(name, _)| *name).chain(online().map(|family| family.name));
    match args.families.iter().find(|family| !names().any(|name| name == **family)) {
        Some(unknown) => Err(format!("no family is called {unknown}\n{USAGE}").into()),
        None => Ok(args),
    }
}

fn run(args: &Args) -> Result<()> {
    let rounds = args.rounds.unwrap_or(if args.quick { 3 } else { 7 }).max(1);
    let sample = args.sample.unwrap_or(if args.quick { 50 } else { 150 }).max(5);
    let plan = |sample| Plan { rounds, sample: Duration::from_millis(sample) };
    let (online_plan, offline_plan) = (plan(sample), plan(sample / 5));
    let choice = Choice {
        cpus: Cpus::new(args.cpu)?,
        online: online_plan,
        offline: offline_plan,
        row: args.row.clone(),
        quick: args.quick,
    };
    network::isolate()?;
    let suite = Suite::new(&args.only)?;
    let conditions = table::conditions(online_plan, offline_plan);
    println!("{conditions}");
    let results = args.save.as_ref().map(|folder| Results::new(folder, conditions)).transpose()?;
    let mut rows = 0;
    let mut show = |name: &str, measure: &mut dyn FnMut() -> Result<Group>| -> Result<()> {
        if args.families.is_empty() || args.families.iter().any(|family| family == name) {
            eprintln!("{name}");
            let group = measure()?;
            rows += group.rows.len();
            if !group.rows.is_empty() {
                println!("{}", table::full(&group));
                results.as_ref().map(|results| results.save(&group)).transpose()?;
            }
        }
        Ok(())
    };
    for (name, measure) in OFFLINE {
        show(name, &mut || measure(&suite, &choice))?;
    }
    for family in online() {
        show(family.name, &mut || family.measure(&suite, &choice))?;
    }
    if rows > 0 { Ok(()) } else { Err("no row has such a title, or --quick leaves it out".into()) }
}

/// This is a process that another one has called.
fn run_child(args: &[String]) -> Result<()> {
    let (job, suite) = (Job::parse(args)?, Suite::new(&[])?);
    let family = online().into_iter().find(|family| family.name == job.family);
    let (operations, kilobytes) = match family {
        Some(family) => family.run(&suite, &job)?,
        None => idle::run(&suite, &job)?,
    };
    println!("{operations} {kilobytes}");
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let result = match &args[..] {
        [_, flag, rest @ ..] if flag == outside::FLAG => run_child(rest),
        _ => parse().and_then(|args| run(&args)),
    };
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
