//! Decoding in pieces equals decoding whole.

use std::fmt;

use bytes::BytesMut;
use redstart_core::command::{FromReply, Value};
use redstart_core::resp::{Decoder, Item, Limits, ProtocolError};

/// All that can be seen of a decoder's work on a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The replies, each read through every view that there is of it.
    pub replies: Vec<Rendered>,
    /// How many bytes they had together.
    pub consumed: usize,
    /// What ended the stream; `None` if the decoder waits for more.
    pub error: Option<ProtocolError>,
}

/// Decodes a stream that comes in `pieces`.
///
/// # Panics
/// The decoder breaks its word: it goes on with fewer bytes than it said were missing, or after an error.
pub fn decode<'a>(limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(limits);
    let mut read = BytesMut::new();
    let mut outcome = Outcome::default();
    let mut wanted = 0;
    for piece in pieces {
        read.extend_from_slice(piece);
        loop {
            let too_few = read.len() < wanted;
            match decoder.decode(&mut read) {
                Ok(Some(frame)) => {
                    assert!(!too_few, "a reply is complete before what was missing came");
                    outcome.consumed += frame.wire().len();
                    outcome.replies.push(Rendered::new(frame.item()));
                    wanted = 0;
                }
                Ok(None) => {
                    let missing = decoder.missing(read.len());
                    assert!(missing > 0, "nothing is missing, yet no reply came");
                    wanted = read.len() + missing;
                    break;
                }
                Err(error) => {
                    assert!(!too_few, "an error is found before what was missing came");
                    assert_eq!(decoder.decode(&mut BytesMut::from("+OK\r\n")), Err(error));
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    outcome
}

/// Asserts that `stream` decodes alike whole, byte by byte, and in pieces whose sizes are taken from
/// `steps` in turn, 0 meaning 1.
///
/// # Panics
/// It does not.
pub fn check(limits: Limits, stream: &[u8], steps: &[u8]) {
    let whole = decode(limits, [stream]);
    assert_eq!(decode(limits, stream.chunks(1)), whole, "byte by byte: {}", stream.escape_ascii());
    assert_eq!(decode(limits, pieces(stream, steps)), whole, "steps {steps:?}: {}", stream.escape_ascii());
}

fn pieces<'a>(mut stream: &'a [u8], steps: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut steps = steps.iter().cycle();
    std::iter::from_fn(move || {
        let step = steps.next().map_or(usize::MAX, |&step| usize::from(step).max(1));
        let (piece, rest) = stream.split_at(step.min(stream.len()));
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// [`check`] on a fuzzer's input: four steps, of which the first also chooses between the default limits
/// and tight ones, and then the stream.
///
/// # Panics
/// It does not.
pub fn check_input(input: &[u8]) {
    if let Some((steps, stream)) = input.split_first_chunk::<4>() {
        check(if steps[0] < 128 { Limits::default() } else { tight() }, stream, steps);
    }
}

/// Limits that a short stream can pass.
#[must_use]
pub fn tight() -> Limits {
    let mut limits = Limits::default();
    (limits.depth, limits.bulk, limits.elements, limits.line, limits.reply) = (3, 20, 12, 16, 64);
    limits
}

/// All that can be read from a reply, in one string of bytes.
#[derive(Clone, PartialEq)]
pub struct Rendered(Vec<u8>);

impl Rendered {
    /// Reads a reply in full.
    ///
    /// # Panics
    /// Two views of it contradict each other.
    #[must_use]
    pub fn new(item: Item<'_>) -> Self {
        let mut out = Vec::new();
        render(item, &mut out);
        // What is too deep for a tree is refused, not a fault.
        if let Err(error) = Value::from_reply(item) {
            out.extend_from_slice(error.to_string().as_bytes());
        }
        Self(out)
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

fn render(item: Item<'_>, out: &mut Vec<u8>) {
    for remark in item.attributes() {
        out.push(b'|');
        render(remark, out);
    }
    let text = item.text().unwrap_or_default();
    assert_eq!(item.shared().unwrap_or_default(), text[..], "the shared payload is the payload");
    out.extend_from_slice(item.kind().name().as_bytes());
    out.push(b' ');
    out.extend_from_slice(item.format().unwrap_or_default());
    out.extend_from_slice(&text);
    let numbers = (item.as_i64().unwrap_or_default(), item.as_f64().unwrap_or_default());
    out.extend_from_slice(&numbers.0.to_le_bytes());
    out.extend_from_slice(&numbers.1.to_le_bytes());
    let elements = item.items();
    assert_eq!(elements.len(), item.len());
    assert_eq!(elements.clone().count(), item.len(), "as many elements as were announced");
    out.push(b'[');
    elements.for_each(|element| render(element, out));
    out.push(b']');
}
