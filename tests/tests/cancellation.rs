//! Calls that are given up at any time take nobody else's reply with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::future::{block_on, or};
use redstart_core::Client;
use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::{ConnectionCommands, StringCommands};
use redstart_tests::clients::{Runtime, tokio};
use redstart_tests::server::{Server, Version, poll_until};
use redstart_tests::wire::Wire;

const TASKS: usize = 64;
const CALLS: usize = 200;

/// Calls that ended with a reply, and calls that were given up.
#[derive(Debug, Default)]
struct Counts {
    answered: AtomicUsize,
    given_up: AtomicUsize,
}

/// One task: calls of all kinds, each given up after a random time unless it is answered before.
async fn storm(client: Client, runtime: Runtime, seed: usize, counts: Arc<Counts>) {
    let mut rng = fastrand::Rng::with_seed(seed as u64);
    for call in 0..CALLS {
        let patience = Duration::from_micros(rng.u64(50..5000));
        let (key, other) = (rng.usize(..TASKS), rng.usize(..TASKS));
        let said = format!("{seed}:{call}");
        let ask = async {
            match call % 3 {
                0 => assert_eq!(client.get(key).await, Ok(Some(key))),
                1 => assert_eq!(client.echo(&said).await, Ok(said.clone())),
                _ => {
                    let replies = client.transaction((p.get(key), p.echo(&said), p.get(other))).await;
                    assert_eq!(replies, Ok((Some(key), said.clone(), Some(other))));
                }
            }
            &counts.answered
        };
        let give_up = async {
            runtime.sleep(patience).await;
            &counts.given_up
        };
        or(ask, give_up).await.fetch_add(1, Ordering::Relaxed);
    }
}

/// Lets the server sleep now and then, so that calls are given up in all stages.
fn run_storm(version: Version, runtime: Runtime) {
    let server = Server::start(version);
    let client = runtime.connect(server.url()).expect("the server is up");
    let client = client.into_async().expect("its calls are futures");
    block_on(client.mset((0..TASKS).map(|key| (key, key)).collect::<Vec<_>>())).expect("the server is up");
    let before = block_on(client.client_id()).expect("the server is up");
    let counts = Arc::new(Counts::default());
    let start = |seed| {
        let task = runtime.spawn(storm(client.clone(), runtime, seed, Arc::clone(&counts)));
        thread::spawn(|| block_on(task))
    };
    let tasks: Vec<_> = (0..TASKS).map(start).collect();
    let admin = Wire::connect(server.addr(), 3);
    while !tasks.iter().all(thread::JoinHandle::is_finished) {
        admin.run(Command::<()>::new("DEBUG SLEEP").arg("0.008")).expect("the server takes DEBUG");
        thread::sleep(Duration::from_millis(2));
    }
    tasks.into_iter().for_each(|task| task.join().expect("every reply was the right one"));
    let (answered, given_up) =
        (counts.answered.load(Ordering::Relaxed), counts.given_up.load(Ordering::Relaxed));
    eprintln!("{answered} calls answered, {given_up} given up");
    assert_eq!(answered + given_up, TASKS * CALLS);
    assert!(answered >= 500 && given_up >= 500, "a storm has both: {answered} and {given_up}");
    for key in 0..TASKS {
        assert_eq!(block_on(client.get(key)), Ok(Some(key)));
    }
    assert_eq!(block_on(client.client_id()), Ok(before), "on the same connection");
}

#[test]
fn a_storm_of_cancelled_calls_on_tokio() {
    Version::ALL.into_iter().for_each(|version| run_storm(version, Runtime::Tokio));
}

#[test]
fn a_storm_of_cancelled_calls_on_async_std() {
    run_storm(Version::V8, Runtime::AsyncStd);
}

#[test]
fn a_call_given_up_before_it_is_written_is_not_sent() {
    let server = Server::start(Version::V7);
    let (client, driver) = redstart_tokio::Client::with_driver(server.url()).unwrap();
    // Without a driver it waits in the mailbox.
    block_on(or(async { client.set("given up", 1).await.is_ok() }, async { false }));
    tokio().spawn(driver);
    block_on(client.set("kept", 1)).unwrap();
    assert_eq!(server.cli(&["EXISTS", "given up", "kept"]), "1");
    assert_eq!(server.cli(&["GET", "kept"]), "1");
    drop(client);
    poll_until("the driver to end", || {
        server.cli(&["INFO", "clients"]).contains("connected_clients:1\r\n").then_some(())
    });
}
