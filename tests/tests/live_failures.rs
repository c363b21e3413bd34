//! Real servers that fail under load: nothing acknowledged is lost, nothing is done twice, no error says that
//! what was done was not, and the client comes back by itself.

use std::thread;
use std::time::Duration;

use redstart_core::Error;
use redstart_core::client::Options;
use redstart_core::command::{Command, Run};
use redstart_core::commands::ConnectionCommands;
use redstart_core::error::{Delivery, ErrorKind};
use redstart_tests::clients::Runtime;
use redstart_tests::load::{Plan, Verdict};
use redstart_tests::server::{Server, ServerConfig, Version};
use redstart_tests::wire::Wire;

const WORKERS: usize = 12;
/// The default response timeout.
const DEADLINE: Duration = Duration::from_secs(5);
/// What a loaded machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(2);

/// Kills the server three times, and starts it again with what it has saved.
fn kill_and_restart(runtime: Runtime, version: Version) {
    let saving = ServerConfig::new(version).arg("appendonly", "yes").arg("appendfsync", "always");
    let mut server = saving.start();
    let client = runtime.connect(server.url()).expect("the server is up");
    let load = Plan::new(WORKERS).start(&client);
    for _ in 0..3 {
        load.wait_for(300);
        server.kill9();
        server.restart();
    }
    load.wait_for(300);
    let verdict = load.finish(server.addr());
    verdict.assert_true();
    assert!(verdict.slowest < DEADLINE + SLACK, "a call lasted {:?}", verdict.slowest);
    assert!(verdict.failed_reads.is_empty(), "{:?}", verdict.failed_reads);
    only_what_was_under_way_failed(&verdict, 3);
}

/// Each loss of the connection costs each worker one write at the most.
fn only_what_was_under_way_failed(verdict: &Verdict, losses: usize) {
    let failed = verdict.writes - verdict.acked;
    assert!(failed <= losses * WORKERS, "{failed} writes failed");
    assert_eq!(failed, verdict.ambiguous(), "what was not under way was sent later");
}

#[test]
fn killed_and_restarted_tokio() {
    Version::ALL.into_iter().for_each(|version| kill_and_restart(Runtime::Tokio, version));
}

#[test]
fn killed_and_restarted_async_std() {
    kill_and_restart(Runtime::AsyncStd, Version::V8);
}

#[test]
fn killed_and_restarted_blocking() {
    kill_and_restart(Runtime::Blocking, Version::V7);
    kill_and_restart(Runtime::Background, Version::V8);
}

/// Closes the client's connection every 30 ms, 60 times.
fn kill_connections(runtime: Runtime, version: Version) {
    const KILLS: usize = 60;
    let server = Server::start(version);
    let client = runtime.connect(format!("{}?backoff_cap=20ms", server.url())).expect("the server is up");
    let load = Plan::new(WORKERS).start(&client);
    let admin = Wire::connect(server.addr(), 3);
    let mut killed = 0;
    while killed < KILLS {
        thread::sleep(Duration::from_millis(30));
        let kill = Command::<usize>::new("CLIENT KILL TYPE normal SKIPME yes");
        killed += admin.run(kill).expect("the server is up");
    }
    load.wait_for(100);
    let verdict = load.finish(server.addr());
    verdict.assert_true();
    assert!(verdict.failed_reads.is_empty(), "{:?}", verdict.failed_reads);
    only_what_was_under_way_failed(&verdict, KILLS);
}

#[test]
fn connections_killed_tokio() {
    Version::ALL.into_iter().for_each(|version| kill_connections(Runtime::Tokio, version));
}

#[test]
fn connections_killed_async_std() {
    kill_connections(Runtime::AsyncStd, Version::V8);
}

#[test]
fn connections_killed_blocking() {
    kill_connections(Runtime::Blocking, Version::V7);
    kill_connections(Runtime::Background, Version::V8);
}

/// Lets the server sleep far longer than calls may take.
fn sleep_past_deadlines(runtime: Runtime, version: Version) {
    let server = Server::start(version);
    let client = runtime.connect(server.url()).expect("the server is up");
    let before = client.client_id().expect("the server is up");
    let admin = Wire::connect(server.addr(), 3);
    let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
    let load = Plan::new(WORKERS).start(&hasty);
    for _ in 0..3 {
        load.wait_for(100);
        let sleep = Command::<()>::new("DEBUG SLEEP").arg("0.3");
        admin.run(sleep).expect("the server takes DEBUG");
    }
    load.wait_for(100);
    let verdict = load.finish(server.addr());
    verdict.assert_true();
    let late = |error: &Error| {
        matches!(error.kind(), ErrorKind::Timeout(_)) && error.delivery() == Delivery::MaybeExecuted
    };
    assert!(verdict.failed_reads.iter().all(late), "{:?}", verdict.failed_reads);
    assert!(verdict.failed_writes.iter().all(late), "{:?}", verdict.failed_writes);
    assert!(verdict.ambiguous() > 0, "the server slept");
    assert_eq!(verdict.applied, verdict.ambiguous(), "all were sent, once");
    assert_eq!(verdict.writes, verdict.acked + verdict.applied);
    assert_eq!(client.client_id(), Ok(before), "the connection is still good");
}

#[test]
fn calls_that_time_out_tokio() {
    Version::ALL.into_iter().for_each(|version| sleep_past_deadlines(Runtime::Tokio, version));
}

#[test]
fn calls_that_time_out_async_std() {
    sleep_past_deadlines(Runtime::AsyncStd, Version::V8);
}

#[test]
fn calls_that_time_out_blocking() {
    sleep_past_deadlines(Runtime::Blocking, Version::V7);
    sleep_past_deadlines(Runtime::Background, Version::V8);
}
