//! Long runs against real servers that fail: see CONTRIBUTING.md.

use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use redstart_tests::chaos::{Scenario, Settings};
use redstart_tests::clients::Runtime;
use redstart_tests::server::Version;

const USAGE: &str = "usage: chaos SCENARIO|all [--version 7.0|8.2] [--runtime tokio|async-std|blocking|background] \
                     [--runs N] [--deadline 5s] [--workers 12] [--rate 2000 (0: no bound)] [--seed N] [--option NAME=VALUE]...";

struct Args {
    scenarios: Vec<Scenario>,
    versions: Vec<Version>,
    runs: u64,
    settings: Settings,
}

fn parse() -> Result<Args, Box<dyn std::error::Error>> {
    let mut args = Args {
        scenarios: Vec::new(),
        versions: Version::ALL.to_vec(),
        runs: 1,
        settings: Settings::new(Version::V8, Runtime::Tokio),
    };
    let settings = &mut args.settings;
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Value(name) => args.scenarios.extend(scenarios(&name.string()?)?),
            Long("version") => args.versions = vec![version(&parser.value()?.string()?)?],
            Long("runtime") => settings.runtime = runtime(&parser.value()?.string()?)?,
            Long("runs") => args.runs = parser.value()?.parse()?,
            Long("deadline") => settings.deadline = duration(&parser.value()?.string()?)?,
            Long("workers") => settings.workers = parser.value()?.parse()?,
            Long("rate") => settings.rate = Some(parser.value()?.parse()?).filter(|rate| *rate > 0),
            Long("option") => settings.options.push(parser.value()?.string()?),
            Long("seed") => settings.seed = parser.value()?.parse()?,
            Long("help") | Short('h') => return Err(USAGE.into()),
            other => return Err(format!("{}\n{USAGE}", other.unexpected()).into()),
        }
    }
    if args.scenarios.is_empty() { Err(USAGE.into()) } else { Ok(args) }
}

fn scenarios(name: &str) -> Result<Vec<Scenario>, String> {
    let is_meant = |scenario: &Scenario| name == "all" || name == scenario.name();
    let meant = Scenario::ALL.into_iter().filter(is_meant).collect::<Vec<_>>();
    let names = Scenario::ALL.map(Scenario::name).join(", ");
    if meant.is_empty() { Err(format!("no scenario is called {name}: there are {names}")) } else { Ok(meant) }
}

fn version(name: &str) -> Result<Version, String> {
    match name {
        "7.0" => Ok(Version::V7),
        "8.2" => Ok(Version::V8),
        _ => Err(format!("no server is {name}: there are 7.0 and 8.2")),
    }
}

fn runtime(name: &str) -> Result<Runtime, String> {
    match name {
        "tokio" => Ok(Runtime::Tokio),
        "async-std" => Ok(Runtime::AsyncStd),
        "blocking" => Ok(Runtime::Blocking),
        "background" => Ok(Runtime::Background),
        _ => Err(format!("no runtime is called {name}")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 0.001),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => (text, 1.0),
    };
    let seconds = digits.parse::<f64>().map_err(|error| error.to_string())? * unit;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut is_good = true;
    for scenario in args.scenarios {
        for &version in &args.versions {
            for run in 0..args.runs {
                let seed = args.settings.seed + run;
                let report = scenario.run(&Settings { version, seed, ..args.settings.clone() });
                is_good &= report.is_good();
                println!("{report}");
            }
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
