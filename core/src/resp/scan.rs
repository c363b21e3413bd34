//! Finds the end of one reply and lays its tape, resumably.
//!
//! The scanner never goes back behind an element that it has seen whole: `pos` only grows, a long line is
//! searched from where the last search ended, and inside a long string nothing is done until its last
//! byte is there. So any split of the bytes costs the same linear time. Nesting is a stack on the heap.
//!
//! Whether bytes are an error is decided by the bytes before it and the limits alone, never by how many
//! more are there already. So any split of the bytes meets the same error.

mod lone;
mod tape;
mod usual;

use alloc::vec::Vec;

use memchr::memchr;

use super::error::ProtocolError;
use super::frame::{Kind, Node};
use super::length::{Length, read_length};
use super::limits::Limits;
use super::number::{is_big_number, parse_f64, parse_i64};
use super::short::Text;

pub(super) use lone::Lone;
pub(crate) use lone::{Alike, Strings};
use tape::Tape;
use usual::Stop;

/// What became of an attempt to read one element.
enum Step {
    /// It is not there in full.
    Short,
    /// It was read and the reply goes on.
    Read,
    /// It was read and ends the reply, of which this is the root.
    Whole(Node),
}

/// How the current reply ended.
#[derive(Debug)]
enum End {
    /// It goes on.
    Open,
    /// It is whole, and this is its root.
    Whole(Node),
    /// By this, for ever.
    Failed(ProtocolError),
}

/// A whole reply.
pub(super) struct Scanned {
    /// How many bytes it has.
    pub(super) len: usize,
    pub(super) root: Node,
    /// All nodes in the order of the wire; none if the root is alone.
    pub(super) tape: Vec<Node>,
}

/// Where the scan of the current reply stands.
#[derive(Debug)]
pub(super) struct Scanner {
    limits: Limits,
    /// Everything before it belongs to elements seen whole. `pos <= limits.reply`, so it fits a node.
    pos: usize,
    /// So many bytes of the line at `pos`, its type not counted, are known to hold no CR.
    searched: usize,
    /// Below this many bytes there is nothing to do. `need <= limits.reply`.
    need: usize,
    /// The short string at `pos`, if it is there up to its payload: its end is awaited, at `need`.
    begun: Option<Text>,
    /// Nodes seen so far, if the reply needs a tape, and what is open.
    tape: Tape,
    /// Bytes seen of the streamed string that is open.
    streamed: u32,
    /// The element before was an attribute, so one must follow.
    remarked: bool,
    end: End,
}

type Result<T> = core::result::Result<T, ProtocolError>;

impl Scanner {
    pub(super) fn new(mut limits: Limits) -> Self {
        limits.depth = limits.depth.min(Limits::DEPTH_MAX);
        Self {
            limits,
            pos: 0,
            searched: 0,
            need: 0,
            begun: None,
            tape: Tape::new(),
            streamed: 0,
            remarked: false,
            end: End::Open,
        }
    }

    /// How many bytes the buffer must hold, at the least, before the next scan can get on.
    #[inline]
    pub(super) const fn need(&self) -> usize {
        self.need
    }

    /// Whether a reply is to begin.
    #[inline]
    pub(super) const fn is_at_start(&self) -> bool {
        self.pos == 0 && matches!(self.end, End::Open)
    }

    /// Looks for the end of the reply that starts at `buf[0]`, and returns whether there is one to be
    /// [taken](Self::take). If not, more bytes are needed; the next call must bring the same bytes, and as many as are
    /// [needed](Self::need).
    #[inline(never)]
    pub(super) fn scan(&mut self, buf: &[u8]) -> bool {
        if let End::Open = self.end {
            let limit = self.limits.reply as usize;
            match self.pass(buf.get(..limit).unwrap_or(buf)) {
                Ok(None) if self.need > limit => self.fail(self.limits.reply_error()),
                Ok(None) => return false,
                Ok(Some(root)) => self.end = End::Whole(root),
                Err(error) => self.fail(error),
            }
        }
        true
    }

    /// What the reply came to that has ended.
    pub(super) fn take(&mut self) -> Result<Option<Scanned>> {
        match self.end {
            End::Open => Ok(None),
            End::Whole(root) => {
                self.end = End::Open;
                let len = core::mem::take(&mut self.pos);
                Ok(Some(Scanned { len, root, tape: self.tape.take() }))
            }
            End::Failed(error) => Err(error),
        }
    }

    /// What ended the stream, if anything has.
    pub(super) const fn error(&self) -> Option<&ProtocolError> {
        if let End::Failed(error) = &self.end { Some(error) } else { None }
    }

    #[cold]
    fn fail(&mut self, error: ProtocolError) {
        self.need = 0;
        self.end = End::Failed(error);
    }

    /// Passes what is there of the reply; returns its root if that is all of it.
    #[inline(always)]
    fn pass(&mut self, buf: &[u8]) -> Result<Option<Node>> {
        loop {
            match self.usual(buf) {
                Stop::Whole(root) => return Ok(Some(root)),
                Stop::Short => return Ok(None),
                Stop::Other => match self.element(buf)? {
                    Step::Read => {}
                    Step::Short => return Ok(None),
                    Step::Whole(root) => return Ok(Some(root)),
                },
            }
        }
    }

    /// Reads the element at `pos`. In all that follows `rest` is the part of `buf` not yet read.
    #[inline(never)]
    fn element(&mut self, buf: &[u8]) -> Result<Step> {
        let Some((&kind, rest)) = buf.get(self.pos..).and_then(<[u8]>::split_first) else {
            return Ok(self.short(buf));
        };
        let in_string = self.tape.innermost() == Some(Kind::StreamedString);
        match kind {
            b';' if in_string => self.chunk(buf, rest),
            _ if in_string => Err(ProtocolError::Misplaced(kind)),
            b'$' => self.string(Kind::BulkString, buf, rest),
            b':' | b'+' | b'-' | b',' | b'_' | b'#' | b'(' => self.line(kind, buf, rest),
            b'*' => self.aggregate(Kind::Array, buf, rest),
            b'%' => self.aggregate(Kind::Map, buf, rest),
            b'~' => self.aggregate(Kind::Set, buf, rest),
            b'|' => self.aggregate(Kind::Attribute, buf, rest),
            b'>' if self.tape.depth() == 0 => self.aggregate(Kind::Push, buf, rest),
            b'!' => self.string(Kind::Error, buf, rest),
            b'=' => self.string(Kind::VerbatimString, buf, rest),
            b'.' => self.end_of_stream(buf, rest),
            b'>' | b';' => Err(ProtocolError::Misplaced(kind)),
            _ => Err(ProtocolError::UnknownType(kind)),
        }
    }

    /// A type with a line of text for payload.
    fn line(&mut self, kind: u8, buf: &[u8], rest: &[u8]) -> Result<Step> {
        let Some((text, rest)) = self.text(rest)? else { return Ok(self.short(buf)) };
        let (kind, legal, what) = match kind {
            b'+' => (Kind::SimpleString, !text.contains(&b'\n'), "simple string"),
            b'-' => (Kind::Error, !text.contains(&b'\n'), "error"),
            b':' => (Kind::Integer, parse_i64(text).is_some(), "integer"),
            b',' => (Kind::Double, parse_f64(text).is_some(), "double"),
            b'#' => (Kind::Boolean, matches!(text, b"t" | b"f"), "boolean"),
            b'(' => (Kind::BigNumber, is_big_number(text), "big number"),
            _ => (Kind::Null, text.is_empty(), "null"),
        };
        if legal { self.scalar(kind, text.len(), buf, rest) } else { Err(ProtocolError::BadScalar(what)) }
    }

    /// A type with a length and then as many bytes.
    #[inline]
    fn string(&mut self, kind: Kind, buf: &[u8], rest: &[u8]) -> Result<Step> {
        let Some((length, rest)) = read_length(rest)? else { return Ok(self.short(buf)) };
        let len = match (length, kind) {
            (Length::Of(len), _) => self.limits.check_bulk(len)?,
            (Length::Null, Kind::BulkString) => return self.scalar(Kind::Null, 0, buf, rest),
            (Length::Streamed, Kind::BulkString) => {
                self.streamed = 0;
                return self.begin(Kind::StreamedString, None, buf, rest);
            }
            _ => return Err(ProtocolError::BadLength),
        };
        let Some((payload, rest)) = self.payload(len, buf, rest)? else { return Ok(Step::Short) };
        let text = match (kind, payload) {
            (Kind::VerbatimString, [_, _, _, b':', text @ ..]) => text,
            (Kind::VerbatimString, _) => return Err(ProtocolError::BadScalar("verbatim string")),
            _ => payload,
        };
        self.scalar(kind, text.len(), buf, rest)
    }

    /// A chunk of a streamed string; an empty one ends it.
    fn chunk(&mut self, buf: &[u8], rest: &[u8]) -> Result<Step> {
        let Some((length, rest)) = read_length(rest)? else { return Ok(self.short(buf)) };
        let len = match length {
            Length::Of(0) => {
                self.advance(buf, rest);
                return self.close();
            }
            Length::Of(len) => len,
            Length::Null | Length::Streamed => return Err(ProtocolError::BadLength),
        };
        let streamed = self.limits.check_bulk(len.saturating_add(self.streamed.into()))?;
        let len = streamed.saturating_sub(self.streamed);
        let Some((chunk, rest)) = self.payload(len, buf, rest)? else { return Ok(Step::Short) };
        self.streamed = streamed;
        self.scalar(Kind::BulkString, chunk.len(), buf, rest)
    }

    fn aggregate(&mut self, kind: Kind, buf: &[u8], rest: &[u8]) -> Result<Step> {
        let Some((length, rest)) = read_length(rest)? else { return Ok(self.short(buf)) };
        let count = match length {
            Length::Of(pairs) if matches!(kind, Kind::Map | Kind::Attribute) => pairs.saturating_mul(2),
            Length::Of(count) => count,
            Length::Null if kind == Kind::Array => return self.scalar(Kind::Null, 0, buf, rest),
            Length::Streamed if kind != Kind::Attribute => {
                return self.begin(kind, None, buf, rest);
            }
            Length::Null | Length::Streamed => return Err(ProtocolError::BadLength),
        };
        let count = self.limits.check_elements(count)?;
        self.begin(kind, Some(count), buf, rest)
    }

    fn end_of_stream(&mut self, buf: &[u8], rest: &[u8]) -> Result<Step> {
        if self.remarked || !self.tape.is_streaming() {
            return Err(ProtocolError::Misplaced(b'.'));
        }
        let odd = self.tape.innermost() == Some(Kind::Map) && self.tape.count() % 2 == 1;
        match rest {
            [b'\r', b'\n', ..] if odd => Err(ProtocolError::OddMap),
            [b'\r', b'\n', rest @ ..] => {
                self.advance(buf, rest);
                self.close()
            }
            [] | [b'\r'] => Ok(self.short(buf)),
            _ => Err(ProtocolError::MissingCrLf("the end of a stream")),
        }
    }

    /// Takes a whole element that holds none, the last `len` bytes before CR LF and `rest` being its
    /// payload. Alone, it is the reply and needs no tape.
    #[inline]
    fn scalar(&mut self, kind: Kind, len: usize, buf: &[u8], rest: &[u8]) -> Result<Step> {
        self.advance(buf, rest);
        let start = self.pos.saturating_sub(CRLF).saturating_sub(len);
        let node = Node { start: narrow(start), len: narrow(len), below: 0, kind };
        if !self.tape.is_empty() {
            self.tape.push(node);
        }
        self.count(node)
    }

    /// Opens an aggregate of so many elements, or a streamed one, or takes an empty one.
    fn begin(&mut self, kind: Kind, count: Option<u32>, buf: &[u8], rest: &[u8]) -> Result<Step> {
        if kind != Kind::StreamedString {
            self.limits.check_depth(self.tape.depth())?;
        }
        match count {
            Some(0) if kind == Kind::Attribute => {
                self.advance(buf, rest);
                self.remarked = true;
            }
            Some(0) => return self.scalar(kind, 0, buf, rest),
            _ => {
                self.advance(buf, rest);
                self.tape.open(kind, count.unwrap_or(0));
            }
        }
        Ok(Step::Read)
    }

    /// Counts an element just read in the aggregate that holds it, and closes what is thereby complete.
    fn count(&mut self, mut element: Node) -> Result<Step> {
        while self.tape.depth() > 0 {
            if self.tape.is_streaming() {
                let seen = u64::from(self.tape.count()).saturating_add(1);
                self.tape.set_seen(self.limits.check_elements(seen)?);
                return Ok(Step::Read);
            }
            if !self.tape.count_down() {
                return Ok(Step::Read);
            }
            let Some(closed) = self.tape.close() else { break };
            if closed.kind == Kind::Attribute {
                self.remarked = true;
                return Ok(Step::Read);
            }
            element = *closed;
        }
        Ok(Step::Whole(element))
    }

    /// Closes the innermost aggregate, a streamed one.
    fn close(&mut self) -> Result<Step> {
        match self.tape.close_streamed() {
            Some(&element) => self.count(element),
            None => Err(ProtocolError::Misplaced(b'.')),
        }
    }

    /// Takes `len` bytes and CR LF off `rest`.
    #[inline]
    fn payload<'b>(&mut self, len: u32, buf: &[u8], rest: &'b [u8]) -> Result<Option<(&'b [u8], &'b [u8])>> {
        let need = offset(buf, rest).saturating_add(len as usize).saturating_add(CRLF);
        match rest.split_at_checked(len as usize) {
            Some((payload, [b'\r', b'\n', rest @ ..])) => Ok(Some((payload, rest))),
            Some((_, [_, _, ..])) => Err(ProtocolError::MissingCrLf("a string")),
            Some(_) | None => {
                self.need = need;
                Ok(None)
            }
        }
    }

    /// Takes a line off `rest`; returns it without its CR LF.
    fn text<'b>(&mut self, rest: &'b [u8]) -> Result<Option<(&'b [u8], &'b [u8])>> {
        let fresh = rest.get(self.searched..).unwrap_or_default();
        let len = self.searched.saturating_add(memchr(b'\r', fresh).unwrap_or(fresh.len()));
        self.limits.check_line(len)?;
        self.searched = len;
        match rest.split_at_checked(len) {
            Some((text, [b'\r', b'\n', rest @ ..])) => Ok(Some((text, rest))),
            Some((_, [] | [b'\r'])) | None => Ok(None),
            Some(_) => Err(ProtocolError::MissingCrLf("a line")),
        }
    }

    /// Goes on behind an element, or the header of one.
    #[inline]
    fn advance(&mut self, buf: &[u8], rest: &[u8]) {
        self.pos = offset(buf, rest);
        self.searched = 0;
        self.need = 0;
        self.begun = None;
        self.remarked = false;
    }

    /// Goes on when the end of a short string is there, the header of which is.
    fn await_end(&mut self, text: Text) {
        self.need = text.need();
        self.begun = Some(text);
    }

    /// At least one more byte is needed.
    const fn short(&mut self, buf: &[u8]) -> Step {
        self.need = buf.len().saturating_add(1);
        Step::Short
    }
}

/// The length of what ends a line or a string.
pub(crate) const CRLF: usize = b"\r\n".len();

/// Where `rest`, the end of `buf`, begins.
#[inline]
pub(super) const fn offset(buf: &[u8], rest: &[u8]) -> usize {
    buf.len().wrapping_sub(rest.len())
}

/// An offset or length within a reply, or a number of its nodes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "all fit: `Limits::reply` is a `u32`")]
pub(crate) const fn narrow(offset: usize) -> u32 {
    offset as u32
}

#[cfg(test)]
mod tests;
