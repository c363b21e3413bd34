//! Measures what operations cost and compares it with what is in the repository: see CONTRIBUTING.md.

use std::error::Error;
use std::process::ExitCode;

use redstart_costs::baseline::{Baseline, differences, head, line};
use redstart_costs::cases::{self, Case};
use redstart_costs::measure::{self, Allocator};
use stats_alloc::INSTRUMENTED_SYSTEM;

#[global_allocator]
static ALLOCATOR: &Allocator = &INSTRUMENTED_SYSTEM;

const USAGE: &str =
    "usage: [REDSTART_BLESS=1] redstart-costs [TEXT]...   cases whose title has one of these in it
       redstart-costs --run TITLE PASSES            one case, for a profiler";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        [_, "--run", title, passes] => run(title, passes),
        [program, ref wanted @ ..] if !wanted.iter().any(|text| text.starts_with('-')) => {
            compare(program, wanted)
        }
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(title: &str, passes: &str) -> Result<(), Box<dyn Error>> {
    let case = cases::all().into_iter().find(|case| case.title == title).ok_or("no case has this title")?;
    case.work()(passes.parse()?);
    Ok(())
}

fn compare(program: &str, wanted: &[&str]) -> Result<(), Box<dyn Error>> {
    let (before, bless) = (Baseline::read()?, std::env::var_os("REDSTART_BLESS").is_some());
    let (mut now, mut changed) = (Baseline::default(), 0);
    let is_wanted = |case: &Case| wanted.is_empty() || wanted.iter().any(|text| case.title.contains(text));
    let all = cases::all();
    print!("{}", head());
    for case in &all {
        let known = before.get(&case.title);
        if !is_wanted(case) {
            known.into_iter().for_each(|costs| now.push(&case.title, *costs));
            continue;
        }
        let costs = measure::costs(case, ALLOCATOR, program)?;
        print!("{}", line(&case.title, &costs));
        now.push(&case.title, costs);
        let found = known.map_or_else(|| vec!["it is new".to_owned()], |known| differences(known, &costs));
        found.iter().for_each(|difference| println!("    {difference}"));
        changed += usize::from(!found.is_empty());
    }
    let gone = before.titles().filter(|title| now.get(title).is_none()).collect::<Vec<_>>();
    if bless {
        return Ok(now.write()?);
    }
    match (changed, &gone[..]) {
        (0, []) => Ok(()),
        _ => Err(format!(
            "{changed} cases cost something else than before, {} are gone. If that is meant: REDSTART_BLESS=1",
            gone.len()
        )
        .into()),
    }
}
