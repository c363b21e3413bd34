//! A server that stands still must not fill the client's memory: a command is held once, the queue keeps to its
//! limit, and every call ends by its deadline.
//!
//! One test in a file of its own, since the allocator counts for the whole process.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use ::tokio::task::JoinHandle;
use bytes::Bytes;
use peak_alloc::PeakAlloc;
use redstart_core::command::Arg;
use redstart_core::commands::{KeyCommands, StringCommands};
use redstart_core::error::{Delivery, Limit, Waiting};
use redstart_core::{Error, ErrorKind, Result};
use redstart_tests::clients::tokio;
use redstart_tests::server::{Server, Version};
use redstart_tests::wire::Wire;
use redstart_tokio::Client;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const ARENAS: &str = "MALLOC_ARENA_MAX";
const WRITES: usize = 20_000;
const QUEUE_BYTES: usize = 64 << 20;
const DEADLINE: Duration = Duration::from_secs(1);
/// What a loaded machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(3);

/// What a burst of writes took, and how each of them ended.
struct Burst {
    heap: usize,
    rss: usize,
    errors: Vec<Error>,
}

/// As many tasks as there are writes, all at once, while the server stands still. Afterwards it goes on, and
/// so does the client.
fn burst<V: Arg + Clone + Send + Sync + 'static>(when_full: &str, value: V) -> Burst {
    let server = Server::start(Version::V8);
    let options = "queue_bytes=64m&queue_commands=100000&response_timeout=1s&liveness_timeout=1m";
    let url = format!("{}?{options}&when_full={when_full}", server.url());
    let client = tokio().block_on(Client::connect(url)).expect("the server is up");
    server.stop_signal();
    fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
    let (heap, rss, start) = (HEAP.current_usage(), resident("VmRSS"), Instant::now());
    HEAP.reset_peak_usage();
    let write = |key: usize| {
        let (client, value) = (client.clone(), value.clone());
        tokio().spawn(async move { client.set(key, value).await })
    };
    let tasks = (0..WRITES).map(write).collect::<Vec<_>>();
    let error = |task| {
        let ended: Result<()> = tokio().block_on::<JoinHandle<_>>(task).expect("no panic");
        ended.expect_err("the server stands still")
    };
    let errors = tasks.into_iter().map(error).collect::<Vec<_>>();
    assert!(start.elapsed() < DEADLINE + SLACK, "a call lasted {:?}", start.elapsed());
    let (heap, rss) = (HEAP.peak_usage() - heap, resident("VmHWM").saturating_sub(rss));

    server.cont_signal();
    tokio().block_on(client.set("last", 1)).expect("the client goes on");
    let done = Wire::connect(server.addr(), 3).keys("*").expect("the server goes on");
    let done: BTreeSet<String> = done.into_iter().collect();
    for (key, error) in errors.iter().enumerate() {
        assert!(error.may_have_run() || !done.contains(&key.to_string()), "{key} was done: {error}");
    }
    Burst { heap, rss, errors }
}

/// A row of the kernel's account of this process, in bytes.
fn resident(row: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("there is an account");
    let row = status.lines().find_map(|line| line.strip_prefix(row)?.strip_prefix(':'));
    let kib = row.and_then(|row| row.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kib.expect("a row in kB") << 10
}

#[track_caller]
fn assert_held(what: &str, burst: &Burst, tasks: &Burst, limit: usize) {
    let (heap, rss) = (burst.heap.saturating_sub(tasks.heap), burst.rss.saturating_sub(tasks.rss));
    eprintln!("{what}: heap {heap}, resident {rss}, limit {limit} bytes");
    assert!(heap < limit + limit / 10, "{what}: {heap} bytes for a limit of {limit}");
    assert!(rss < limit + limit / 10, "{what}: {rss} bytes resident for a limit of {limit}");
}

fn count(burst: &Burst, kind: &ErrorKind, delivery: Delivery) -> usize {
    burst.errors.iter().filter(|error| (error.kind(), error.delivery()) == (kind, delivery)).count()
}

/// Runs the test again in a process whose threads share one arena of the system's allocator. With several,
/// what one thread has freed stays with it, and what is resident tells little of what is held.
fn run_with_one_arena(test: &str) {
    let mut again = Command::new(env::current_exe().expect("this is a program"));
    again.args([test, "--exact", "--nocapture"]).env(ARENAS, "1");
    let output = again.output().expect("it can be started");
    let said = [output.stdout, output.stderr].concat();
    eprintln!("{}", String::from_utf8_lossy(&said));
    assert!(output.status.success());
}

#[test]
fn a_stalled_server_takes_no_more_memory_than_the_queue_may() {
    if env::var_os(ARENAS).is_none() {
        return run_with_one_arena("a_stalled_server_takes_no_more_memory_than_the_queue_may");
    }
    static VALUE: [u8; 10_000] = [b'x'; 10_000];
    let late = ErrorKind::Timeout(Waiting::Reply);
    let full = ErrorKind::Limit(Limit::QueueBytes(QUEUE_BYTES));
    let crowded = ErrorKind::Timeout(Waiting::Queue);
    // What the tasks themselves take: the same calls with next to nothing to send.
    let tasks = burst("wait", 1);
    assert_eq!(count(&tasks, &late, Delivery::MaybeExecuted), WRITES, "all have room");

    let refused = burst("fail", &VALUE[..]);
    assert_held("refused when full", &refused, &tasks, QUEUE_BYTES);
    let fit = count(&refused, &late, Delivery::MaybeExecuted);
    assert!((6_600..=6_711).contains(&fit), "{fit} have room");
    assert_eq!(count(&refused, &full, Delivery::NotSent), WRITES - fit);

    // Those who wait have their own values still.
    let waiting = burst("wait", &VALUE[..]);
    assert_held("waiting when full", &waiting, &tasks, WRITES * VALUE.len());
    assert_eq!(count(&waiting, &late, Delivery::MaybeExecuted), fit);
    assert_eq!(count(&waiting, &crowded, Delivery::NotSent), WRITES - fit);

    let shared = burst("wait", Bytes::from(vec![b'x'; 20_000]));
    // Those who wait have their own commands still, though not the value.
    assert_held("one value for all", &shared, &tasks, QUEUE_BYTES / 6);
    assert_eq!(count(&shared, &late, Delivery::MaybeExecuted), QUEUE_BYTES / 20_036);
}
