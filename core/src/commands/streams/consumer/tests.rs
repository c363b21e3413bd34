//! The consumer against answers that are written down.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::time::Duration;

use bytes::BytesMut;

use super::*;
use crate::command::Command;
use crate::commands::StreamId;
use crate::config::Deployment;
use crate::error::{ConnectionError, Delivery, ErrorKind, ServerCode, ServerError};
use crate::resp::{Decoder, Kind, Limits};

/// An executor that answers what the test says, in turn, and notes what it was asked.
struct Script<'a> {
    answers: RefCell<&'a [&'a str]>,
    asked: RefCell<Vec<String>>,
}

/// The answer that is lost with its connection.
const LOST: &str = "lost";
/// The end of the script: the test ends there.
const OVER: &str = "-NOPERM over\r\n";

impl<'a> Script<'a> {
    const fn new(answers: &'a [&'a str]) -> Self {
        Self { answers: RefCell::new(answers), asked: RefCell::new(Vec::new()) }
    }

    /// Runs a consumer until it ends or the script is over; returns what it yielded, entries by their milliseconds.
    fn yields(&self, options: ConsumerOptions) -> Vec<String> {
        let entries = self.xconsume::<Vec<(String, String)>>("k", "g", "c", options);
        let shown = entries.map(|entry| match entry {
            Ok(entry) => entry.id.millis.to_string(),
            Err(error) => error.code().map_or_else(|| "lost".into(), |code| format!("{code:?}")),
        });
        shown.take_while(|entry| entry != "NoPerm").collect()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.take()
    }
}

impl Run for &Script<'_> {
    type Output<T: FromReply> = Result<T, Error>;

    fn run<T: FromReply>(self, command: Command<T>) -> Result<T, Error> {
        let args = command.packed().args().map(|arg| String::from_utf8_lossy(&arg).into_owned());
        self.asked.borrow_mut().push(args.collect::<Vec<_>>().join(" "));
        let mut answers = self.answers.borrow_mut();
        let answer = answers.first().copied().unwrap_or(OVER);
        *answers = answers.get(1..).unwrap_or_default();
        if answer == LOST {
            return Err(Error::new(
                ErrorKind::Connection(ConnectionError::ClosedByPeer),
                Delivery::MaybeExecuted,
            ));
        }
        let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(answer));
        let frame = frame.expect("a legal reply").expect("a whole reply");
        if frame.kind() == Kind::Error {
            let error = ServerError::new(frame.item().payload());
            return Err(Error::new(ErrorKind::Server(error), Delivery::Rejected));
        }
        T::from_reply(frame.item())
            .map_err(|error| Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
    }

    fn deployed(&self) -> &Deployment {
        &Deployment::Single
    }
}

/// Entries with these milliseconds, a negative one without fields.
fn entries(millis: &[i64]) -> String {
    let entry = |millis: &i64| match millis {
        ..0 => format!("*2\r\n+{}-0\r\n_\r\n", -millis),
        _ => format!("*2\r\n+{millis}-0\r\n*2\r\n+f\r\n+v\r\n"),
    };
    format!("*{}\r\n{}", millis.len(), millis.iter().map(entry).collect::<String>())
}

/// A delivery in RESP3.
fn delivered(millis: &[i64]) -> String {
    format!("%1\r\n+k\r\n{}", entries(millis))
}

fn claimed(next: u64, millis: &[i64]) -> String {
    format!("*3\r\n+{next}-0\r\n{}*0\r\n", entries(millis))
}

const OWN: &str = "XREADGROUP GROUP g c COUNT 100 STREAMS k";
const READ: &str = "XREADGROUP GROUP g c COUNT 100 BLOCK 5000 STREAMS k >";
const TAKE: &str = "XREADGROUP GROUP g c COUNT 100 STREAMS k >";
const NO_GROUP: &str = "-NOGROUP No such key 'k' or consumer group 'g'\r\n";

#[test]
fn first_what_was_pending_then_what_is_new() {
    let answers = [
        &*delivered(&[1, 2]),
        &delivered(&[]),
        &delivered(&[3]),
        "_\r\n",
        "*-1\r\n",
        "*1\r\n*2\r\n+k\r\n*0\r\n",
    ];
    let script = Script::new(&answers);
    assert_eq!(script.yields(ConsumerOptions::new()), ["1", "2", "3"]);
    assert_eq!(script.asked(), [&format!("{OWN} 0-0"), &format!("{OWN} 2-0"), READ, READ, READ, READ, READ]);
}

#[test]
fn stale_entries_are_looked_for_before_each_page() {
    let answers = [&*delivered(&[]), &claimed(7, &[4]), &delivered(&[9]), &claimed(0, &[]), "_\r\n"];
    let script = Script::new(&answers);
    let options = ConsumerOptions::new().claim_after(Duration::from_secs(60));
    assert_eq!(script.yields(options), ["4", "9"]);
    let claim = |from| format!("XAUTOCLAIM k g c 60000 {from}-0 COUNT 100");
    let asked = [&format!("{OWN} 0-0"), &claim(0), READ, &claim(7), READ, &claim(0)];
    assert_eq!(script.asked(), asked);
}

#[test]
fn a_delivery_that_was_lost_is_asked_for_again() {
    let answers = [
        &*delivered(&[]),
        &delivered(&[5]),
        LOST,
        LOST,
        &delivered(&[6, 7]),
        &delivered(&[]),
        &delivered(&[8]),
    ];
    let script = Script::new(&answers);
    assert_eq!(script.yields(ConsumerOptions::new()), ["5", "lost", "lost", "6", "7", "8"]);
    let asked = script.asked();
    let again = [READ, READ, &format!("{OWN} 5-0"), &format!("{OWN} 5-0"), &format!("{OWN} 7-0"), READ, READ];
    assert_eq!(asked[1..], again);
}

#[test]
fn what_is_not_there_any_more_is_acknowledged() {
    let answers = [&*delivered(&[-1, 2, -3]), ":2\r\n", &delivered(&[-4]), LOST, ":1\r\n", &delivered(&[])];
    let script = Script::new(&answers);
    assert_eq!(script.yields(ConsumerOptions::new()), ["2", "lost"]);
    let asked = script.asked();
    assert_eq!(asked[1..3], ["XACK k g 1-0 3-0", &format!("{OWN} 3-0")]);
    assert_eq!(asked[3..6], ["XACK k g 4-0", "XACK k g 4-0", &format!("{OWN} 4-0")]);
}

#[test]
fn a_missing_group_is_made() {
    let made = ["+OK\r\n", &delivered(&[]), &delivered(&[1]), NO_GROUP, "-BUSYGROUP x\r\n", &delivered(&[2])];
    let answers = [&[NO_GROUP][..], &made].concat();
    let script = Script::new(&answers);
    let options = ConsumerOptions::new().create_from(StreamId::new(7, 7).into());
    assert_eq!(script.yields(options), ["1", "2"]);
    let create = "XGROUP CREATE k g 7-7 MKSTREAM";
    let own = format!("{OWN} 0-0");
    assert_eq!(script.asked()[..7], [&*own, create, &own, READ, READ, create, READ]);

    // Ids begin anew in another stream.
    let lost =
        [&*delivered(&[]), &delivered(&[9]), NO_GROUP, "+OK\r\n", LOST, &delivered(&[1]), &delivered(&[])];
    let script = Script::new(&lost);
    assert_eq!(script.yields(ConsumerOptions::new()), ["9", "lost", "1"]);
    assert_eq!(script.asked()[5..7], [own.clone(), format!("{OWN} 1-0")]);

    let script = Script::new(&[NO_GROUP]);
    assert_eq!(script.yields(ConsumerOptions::new().must_exist()), ["NoGroup"]);
    assert_eq!(script.asked(), [own]);
}

#[test]
fn a_group_is_not_made_for_ever() {
    let answers: Vec<_> = (0..50).map(|nth| if nth % 2 == 0 { NO_GROUP } else { "+OK\r\n" }).collect();
    let script = Script::new(&answers);
    assert_eq!(script.yields(ConsumerOptions::new()), ["NoGroup"]);
    assert_eq!(script.asked().len(), 2 * 16 + 1);
}

#[test]
fn a_server_that_turns_in_circles_is_left() {
    let (one, gone) = (delivered(&[2]), delivered(&[-2]));
    let answers = [&*one, &one, &gone, ":1\r\n"];
    let script = Script::new(&answers);
    assert_eq!(script.yields(ConsumerOptions::new()), ["2", "2"]);
    assert_eq!(script.asked()[1..], [&format!("{OWN} 2-0"), READ, "XACK k g 2-0", READ]);
}

#[test]
fn draining_ends_when_nothing_is_left() {
    let drain = ConsumerOptions::new().drain();
    let answers = [&*delivered(&[]), &delivered(&[1]), "_\r\n"];
    let script = Script::new(&answers);
    assert_eq!(script.yields(drain), ["1"]);
    assert_eq!(script.asked(), [&format!("{OWN} 0-0"), TAKE, TAKE]);

    // A whole round that finds nothing, after the last entry.
    let none = claimed(0, &[]);
    let answers = [
        &*delivered(&[]),
        &none,
        "_\r\n",
        &claimed(5, &[]),
        &delivered(&[1]),
        &none,
        "_\r\n",
        &claimed(3, &[2]),
        "_\r\n",
        &none,
        "_\r\n",
        &none,
    ];
    let script = Script::new(&answers);
    assert_eq!(script.yields(drain.claim_after(Duration::ZERO)), ["1", "2"]);
    assert_eq!(script.asked().len(), answers.len());
}

#[test]
fn other_errors_end_it() {
    for wrong in
        ["-WRONGTYPE x\r\n", "+x\r\n", "*1\r\n+x\r\n", "%1\r\n+k\r\n+x\r\n", "%1\r\n+k\r\n*1\r\n+x\r\n"]
    {
        let answers = [&*delivered(&[]), wrong];
        let script = Script::new(&answers);
        let mut consumer = (&script).xconsume::<Vec<(String, String)>>("k", "g", "c", ConsumerOptions::new());
        match consumer.next() {
            Some(Err(error)) => assert_ne!(error.code(), Some(ServerCode::NoPerm), "{wrong:?}"),
            other => panic!("{wrong:?}: {other:?}"),
        }
        assert!(consumer.next().is_none(), "{wrong:?}");
    }
}
