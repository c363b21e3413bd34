//! What was found, as Markdown.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::{Figures, Plan};
use crate::rows::{Group, Row};

/// Everything that the figures depend on.
pub fn heading(online: Plan, offline: Plan, cpu: usize) -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown CPU");
    let crates: Vec<String> =
        ["redis", "fred", "redis-protocol", "rustis", "tokio"].into_iter().map(versions).collect();
    format!(
        "# Benchmark\n\n{date}, {model} (client and server pinned to CPU {cpu}, current_thread Tokio), {rustc}, \
         default release profile (`lto = false`).\n{server}\nCrates: {crates}.\nMedians of {rounds} interleaved \
         rounds of {ms} ms ({offline_ms} ms without a server); CPU is user + system time of the client's process.\n",
        date = output("date", &["-u", "+%F %H:%M UTC"]),
        model = model.trim_start_matches(['\t', ' ', ':']),
        rustc = output("rustc", &["--version"]),
        server = output("redis-server", &["--version"]),
        crates = crates.join(", "),
        rounds = online.rounds,
        ms = online.sample.as_millis(),
        offline_ms = offline.sample.as_millis(),
    )
}

fn output(program: &str, args: &[&str]) -> String {
    let text = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    if text.is_empty() { format!("{program} unknown") } else { text }
}

/// A crate's name with the versions of it that were built in.
fn versions(name: &str) -> String {
    let locked = include_str!("../Cargo.lock");
    let mut text = name.to_owned();
    for package in locked.split("[[package]]") {
        let field = |key: &str| package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
        if field("name").is_some_and(|found| found.trim_matches('"') == name) {
            let _ = write!(text, " {}", field("version").unwrap_or_default().trim_matches('"'));
        }
    }
    text
}

/// The tables of one group: figures, ratios and, where it says something, throughput.
pub fn group(group: &Group) -> String {
    let columns = columns(group);
    let is_floor = |name: &str| name.starts_with("floor");
    let mut text = format!("\n## {}\n\n", group.title);
    let cell = |row: &Row, f: &Figures| {
        let text = format!("{} ({})", thousands(f.cpu_ns), allocations(f.allocations));
        let best = best_peer(row, is_floor).is_some_and(|best| best == f.cpu_ns);
        if best && !is_floor(f.name) { format!("**{text}**") } else { text }
    };
    let spread = |row: &Row| {
        let widest = row.figures.iter().map(|f| f.spread).fold(0.0, f64::max);
        format!("{:.0} %", widest * 100.0)
    };
    table(&mut text, group, &columns, cell, Some(("widest spread", &spread)));

    let _ = write!(text, "\nRatio to {} / to the best peer:\n\n", group.floor);
    let peers: Vec<&str> = columns.iter().copied().filter(|name| *name != group.floor).collect();
    let ratios = |row: &Row, f: &Figures| {
        let to = |base: Option<f64>| base.map_or("-".to_owned(), |base| format!("{:.2}", f.cpu_ns / base));
        let floor = row.figures.iter().find(|f| f.name == group.floor).map(|f| f.cpu_ns);
        format!("{} / {}", to(floor), to(best_peer(row, is_floor)))
    };
    table(&mut text, group, &peers, ratios, None);

    if group.throughput {
        text.push_str("\nThousand operations per second:\n\n");
        table(&mut text, group, &columns, |_, f| thousands(f.per_second / 1000.0), None);
    }
    text
}

/// The smallest CPU time among those who are neither a floor nor Redstart.
fn best_peer(row: &Row, is_floor: impl Fn(&str) -> bool) -> Option<f64> {
    let peers = row.figures.iter().filter(|f| !is_floor(f.name) && f.name != "redstart");
    peers.map(|f| f.cpu_ns).min_by(f64::total_cmp)
}

/// Every contender of the group, in the order of the suite.
fn columns(group: &Group) -> Vec<&'static str> {
    let mut names = Vec::new();
    for figures in group.rows.iter().flat_map(|row| &row.figures) {
        if !names.contains(&figures.name) {
            names.push(figures.name);
        }
    }
    names
}

type Extra<'a> = (&'a str, &'a dyn Fn(&Row) -> String);

fn table(
    text: &mut String,
    group: &Group,
    columns: &[&str],
    cell: impl Fn(&Row, &Figures) -> String,
    extra: Option<Extra<'_>>,
) {
    let mut heads: Vec<&str> = columns.to_vec();
    heads.extend(extra.map(|(head, _)| head));
    let _ = writeln!(text, "| | {} |", heads.join(" | "));
    let _ = writeln!(text, "|---{}|", "|---:".repeat(heads.len()));
    for row in &group.rows {
        let of = |name: &&str| row.figures.iter().find(|f| f.name == *name);
        let mut cells: Vec<String> =
            columns.iter().map(|name| of(name).map_or("-".to_owned(), |f| cell(row, f))).collect();
        cells.extend(extra.map(|(_, cell)| cell(row)));
        let _ = writeln!(text, "| {} | {} |", row.title, cells.join(" | "));
    }
}

fn allocations(count: f64) -> String {
    // A sample has a few allocations of its own.
    if (count - count.round()).abs() < 0.05 { format!("{count:.0}") } else { format!("{count:.1}") }
}

/// Whole numbers with separators, or one decimal below 20.
fn thousands(value: f64) -> String {
    if value < 20.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
