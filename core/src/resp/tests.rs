//! What can be read from a frame.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::BytesMut;

use super::*;

fn frame(wire: &str) -> Frame {
    let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
    frame.expect("a legal reply").expect("a whole reply")
}

fn texts<'a>(items: impl Iterator<Item = Item<'a>>) -> Vec<String> {
    items.map(|item| String::from_utf8_lossy(&item.text().unwrap_or_default()).into_owned()).collect()
}

#[test]
fn each_type_has_its_kind_and_payload() {
    let table: [(&str, Kind, Option<&str>); 18] = [
        ("+OK\r\n", Kind::SimpleString, Some("OK")),
        ("-ERR no\r\n", Kind::Error, Some("ERR no")),
        ("!6\r\nERR no\r\n", Kind::Error, Some("ERR no")),
        (":-5\r\n", Kind::Integer, Some("-5")),
        ("$2\r\nab\r\n", Kind::BulkString, Some("ab")),
        ("$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n", Kind::StreamedString, Some("ab")),
        ("=6\r\ntxt:ab\r\n", Kind::VerbatimString, Some("ab")),
        ("_\r\n", Kind::Null, None),
        ("$-1\r\n", Kind::Null, None),
        ("*-1\r\n", Kind::Null, None),
        ("#t\r\n", Kind::Boolean, Some("t")),
        (",1.50\r\n", Kind::Double, Some("1.50")),
        ("(12\r\n", Kind::BigNumber, Some("12")),
        ("*0\r\n", Kind::Array, None),
        ("%0\r\n", Kind::Map, None),
        ("~1\r\n:1\r\n", Kind::Set, None),
        (">1\r\n+a\r\n", Kind::Push, None),
        ("|0\r\n*0\r\n", Kind::Array, None),
    ];
    for (wire, kind, text) in table {
        let frame = frame(wire);
        let item = frame.item();
        assert_eq!((frame.kind(), item.kind()), (kind, kind), "{wire:?}");
        assert_eq!(item.text().as_deref(), text.map(str::as_bytes), "{wire:?}");
        assert_eq!(item.shared().as_deref(), text.map(str::as_bytes), "{wire:?}");
        assert_eq!(item.is_null(), kind == Kind::Null, "{wire:?}");
        assert_eq!(frame.wire(), wire.as_bytes());
    }
}

#[test]
fn only_verbatim_strings_have_a_format() {
    assert_eq!(frame("=4\r\nmkd:\r\n").item().format(), Some(&b"mkd"[..]));
    assert_eq!(frame("$4\r\nmkd:\r\n").item().format(), None);
    assert_eq!(frame("*0\r\n").item().format(), None);
}

#[test]
fn numbers_are_read_from_any_text() {
    for wire in
        [":12\r\n", "$2\r\n12\r\n", "+12\r\n", "(12\r\n", ",12\r\n", "$?\r\n;1\r\n1\r\n;1\r\n2\r\n;0\r\n"]
    {
        let frame = frame(wire);
        assert_eq!((frame.item().as_i64(), frame.item().as_f64()), (Some(12), Some(12.0)), "{wire:?}");
    }
    for wire in ["_\r\n", "*1\r\n:1\r\n", "#t\r\n", "$0\r\n\r\n"] {
        let frame = frame(wire);
        assert_eq!((frame.item().as_i64(), frame.item().as_f64()), (None, None), "{wire:?}");
    }
}

#[test]
fn elements_are_counted_and_nested_ones_skipped() {
    let frame = frame("%2\r\n+a\r\n*2\r\n:1\r\n*1\r\n:2\r\n+b\r\n~0\r\n");
    let mut items = frame.item().items();
    assert_eq!((items.len(), frame.item().len(), frame.item().is_empty()), (4, 4, false));
    assert_eq!(texts(items.clone()), ["a", "", "b", ""]);
    assert_eq!(items.nth(1).expect("two are there").items().len(), 2);
    assert_eq!((items.len(), items.size_hint()), (2, (2, Some(2))));
    assert_eq!(items.by_ref().count(), 2);
    assert!(items.next().is_none() && items.next().is_none());
}

#[test]
fn attributes_belong_to_the_element_after_them() {
    let frame =
        frame("|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n*2\r\n|1\r\n+c\r\n|1\r\n+d\r\n:3\r\n:4\r\n:5\r\n:6\r\n");
    let root = frame.item();
    assert_eq!((frame.kind(), root.kind(), root.len()), (Kind::Array, Kind::Array, 2));
    assert_eq!(texts(root.attributes()), ["a", "1", "b", "2"]);
    let elements: Vec<_> = root.items().collect();
    assert_eq!(texts(elements.iter().copied()), ["5", "6"]);
    let remarks: Vec<_> = elements[0].attributes().collect();
    assert_eq!(texts(remarks.iter().copied()), ["c", "4"]);
    assert_eq!(texts(remarks[1].attributes()), ["d", "3"]);
    assert_eq!(remarks[0].attributes().count(), 0);
    assert_eq!(elements[1].attributes().count(), 0);
}

#[test]
fn attributes_of_a_scalar_and_of_a_push() {
    let scalar = frame("|1\r\n+a\r\n*2\r\n:1\r\n:2\r\n:7\r\n");
    assert_eq!((scalar.item().as_i64(), scalar.item().attributes().count()), (Some(7), 2));
    let push = frame("|1\r\n+a\r\n+b\r\n>2\r\n+message\r\n+c\r\n");
    assert_eq!(
        (push.kind(), texts(push.item().items())),
        (Kind::Push, ["message", "c"].map(String::from).into())
    );
    assert_eq!(texts(push.item().attributes()), ["a", "b"]);
}

#[test]
fn a_payload_is_a_slice_of_what_was_read() {
    let frame = frame("*1\r\n$5\r\nhello\r\n");
    let item = frame.item().items().next().expect("one is there");
    let shared = item.shared().expect("a string");
    assert!(matches!(item.text(), Some(Cow::Borrowed(_))));
    assert_eq!(shared.as_ptr(), frame.wire()[8..].as_ptr());
}

#[test]
fn debug_shows_no_contents() {
    let secret = frame("*2\r\n$8\r\npassword\r\n$7\r\nhunter2\r\n");
    let shown = format!("{secret:?} {:?} {:?}", secret.item(), secret.item().items());
    assert_eq!(shown, "Frame(array of 2, 31 bytes) array of 2 Items(2 left)");
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from("$7\r\nhunter");
    assert_eq!(decoder.decode(&mut read), Ok(None));
    assert_eq!(format!("{decoder:?}"), "Decoder { error: None, .. }");
}

#[test]
fn an_error_stays_and_leaves_the_bytes() {
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from(":1\r\n?:2\r\n");
    assert!(matches!(decoder.decode(&mut read), Ok(Some(_))));
    let error = decoder.decode(&mut read).expect_err("no type");
    assert_eq!(error.to_string(), "byte 0x3f starts no RESP type");
    assert_eq!(read, "?:2\r\n");
    assert_eq!(decoder.missing(read.len()), 0);
    assert_eq!(decoder.decode(&mut BytesMut::from(":2\r\n")), Err(error));
}

#[test]
fn missing_grows_with_what_came_and_never_with_what_is_announced() {
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from("$536870912\r\n");
    assert_eq!(decoder.decode(&mut read), Ok(None));
    assert_eq!(decoder.missing(read.len()), 4096);
    read.resize(1 << 20, b'x');
    assert_eq!(decoder.decode(&mut read), Ok(None));
    assert_eq!(decoder.missing(read.len()), 1 << 20);
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from("$2097152\r\n");
    read.resize(1 << 20, b'x');
    assert_eq!(decoder.decode(&mut read), Ok(None));
    assert_eq!(decoder.missing(read.len()), (1 << 20) + 10 + 2, "a last step for a few bytes");
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from("$5\r\nab");
    assert_eq!(decoder.decode(&mut read), Ok(None));
    assert_eq!(decoder.missing(read.len()), 5);
}

#[test]
fn errors_read_as_sentences() {
    let table = [
        (ProtocolError::Misplaced(b'>'), "RESP type '>' cannot stand here"),
        (ProtocolError::BadLength, "malformed length"),
        (ProtocolError::BadScalar("integer"), "malformed integer"),
        (ProtocolError::MissingCrLf("a string"), "CR LF is missing after a string"),
        (ProtocolError::OddMap, "a streamed map ended after a key"),
        (ProtocolError::Limit { what: "levels", limit: 128 }, "reply passes the limit of 128 levels"),
    ];
    for (error, text) in table {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn few_strings_are_found_where_a_frame_has_them_and_only_if_they_are_whole() {
    let table = [
        (">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n", true),
        (">4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$0\r\n\r\n", true),
        (">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", false),
        (">5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n", false),
        (">2\r\n$1\r\na\r\n_\r\n", false),
        (">1\r\n$1\r\nabc", false),
        ("*1\r\n$1\r\na\r\n", false),
        ("|1\r\n$1\r\na\r\n:1\r\n>1\r\n$1\r\na\r\n", false),
    ];
    for (wire, expected) in table {
        for len in 0..=wire.len() {
            let part = &wire.as_bytes()[..len];
            let mut decoder = Decoder::new(Limits::default());
            let found = decoder.few_strings(b'>', part);
            assert_eq!(found.is_some(), expected && len == wire.len(), "{wire:?} up to {len}");
            let Some(strings) = found else { continue };
            let frame = frame(wire);
            let items: Vec<_> = frame.item().items().map(|item| item.payload()).collect();
            let texts: Vec<_> =
                strings.at[..strings.count as usize].iter().map(|at| &part[at.clone()]).collect();
            assert_eq!((texts, strings.run.len), (items, len), "{wire:?}");
        }
    }
    let mut decoder = Decoder::new(Limits { bulk: 1, ..Limits::default() });
    assert!(decoder.few_strings(b'>', b">1\r\n$2\r\nab\r\n").is_none(), "a limit is for the scanner to tell");
}

#[test]
fn pushes_that_differ_in_their_last_strings_are_found_together() {
    let push = |channel: &str, text: &str| -> String {
        format!(">3\r\n$7\r\nmessage\r\n${}\r\n{channel}\r\n${}\r\n{text}\r\n", channel.len(), text.len())
    };
    let a = |text: &str| push("a", text);
    let large = "l".repeat(1000);
    let table = [
        (vec![a("1")], 1),
        (vec![a("1"), a("2"), a("three"), a("4")], 4),
        (vec![a("1"), a(""), a("two"), a(&"x".repeat(999))], 4),
        (vec![a("1"), a("2"), push("b", "3"), a("4")], 2),
        (vec![a("1"), push("aa", "2")], 1),
        (vec![a("1"), a(&large), a("3")], 1),
        (vec![a("1"), a("2"), "+OK\r\n".into(), a("3")], 2),
        (vec![a("1"), a("2"), ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n:3\r\n".into()], 2),
        (vec![a("1"), a("2").replace('>', "*")], 1),
        ((0..200).map(|number| a(&format!("{number:64}"))).collect(), 4096 / 95 + 1),
    ];
    for (parts, count) in table {
        let wire = parts.concat();
        let mut decoder = Decoder::new(Limits::default());
        let run = decoder.few_strings(b'>', wire.as_bytes()).expect("the first is whole").run;
        let alike = &parts[..count];
        let len = alike.iter().map(String::len).sum();
        assert_eq!((run.count, run.len), (count, len), "{wire:?}");
        let is_even = alike.iter().all(|part| part.len() == alike[0].len());
        assert_eq!(run.is_even, is_even, "{wire:?}");
        let mut payloads = 0;
        for part in alike {
            let place = Alike::first(run.head, part.as_bytes()).expect("it is there");
            payloads += place.len();
            assert_eq!(place, frame_range(part), "{part:?}");
        }
        assert_eq!(run.payload, payloads, "{wire:?}");
        for short in len - alike[count - 1].len()..len.min(wire.len()) {
            let run = decoder.few_strings(b'>', &wire.as_bytes()[..short]).map_or(0, |found| found.run.count);
            assert_eq!(run, count - 1, "{wire:?} up to {short}");
        }
    }
    let two = [a("1"), a("22")].concat();
    for limits in [
        Limits { bulk: 7, ..Limits::default() },
        Limits { reply: u32::try_from(a("1").len()).expect("short"), ..Limits::default() },
    ] {
        let two = if limits.bulk == 7 { [a("1"), a("8 bytes.")].concat() } else { two.clone() };
        let run = Decoder::new(limits).few_strings(b'>', two.as_bytes()).expect("the first is within it").run;
        assert_eq!(run.count, 1, "a limit is for the scanner to tell");
    }
}

/// Where the last string of a push is.
fn frame_range(wire: &str) -> core::ops::Range<usize> {
    let frame = frame(wire);
    let len = frame.item().items().last().map_or(0, |item| item.payload().len());
    let end = wire.len().saturating_sub(CRLF);
    end.saturating_sub(len)..end
}
