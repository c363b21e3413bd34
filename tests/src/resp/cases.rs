//! The table of verdicts: what the decoder makes of each input.
//!
//! RESP3's streamed types, verbatim strings and attributes are taken in full; of everything that servers
//! never send and parsers disagree on, the strict reading is the one that holds.

use bytes::Bytes;
use redstart_core::command::Value;
use redstart_core::error::ServerError;
use redstart_core::resp::{Limits, ProtocolError};

/// An input and what becomes of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The bytes: one reply, or less, or a bad one.
    pub wire: &'static [u8],
    /// The limits in force.
    pub limits: Limits,
    /// What the decoder makes of it.
    pub verdict: Verdict,
}

/// What the decoder makes of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// One reply, and all bytes are used.
    Reply(Value),
    /// A refusal.
    Error(ProtocolError),
    /// More bytes are needed.
    More,
}

/// The whole table.
#[must_use]
pub fn all() -> Vec<Case> {
    let with = |limits: Limits| move |(wire, verdict)| Case { wire, limits, verdict };
    let replies = replies().into_iter().map(|(wire, value)| (wire, Verdict::Reply(value)));
    let errors = errors().into_iter().map(|(wire, error)| (wire, Verdict::Error(error)));
    let unfinished = UNFINISHED.iter().map(|wire| (*wire, Verdict::More));
    let default = replies.chain(errors).chain(unfinished).map(with(Limits::default()));
    default
        .chain(limited().into_iter().map(|(limits, wire, verdict)| with(limits)((wire, verdict))))
        .collect()
}

fn bulk(text: &'static str) -> Value {
    Value::Bulk(Bytes::from_static(text.as_bytes()))
}

fn status(text: &str) -> Value {
    Value::Status(text.to_owned())
}

fn error(text: &str) -> Value {
    Value::Error(ServerError::new(text.as_bytes()))
}

fn integers<const N: usize>(numbers: [i64; N]) -> Vec<Value> {
    numbers.map(Value::Integer).into()
}

type Row<T> = (&'static [u8], T);

/// Legal replies.
fn replies() -> Vec<Row<Value>> {
    use Value::{Array, BigNumber, Boolean, Double, Integer, Map, Nil, Set};
    let long = "3492890328409238509324850943850943825024385";
    let verbatim = |format: &str, text: &str| Value::Verbatim { format: format.into(), text: text.into() };
    vec![
        (b"+OK\r\n", status("OK")),
        (b"+\r\n", status("")),
        (b"-ERR no\r\n", error("ERR no")),
        (b"!5\r\nERR x\r\n", error("ERR x")),
        (b"!7\r\nERR\r\nxx\r\n", error("ERR\r\nxx")),
        (b":0\r\n", Integer(0)),
        (b":-0\r\n", Integer(0)),
        (b":+5\r\n", Integer(5)),
        (b":9223372036854775807\r\n", Integer(i64::MAX)),
        (b":-9223372036854775808\r\n", Integer(i64::MIN)),
        (b"$0\r\n\r\n", bulk("")),
        (b"$3\r\nabc\r\n", bulk("abc")),
        (b"$2\r\n\r\n\r\n", bulk("\r\n")),
        (b"$4\r\n*1\r\n\r\n", bulk("*1\r\n")),
        (b"$-1\r\n", Nil),
        (b"*-1\r\n", Nil),
        (b"_\r\n", Nil),
        (b"#t\r\n", Boolean(true)),
        (b"#f\r\n", Boolean(false)),
        (b",1.5\r\n", Double(1.5)),
        (b",10\r\n", Double(10.0)),
        (b",-1.25e-3\r\n", Double(-0.00125)),
        (b",1E+3\r\n", Double(1000.0)),
        (b",inf\r\n", Double(f64::INFINITY)),
        (b",-inf\r\n", Double(f64::NEG_INFINITY)),
        (b"(3492890328409238509324850943850943825024385\r\n", BigNumber(long.to_owned())),
        (b"(-1\r\n", BigNumber("-1".to_owned())),
        (b"=7\r\ntxt:abc\r\n", verbatim("txt", "abc")),
        (b"=4\r\nmkd:\r\n", verbatim("mkd", "")),
        (b"*0\r\n", Array(vec![])),
        (b"%0\r\n", Map(vec![])),
        (b"~0\r\n", Set(vec![])),
        (b">0\r\n", Array(vec![])),
        (b"*2\r\n:1\r\n:2\r\n", Array(integers([1, 2]))),
        (b"*3\r\n*-1\r\n*0\r\n$-1\r\n", Array(vec![Nil, Array(vec![]), Nil])),
        (b"*2\r\n-WRONGTYPE x\r\n+OK\r\n", Array(vec![error("WRONGTYPE x"), status("OK")])),
        (b"*1\r\n*1\r\n*1\r\n:7\r\n", Array(vec![Array(vec![Array(integers([7]))])])),
        (b"*2\r\n*2\r\n$1\r\na\r\n*1\r\n$2\r\nbb\r\n$3\r\nccc\r\n", {
            Array(vec![Array(vec![bulk("a"), Array(vec![bulk("bb")])]), bulk("ccc")])
        }),
        (b"%1\r\n+k\r\n*1\r\n:1\r\n", Map(vec![(status("k"), Array(integers([1])))])),
        (b"%1\r\n*1\r\n:1\r\n_\r\n", Map(vec![(Array(integers([1])), Nil)])),
        (b"~2\r\n:1\r\n:1\r\n", Set(integers([1, 1]))),
        (b">2\r\n+invalidate\r\n_\r\n", Array(vec![status("invalidate"), Nil])),
        // Streamed.
        (b"$?\r\n;0\r\n", bulk("")),
        (b"$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n", bulk("Hello word")),
        (b"*?\r\n.\r\n", Array(vec![])),
        (b"*?\r\n:1\r\n*?\r\n:2\r\n.\r\n.\r\n", Array(vec![Integer(1), Array(integers([2]))])),
        (b"*2\r\n$?\r\n;1\r\na\r\n;0\r\n:1\r\n", Array(vec![bulk("a"), Integer(1)])),
        (b"*?\r\n*1\r\n*1\r\n:1\r\n.\r\n", Array(vec![Array(vec![Array(integers([1]))])])),
        (b"*1\r\n*?\r\n.\r\n", Array(vec![Array(vec![])])),
        (b"%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n", {
            Map(vec![(status("a"), Integer(1)), (status("b"), Integer(2))])
        }),
        (b"~?\r\n:1\r\n.\r\n", Set(integers([1]))),
        (b">?\r\n+message\r\n.\r\n", Array(vec![status("message")])),
        // With attributes: on a scalar, twice in a row, empty, on a push, inside, inside each other.
        (b"|1\r\n+k\r\n+v\r\n:7\r\n", Integer(7)),
        (b"|1\r\n+k\r\n+v\r\n|1\r\n+l\r\n+w\r\n:7\r\n", Integer(7)),
        (b"|0\r\n:7\r\n", Integer(7)),
        (b"|0\r\n|0\r\n*0\r\n", Array(vec![])),
        (b"|1\r\n+k\r\n+v\r\n>1\r\n+message\r\n", Array(vec![status("message")])),
        (b"|1\r\n+k\r\n+v\r\n$?\r\n;1\r\na\r\n;0\r\n", bulk("a")),
        (b"*2\r\n|1\r\n+k\r\n*1\r\n:9\r\n:1\r\n:2\r\n", Array(integers([1, 2]))),
        (b"*2\r\n:1\r\n|1\r\n+k\r\n%0\r\n:2\r\n", Array(integers([1, 2]))),
        (b"%1\r\n|0\r\n+k\r\n|1\r\n+k\r\n+v\r\n:1\r\n", Map(vec![(status("k"), Integer(1))])),
        (b"*?\r\n|1\r\n+k\r\n+v\r\n:1\r\n.\r\n", Array(integers([1]))),
        (b"|1\r\n|1\r\n+a\r\n+b\r\n+k\r\n|0\r\n+v\r\n:7\r\n", Integer(7)),
        (b"|1\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nab\r\n", bulk("ab")),
        (b"|1\r\n*1\r\n$1\r\nk\r\n*1\r\n$1\r\nv\r\n*1\r\n$2\r\nab\r\n", Array(vec![bulk("ab")])),
        (b"*2\r\n|1\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nab\r\n$1\r\nc\r\n", Array(vec![bulk("ab"), bulk("c")])),
    ]
}

/// Malformed replies.
fn errors() -> Vec<Row<ProtocolError>> {
    use ProtocolError::{BadLength, BadScalar, Limit, Misplaced, MissingCrLf, OddMap, UnknownType};
    let bulk = Limit { what: "bytes in a string", limit: 512 << 20 };
    let elements = Limit { what: "elements", limit: i32::MAX.unsigned_abs().into() };
    vec![
        (b"H", UnknownType(b'H')),
        (b"\r\n", UnknownType(b'\r')),
        (b"\0", UnknownType(0)),
        (b"*1\r\n\xff", UnknownType(0xff)),
        // Lengths.
        (b"$-5\r\n", BadLength),
        (b"*-7\r\n", BadLength),
        (b"$-0\r\n", BadLength),
        (b"$-1x", BadLength),
        (b"$-01\r\n", BadLength),
        (b"$+3\r\nabc\r\n", BadLength),
        (b"$ 3\r\nabc\r\n", BadLength),
        (b"$3 \r\nabc\r\n", BadLength),
        (b"$003\r\nabc\r\n", BadLength),
        (b"$00000000000000000000000000\r\n", BadLength),
        (b"*00\r\n", BadLength),
        (b"*05001000000\r\n", BadLength),
        (b"$\r\n\r\n", BadLength),
        (b"*\r\n", BadLength),
        (b"*1.0\r\n", BadLength),
        (b"$3\n", BadLength),
        (b"$3\rabc", MissingCrLf("a length")),
        (b"%-1\r\n", BadLength),
        (b"~-1\r\n", BadLength),
        (b">-1\r\n", BadLength),
        (b"|-1\r\n", BadLength),
        (b"!-1\r\n", BadLength),
        (b"=-1\r\n", BadLength),
        (b"!?\r\n", BadLength),
        (b"=?\r\n", BadLength),
        (b"|?\r\n", BadLength),
        (b"$?x", BadLength),
        (b"$9223372036854775807\r\nab", bulk),
        (b"$536870913\r\n", bulk),
        (b"$4294967296", bulk),
        (b"$18446744073709551616\r\n", bulk),
        (b"!536870913\r\n", bulk),
        (b"=536870913\r\n", bulk),
        (b"*2147483648\r\n", elements),
        (b"*18446744073709551617\r\n", elements),
        (b"%9223372036854775807\r\n", elements),
        (b"%1073741824\r\n", elements),
        (b"|2147483648\r\n", elements),
        // Ends.
        (b"$3\r\nabcXY", MissingCrLf("a string")),
        (b"$3\r\nabc\rX", MissingCrLf("a string")),
        (b"$0\r\n\n\n", MissingCrLf("a string")),
        (b"*2\r\n$3\r\nabcXY", MissingCrLf("a string")),
        (b"*2\r\n$3\r\nabc\rX$1\r\na\r\n", MissingCrLf("a string")),
        (b"+OK\rX", MissingCrLf("a line")),
        (b"+OK\r\r\n", MissingCrLf("a line")),
        (b":1\r2\r\n", MissingCrLf("a line")),
        // Lines.
        (b"+O\nK\r\n", BadScalar("simple string")),
        (b"-ERR\n\r\n", BadScalar("error")),
        (b": 5\r\n", BadScalar("integer")),
        (b":5 \r\n", BadScalar("integer")),
        (b":\r\n", BadScalar("integer")),
        (b":-\r\n", BadScalar("integer")),
        (b":1.0\r\n", BadScalar("integer")),
        (b":9223372036854775808\r\n", BadScalar("integer")),
        (b":-9223372036854775809\r\n", BadScalar("integer")),
        (b"_x\r\n", BadScalar("null")),
        (b"#\r\n", BadScalar("boolean")),
        (b"#T\r\n", BadScalar("boolean")),
        (b"#tt\r\n", BadScalar("boolean")),
        (b",\r\n", BadScalar("double")),
        (b",1,5\r\n", BadScalar("double")),
        (b",0x10\r\n", BadScalar("double")),
        (b",infinity\r\n", BadScalar("double")),
        (b",1e999\r\n", BadScalar("double")),
        (b"(\r\n", BadScalar("big number")),
        (b"(12a\r\n", BadScalar("big number")),
        (b"=3\r\ntxt\r\n", BadScalar("verbatim string")),
        (b"=5\r\ntext:\r\n", BadScalar("verbatim string")),
        // Places.
        (b"*1\r\n>1\r\n:1\r\n", Misplaced(b'>')),
        (b"|1\r\n>0\r\n", Misplaced(b'>')),
        (b";1\r\na\r\n", Misplaced(b';')),
        (b"$?\r\n+a\r\n", Misplaced(b'+')),
        (b"$?\r\n$1\r\na\r\n", Misplaced(b'$')),
        (b"*2\r\n$?\r\n*1\r\n:1\r\n", Misplaced(b'*')),
        (b"$?\r\n.\r\n", Misplaced(b'.')),
        (b"$?\r\n|0\r\n", Misplaced(b'|')),
        (b"$?\r\n;-1\r\n", BadLength),
        (b"$?\r\n;?\r\n", BadLength),
        (b".\r\n", Misplaced(b'.')),
        (b"*1\r\n.\r\n", Misplaced(b'.')),
        (b"|0\r\n.\r\n", Misplaced(b'.')),
        (b"*?\r\n|0\r\n.\r\n", Misplaced(b'.')),
        (b"*?\r\n|1\r\n+k\r\n+v\r\n.\r\n", Misplaced(b'.')),
        (b"*?\r\n:1\r\n.x", MissingCrLf("the end of a stream")),
        (b"*?\r\n:1\r\n.\rx", MissingCrLf("the end of a stream")),
        (b"%?\r\n+a\r\n.\r\n", OddMap),
    ]
}

/// Beginnings of replies.
const UNFINISHED: &[&[u8]] = &[
    b"",
    b"+",
    b"+OK",
    b"+OK\r",
    b"+OK\n",
    b"$",
    b"$1",
    b"$1\r",
    b"$-",
    b"$-1",
    b"$-1\r",
    b"$?",
    b"$?\r",
    b"$3\r\nabc\r",
    b"$3\r\nabcX",
    b"$536870912\r\nab",
    b"*1000000000\r\n",
    b"%1000000000\r\n",
    b"*2147483647\r\n:1\r\n",
    b"*2\r\n:1\r\n",
    b"*1\r\n$3\r\nab",
    b"|1\r\n+k\r\n+v\r\n",
    b"|0\r\n",
    b"*?\r\n",
    b"*?\r\n.\r",
    b"$?\r\n;1\r\na\r\n",
    b"*1\r\n|1\r\n+k\r\n+v\r\n",
];

/// Replies at a limit and one past it. Most limits are those of [`tight`](super::split::tight).
fn limited() -> Vec<(Limits, &'static [u8], Verdict)> {
    use Value::{Array, Integer, Map, Nil};
    use Verdict::{Error, More, Reply};
    let passes = |what, limit| Error(ProtocolError::Limit { what, limit });
    let (levels, string) = (passes("levels", 3), passes("bytes in a string", 20));
    let (elements, line, bytes) =
        (passes("elements", 12), passes("bytes in a line", 16), passes("bytes", 64));
    let nils = |count| Array(vec![Nil; count]);
    let rows: Vec<Row<Verdict>> = vec![
        (b"*1\r\n*1\r\n*1\r\n:7\r\n", Reply(Array(vec![Array(vec![Array(integers([7]))])]))),
        (b"*1\r\n*1\r\n*1\r\n*1\r\n", levels.clone()),
        (b"*1\r\n*1\r\n*1\r\n*0\r\n", levels.clone()),
        (b"*1\r\n*1\r\n*1\r\n|0\r\n", levels.clone()),
        (b"|1\r\n%1\r\n~1\r\n*?\r\n", levels),
        (
            b"*1\r\n*1\r\n*1\r\n$?\r\n;1\r\na\r\n;0\r\n",
            Reply(Array(vec![Array(vec![Array(vec![bulk("a")])])])),
        ),
        (b"$20\r\n12345678901234567890\r\n", Reply(bulk("12345678901234567890"))),
        (b"$21\r\n", string.clone()),
        (b"$21\r\n123456789012345678901\r\n", string.clone()),
        (b"*2\r\n$1\r\na\r\n$21\r\n123456789012345678901\r\n", string.clone()),
        (b"*3\r\n$1\r\na\r\n$21\r\n123456789012345678901\r\n$1\r\nc\r\n", string.clone()),
        (b"!21\r\n", string.clone()),
        (b"=21\r\n", string.clone()),
        (b"$?\r\n;15\r\n123456789012345\r\n;5\r\n12345\r\n;0\r\n", Reply(bulk("12345678901234512345"))),
        (b"$?\r\n;15\r\n123456789012345\r\n;6\r\n", string.clone()),
        (b"$?\r\n;21\r\n", string.clone()),
        (b"*2\r\n$?\r\n;9\r\n123456789\r\n;0\r\n$?\r\n;12\r\n", More),
        (b"$?\r\n;1\r\na\r\n;4294967295\r\n", string),
        (b"*12\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n", Reply(nils(12))),
        (b"*13\r\n", elements.clone()),
        (b"%7\r\n", elements.clone()),
        (b"|7\r\n", elements.clone()),
        (b"*?\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n.\r\n", Reply(nils(12))),
        (b"*?\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n_\r\n", elements),
        (b"%1\r\n+a\r\n:1\r\n", Reply(Map(vec![(status("a"), Integer(1))]))),
        (b"+1234567890123456\r\n", Reply(status("1234567890123456"))),
        (b"+1234567890123456\r", More),
        (b"+12345678901234567\r\n", line.clone()),
        (b"+12345678901234567", line.clone()),
        (b"*1\r\n(12345678901234567\r\n", line.clone()),
        (b"-\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", line),
        // 64 bytes, 65 bytes, and 64 bytes of which it shows that more are to come.
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n+12345678901\r\n", {
            let texts = [bulk("12345678901234567890"), status("1234567890123456"), status("12345678901")];
            Reply(Array(texts.into()))
        }),
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n+123456789012\r\n", bytes.clone()),
        (b"*4\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n+12345678901\r\n", bytes.clone()),
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n$8\r\n", More),
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n$9\r\n", bytes.clone()),
        // What lies behind the limit is not looked at, so its faults are not found.
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n$9\r\n123456789X", bytes.clone()),
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n+123456789012\rX", bytes.clone()),
        (b"*3\r\n$20\r\n12345678901234567890\r\n+1234567890123456\r\n:12345678901x\r\n", bytes),
    ];
    let mut two = Limits::default();
    two.elements = 2;
    let streamed: [Row<Verdict>; 2] = [
        (b"*?\r\n$1\r\na\r\n$1\r\nb\r\n.\r\n", Reply(Array(vec![bulk("a"), bulk("b")]))),
        (b"*?\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n.\r\n", passes("elements", 2)),
    ];
    let under = |limits: Limits| move |(wire, verdict)| (limits, wire, verdict);
    rows.into_iter().map(under(super::split::tight())).chain(streamed.map(under(two))).collect()
}
