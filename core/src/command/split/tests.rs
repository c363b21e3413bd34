//! How commands are cut, and what becomes of the replies.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::command::{Command, Target, WireSink};
use crate::error::{Delivery, ErrorKind, ServerError};
use crate::resp::{Decoder, Limits};

// Slots: foo 12182, bar 5061, hello 866.
const KEYS: [&str; 5] = ["foo", "bar", "{foo}x", "hello", "{bar}y"];

fn mget() -> Command<Vec<Option<String>>> {
    Command::new("MGET").keys(KEYS).read_only().split(Join::Merge)
}

fn split<T>(command: &Command<T>) -> Split {
    command.packed().split().expect("it can be split").expect("its keys are in several slots")
}

/// The parts as a server reads them.
fn parts(split: &Split) -> Vec<String> {
    let mut wire = Vec::new();
    split.parts.iter().for_each(|part| part.encode(&mut wire));
    let mut read = BytesMut::from(&wire[..]);
    let mut decoder = Decoder::new(Limits::default());
    let texts = core::iter::from_fn(|| decoder.decode(&mut read).expect("commands are legal")).map(|frame| {
        let args = frame.item().items().map(|arg| String::from_utf8_lossy(arg.payload()).into_owned());
        args.collect::<Vec<_>>().join(" ")
    });
    let texts = texts.collect::<Vec<_>>();
    assert_eq!(texts.len(), split.parts.len());
    texts
}

/// The slot of each part, as its target says it.
fn slots(split: &Split) -> Vec<u16> {
    let slot = |part: &Packed| match part.target() {
        Ok(Target::Slot(slot)) => slot,
        other => panic!("{other:?} is no slot"),
    };
    split.parts.iter().map(slot).collect()
}

fn frames(wires: &[&str]) -> Vec<Result<Frame, Error>> {
    wires.iter().map(|wire| Ok(Frame::assembled(BytesMut::from(*wire)).expect("a whole reply"))).collect()
}

fn rejected(text: &str) -> Result<Frame, Error> {
    Err(Error::new(ErrorKind::Server(ServerError::new(text.as_bytes())), Delivery::Rejected))
}

#[test]
fn one_part_per_slot_with_the_keys_in_their_order() {
    let split = split(&mget());
    assert_eq!(parts(&split), ["MGET foo {foo}x", "MGET bar {bar}y", "MGET hello"]);
    assert_eq!(slots(&split), [12_182, 5_061, 866]);
    assert!(split.parts.iter().all(|part| part.flags().has(Flags::READ_ONLY)));
    let keys: Vec<Vec<usize>> = split.parts.iter().map(|part| part.key_indexes().collect()).collect();
    assert_eq!(keys, [vec![1, 2], vec![1, 2], vec![1]]);
}

#[test]
fn what_belongs_to_a_key_goes_with_it() {
    let pairs = [("foo", 1), ("bar", 2), ("{foo}x", 3)];
    let mset = Command::<()>::new("MSET").key_values(pairs).split(Join::AllSucceeded);
    assert_eq!(parts(&split(&mset)), ["MSET foo 1 {foo}x 3", "MSET bar 2"]);

    let triples = pairs
        .into_iter()
        .fold(Command::<()>::new("JSON.MSET"), |command, (key, value)| command.key(key).arg("$").arg(value));
    assert_eq!(
        parts(&split(&triples.split(Join::AllSucceeded))),
        ["JSON.MSET foo $ 1 {foo}x $ 3", "JSON.MSET bar $ 2"]
    );
    // Before the first key and behind the last one.
    let shared = Command::<()>::new("MY MGET").arg("BY").keys(KEYS).arg("$").split(Join::Merge);
    assert_eq!(
        parts(&split(&shared)),
        ["MY MGET BY foo {foo}x $", "MY MGET BY bar {bar}y $", "MY MGET BY hello $"]
    );
    assert_eq!(split(&shared).parts[1].name(), "MY MGET");
}

#[test]
fn what_is_in_one_slot_stays_whole() {
    let whole = |command: Command<()>| command.packed().split().map(|split| split.is_none());
    let del = || Command::new("DEL").split(Join::Sum);
    assert_eq!(whole(del()), Ok(true));
    assert_eq!(whole(del().key("foo")), Ok(true));
    assert_eq!(whole(del().keys(["foo", "{foo}x", "foo"])), Ok(true));
    assert_eq!(whole(Command::new("RENAME").key("foo").key("{foo}x")), Ok(true));
    assert_eq!(whole(Command::new("PING")), Ok(true));
    // The caller knows better.
    assert_eq!(whole(Command::new("EVAL").keys(KEYS).slot(7)), Ok(true));
}

#[test]
fn what_cannot_be_split_is_refused() {
    let pairs = [("foo", 1), ("bar", 2)];
    let commands = [
        Command::<()>::new("MSETNX").key_values(pairs),
        Command::new("RENAME").key("foo").key("bar"),
        Command::new("SUNIONSTORE").key("foo").keys(["bar", "foo"]),
        // Two runs of keys, and a value too few: nothing says what belongs to which key.
        Command::new("X").key("foo").arg(1).key("bar").key("hello").split(Join::Sum),
        Command::new("MSET").key("foo").arg(1).key("bar").split(Join::AllSucceeded),
    ];
    for command in commands {
        assert_eq!(command.packed().split().expect_err("two slots"), (12_182, 5_061));
    }
}

#[test]
fn timeout_and_limits_are_those_of_the_whole() {
    let timeout = Duration::from_millis(70);
    assert!(split(&mget().timeout(timeout)).parts.iter().all(|part| part.own_timeout() == Some(timeout)));
    let large = Bytes::from(vec![0; (512 << 20) + 1]);
    let pairs = [("foo", large), ("bar", Bytes::new())];
    let mset = Command::<()>::new("MSET").key_values(pairs).split(Join::AllSucceeded);
    let oversize: Vec<_> = split(&mset).parts.iter().map(Packed::is_oversize).collect();
    assert_eq!(oversize, [true, false]);
}

/// Counts what is copied, and keeps what is handed over.
#[derive(Default)]
struct Pieces {
    copied: usize,
    shared: Vec<Bytes>,
}

impl WireSink for Pieces {
    fn copied(&mut self, bytes: &[u8]) {
        self.copied += bytes.len();
    }

    fn shared(&mut self, value: &Bytes) {
        self.shared.push(value.clone());
    }
}

#[test]
fn large_values_are_not_copied() {
    let values = [1, 2, 3].map(|fill| Bytes::from(vec![fill; 20_000]));
    let pairs = ["foo", "bar", "{foo}x"].into_iter().zip(values.clone()).collect::<Vec<_>>();
    let split = split(&Command::<()>::new("MSET").key_values(pairs).split(Join::AllSucceeded));
    let mut pieces = Pieces::default();
    split.parts.iter().for_each(|part| part.write_to(&mut pieces));
    let places = |values: &[Bytes]| values.iter().map(|value| value.as_ptr()).collect::<Vec<_>>();
    assert_eq!(places(&pieces.shared), places(&[0, 2, 1].map(|index| values[index].clone())));
    assert!(pieces.copied < 200, "{} bytes were copied", pieces.copied);

    let foretold: usize = split.parts.iter().map(Packed::wire_len).sum();
    assert_eq!(foretold, pieces.copied + 60_000);
    drop(pieces);
    drop(split);
    assert!(values.into_iter().all(|value| value.try_into_mut().is_ok()), "nothing keeps them");
}

#[test]
fn values_come_back_in_the_order_of_the_keys() {
    let replies = ["*2\r\n$1\r\na\r\n$-1\r\n", "*2\r\n$1\r\nb\r\n*1\r\n:5\r\n", "*1\r\n$1\r\nc\r\n"];
    let joined = split(&mget()).gather.join(frames(&replies)).expect("five values");
    assert_eq!(joined.wire(), &b"*5\r\n$1\r\na\r\n$1\r\nb\r\n_\r\n$1\r\nc\r\n*1\r\n:5\r\n"[..]);
}

#[test]
fn counts_are_added_and_successes_are_one() {
    let del = Command::<u64>::new("DEL").keys(KEYS).split(Join::Sum);
    let joined = split(&del).gather.join(frames(&[":2\r\n", ":0\r\n", ":1\r\n"])).expect("numbers");
    assert_eq!(joined.wire(), &b":3\r\n"[..]);
    let mset = Command::<()>::new("MSET").key_values([("foo", 1), ("bar", 2)]).split(Join::AllSucceeded);
    let joined = split(&mset).gather.join(frames(&["+OK\r\n", "+OK\r\n"])).expect("they have succeeded");
    assert_eq!(joined.wire(), &b"+OK\r\n"[..]);
}

#[test]
fn the_first_error_is_that_of_the_whole() {
    let fate = |command: &Command<u64>, second: &str| {
        let mut outcomes = vec![rejected("ERR no"), rejected("ERR neither"), rejected("ERR nor this")];
        if !second.is_empty() {
            outcomes[1] = frames(&[second]).remove(0);
        }
        split(command).gather.join(outcomes).expect_err("one has failed").to_string()
    };
    let del = Command::<u64>::new("DEL").keys(KEYS).split(Join::Sum);
    let mget = mget().reply_as();
    assert_eq!(fate(&del, ""), "ERR no (rejected)");
    assert_eq!(fate(&del, ":1\r\n"), "ERR no (may have run)", "a part has run");
    assert_eq!(fate(&mget, "*2\r\n_\r\n_\r\n"), "ERR no (rejected)", "reading again is safe");
}

#[test]
fn replies_of_another_shape_are_errors() {
    let whole = ["*2\r\n:1\r\n:2\r\n", "*2\r\n:3\r\n:4\r\n", "*1\r\n:5\r\n"];
    for wrong in ["*1\r\n:1\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n", "%1\r\n:1\r\n:2\r\n", ":2\r\n", "_\r\n"] {
        let replies = [whole[0], wrong, whole[2]];
        let error = split(&mget()).gather.join(frames(&replies)).expect_err("not a value per key");
        let start = "expected an array with an element per key, got ";
        assert!(error.to_string().starts_with(start) && error.may_have_run(), "{wrong:?}: {error}");
    }
    let error = split(&mget()).gather.join(frames(&whole[..2])).expect_err("a reply too few");
    assert_eq!(error.to_string(), "protocol error: a reply is missing (may have run)");
}

#[test]
fn any_command_is_cut_without_loss() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let (step, head, tail) = (random.usize(1..4), random.usize(..3), random.usize(..3));
        let keys = random.usize(2..40);
        let mut command = Command::<()>::new("CMD").split(Join::Merge);
        for nth in 0..head {
            command = command.arg(format!("head{nth}"));
        }
        for nth in 0..keys {
            command = command.key(format!("{{{}}}{nth}", random.u8(..9)));
            for arg in 1..step {
                command = command
                    .arg(Bytes::from(format!("{nth}.{arg}").repeat(random.choice([1, 9999]).unwrap_or(1))));
            }
        }
        for nth in 0..tail {
            command = command.arg(format!("tail{nth}"));
        }
        let Some(split) = command.packed().split().expect("it can be split") else { continue };
        let whole: Vec<_> =
            command.packed().args().map(|arg| String::from_utf8_lossy(&arg).into_owned()).collect();
        let (head, rest) = whole.split_at(1 + head);
        let (units, tail) = rest.split_at(keys * step);
        let mut expected = vec![head.to_vec(); split.parts.len()];
        for unit in units.chunks(step) {
            let of_key = slot::of(unit[0].as_bytes());
            let place = slots(&split).iter().position(|&slot| slot == of_key).expect("a part has the slot");
            expected[place].extend_from_slice(unit);
        }
        expected.iter_mut().for_each(|part| part.extend_from_slice(tail));
        let expected: Vec<_> = expected.iter().map(|part| part.join(" ")).collect();
        assert!(parts(&split) == expected, "{} keys, every {step}", keys);
    }
}
