//! What the blocking client alone has to get right: one thread that watches, others that drive beside it, and nobody at
//! all while no call is made.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use redstart_blocking::Client;
use redstart_core::client::Wait;
use redstart_core::command::{Command, FromReply, Run};
use redstart_core::commands::{ListCommands, PubSubCommands, StringCommands};
use redstart_core::error::ConversionError;
use redstart_core::pubsub::Event;
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

/// Does something with a client for which a thread watches meanwhile.
fn beside_who_watches(act: impl FnOnce(&Server, &Client)) {
    let server = Server::start(Version::V8);
    let client = Client::connect(format!("{}?backoff_cap=10ms", server.url())).expect("it is up");
    let watcher = client.clone();
    let watch = thread::spawn(move || watcher.blpop("end", Duration::ZERO).expect("it ends"));
    poll_until("a thread to wait at the server", || {
        server.cli(&["INFO", "clients"]).contains("blocked_clients:1").then_some(())
    });
    act(&server, &client);
    client.rpush("end", "over").expect("it is up");
    assert_eq!(watch.join().expect("it does not panic"), Some(("end".to_owned(), "over".to_owned())));
}

#[test]
fn who_watches_gets_at_once_what_another_thread_has_read() {
    for version in Version::ALL {
        let server = Server::start(version);
        let client = Client::connect(server.url()).unwrap();
        let mut messages = client.subscribe("channel").unwrap();
        let (sender, told) = channel();
        let reader = thread::spawn(move || {
            while let Ok(Event::Message(message)) = messages.next_timeout(PATIENCE) {
                sender.send(message.into_payload()).unwrap();
            }
        });
        for number in 0..2_000 {
            // The message comes on the connection on which this thread waits for its own reply.
            assert_eq!(client.publish("channel", number), Ok(1));
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), number.to_string());
        }
        client.close();
        reader.join().unwrap();
    }
}

#[test]
fn a_panic_beside_who_watches_leaves_nobody_waiting() {
    beside_who_watches(|_, client| {
        for round in 1..=100 {
            let bomb = AssertUnwindSafe(|| client.run(Command::<Bomb>::new("PING")));
            assert!(catch_unwind(bomb).is_err(), "it has panicked");
            assert_eq!(client.incr("key"), Ok(round));
        }
    });
}

#[test]
fn a_future_that_wakes_itself_is_asked_again_beside_who_watches() {
    beside_who_watches(|_, client| {
        let mut asked = 0;
        let third = client.wait(poll_fn(|cx| {
            asked += 1;
            cx.waker().wake_by_ref();
            if asked < 3 { Poll::Pending } else { Poll::Ready(asked) }
        }));
        assert_eq!(third, 3);
    });
}

#[test]
fn replies_of_any_size_reach_threads_beside_who_watches() {
    beside_who_watches(|_, client| {
        thread::scope(|scope| {
            for name in 0..3 {
                scope.spawn(move || {
                    for round in 0..300_usize {
                        // More than a read beside the others takes, and more than a write may wait with.
                        let value = name.to_string().repeat([0, 64, 9_000, 16 << 10, 100_000][round % 5]);
                        client.set(format!("key:{name}"), &value).unwrap();
                        assert_eq!(client.get::<String>(format!("key:{name}")), Ok(Some(value)));
                    }
                });
            }
        });
    });
}

#[test]
fn a_connection_that_ends_while_it_is_read_beside_who_watches_ends_the_call() {
    beside_who_watches(|server, client| {
        for round in 1..=20 {
            let shared = client.run(Command::<u64>::new("CLIENT ID")).unwrap().to_string();
            assert_eq!(server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]), "OK");
            let write = thread::spawn({
                let client = client.clone();
                move || client.incr("paused")
            });
            poll_until("the command to have come", || {
                server.cli(&["CLIENT", "LIST", "ID", &shared]).contains("cmd=incr").then_some(())
            });
            assert_eq!(server.cli(&["CLIENT", "KILL", "ID", &shared]), "1");
            let error = write.join().unwrap().unwrap_err();
            assert!(error.is_connection() && error.may_have_run(), "{error}");
            assert_eq!(server.cli(&["CLIENT", "UNPAUSE"]), "OK");
            assert_eq!(client.incr("key"), Ok(round));
        }
    });
}
