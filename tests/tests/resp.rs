//! The decoder against its table of verdicts, in every split.

use bytes::BytesMut;
use redstart_core::command::{FromReply, Value};
use redstart_core::resp::{Decoder, Limits};
use redstart_tests::resp::cases::{self, Case, Verdict};
use redstart_tests::resp::split::{self, check};
use redstart_tests::resp::write;

/// What the decoder makes of `wire` in one piece.
fn verdict(limits: Limits, wire: &[u8]) -> Verdict {
    let mut read = BytesMut::from(wire);
    match Decoder::new(limits).decode(&mut read) {
        Ok(Some(frame)) => {
            assert!(read.is_empty(), "bytes are left over of {}", wire.escape_ascii());
            Verdict::Reply(Value::from_reply(frame.item()).expect("a value takes any shape"))
        }
        Ok(None) => Verdict::More,
        Err(error) => Verdict::Error(error),
    }
}

#[test]
fn every_input_gets_its_verdict() {
    for Case { wire, limits, verdict: expected } in cases::all() {
        assert_eq!(verdict(limits, wire), expected, "{}", wire.escape_ascii());
    }
}

#[test]
fn every_split_gets_the_same_verdict() {
    let mut random = fastrand::Rng::with_seed(1);
    for Case { wire, limits, .. } in cases::all() {
        let whole = split::decode(limits, [wire]);
        for cut in 0..=wire.len() {
            let (first, second) = wire.split_at(cut);
            assert_eq!(split::decode(limits, [first, second]), whole, "{} cut at {cut}", wire.escape_ascii());
        }
        for _ in 0..20 {
            check(limits, wire, &std::array::from_fn::<u8, 4, _>(|_| random.u8(..8)));
        }
    }
}

#[test]
fn replies_behind_each_other_do_not_disturb_each_other() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut cases = cases::all();
    for round in 0..200 {
        random.shuffle(&mut cases);
        // Whole replies up to a bad or an unfinished one, and what would follow that.
        let limits = if round % 2 == 0 { Limits::default() } else { split::tight() };
        let whole = cases.iter().take_while(|case| matches!(case.verdict, Verdict::Reply(_))).count();
        let stream: Vec<u8> = cases.iter().take(whole + 2).flat_map(|case| case.wire).copied().collect();
        check(limits, &stream, &std::array::from_fn::<u8, 4, _>(|_| random.u8(..)));
        if limits == Limits::default() {
            assert!(split::decode(limits, [&stream[..]]).replies.len() >= whole);
        }
    }
}

#[test]
fn nan_is_a_double() {
    for wire in [&b",nan\r\n"[..], b",-nan\r\n"] {
        let Verdict::Reply(Value::Double(number)) = verdict(Limits::default(), wire) else {
            panic!("{} is no double", wire.escape_ascii())
        };
        assert!(number.is_nan());
    }
}

#[test]
fn default_limits_at_their_value_and_one_past() {
    let line = |len| [b"+", &[b'x'; 70_000][..len], b"\r\n"].concat();
    let nested = |levels| [&b"*1\r\n".repeat(levels)[..], b":7\r\n"].concat();
    assert!(matches!(verdict(Limits::default(), &line(65_536)), Verdict::Reply(_)));
    assert!(matches!(verdict(Limits::default(), &line(65_537)), Verdict::Error(_)));
    assert!(matches!(verdict(Limits::default(), &line(65_537)[..65_538]), Verdict::Error(_)));
    assert!(matches!(verdict(Limits::default(), &nested(128)), Verdict::Reply(_)));
    assert!(matches!(verdict(Limits::default(), &nested(129)), Verdict::Error(_)));
    assert!(matches!(verdict(Limits::default(), &nested(10_000)), Verdict::Error(_)));
}

#[test]
fn values_written_and_decoded_are_the_same_in_every_split() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..2_000 {
        let value = write::random(&mut random, 5);
        let mut wire = Vec::new();
        write::write(&value, &mut wire);
        check(Limits::default(), &wire, &std::array::from_fn::<u8, 4, _>(|_| random.u8(..40)));
        assert_eq!(verdict(Limits::default(), &wire), Verdict::Reply(value), "{}", wire.escape_ascii());
    }
}
