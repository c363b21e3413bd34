//! Redstart, its peers and the floors side by side: see README.md.

mod alloc;
mod contender;
mod floor;
mod measure;
mod rows;
mod server;
mod table;

use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use contender::Suite;
use measure::{Plan, Result};
use rows::{Choice, Group, decode, e2e, encode, pubsub};

#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

const USAGE: &str = "usage: redstart-bench [e2e|pubsub|decode|encode|all] [--rounds N] [--only NAME]... [--row TEXT] \
                     [--cpu N] [--quick]";

struct Args {
    what: String,
    rounds: Option<usize>,
    only: Vec<String>,
    row: Option<String>,
    cpu: Option<usize>,
    quick: bool,
}

fn parse() -> Result<Args> {
    let mut args =
        Args { what: "all".to_owned(), rounds: None, only: Vec::new(), row: None, cpu: None, quick: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Value(what) => args.what = what.string()?,
            Long("rounds") => args.rounds = Some(parser.value()?.parse()?),
            Long("only") => args.only.push(parser.value()?.string()?),
            Long("row") => args.row = Some(parser.value()?.string()?),
            Long("cpu") => args.cpu = Some(parser.value()?.parse()?),
            Long("quick") => args.quick = true,
            Long("help") | Short('h') => return Err(USAGE.into()),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    match args.what.as_str() {
        "e2e" | "pubsub" | "decode" | "encode" | "all" => Ok(args),
        other => Err(format!("nothing is called {other}\n{USAGE}").into()),
    }
}

/// Measures a group and prints it as soon as it is there; returns the number of its rows.
fn show(args: &Args, what: &str, group: impl FnOnce() -> Result<Group>) -> Result<usize> {
    if args.what != what && args.what != "all" {
        return Ok(0);
    }
    eprintln!("{what}");
    let group = group()?;
    if !group.rows.is_empty() {
        println!("{}", table::group(&group));
    }
    Ok(group.rows.len())
}

fn run() -> Result<()> {
    let args = parse()?;
    let cpu = measure::pin(args.cpu)?;
    let rounds = args.rounds.unwrap_or(if args.quick { 3 } else { 7 }).max(1);
    let plan =
        |sample| Plan { rounds, sample: Duration::from_millis(if args.quick { sample / 3 } else { sample }) };
    let choice = |sample| Choice { plan: plan(sample), row: args.row.clone() };
    let (online, offline) = (choice(150), choice(30));
    let suite = Suite::new(&args.only)?;
    println!("{}", table::heading(online.plan, offline.plan, cpu));
    let mut rows = show(&args, "e2e", || e2e::group(&suite, &online))?;
    rows += show(&args, "pubsub", || pubsub::group(&suite, &online))?;
    rows += show(&args, "decode", || decode::group(&suite, &offline))?;
    rows += show(&args, "decode", || decode::owned_group(&suite, &offline))?;
    rows += show(&args, "encode", || encode::group(&suite, &offline))?;
    if rows > 0 { Ok(()) } else { Err("no row has such a title".into()) }
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
