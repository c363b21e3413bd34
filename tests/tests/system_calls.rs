//! What the system is asked for by a round of calls that are made at the same time: one write and one read, and
//! by a runtime one question for readiness; and which threads are woken.

use std::collections::BTreeMap;
use std::process::Command;

use redstart_tests::server::{Server, Version};

/// Rounds of calls.
const ROUNDS: usize = 500;
/// A machine that is busy can keep a thread or the server away long enough for a round to come in two parts.
const STRAY: usize = ROUNDS / 20;

/// How often each system call is made by tasks that make so many calls each to a fresh server.
fn counted(runtime: &str, tasks: usize, calls: usize) -> BTreeMap<String, usize> {
    let server = Server::start(Version::V8);
    let summary = server.dir().join("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-U", "name,calls", "-o"]).arg(&summary);
    strace.args([
        env!("CARGO_BIN_EXE_calls"),
        &server.url(),
        runtime,
        &tasks.to_string(),
        &calls.to_string(),
    ]);
    let output = strace.output().expect("strace is installed: run tests/servers.sh");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = std::fs::read_to_string(summary).expect("strace wrote its summary");
    let row = |line: &str| {
        let (name, count) = line.trim().split_once(' ')?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    };
    let mut rows: BTreeMap<_, _> = summary.lines().filter_map(row).collect();
    rows.remove("total");
    rows
}

/// System calls of so many rounds, besides those that are made without any.
fn of_rounds(runtime: &str, tasks: usize) -> BTreeMap<String, usize> {
    let (before, mut after) = (counted(runtime, tasks, 0), counted(runtime, tasks, ROUNDS));
    for (name, count) in before {
        after.entry(name).and_modify(|total| *total = total.saturating_sub(count));
    }
    after.retain(|_, count| *count > 0);
    after
}

/// Asserts that a round makes these system calls and no others.
fn assert_costs(runtime: &str, tasks: usize, expected: &[&[&str]]) {
    let found = of_rounds(runtime, tasks);
    println!("{runtime}, {tasks} tasks: {found:?}");
    let mut others = found.clone();
    for names in expected {
        let count = names.iter().filter_map(|name| others.remove(*name)).sum::<usize>();
        assert!((ROUNDS..=ROUNDS + STRAY).contains(&count), "{names:?}: {found:?} in {ROUNDS} rounds");
    }
    assert!(others.values().sum::<usize>() <= STRAY, "{found:?} in {ROUNDS} rounds");
}

const WRITE: &[&str] = &["sendto", "write"];
const READ: &[&str] = &["recvfrom", "read"];
const READY: &[&str] = &["epoll_wait"];

#[test]
fn one_thread_alone_makes_one_write_and_one_read_per_command() {
    assert_costs("blocking", 1, &[WRITE, READ]);
}

#[test]
fn one_thread_alone_makes_one_write_and_one_read_per_pipeline() {
    assert_costs("pipeline", 100, &[WRITE, READ]);
}

#[test]
fn after_a_pause_one_look_is_enough_for_all_connections() {
    let found = of_rounds("apart", 20);
    println!("{found:?}");
    let count = |names: &[&str]| names.iter().filter_map(|name| found.get(*name)).sum::<usize>();
    // One for the reply; one more finds nothing ready, or nothing left.
    let within = ROUNDS..=2 * ROUNDS + STRAY;
    assert!(within.contains(&count(READY)) && within.contains(&count(READ)), "{found:?} in {ROUNDS} rounds");
    assert!((ROUNDS..=ROUNDS + STRAY).contains(&count(WRITE)), "{found:?} in {ROUNDS} rounds");
}

#[test]
fn a_call_beside_others_that_wait_wakes_none_of_them() {
    let server = Server::start(Version::V8);
    let mut calls = Command::new(env!("CARGO_BIN_EXE_calls"));
    let output = calls.args([&server.url(), "beside", "20", &ROUNDS.to_string()]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asleep: usize = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number");
    println!("{asleep} times asleep in {ROUNDS} rounds");
    // Once for each reply. A machine that is busy can let the server answer before the caller listens: then another
    // thread is woken for it.
    assert!((ROUNDS / 2..=ROUNDS * 5 / 2).contains(&asleep), "{asleep} times asleep in {ROUNDS} rounds");
}

#[test]
fn a_task_alone_makes_one_write_and_one_read_per_command() {
    assert_costs("tokio", 1, &[WRITE, READ, READY]);
}

#[test]
fn tasks_together_make_one_write_and_one_read_per_round() {
    // So few that Tokio does not look at the sockets in between, as it does after each 61 polls.
    assert_costs("tokio", 32, &[WRITE, READ, READY]);
}
