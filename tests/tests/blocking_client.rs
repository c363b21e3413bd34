//! What the blocking client alone has to get right: threads that drive in turns, and nobody at all while no
//! call is made.

use std::panic::{AssertUnwindSafe, catch_unwind};
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

#[test]
fn a_write_after_a_pause_does_not_fail_for_one_of_several_connections_that_ended_in_it() {
    let server = Server::start(Version::V8);
    let client = Client::connect(format!("{}?backoff_cap=10ms", server.url())).unwrap();
    for round in 1..=20 {
        let nothing: Option<(String, String)> = client.blpop("none", Duration::from_millis(1)).unwrap();
        assert_eq!(nothing, None);
        assert_eq!(client.rpush("k", round), Ok(round));
        assert_eq!(server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]), "2");
    }
}
