//! Bytes that a server might send.

use std::fmt::Write as _;

/// What some replies are called, and what makes them.
pub type Kind = (&'static str, fn() -> Replies);

/// All of them.
pub const KINDS: [Kind; 5] = [
    ("`+OK` x 1,000", simple),
    ("64 B bulk x 1,000", bulks),
    ("array of 10,000 x 32 B", array),
    ("map of 5,000 pairs", map),
    ("XRANGE of 10,000 entries", stream),
];

/// Some replies.
#[derive(Clone, Debug)]
pub struct Replies {
    /// On the wire.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub replies: usize,
    /// How many values lie in them, which is what costs are told by.
    pub values: usize,
}

/// A bulk string.
pub fn bulk(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// `prefix` and `number`, filled with zeros to `width`.
#[must_use]
pub fn numbered(prefix: &str, number: usize, width: usize) -> String {
    let mut text = String::from(prefix);
    // Writing to a String cannot fail.
    let _ = write!(text, "{number:0rest$}", rest = width - prefix.len());
    text
}

/// A thousand times `+OK`.
#[must_use]
pub fn simple() -> Replies {
    Replies { bytes: b"+OK\r\n".repeat(1000), replies: 1000, values: 1000 }
}

/// A thousand bulk strings.
#[must_use]
pub fn bulks() -> Replies {
    let mut bytes = Vec::new();
    (0..1000).for_each(|i| bulk(&mut bytes, numbered("value:", i, 64).as_bytes()));
    Replies { bytes, replies: 1000, values: 1000 }
}

/// One array.
#[must_use]
pub fn array() -> Replies {
    let mut bytes = b"*10000\r\n".to_vec();
    (0..10_000).for_each(|i| bulk(&mut bytes, numbered("element:", i, 32).as_bytes()));
    Replies { bytes, replies: 1, values: 10_000 }
}

/// One map.
#[must_use]
pub fn map() -> Replies {
    let mut bytes = b"%5000\r\n".to_vec();
    for i in 0..5000 {
        bulk(&mut bytes, numbered("field:", i, 16).as_bytes());
        bulk(&mut bytes, numbered("value:", i, 32).as_bytes());
    }
    Replies { bytes, replies: 1, values: 10_000 }
}

/// The reply to an `XRANGE`.
#[must_use]
pub fn stream() -> Replies {
    let mut bytes = b"*10000\r\n".to_vec();
    for i in 0..10_000 {
        bytes.extend_from_slice(b"*2\r\n");
        bulk(&mut bytes, format!("{}-0", 1_700_000_000_000u64 + i as u64).as_bytes());
        bytes.extend_from_slice(b"*2\r\n");
        bulk(&mut bytes, b"temperature");
        bulk(&mut bytes, numbered("reading:", i, 32).as_bytes());
    }
    Replies { bytes, replies: 1, values: 30_000 }
}
