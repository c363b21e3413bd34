//! Every type that a reply can become, from every spelling, and the errors of what does not fit.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use core::fmt::Debug;

use bytes::BytesMut;

use super::*;
use crate::command::Value;
use crate::resp::{Decoder, Frame, Limits};

fn frame(wire: &[u8]) -> Frame {
    let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(wire));
    frame.expect("a legal reply").expect("a whole reply")
}

fn read<T: FromReply>(wire: &str) -> Result<T, ConversionError> {
    T::from_reply(frame(wire.as_bytes()).item())
}

/// Asserts that each spelling reads as `expected`.
fn same<T: FromReply + PartialEq + Debug>(expected: T, spellings: &[&str]) {
    for wire in spellings {
        assert_eq!(read::<T>(wire).as_ref(), Ok(&expected), "{wire:?}");
    }
}

/// Asserts that `wire` is refused with `text`.
fn refused<T: FromReply + Debug>(wire: &str, text: &str) {
    assert_eq!(read::<T>(wire).expect_err(wire).to_string(), text, "{wire:?}");
}

fn strings<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(String::from).into()
}

#[test]
fn unit_takes_anything_but_an_error() {
    same((), &["+OK\r\n", "+QUEUED\r\n", ":1\r\n", "_\r\n", "$-1\r\n", "*1\r\n:1\r\n"]);
    refused::<()>("-ERR no\r\n", "an element of the reply is an error: ERR no");
}

#[test]
fn booleans() {
    same(true, &[":1\r\n", "#t\r\n", "$1\r\n1\r\n", "+OK\r\n", ",1\r\n", "$?\r\n;1\r\n1\r\n;0\r\n"]);
    same(false, &[":0\r\n", "#f\r\n", "$1\r\n0\r\n", "_\r\n", "$-1\r\n", "*-1\r\n"]);
    refused::<bool>(":2\r\n", "expected a boolean, got integer");
    refused::<bool>("$2\r\nOK\r\n", "expected a boolean, got string of 2 bytes");
    refused::<bool>("*1\r\n:1\r\n", "expected a boolean, got array of 1 elements");
    refused::<bool>("!5\r\nERR x\r\n", "an element of the reply is an error: ERR x");
}

#[test]
fn integers() {
    same(7_i64, &[":7\r\n", "$1\r\n7\r\n", "+7\r\n", ",7\r\n", "(7\r\n", "=5\r\ntxt:7\r\n", ":+7\r\n"]);
    same(1_u32, &["#t\r\n", ":1\r\n"]);
    same(0_u32, &["#f\r\n", ":0\r\n"]);
    same(i64::MIN, &[":-9223372036854775808\r\n", "(-9223372036854775808\r\n"]);
    same(u64::MAX, &["$20\r\n18446744073709551615\r\n", "(18446744073709551615\r\n"]);
    same(i128::MAX, &["(170141183460469231731687303715884105727\r\n"]);
    same(u128::MAX, &["(340282366920938463463374607431768211455\r\n"]);
    same((-128_i8, 255_u8), &["*2\r\n:-128\r\n:255\r\n"]);
    same((-32768_i16, 65535_u16), &["*2\r\n:-32768\r\n:65535\r\n"]);
    same((i32::MIN, u32::MAX), &["*2\r\n:-2147483648\r\n:4294967295\r\n"]);
    same((-1_isize, 1_usize), &["*2\r\n:-1\r\n:1\r\n"]);
}

#[test]
fn what_is_no_integer() {
    refused::<i64>("_\r\n", "expected an integer, got nil");
    refused::<i64>("$-1\r\n", "expected an integer, got nil");
    refused::<i64>(",1.5\r\n", "expected an integer, got double");
    refused::<i64>("$3\r\n1.5\r\n", "expected an integer, got string of 3 bytes");
    refused::<i64>("$0\r\n\r\n", "expected an integer, got string of 0 bytes");
    refused::<i64>("$2\r\n 7\r\n", "expected an integer, got string of 2 bytes");
    refused::<i64>("+OK\r\n", "expected an integer, got simple string of 2 bytes");
    refused::<i64>("%1\r\n:1\r\n:1\r\n", "expected an integer, got map of 2 elements");
    refused::<i64>("-WRONGTYPE x\r\n", "an element of the reply is an error: WRONGTYPE x");
    refused::<u8>(":256\r\n", "expected an integer that fits u8, got integer");
    refused::<u64>(":-1\r\n", "expected an integer that fits u64, got integer");
    refused::<i8>("$3\r\n128\r\n", "expected an integer that fits i8, got string of 3 bytes");
    refused::<i64>("(9223372036854775808\r\n", "expected an integer that fits i64, got big number");
    refused::<u64>("(18446744073709551616\r\n", "expected an integer that fits u64, got big number");
}

#[test]
fn doubles() {
    same(1.5, &[",1.5\r\n", "$3\r\n1.5\r\n", "+1.5\r\n", "=7\r\ntxt:1.5\r\n"]);
    same(3.0, &[":3\r\n", ",3\r\n", "$1\r\n3\r\n", "(3\r\n"]);
    same(f64::INFINITY, &[",inf\r\n", "$3\r\ninf\r\n"]);
    same(f64::NEG_INFINITY, &[",-inf\r\n", "$4\r\n-inf\r\n"]);
    same(0.5_f32, &[",0.5\r\n", "$3\r\n0.5\r\n"]);
    same(1.0, &["#t\r\n", ":1\r\n"]);
    assert!(read::<f64>(",nan\r\n").is_ok_and(f64::is_nan));
    assert!(read::<f64>("$3\r\nnan\r\n").is_ok_and(f64::is_nan));
    refused::<f64>("$3\r\nabc\r\n", "expected a double, got string of 3 bytes");
    refused::<f64>("$5\r\n1e999\r\n", "expected a double, got string of 5 bytes");
    refused::<f64>("_\r\n", "expected a double, got nil");
    refused::<f32>("*0\r\n", "expected a double, got array of 0 elements");
}

#[test]
fn texts() {
    same(
        "ab".to_owned(),
        &["$2\r\nab\r\n", "+ab\r\n", "=6\r\ntxt:ab\r\n", "$?\r\n;1\r\na\r\n;1\r\nb\r\n;0\r\n"],
    );
    same("1".to_owned(), &[":1\r\n", "#t\r\n", "$1\r\n1\r\n", ",1\r\n"]);
    same("1.5".to_owned(), &[",1.5\r\n", "$3\r\n1.5\r\n"]);
    same("".to_owned(), &["$0\r\n\r\n", "$?\r\n;0\r\n"]);
    same(Box::new("ab".to_owned()), &["$2\r\nab\r\n"]);
    refused::<String>("_\r\n", "expected a string, got nil");
    refused::<String>("*1\r\n+a\r\n", "expected a string, got array of 1 elements");
    refused::<String>("~0\r\n", "expected a string, got set of 0 elements");
    let bad = String::from_reply(frame(b"$2\r\n\xff\xfe\r\n").item()).expect_err("not UTF-8");
    assert_eq!(bad.to_string(), "expected a string in UTF-8, got string of 2 bytes");
    let bad = String::from_reply(frame(b"$?\r\n;2\r\n\xff\xfe\r\n;0\r\n").item()).expect_err("not UTF-8");
    assert_eq!(bad.to_string(), "expected a string in UTF-8, got string of 2 bytes");
}

#[test]
fn bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let frame = frame(&[b"$256\r\n", &all[..], b"\r\n"].concat());
    assert_eq!(Vec::<u8>::from_reply(frame.item()), Ok(all.clone()));
    assert_eq!(Bytes::from_reply(frame.item()), Ok(Bytes::from(all.clone())));
    assert_eq!(<[u8; 256]>::from_reply(frame.item()).map(Vec::from), Ok(all));
    same(b"ab".to_vec(), &["+ab\r\n", "=6\r\ntxt:ab\r\n", "$?\r\n;2\r\nab\r\n;0\r\n"]);
    same(Bytes::from("ab"), &["+ab\r\n", "=6\r\ntxt:ab\r\n", "$?\r\n;2\r\nab\r\n;0\r\n"]);
    refused::<Vec<u8>>("*2\r\n:1\r\n:2\r\n", "expected a string, got array of 2 elements");
    refused::<Bytes>("_\r\n", "expected a string, got nil");
    refused::<[u8; 3]>("+ab\r\n", "expected 3 elements, got simple string of 2 bytes");
}

#[test]
fn large_bytes_are_shared_and_small_ones_copied() {
    for (len, is_shared) in [((32 << 10) - 1, false), (32 << 10, true)] {
        let frame = frame(format!("${len}\r\n{}\r\n", "x".repeat(len)).as_bytes());
        let value = Bytes::from_reply(frame.item()).expect("a string");
        assert_eq!(frame.wire().as_ptr_range().contains(&value.as_ptr()), is_shared, "{len} bytes");
        assert_eq!(value.len(), len);
    }
}

#[test]
fn nil_is_none() {
    same(None::<String>, &["_\r\n", "$-1\r\n", "*-1\r\n"]);
    same(Some("ab".to_owned()), &["$2\r\nab\r\n", "+ab\r\n"]);
    same(None::<Vec<String>>, &["_\r\n", "*-1\r\n"]);
    same(Some(vec![None, Some(1_u8)]), &["*2\r\n_\r\n:1\r\n", "*2\r\n$-1\r\n$1\r\n1\r\n"]);
    same(None::<Option<i64>>, &["_\r\n"]);
    refused::<Option<i64>>("+a\r\n", "expected an integer, got simple string of 1 bytes");
    refused::<Vec<i64>>("*-1\r\n", "expected an array, got nil");
}

#[test]
fn lists() {
    same(
        strings(["a", "b"]),
        &["*2\r\n+a\r\n+b\r\n", "~2\r\n$1\r\na\r\n$1\r\nb\r\n", "*?\r\n+a\r\n+b\r\n.\r\n"],
    );
    same(
        strings(["a", "b"]),
        &["%1\r\n+a\r\n+b\r\n", ">2\r\n+a\r\n+b\r\n", "|1\r\n+x\r\n+y\r\n*2\r\n+a\r\n+b\r\n"],
    );
    same(Vec::<String>::new(), &["*0\r\n", "~0\r\n", "%0\r\n", "*?\r\n.\r\n"]);
    same([1, 2, 3], &["*3\r\n:1\r\n:2\r\n:3\r\n"]);
    same(vec![vec![1_i64], vec![]], &["*2\r\n*1\r\n:1\r\n*0\r\n"]);
    same(vec![b"a".to_vec(), b"b".to_vec()], &["*2\r\n+a\r\n$1\r\nb\r\n"]);
    refused::<Vec<String>>("+a\r\n", "expected an array, got simple string of 1 bytes");
    refused::<Vec<i64>>("*2\r\n:1\r\n+a\r\n", "expected an integer, got simple string of 1 bytes");
    refused::<Vec<i64>>("*2\r\n:1\r\n-ERR x\r\n", "an element of the reply is an error: ERR x");
    refused::<[i64; 2]>("*3\r\n:1\r\n:2\r\n:3\r\n", "expected 2 elements, got array of 3 elements");
}

#[test]
fn a_list_of_strings_is_what_its_elements_are_one_by_one() {
    let elements = [
        (&b"$1\r\na\r\n"[..], true),
        (b"$6\r\n\xc3\xa4\xe2\x82\xac\n\r\n", true),
        (b"$0\r\n\r\n", true),
        (b"+s\r\n", true),
        (b":-5\r\n", true),
        (b"=5\r\ntxt:v\r\n", true),
        (b"$?\r\n;1\r\nc\r\n;0\r\n", true),
        (b"$?\r\n;0\r\n", true),
        (b"|1\r\n+k\r\n+v\r\n$1\r\nb\r\n", true),
        (b"$1\r\n\xc3\r\n", false),
        (b"$1\r\n\xa4\r\n", false),
        (b"$-1\r\n", false),
        (b"*0\r\n", false),
        (b"*1\r\n:1\r\n", false),
    ];
    for (a, a_fits) in elements {
        for (b, b_fits) in elements {
            let frame = frame(&[b"*3\r\n$4\r\nlist\r\n*2\r\n", a, b, b"*1\r\n$3\r\nend\r\n"].concat());
            let list = frame.item().items().nth(1).expect("it is there");
            let one_by_one: Result<Vec<_>, _> = list.items().map(String::from_reply).collect();
            let wire = frame.wire().escape_ascii();
            assert_eq!(one_by_one.is_ok(), a_fits && b_fits, "{wire}");
            assert_eq!(Vec::<String>::from_reply(list), one_by_one, "{wire}");
        }
    }
    same(strings([]), &["*0\r\n", "~0\r\n", "%0\r\n"]);
}

#[test]
fn sets() {
    let wires = ["~3\r\n:3\r\n:1\r\n:3\r\n", "*3\r\n$1\r\n3\r\n$1\r\n1\r\n$1\r\n3\r\n"];
    same(BTreeSet::from([1_i64, 3]), &wires);
    refused::<BTreeSet<i64>>("$1\r\na\r\n", "expected an array, got string of 1 bytes");
    refused::<BTreeSet<i64>>("_\r\n", "expected an array, got nil");
}

#[test]
fn maps() {
    let wires = [
        "%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n",
        "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
        "*2\r\n*2\r\n+a\r\n:1\r\n*2\r\n+b\r\n:2\r\n",
        "%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n",
    ];
    same(BTreeMap::from([("a".to_owned(), 1_u8), ("b".to_owned(), 2)]), &wires);
    same(vec![("a".to_owned(), 1_i64), ("b".to_owned(), 2)], &wires);
    same([("a".to_owned(), 1_i64), ("b".to_owned(), 2)], &wires);
    same(
        BTreeMap::from([("k".to_owned(), b"v".to_vec())]),
        &["%1\r\n+k\r\n$1\r\nv\r\n", "*2\r\n+k\r\n$1\r\nv\r\n"],
    );
    same(BTreeMap::<String, i64>::new(), &["%0\r\n", "*0\r\n", "*?\r\n.\r\n"]);
    refused::<BTreeMap<String, i64>>("*3\r\n+a\r\n:1\r\n+b\r\n", "expected pairs, got array of 3 elements");
    refused::<BTreeMap<String, i64>>(
        "*1\r\n*3\r\n+a\r\n:1\r\n:2\r\n",
        "expected a pair, got array of 3 elements",
    );
    refused::<BTreeMap<String, i64>>(
        "*2\r\n*2\r\n+a\r\n:1\r\n+b\r\n",
        "expected a pair, got simple string of 1 bytes",
    );
    refused::<BTreeMap<String, i64>>(
        "%1\r\n+a\r\n+b\r\n",
        "expected an integer, got simple string of 1 bytes",
    );
    refused::<BTreeMap<String, i64>>("_\r\n", "expected an array, got nil");
}

#[test]
fn nested_lists_and_maps() {
    let groups =
        vec![("x".to_owned(), vec![("a".to_owned(), 1.5), ("b".to_owned(), 2.0)]), ("y".to_owned(), vec![])];
    same(
        groups,
        &[
            "%2\r\n+x\r\n*2\r\n*2\r\n+a\r\n,1.5\r\n*2\r\n+b\r\n,2\r\n+y\r\n*0\r\n",
            "*2\r\n*2\r\n+x\r\n*4\r\n+a\r\n+1.5\r\n+b\r\n+2\r\n*2\r\n+y\r\n*0\r\n",
            "*4\r\n+x\r\n*4\r\n+a\r\n+1.5\r\n+b\r\n+2\r\n+y\r\n*0\r\n",
            "%2\r\n+x\r\n%2\r\n+a\r\n,1.5\r\n+b\r\n:2\r\n+y\r\n%0\r\n",
        ],
    );
    let streams = BTreeMap::from([("s".to_owned(), vec![("1-1".to_owned(), strings(["f", "v"]))])]);
    same(
        streams,
        &[
            "%1\r\n+s\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n+f\r\n+v\r\n",
            "*1\r\n*2\r\n+s\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n+f\r\n+v\r\n",
        ],
    );
}

#[test]
fn elements_may_fail_on_their_own() {
    let wire = "*3\r\n:1\r\n-ERR no\r\n!4\r\nOOPS\r\n";
    let results: Vec<Result<i64, ServerError>> = read(wire).expect("errors stay where they are");
    assert_eq!(results[0], Ok(1));
    let texts: Vec<_> =
        results.iter().filter_map(|result| result.as_ref().err()).map(ServerError::text).collect();
    assert_eq!(texts, ["ERR no", "OOPS"]);
    refused::<Vec<Result<i64, ServerError>>>("*1\r\n_\r\n", "expected an integer, got nil");
    assert_eq!(read::<Vec<Value>>(wire).map(|values| values.len()), Ok(3));
}

#[test]
fn tuples() {
    same(
        (1_i64, "a".to_owned(), None::<i64>),
        &["*3\r\n:1\r\n+a\r\n_\r\n", "*3\r\n$1\r\n1\r\n$1\r\na\r\n$-1\r\n"],
    );
    same(("a".to_owned(), 1_i64), &["%1\r\n+a\r\n:1\r\n", "*2\r\n+a\r\n:1\r\n"]);
    same(Vec::<(String, f64)>::new(), &["*0\r\n", "%0\r\n", "~0\r\n"]);
    same(vec![Some((1.0, 2.0)), None], &["*2\r\n*2\r\n,1\r\n,2\r\n*-1\r\n", "*2\r\n*2\r\n+1\r\n+2\r\n_\r\n"]);
    same(None::<(String, f64)>, &["_\r\n", "*-1\r\n", "*0\r\n"]);
    same(Some(("a".to_owned(), 1.5)), &["*2\r\n+a\r\n,1.5\r\n", "*2\r\n+a\r\n+1.5\r\n"]);
    refused::<Option<(i64, i64)>>("*1\r\n:1\r\n", "expected 2 elements, got array of 1 elements");
    refused::<(i64, i64)>(":1\r\n", "expected an array, got integer");
    refused::<(i64, i64)>("*2\r\n:1\r\n_\r\n", "expected an integer, got nil");
    refused::<Vec<(i64, i64)>>("*3\r\n:1\r\n:2\r\n:3\r\n", "expected groups of 2, got array of 3 elements");
    refused::<Vec<(i64, i64)>>("*1\r\n*1\r\n:1\r\n", "expected 2 elements, got array of 1 elements");
    refused::<Vec<(i64, i64)>>(
        "*2\r\n*2\r\n:1\r\n:2\r\n+a\r\n",
        "expected 2 elements, got simple string of 1 bytes",
    );
    refused::<Vec<(i64, i64)>>(
        "*2\r\n*2\r\n:1\r\n:2\r\n-ERR x\r\n",
        "an element of the reply is an error: ERR x",
    );
}
