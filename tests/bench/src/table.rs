//! What was found, as Markdown.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::Plan;
use crate::network;
use crate::quantity::{Figures, Quantity};
use crate::rows::{Group, Row, is_floor};
use crate::server;

/// Everything that the figures depend on.
pub fn conditions(online: Plan, offline: Plan) -> String {
    let crates: Vec<String> = ["redis", "fred", "redis-protocol", "rustis", "tokio", "async-std"]
        .into_iter()
        .map(versions)
        .collect();
    format!(
        "{date}, {model}, {count} CPUs, {kernel}, {rustc}, default release profile (`lto = false`). \
         {server}. TCP with {control}. Crates: {crates}; Redstart {commit}; libhiredis {hiredis}. Medians of {rounds} interleaved rounds \
         of {ms} ms ({offline_ms} ms without a server).\n",
        date = output("date", &["-u", "+%F %H:%M UTC"]),
        model = cpu_model(),
        count = std::thread::available_parallelism().map_or(1, usize::from),
        kernel = output("uname", &["-sr"]),
        rustc = output("rustc", &["--version"]),
        server = output(&server::program().to_string_lossy(), &["--version"]),
        control = network::congestion_control(),
        crates = crates.join(", "),
        commit = output("git", &["describe", "--always", "--dirty"]),
        hiredis = output("pkg-config", &["--modversion", "hiredis"]),
        rounds = online.rounds,
        ms = online.sample.as_millis(),
        offline_ms = offline.sample.as_millis(),
    )
}

pub fn cpu_model() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown CPU");
    model.trim_start_matches(['\t', ' ', ':']).to_owned()
}

/// What a program says in its first line.
pub fn output(program: &str, args: &[&str]) -> String {
    let text = Command::new(program).args(args).output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
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

/// The figures that count most, and whether goals are met.
pub fn short(group: &Group) -> String {
    let mut text = format!("{}\n\n{}\n\n", group.note, group.main.title());
    let columns = columns(group);
    table(&mut text, group, &columns, |row, figures| main_cell(group, row, figures), true);
    goals(&mut text, group);
    text
}

/// Everything of one group: figures, ratios, and whether goals are met.
pub fn full(group: &Group) -> String {
    let columns = columns(group);
    let mut text = format!("\n## {}\n\n{}\n", group.title, group.note);
    let _ = write!(text, "\n{} (the best peer's in bold):\n\n", group.main.title());
    table(&mut text, group, &columns, |row, figures| main_cell(group, row, figures), true);

    let _ = write!(text, "\nRatio to {} / to the best peer:\n\n", group.floor);
    let others: Vec<&str> = columns.iter().copied().filter(|name| *name != group.floor).collect();
    let ratios = |row: &Row, figures: &Figures| {
        let mine = figures.get(group.main)?;
        let to = |base: Option<f64>| base.map_or("-".to_owned(), |base| format!("{:.2}", mine / base));
        let floor = row.of(group.floor).and_then(|floor| floor.get(group.main));
        Some(format!("{} / {}", to(floor), to(row.best_peer(group.main).map(|best| best.1))))
    };
    table(&mut text, group, &others, ratios, false);

    let was_measured = |quantity: &Quantity| {
        group.rows.iter().flat_map(|row| &row.figures).any(|f| f.get(*quantity).is_some())
    };
    for &quantity in group.beside.iter().filter(|quantity| was_measured(quantity)) {
        let _ = write!(text, "\n{}:\n\n", quantity.title());
        let cell = |_: &Row, figures: &Figures| figures.get(quantity).map(|value| quantity.show(value));
        table(&mut text, group, &columns, cell, false);
    }
    goals(&mut text, group);
    text
}

/// The figure that counts; in brackets the allocations, if there are any to tell.
fn main_cell(group: &Group, row: &Row, figures: &Figures) -> Option<String> {
    let mut text = group.main.show(figures.get(group.main)?);
    if let (Quantity::Cpu, Some(count)) = (group.main, figures.get(Quantity::Allocations)) {
        let _ = write!(text, " ({})", Quantity::Allocations.show(count));
    }
    let best = row.best_peer(group.main).is_some_and(|(name, _)| name == figures.name);
    Some(if best { format!("**{text}**") } else { text })
}

/// Every contender of the group: the floors first, in the order of the suite.
pub fn columns(group: &Group) -> Vec<&'static str> {
    let mut names = Vec::new();
    for figures in group.rows.iter().flat_map(|row| &row.figures) {
        if !names.contains(&figures.name) {
            names.push(figures.name);
        }
    }
    names.sort_by_key(|name| !is_floor(name));
    names
}

fn table(
    text: &mut String,
    group: &Group,
    columns: &[&str],
    cell: impl Fn(&Row, &Figures) -> Option<String>,
    spread: bool,
) {
    let mut heads: Vec<&str> = columns.to_vec();
    let spread = spread && group.rows.iter().flat_map(|row| &row.figures).any(|figures| figures.spread > 0.0);
    heads.extend(spread.then_some("widest spread"));
    let _ = writeln!(text, "| | {} |", heads.join(" | "));
    let _ = writeln!(text, "|---{}|", "|---:".repeat(heads.len()));
    for row in &group.rows {
        let of = |name: &&str| row.of(name).and_then(|figures| cell(row, figures)).unwrap_or("-".to_owned());
        let mut cells: Vec<String> = columns.iter().map(of).collect();
        let widest = row.figures.iter().map(|figures| figures.spread).fold(0.0, f64::max);
        cells.extend(spread.then(|| format!("{:.0} %", widest * 100.0)));
        let _ = writeln!(text, "| {} | {} |", row.title, cells.join(" | "));
    }
}

fn goals(text: &mut String, group: &Group) {
    let rows: Vec<_> =
        group.rows.iter().flat_map(|row| row.verdicts().map(|verdict| (&row.title, verdict))).collect();
    if rows.is_empty() {
        return;
    }
    text.push_str("\n| | goal | found | |\n|---|---|---:|---|\n");
    for (title, verdict) in rows {
        let met = if verdict.met { "met" } else { "**missed**" };
        let _ = writeln!(text, "| {title} | {} | {} | {met} |", verdict.goal, verdict.found);
    }
}
