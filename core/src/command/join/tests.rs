//! Tables: what comes of which replies, by every join.

use alloc::string::{String, ToString};
use alloc::vec;

use super::*;
use crate::command::Route;
use crate::error::{ConnectionError, ServerError};

const READ: Flags = Flags::READ_ONLY.with_route(Route::AllNodes);
const WRITE: Flags = Flags::IDEMPOTENT.with_route(Route::AllNodes);

fn frame(wire: &str) -> Frame {
    Frame::assembled(BytesMut::from(wire)).expect("a whole reply")
}

/// A reply; or an error: of the server (`-`), of the network after or before the command was sent.
fn outcome(text: &str) -> Result<Frame, Error> {
    let network = |delivery| Error::new(ErrorKind::Connection(ConnectionError::Reset), delivery);
    match text {
        "lost" => Err(network(Delivery::MaybeExecuted)),
        "unsent" => Err(network(Delivery::NotSent)),
        _ => match text.strip_prefix('-') {
            Some(text) => {
                let error = ErrorKind::Server(ServerError::new(text.trim_end().as_bytes()));
                Err(Error::new(error, Delivery::Rejected))
            }
            None => Ok(frame(text)),
        },
    }
}

fn parts(replies: &[&str]) -> Vec<Part> {
    let named = |(nth, text)| Part::new(outcome(text)).of_node(&alloc::format!("node{nth}"));
    (1..).zip(replies.iter().copied()).map(named).collect()
}

/// The joined reply on the wire, or the error's text.
fn joined(flags: Flags, replies: &[&str]) -> String {
    match join(flags, parts(replies)) {
        Ok(frame) => String::from_utf8(frame.wire().to_vec()).expect("text"),
        Err(error) => error.to_string(),
    }
}

fn check(rule: Join, table: &[(&[&str], &str)]) {
    for (replies, expected) in table {
        assert_eq!(joined(READ.with_join(rule), replies), *expected, "{rule:?} of {replies:?}");
    }
}

#[test]
fn merge() {
    check(
        Join::Merge,
        &[
            // As KEYS answers, in both protocols, and mixed.
            (&["*1\r\n$1\r\na\r\n", "*0\r\n", "*1\r\n$1\r\nb\r\n"], "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            (&["*0\r\n", "*0\r\n"], "*0\r\n"),
            (&["*1\r\n:1\r\n"], "*1\r\n:1\r\n"),
            (&["~1\r\n:1\r\n", "~1\r\n:1\r\n"], "~2\r\n:1\r\n:1\r\n"),
            (&["%1\r\n+a\r\n:1\r\n", "%1\r\n+b\r\n:2\r\n"], "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n"),
            (&["%1\r\n+a\r\n:1\r\n", "*2\r\n+b\r\n:2\r\n"], "*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n"),
            (&["~1\r\n:1\r\n", "*1\r\n:2\r\n"], "*2\r\n:1\r\n:2\r\n"),
            // Nil is a list without elements.
            (&["*-1\r\n", "*1\r\n:1\r\n"], "*1\r\n:1\r\n"),
            (&["_\r\n", "%1\r\n+a\r\n:1\r\n"], "%1\r\n+a\r\n:1\r\n"),
            // What is no list becomes one, with an element per node.
            (&["$1\r\na\r\n", ":2\r\n", "$-1\r\n"], "*3\r\n$1\r\na\r\n:2\r\n_\r\n"),
            (&["+OK\r\n"], "*1\r\n+OK\r\n"),
            (
                &["*1\r\n:1\r\n", "+a\r\n"],
                "expected an array, got simple string of 1 bytes (node2, may have run)",
            ),
            (&["*0\r\n", "-ERR no\r\n", "-LOADING\r\n"], "ERR no (rejected)"),
        ],
    );
}

#[test]
fn elements_of_any_kind_are_merged_as_they_came() {
    let elements = [
        "+simple\r\n",
        "-ERR inside\r\n",
        "!5\r\na\r\nbc\r\n",
        ":-7\r\n",
        "$4\r\n\r\n\r\n\r\n",
        "=7\r\nmkd:abc\r\n",
        "_\r\n",
        "#t\r\n",
        ",1.5\r\n",
        ",nan\r\n",
        "(12345678901234567890123\r\n",
        "*0\r\n",
        "*2\r\n*1\r\n*1\r\n:1\r\n~1\r\n+x\r\n",
        "%1\r\n$1\r\nk\r\n%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n",
        "*2\r\n|1\r\n+ttl\r\n:1\r\n:5\r\n:6\r\n",
    ];
    for element in elements {
        let whole = alloc::format!("*1\r\n{element}");
        let twice = alloc::format!("*2\r\n{element}{element}");
        assert_eq!(joined(READ, &[&whole, &whole]), twice);
    }
    // What is spelt in another way is spelt alike afterwards.
    for (element, plain) in [
        ("$-1\r\n", "_\r\n"),
        ("$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n", "$3\r\nabc\r\n"),
        ("*?\r\n:1\r\n%?\r\n$?\r\n;1\r\nk\r\n;0\r\n:2\r\n.\r\n.\r\n", "*2\r\n:1\r\n%1\r\n$1\r\nk\r\n:2\r\n"),
        ("|1\r\n+ttl\r\n:1\r\n:5\r\n", ":5\r\n"),
    ] {
        let whole = alloc::format!("*?\r\n{element}{element}.\r\n");
        assert_eq!(joined(READ, &[&whole]), alloc::format!("*2\r\n{plain}{plain}"), "{element:?}");
    }
}

#[test]
fn succeeded() {
    check(
        Join::AllSucceeded,
        &[
            (&["+OK\r\n", "+OK\r\n"], "+OK\r\n"),
            (&["$3\r\nsha\r\n", "$3\r\nsha\r\n"], "$3\r\nsha\r\n"),
            (&["+OK\r\n", "-ERR no\r\n", "lost"], "ERR no (rejected)"),
            (&[], "there are no replies to join (not sent)"),
        ],
    );
    check(
        Join::OneSucceeded,
        &[
            (&["-NOTBUSY no\r\n", "+OK\r\n", "lost"], "+OK\r\n"),
            (&["-NOTBUSY no\r\n", "-NOTBUSY neither\r\n"], "NOTBUSY no (rejected)"),
            (&["_\r\n", "+OK\r\n"], "_\r\n"),
        ],
    );
}

#[test]
fn first_non_nil() {
    check(
        Join::FirstNonNil,
        &[
            (&["$-1\r\n", "_\r\n", "$1\r\na\r\n", "$1\r\nb\r\n"], "$1\r\na\r\n"),
            (&["-ERR no\r\n", "$1\r\na\r\n"], "$1\r\na\r\n"),
            (&["$-1\r\n", "$-1\r\n"], "$-1\r\n"),
            // Whether there is a key nobody knows.
            (&["$-1\r\n", "-ERR no\r\n"], "ERR no (rejected)"),
        ],
    );
}

#[test]
fn numbers() {
    let shape = "expected a number, got nil (node2, may have run)";
    check(
        Join::Sum,
        &[
            (&[":1\r\n", ":2\r\n", ":-4\r\n"], ":-1\r\n"),
            (&[":1\r\n", ",0.5\r\n"], ",1.5\r\n"),
            (&["$3\r\n0.5\r\n", "+2\r\n"], ",2.5\r\n"),
            (&[",1\r\n", ",2\r\n"], ",3\r\n"),
            (&[",inf\r\n", ",-inf\r\n"], ",nan\r\n"),
            (&[":7\r\n"], ":7\r\n"),
            (&["*2\r\n:1\r\n:2\r\n", "*2\r\n:10\r\n:20\r\n"], "*2\r\n:11\r\n:22\r\n"),
            (&[":1\r\n", "_\r\n"], shape),
            (&[":1\r\n", "*1\r\n:1\r\n"], "expected a number, got array of 1 elements (node2, may have run)"),
            (
                &[":9223372036854775807\r\n", ":1\r\n"],
                "expected a sum within the range of 64 bits, got a number past it (node2, may have run)",
            ),
            (
                &["*2\r\n:1\r\n:2\r\n", "*1\r\n:1\r\n"],
                "expected an array as long as that of other nodes, got array of 1 elements (node2, may have run)",
            ),
            (&[":1\r\n", "-ERR no\r\n"], "ERR no (rejected)"),
        ],
    );
    check(
        Join::Min,
        &[
            (&[":3\r\n", ":1\r\n", ":2\r\n"], ":1\r\n"),
            (&[":3\r\n", ",2.5\r\n"], ",2.5\r\n"),
            // As WAITAOF answers.
            (&["*2\r\n:1\r\n:5\r\n", "*2\r\n:3\r\n:2\r\n"], "*2\r\n:1\r\n:2\r\n"),
            (&[":1\r\n", "_\r\n"], shape),
        ],
    );
    check(Join::Max, &[(&[":3\r\n", ":5\r\n", ":2\r\n"], ":5\r\n"), (&[",3.5\r\n", ":2\r\n"], ",3.5\r\n")]);
}

#[test]
fn booleans() {
    check(
        Join::And,
        &[
            (&[":1\r\n", ":1\r\n"], ":1\r\n"),
            (&[":1\r\n", ":0\r\n"], ":0\r\n"),
            (&["#t\r\n", "#f\r\n"], "#f\r\n"),
            (&["#t\r\n", ":1\r\n"], ":1\r\n"),
            // As SCRIPT EXISTS answers.
            (&["*3\r\n:1\r\n:0\r\n:1\r\n", "*3\r\n:1\r\n:1\r\n:0\r\n"], "*3\r\n:1\r\n:0\r\n:0\r\n"),
            (&["*0\r\n", "*0\r\n"], "*0\r\n"),
            (&[":1\r\n", ":2\r\n"], "expected a boolean, got integer (node2, may have run)"),
        ],
    );
    check(Join::Or, &[(&[":0\r\n", ":1\r\n"], ":1\r\n"), (&["#f\r\n", "#f\r\n"], "#f\r\n")]);
}

#[test]
fn the_fate_is_that_of_all_nodes() {
    use Delivery::{MaybeExecuted, NotSent, Rejected};
    let table: [(&[&str], Delivery, Delivery); 7] = [
        // Replies, fate of a write, fate of a read.
        (&["+OK\r\n", "-ERR no\r\n"], MaybeExecuted, Rejected),
        (&["-ERR no\r\n", "lost"], MaybeExecuted, Rejected),
        (&["-ERR no\r\n", "-ERR neither\r\n"], Rejected, Rejected),
        (&["unsent", "-ERR no\r\n"], Rejected, NotSent),
        (&["unsent", "unsent"], NotSent, NotSent),
        (&["unsent", "+OK\r\n"], MaybeExecuted, NotSent),
        (&["lost", "unsent"], MaybeExecuted, MaybeExecuted),
    ];
    for (replies, of_write, of_read) in table {
        for rule in [Join::Merge, Join::AllSucceeded, Join::Sum, Join::And] {
            let fate = |flags: Flags| {
                let error = join(flags.with_join(rule), parts(replies)).expect_err("one has failed");
                let first = replies.iter().find_map(|text| outcome(text).err()).expect("one has failed");
                assert_eq!(error.kind(), first.kind(), "the first error");
                error.delivery()
            };
            assert_eq!((fate(WRITE), fate(READ)), (of_write, of_read), "{rule:?} of {replies:?}");
        }
    }
    let kill = WRITE.with_join(Join::OneSucceeded);
    let error = join(kill, parts(&["-NOTBUSY\r\n", "lost"])).expect_err("none has succeeded");
    assert_eq!((error.to_string(), error.delivery()), ("NOTBUSY (may have run)".into(), MaybeExecuted));
}

#[test]
fn what_is_joined_is_joined_again() {
    let once = |replies: &[&str]| Part::new(join(READ.with_join(Join::Sum), parts(replies)));
    let twice = join(READ.with_join(Join::Sum), vec![once(&[":1\r\n", ":2\r\n"]), once(&[",0.5\r\n"])]);
    assert_eq!(twice, Ok(frame(",3.5\r\n")));
}
