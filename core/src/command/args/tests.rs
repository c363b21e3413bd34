//! What each type writes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::command::Command;
use crate::resp::parse_f64;

/// The arguments as text, after asserting that as many are written as counted.
fn written(args: impl Args) -> Vec<String> {
    let count = args.count();
    let command = Command::<()>::new("X").args(args);
    let texts: Vec<_> = command.packed().args().skip(1).map(|arg| arg.escape_ascii().to_string()).collect();
    assert_eq!(texts.len(), count, "{texts:?}");
    texts
}

/// One argument: alone, as a list of one, and in a list that lies on the heap.
fn text<T: Arg + Args>(arg: T) -> String {
    let command = Command::<()>::new("X").arg(&arg);
    let alone = command.packed().args().nth(1).map(|arg| arg.escape_ascii().to_string()).unwrap_or_default();
    assert_eq!(written(&arg), [&*alone]);
    assert_eq!(written(vec![&arg; 50]), vec![&*alone; 50]);
    if let Some(payload) = arg.payload() {
        assert_eq!(payload.escape_ascii().to_string(), alone);
    }
    alone
}

#[test]
fn strings_and_bytes() {
    let binary: [u8; 5] = *b"\r\n\0\xff$";
    let shown = r"\r\n\x00\xff$";
    assert_eq!(text("a b"), "a b");
    assert_eq!(text(""), "");
    assert_eq!(text(String::from("x")), "x");
    assert_eq!(text(binary), shown);
    assert_eq!(text(&binary[..]), shown);
    assert_eq!(text(binary.to_vec()), shown);
    assert_eq!(text(Bytes::copy_from_slice(&binary)), shown);
    assert_eq!(text(BytesMut::from(&binary[..])), shown);
    assert_eq!(text(Cow::Borrowed("x")), "x");
    assert_eq!(text(Cow::<[u8]>::Owned(binary.to_vec())), shown);
    assert_eq!(text(Box::new(7)), "7");
    assert_eq!(text(Box::<str>::from("x")), "x");
    assert_eq!(text(Arc::<str>::from("x")), "x");
    let through: &&&str = &&"x";
    assert_eq!(text(through), "x");
}

#[test]
fn integers_at_their_bounds() {
    assert_eq!(written((i8::MIN, i8::MAX)), ["-128", "127"]);
    assert_eq!(written((i16::MIN, i16::MAX, u16::MAX)), ["-32768", "32767", "65535"]);
    assert_eq!(written((i32::MIN, i32::MAX, u32::MAX)), ["-2147483648", "2147483647", "4294967295"]);
    assert_eq!(written((i64::MIN, i64::MAX)), ["-9223372036854775808", "9223372036854775807"]);
    assert_eq!(written((u64::MAX, 0_u64)), ["18446744073709551615", "0"]);
    assert_eq!(text(i128::MIN), "-170141183460469231731687303715884105728");
    assert_eq!(text(u128::MAX), "340282366920938463463374607431768211455");
    assert_eq!(
        written((isize::MIN, isize::MAX, usize::MAX)),
        [isize::MIN.to_string(), isize::MAX.to_string(), usize::MAX.to_string()]
    );
}

#[test]
fn doubles_are_short() {
    let table: [(f64, &str); 16] = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-5, "0.00001"),
        (9.9e-6, "9.9e-6"),
        (1e16, "10000000000000000"),
        (1e17, "1e17"),
        (1.5e300, "1.5e300"),
        (f64::MAX, "1.7976931348623157e308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (value, expected) in table {
        assert_eq!(text(value), expected);
    }
    assert_eq!(text(f64::NAN), "NaN");
    assert_eq!(
        (text(0.1_f32), text(1e9_f32), text(-f32::INFINITY)),
        ("0.1".into(), "1e9".into(), "-inf".into())
    );
    assert_eq!((text(16_777_216_f32), text(1e-6_f32)), ("16777216".into(), "1e-6".into()));
}

#[test]
fn doubles_read_back_as_themselves() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..20_000 {
        let value = f64::from_bits(random.u64(..));
        if value.is_finite() {
            let text = text(value);
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
            assert!(text.len() <= 24, "{text} is long");
        }
        let value = f32::from_bits(random.u32(..));
        if value.is_finite() {
            let text = text(value);
            assert_eq!(text.parse(), Ok(value), "{text}");
            assert!(text.len() <= 16, "{text} is long");
        }
    }
}

#[test]
fn lists() {
    assert_eq!(written(["a", "b"]), ["a", "b"]);
    assert_eq!(written(&["a", "b"][..]), ["a", "b"]);
    assert_eq!(written(vec![1, 2]), ["1", "2"]);
    assert_eq!(written(vec![b"a".to_vec(), b"b".to_vec()]), ["a", "b"]);
    assert_eq!(written(BTreeSet::from([2, 1])), ["1", "2"]);
    assert_eq!(written(Vec::<String>::new()), [""; 0]);
    assert_eq!(written(()), [""; 0]);
    assert_eq!(written(("a", 1)), ["a", "1"]);
    assert_eq!(written(("a", 1, 2.5)), ["a", "1", "2.5"]);
}

#[test]
fn lists_of_pairs_and_triples() {
    let flat = ["a", "1", "b", "2"];
    assert_eq!(written([("a", 1), ("b", 2)]), flat);
    assert_eq!(written(&[("a", 1), ("b", 2)][..]), flat);
    assert_eq!(written(vec![("a", 1), ("b", 2)]), flat);
    assert_eq!(written(BTreeMap::from([("b", 2), ("a", 1)])), flat);
    let places = [(13.5, 38.25, "p"), (0.0, -1.0, "q")];
    assert_eq!(written(places), ["13.5", "38.25", "p", "0", "-1", "q"]);
    assert_eq!(written(&places[..1]), ["13.5", "38.25", "p"]);
    assert_eq!(written(places.to_vec()).len(), 6);
}

#[test]
fn options_are_what_they_hold_or_nothing() {
    assert_eq!(written(Some("a")), ["a"]);
    assert_eq!(written(None::<&str>), [""; 0]);
    assert_eq!(written(Some(Some(1))), ["1"]);
    assert_eq!(written(Some(None::<i64>)), [""; 0]);
    assert_eq!(written(Some(vec![("a", 1), ("b", 2)])), ["a", "1", "b", "2"]);
    assert_eq!(written(Some(("LIMIT", 0, 10))), ["LIMIT", "0", "10"]);
}

/// An implementation that leaves the counting to the trait.
struct Limit(Option<u64>);

impl Args for Limit {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        if let Self(Some(count)) = self {
            out.arg("LIMIT").args((0, *count));
        }
    }
}

#[test]
fn what_is_not_counted_by_hand_is_counted_by_writing() {
    assert_eq!(written(Limit(Some(5))), ["LIMIT", "0", "5"]);
    assert_eq!(written(Limit(None)), [""; 0]);
    assert_eq!(written(Some(&Limit(Some(5)))).len(), 3);
}

#[test]
fn pairs_come_in_order() {
    fn collected(pairs: impl Pairs) -> String {
        let command = Command::<()>::new("X").arg(pairs.count()).pairs(pairs);
        let texts = command.packed().args().skip(1).map(|arg| String::from_utf8_lossy(&arg).into_owned());
        texts.collect::<Vec<_>>().join(" ")
    }
    assert_eq!(collected([("a", 1), ("b", 2)]), "2 a 1 b 2");
    assert_eq!(collected(&[("a", 1), ("b", 2)][..]), "2 a 1 b 2");
    assert_eq!(collected(vec![("a", 1.5)]), "1 a 1.5");
    assert_eq!(collected(BTreeMap::from([("b", "y"), ("a", "x")])), "2 a x b y");
    assert_eq!(collected(Vec::<(String, String)>::new()), "0");
}

#[test]
fn a_display_that_fails_is_cut_where_it_failed() {
    struct Half;
    impl fmt::Display for Half {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half").and(Err(fmt::Error))
        }
    }
    struct Shown;
    impl Arg for Shown {
        fn write_to(&self, out: ArgSlot<'_>) {
            out.display(Half);
        }
    }
    let command = Command::<()>::new("X").arg(Shown).arg("y");
    assert!(command.packed().args().eq([&b"X"[..], b"half", b"y"]));
}
