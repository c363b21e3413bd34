//! Replies that no server should send, to the client of each runtime: the connection is given up, every call
//! that waited on it ends truthfully, and the client goes on with a new one.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use redstart_core::client::Options;
use redstart_core::command::{Command, Prepare as p};
use redstart_core::commands::StringCommands;
use redstart_core::error::{ConnectionError, Delivery, Waiting};
use redstart_core::resp::ProtocolError;
use redstart_core::{ErrorKind, Result};
use redstart_tests::clients::{Runtime, for_each_runtime};
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::poll_until;

/// What is sent for a reply, and what is wrong with it.
const MALFORMED: [(&[u8], ProtocolError); 19] = [
    (b"@what\r\n", ProtocolError::UnknownType(b'@')),
    (b"HTTP/1.1 400 Bad Request\r\n", ProtocolError::UnknownType(b'H')),
    (b"*1\r\n>1\r\n+x\r\n", ProtocolError::Misplaced(b'>')),
    (b"$-5\r\n", ProtocolError::BadLength),
    (b"*-7\r\n", ProtocolError::BadLength),
    (b"$003\r\nabc\r\n", ProtocolError::BadLength),
    (b": 5\r\n", ProtocolError::BadScalar("integer")),
    (b":9223372036854775808\r\n", ProtocolError::BadScalar("integer")),
    (b"_x\r\n", ProtocolError::BadScalar("null")),
    (b"#y\r\n", ProtocolError::BadScalar("boolean")),
    (b",1.2.3\r\n", ProtocolError::BadScalar("double")),
    (b"(12x\r\n", ProtocolError::BadScalar("big number")),
    (b"+OK\rNO\r\n", ProtocolError::MissingCrLf("a line")),
    (b"$3\r\nabcXY", ProtocolError::MissingCrLf("a string")),
    (b"%?\r\n+k\r\n.\r\n", ProtocolError::OddMap),
    (b"$536870913\r\n", ProtocolError::Limit { what: "bytes in a string", limit: 536_870_912 }),
    (b"*2147483648\r\n", ProtocolError::Limit { what: "elements", limit: 2_147_483_647 }),
    (b"*18446744073709551616\r\n", ProtocolError::Limit { what: "elements", limit: 2_147_483_647 }),
    (b"%1073741824\r\n", ProtocolError::Limit { what: "elements", limit: 2_147_483_647 }),
];

#[track_caller]
fn assert_ended<T: Debug>(result: Result<T>, kind: &ErrorKind, delivery: Delivery) {
    let error = result.expect_err("the call fails");
    assert_eq!((error.kind(), error.delivery()), (kind, delivery), "{error}");
}

/// Commits the fault on one command of three that are sent together.
fn break_the_first_of_three(runtime: Runtime, fault: Fault, kind: &ErrorKind) {
    let server = Script::new().on("SET bad", fault).start();
    let client = runtime.connect(server.url()).expect("the greeting is in order");
    let (bad, read, write) = client.try_pipeline((p.set("bad", 1), p.get::<String>("k"), p.set("behind", 1)));
    let error = bad.expect_err("its reply is broken");
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!((error.command(), error.delivery()), (Some("SET"), Delivery::MaybeExecuted));
    assert_eq!(error.node(), Some(&*server.addr().to_string()));
    // A read alone would be sent again, but a pipeline is not resumed behind a gap.
    assert_ended(read, kind, Delivery::MaybeExecuted);
    assert_ended(write, kind, Delivery::MaybeExecuted);
    assert_eq!(client.get("k"), Ok(Some("OK".to_owned())));
    assert_only_the_second_connection_is_left(&server);
    assert_eq!(server.count("SET bad"), 1);
    assert!(server.count("SET behind") <= 1, "no write is sent again");
}

fn assert_only_the_second_connection_is_left(server: &Hostile) {
    poll_until("the first connection to be closed", || (server.open() == 1).then_some(()));
    assert_eq!(server.received().len(), 2);
}

#[test]
fn bytes_that_are_no_reply() {
    for_each_runtime(|runtime| {
        for (bytes, error) in MALFORMED {
            eprintln!("reply: {}", bytes.escape_ascii());
            break_the_first_of_three(runtime, Fault::Send(bytes.to_vec()), &ErrorKind::Protocol(error));
        }
    });
}

#[test]
fn replies_without_end_or_bottom() {
    let line = ProtocolError::Limit { what: "bytes in a line", limit: 65_536 };
    let levels = ProtocolError::Limit { what: "levels", limit: 128 };
    for_each_runtime(|runtime| {
        break_the_first_of_three(runtime, Fault::endless_line(), &ErrorKind::Protocol(line));
        break_the_first_of_three(runtime, Fault::nested(129), &ErrorKind::Protocol(levels));
        break_the_first_of_three(runtime, Fault::nested(1_000_000), &ErrorKind::Protocol(levels));
    });
}

#[test]
fn half_replies_before_the_end() {
    let half = b"$10\r\nhalf".to_vec();
    let (closed, reset) = (ConnectionError::ClosedByPeer, ConnectionError::Reset);
    for_each_runtime(|runtime| {
        for (fault, reason) in [
            (Fault::CloseAfter(Vec::new()), closed.clone()),
            (Fault::CloseAfter(half.clone()), closed.clone()),
            (Fault::ResetAfter(Vec::new()), reset.clone()),
            (Fault::ResetAfter(half.clone()), reset.clone()),
        ] {
            eprintln!("fault: {fault:?}");
            break_the_first_of_three(runtime, fault, &ErrorKind::Connection(reason));
        }
    });
}

#[test]
fn a_read_whose_connection_breaks_is_sent_again() {
    for_each_runtime(|runtime| {
        let server = Script::new().on_first(3, "GET", Fault::CloseAfter(b"$10\r\nhalf".to_vec())).start();
        let client = runtime.connect(server.url()).unwrap();
        assert_eq!(client.get("k"), Ok(Some("OK".to_owned())));
        assert_eq!(server.count("GET"), 4);
    });
}

/// It would be broken each time, and cost all others their connection each time.
#[test]
fn a_read_whose_reply_is_broken_is_not_sent_again() {
    let kind = ErrorKind::Protocol(ProtocolError::UnknownType(b'@'));
    for_each_runtime(|runtime| {
        let server = Script::new().on("GET bad", Fault::Send(b"@what\r\n".to_vec())).start();
        let client = runtime.connect(server.url()).unwrap();
        assert_ended(client.get::<String>("bad"), &kind, Delivery::MaybeExecuted);
        assert_eq!(client.get("k"), Ok(Some("OK".to_owned())));
        assert_only_the_second_connection_is_left(&server);
        assert_eq!(server.count("GET bad"), 1);
    });
}

#[test]
fn replies_that_never_come_whole() {
    for_each_runtime(|runtime| {
        let drip = Fault::Drip { bytes: b"$1000000\r\nabc".to_vec(), interval: Duration::from_millis(1) };
        for fault in [Fault::Silence, Fault::huge_array(), drip] {
            eprintln!("fault: {fault:?}");
            let server = Script::new().on("SET bad", fault).start();
            let client = runtime.connect(format!("{}?liveness_timeout=20ms", server.url())).unwrap();
            let hasty = client.with(Options::new().timeout(Duration::from_millis(100)));
            let kind = ErrorKind::Timeout(Waiting::Reply);
            assert_ended(hasty.set("bad", 1), &kind, Delivery::MaybeExecuted);
            assert_eq!(client.get("k"), Ok(Some("OK".to_owned())));
            assert_only_the_second_connection_is_left(&server);
            assert_eq!(server.count("SET bad"), 1);
        }
    });
}

#[test]
fn a_reply_that_nobody_asked_for_is_given_to_nobody() {
    // Byte by byte, the second reply comes when the first is long taken.
    let interval = Duration::from_millis(2);
    let late = Fault::Drip { bytes: b"+OK\r\n+EXTRA\r\n".to_vec(), interval };
    for_each_runtime(|runtime| {
        for fault in [Fault::extra_reply(), late.clone()] {
            eprintln!("fault: {fault:?}");
            let server = Script::new().on("SET bad", fault).start();
            let client = runtime.connect(server.url()).unwrap();
            let before = server.answered();
            client.set("bad", 1).unwrap();
            poll_until("both replies", || (server.answered() > before).then_some(()));
            if runtime.is_always_driven() {
                poll_until("the connection to be closed", || (server.received().len() == 2).then_some(()));
            } else {
                // Within a moment of its last reply a connection counts as looked after.
                let left = Instant::now();
                poll_until("a moment", || (left.elapsed() > Duration::from_millis(5)).then_some(()));
            }
            let echo = Command::<String>::new("ECHO").arg("mine");
            assert_eq!(client.pipeline((echo, p.incr("n").reply_as())), Ok(("mine".into(), "OK".to_owned())));
            assert_only_the_second_connection_is_left(&server);
        }
    });
}

#[test]
fn pushes_between_replies_are_harmless() {
    for_each_runtime(|runtime| {
        let server = Script::new().on("GET", Fault::pushes(1000)).on("HELLO", Fault::pushes(1)).start();
        let client = runtime.connect(server.url()).unwrap();
        let gets = (0..100).map(|_| p.get("k")).collect::<Vec<_>>();
        let replies: Vec<Option<String>> = client.pipeline(gets).unwrap();
        assert!(replies.iter().all(|reply| reply.as_deref() == Some("OK")));
        assert_eq!(server.received().len(), 1);
    });
}
