//! What the blocking client alone has to get right: threads that drive in turns, and nobody at all while no
//! call is made.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command as Process;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use redstart_blocking::Client;
use redstart_core::command::{Command, FromReply, Run};
use redstart_core::commands::{ListCommands, StringCommands};
use redstart_core::error::ConversionError;
use redstart_core::resp::Item;
use redstart_tests::server::hostile::{Fault, Script};
use redstart_tests::server::{PATIENCE, Server, Version, poll_until};

/// A user's type with a defect.
struct Bomb;

impl FromReply for Bomb {
    fn from_reply(_: Item<'_>) -> Result<Self, ConversionError> {
        panic!("a defect of the user's own")
    }
}

#[test]
fn a_panic_of_the_thread_that_drives_leaves_no_other_waiting() {
    let slow = |reply: &[u8]| Fault::Drip { bytes: reply.to_vec(), interval: Duration::from_millis(5) };
    let server = Script::new().on("GET", slow(b"$4\r\nbomb\r\n")).on("SET", slow(b"+OK\r\n")).start();
    let client = Client::connect(server.url()).unwrap();
    let (sender, ended) = channel();
    let drives = thread::spawn({
        let client = client.clone();
        move || catch_unwind(AssertUnwindSafe(|| client.run(Command::<Bomb>::new("GET").key("k")))).is_err()
    });
    poll_until("the first thread to drive", || (server.count("GET") == 1).then_some(()));
    let waits = thread::spawn(move || sender.send(client.set("k", 1)));
    assert_eq!(ended.recv_timeout(PATIENCE), Ok(Ok(())));
    assert!(drives.join().unwrap(), "it has panicked");
    waits.join().unwrap().unwrap();
}

#[test]
fn a_write_after_a_pause_does_not_fail_for_a_connection_that_ended_in_it() {
    for version in Version::ALL {
        let server = Server::start(version);
        let client = Client::connect(format!("{}?backoff_cap=10ms", server.url())).unwrap();
        for round in 1..=20 {
            assert_eq!(client.rpush("k", round), Ok(round));
            // The answer comes when the connection is closed, and starting redis-cli took a while.
            assert_eq!(server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]), "1");
        }
    }
}

/// How often each system call is made by a thread that makes this many calls to a fresh server.
fn system_calls(calls: usize) -> BTreeMap<String, usize> {
    let server = Server::start(Version::V8);
    let summary = server.dir().join("strace");
    let mut strace = Process::new("strace");
    strace.args(["-f", "-c", "-U", "name,calls", "-o"]).arg(&summary);
    strace.arg(env!("CARGO_BIN_EXE_one_thread")).args([server.url(), calls.to_string()]);
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

#[test]
fn one_thread_alone_makes_one_write_and_one_read_per_command() {
    const CALLS: usize = 1000;
    // A machine that is busy can keep the thread or the server away long enough for a look at the socket.
    const STRAY: usize = CALLS / 20;
    let (before, mut after) = (system_calls(0), system_calls(CALLS));
    for (name, count) in before {
        after.entry(name).and_modify(|total| *total = total.saturating_sub(count));
    }
    let mut take = |name: &str| after.remove(name).unwrap_or(0);
    let (writes, reads) = (take("sendto") + take("write"), take("recvfrom") + take("read"));
    assert_eq!(writes, CALLS);
    assert!((CALLS..=CALLS + STRAY).contains(&reads), "{reads} reads");
    let others = after.values().sum::<usize>();
    assert!(others <= STRAY, "{after:?}");
}
