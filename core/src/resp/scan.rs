//! Finds the end of one reply and lays its tape, resumably.
//!
//! The scanner never goes back behind an element that it has seen whole: `pos` only grows, a long line is
//! searched from where the last search ended, and inside a long string nothing is done until its last
//! byte is there. So any split of the bytes costs the same linear time. Nesting is a stack on the heap.

use alloc::vec::Vec;

use memchr::memchr;

use super::error::ProtocolError;
use super::frame::{Kind, Node};
use super::limits::Limits;
use super::number::{is_big_number, parse_f64, parse_i64};

/// An aggregate whose elements are still to come.
#[derive(Clone, Copy, Debug)]
struct Open {
    node: u32,
    kind: Kind,
    /// Elements still to come; of a streamed aggregate, unknown.
    left: Option<u32>,
}

/// A length or count: `n`, one past all limits, `-1` or `?`.
#[derive(Clone, Copy)]
enum Length {
    Of(u32),
    Huge,
    Null,
    Streamed,
}

/// A whole reply was found.
pub(super) struct Scanned {
    /// How many bytes it has.
    pub(super) len: usize,
    pub(super) root: Node,
    /// Where the root lies on the tape, if it is on the tape at all.
    pub(super) root_at: u32,
}

/// Where the scan of the current reply stands.
#[derive(Debug)]
pub(super) struct Scanner {
    limits: Limits,
    /// Everything before it belongs to elements seen whole. `pos <= searched.max(pos) <= buf.len()`.
    pos: usize,
    /// In the line at `pos`, there is no CR before it.
    searched: usize,
    /// Below this many bytes there is nothing to do.
    need: usize,
    open: Vec<Open>,
    /// Nodes seen so far, if the reply needs a tape.
    pub(super) tape: Vec<Node>,
    root_at: u32,
    /// The element before was an attribute, so one must follow.
    remarked: bool,
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
            open: Vec::new(),
            tape: Vec::new(),
            root_at: 0,
            remarked: false,
        }
    }

    /// How many bytes the buffer must hold, at the least, before the next scan can get on.
    pub(super) const fn need(&self) -> usize {
        self.need
    }

    /// Looks for the end of the reply that starts at `buf[0]`. `None` means that more bytes are needed;
    /// the next call must bring the same bytes and more.
    pub(super) fn scan(&mut self, buf: &[u8]) -> Result<Option<Scanned>> {
        if buf.len() < self.need {
            return Ok(None);
        }
        loop {
            let Some(&kind) = buf.get(self.pos) else {
                self.need = self.pos + 1;
                return self.wait();
            };
            let Some(whole) = self.element(kind, buf)? else { return self.wait() };
            if let Some(root) = whole {
                let found = Scanned { len: self.pos, root, root_at: self.root_at };
                (self.pos, self.need, self.searched, self.root_at) = (0, 0, 0, 0);
                return Ok(Some(found));
            }
        }
    }

    /// One element at `pos`: `None` if it is not there in full, `Some(Some(root))` if it ends the reply.
    #[inline]
    fn element(&mut self, kind: u8, buf: &[u8]) -> Result<Option<Option<Node>>> {
        let in_string = self.open.last().is_some_and(|top| top.kind == Kind::StreamedString);
        if in_string != (kind == b';') {
            return Err(Self::misplaced(kind));
        }
        match kind {
            b'$' => self.string(Kind::BulkString, buf),
            b':' | b'+' | b'-' | b',' | b'_' | b'#' | b'(' => self.line(kind, buf),
            b'*' => self.aggregate(Kind::Array, buf),
            b'%' => self.aggregate(Kind::Map, buf),
            b'~' => self.aggregate(Kind::Set, buf),
            b'|' => self.aggregate(Kind::Attribute, buf),
            b'>' if self.open.is_empty() => self.aggregate(Kind::Push, buf),
            b'!' => self.string(Kind::Error, buf),
            b'=' => self.string(Kind::VerbatimString, buf),
            b';' => self.chunk(buf),
            b'.' => self.end_of_stream(buf),
            b'>' => Err(ProtocolError::Misplaced(kind)),
            _ => Err(ProtocolError::UnknownType(kind)),
        }
    }

    /// A known type where it must not stand, or an unknown one.
    const fn misplaced(kind: u8) -> ProtocolError {
        match kind {
            b'$' | b':' | b'+' | b'-' | b',' | b'_' | b'#' | b'(' | b'*' | b'%' | b'~' | b'|' | b'>'
            | b'!' | b'=' | b';' | b'.' => ProtocolError::Misplaced(kind),
            _ => ProtocolError::UnknownType(kind),
        }
    }

    /// A type with a line of text for payload.
    fn line(&mut self, kind: u8, buf: &[u8]) -> Result<Option<Option<Node>>> {
        let start = self.pos + 1;
        let Some(end) = self.line_end(start, buf)? else { return Ok(None) };
        let text = &buf[start..end];
        let (kind, legal, what) = match kind {
            b'+' => (Kind::SimpleString, !text.contains(&b'\n'), "simple string"),
            b'-' => (Kind::Error, !text.contains(&b'\n'), "error"),
            b':' => (Kind::Integer, parse_i64(text).is_some(), "integer"),
            b',' => (Kind::Double, parse_f64(text).is_some(), "double"),
            b'#' => (Kind::Boolean, matches!(text, b"t" | b"f"), "boolean"),
            b'(' => (Kind::BigNumber, is_big_number(text), "big number"),
            _ => (Kind::Null, text.is_empty(), "null"),
        };
        if !legal {
            return Err(ProtocolError::BadScalar(what));
        }
        self.scalar(kind, start, end - start, end + 2)
    }

    /// A type with a length and then as many bytes.
    #[inline]
    fn string(&mut self, kind: Kind, buf: &[u8]) -> Result<Option<Option<Node>>> {
        let Some((length, start)) = self.length(buf)? else { return Ok(None) };
        let len = match (length, kind) {
            (Length::Of(len), _) if len <= self.limits.bulk => len,
            (Length::Of(_) | Length::Huge, _) => return Err(self.bulk_limit()),
            (Length::Null, Kind::BulkString) => return self.scalar(Kind::Null, start, 0, start),
            (Length::Streamed, Kind::BulkString) => return self.begin(Kind::StreamedString, None, start),
            _ => return Err(ProtocolError::BadLength),
        };
        let Some(end) = self.payload(len, start, buf)? else { return Ok(None) };
        if kind != Kind::VerbatimString {
            return self.scalar(kind, start, len as usize, end);
        }
        if len < 4 || buf.get(start + 3) != Some(&b':') {
            return Err(ProtocolError::BadScalar("verbatim string"));
        }
        self.scalar(kind, start + 4, len as usize - 4, end)
    }

    /// A chunk of a streamed string; an empty one ends it.
    fn chunk(&mut self, buf: &[u8]) -> Result<Option<Option<Node>>> {
        let Some((length, start)) = self.length(buf)? else { return Ok(None) };
        let len = match length {
            Length::Of(0) => {
                self.advance(start)?;
                return self.close();
            }
            Length::Of(len) if len <= self.limits.bulk => len,
            Length::Of(_) | Length::Huge => return Err(self.bulk_limit()),
            Length::Null | Length::Streamed => return Err(ProtocolError::BadLength),
        };
        let Some(end) = self.payload(len, start, buf)? else { return Ok(None) };
        self.scalar(Kind::BulkString, start, len as usize, end)
    }

    fn aggregate(&mut self, kind: Kind, buf: &[u8]) -> Result<Option<Option<Node>>> {
        let Some((length, start)) = self.length(buf)? else { return Ok(None) };
        let count = match length {
            Length::Null if kind == Kind::Array => return self.scalar(Kind::Null, start, 0, start),
            Length::Null => return Err(ProtocolError::BadLength),
            Length::Streamed if kind == Kind::Attribute => return Err(ProtocolError::BadLength),
            Length::Streamed => return self.begin(kind, None, start),
            Length::Of(pairs) if matches!(kind, Kind::Map | Kind::Attribute) => {
                pairs.checked_mul(2).ok_or_else(|| self.element_limit())?
            }
            Length::Of(count) => count,
            Length::Huge => return Err(self.element_limit()),
        };
        if count > self.limits.elements {
            return Err(self.element_limit());
        }
        self.begin(kind, Some(count), start)
    }

    fn end_of_stream(&mut self, buf: &[u8]) -> Result<Option<Option<Node>>> {
        match self.open.last() {
            Some(Open { left: None, .. }) if !self.remarked => {}
            _ => return Err(ProtocolError::Misplaced(b'.')),
        }
        let Some(end) = self.line_end(self.pos + 1, buf)? else { return Ok(None) };
        if end != self.pos + 1 {
            return Err(ProtocolError::MissingCrLf("the end of a stream"));
        }
        self.advance(end + 2)?;
        self.close()
    }

    /// Puts a whole scalar on the tape; alone, it is the reply and needs no tape.
    #[inline]
    fn scalar(&mut self, kind: Kind, start: usize, len: usize, end: usize) -> Result<Option<Option<Node>>> {
        let at = self.tape.len() as u32;
        // Offsets fit: a reply is limited to u32::MAX bytes and every node takes some.
        let node = Node { start: start as u32, len: len as u32, end: at + 1, kind };
        self.advance(end)?;
        self.remarked = false;
        if self.open.is_empty() {
            if at > 0 {
                self.root_at = at;
                self.tape.push(node);
            }
            return Ok(Some(Some(node)));
        }
        self.tape.push(node);
        self.count_element()
    }

    /// Opens an aggregate, or passes an empty one.
    fn begin(&mut self, kind: Kind, left: Option<u32>, start: usize) -> Result<Option<Option<Node>>> {
        if self.open.len() >= usize::from(self.limits.depth) {
            return Err(ProtocolError::Limit { what: "levels", limit: self.limits.depth.into() });
        }
        let at = self.tape.len() as u32;
        if self.open.is_empty() && kind != Kind::Attribute {
            self.root_at = at;
        }
        if at == 0 {
            // Never by what was announced: a short first step, then doubling.
            self.tape.reserve(left.unwrap_or(0).min(255) as usize + 1);
        }
        self.tape.push(Node { start: start as u32, len: left.unwrap_or(0), end: at + 1, kind });
        self.advance(start)?;
        self.remarked = false;
        self.open.push(Open { node: at, kind, left });
        if left == Some(0) { self.close() } else { Ok(Some(None)) }
    }

    /// Counts the element just seen in the aggregate that holds it, and closes what is thereby complete.
    #[inline]
    fn count_element(&mut self) -> Result<Option<Option<Node>>> {
        let limit = self.limits.elements;
        let Some(top) = self.open.last_mut() else { return Ok(Some(None)) };
        match &mut top.left {
            Some(1) => return self.close(),
            Some(left) => *left -= 1,
            None => {
                let holder = &mut self.tape[top.node as usize];
                holder.len += 1;
                if holder.len > limit {
                    return Err(self.element_limit());
                }
            }
        }
        Ok(Some(None))
    }

    /// Closes the innermost aggregate and whatever it was the last element of.
    fn close(&mut self) -> Result<Option<Option<Node>>> {
        while let Some(top) = self.open.pop() {
            let end = self.tape.len() as u32;
            let node = &mut self.tape[top.node as usize];
            node.end = end;
            if top.left.is_none() && top.kind == Kind::Map && node.len % 2 == 1 {
                return Err(ProtocolError::OddMap);
            }
            let node = *node;
            self.remarked = top.kind == Kind::Attribute;
            if self.remarked {
                return Ok(Some(None));
            }
            match self.open.last() {
                None => return Ok(Some(Some(node))),
                Some(Open { left: Some(1), .. }) => {}
                Some(_) => return self.count_element(),
            }
        }
        Ok(Some(None))
    }

    /// Reads the length after the type byte, and where its line ends. `None`: not there in full.
    #[inline]
    fn length(&mut self, buf: &[u8]) -> Result<Option<(Length, usize)>> {
        const DIGITS_MAX: usize = 10;
        let start = self.pos + 1;
        let line = &buf[start..];
        let mut value: u64 = 0;
        let mut digits = 0;
        while let Some(&byte) = line.get(digits) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if digits == DIGITS_MAX {
                return Ok(Some((Length::Huge, start)));
            }
            value = value * 10 + u64::from(digit);
            digits += 1;
        }
        if digits > 1 && line[0] == b'0' {
            return Err(ProtocolError::BadLength);
        }
        match (line.get(digits), line.get(digits + 1)) {
            (Some(b'\r'), Some(b'\n')) if digits > 0 => {
                let length = u32::try_from(value).map_or(Length::Huge, Length::Of);
                Ok(Some((length, start + digits + 2)))
            }
            (Some(b'\r'), Some(_)) if digits > 0 => Err(ProtocolError::MissingCrLf("a length")),
            (None, _) | (Some(b'\r'), None) if digits > 0 || line.is_empty() => {
                self.need = buf.len() + 1;
                Ok(None)
            }
            _ if digits > 0 => Err(ProtocolError::BadLength),
            _ => self.special_length(start, line),
        }
    }

    /// The lengths that are no numbers.
    fn special_length(&mut self, start: usize, line: &[u8]) -> Result<Option<(Length, usize)>> {
        for (text, length) in [(&b"-1\r\n"[..], Length::Null), (b"?\r\n", Length::Streamed)] {
            let seen = line.len().min(text.len());
            if line[..seen] != text[..seen] {
                continue;
            }
            if seen == text.len() {
                return Ok(Some((length, start + seen)));
            }
            self.need = start + seen + 1;
            return Ok(None);
        }
        Err(ProtocolError::BadLength)
    }

    /// Checks that `len` bytes and CR LF follow `start`; returns where they end.
    #[inline]
    fn payload(&mut self, len: u32, start: usize, buf: &[u8]) -> Result<Option<usize>> {
        let end = start + len as usize;
        match buf.get(end..end + 2) {
            Some(b"\r\n") => Ok(Some(end + 2)),
            Some(_) => Err(ProtocolError::MissingCrLf("a string")),
            None if buf.get(end).is_some_and(|&byte| byte != b'\r') => {
                Err(ProtocolError::MissingCrLf("a string"))
            }
            None => {
                self.need = end + 2;
                Ok(None)
            }
        }
    }

    /// Finds the CR LF of the line that starts at `start`; returns where the CR is.
    fn line_end(&mut self, start: usize, buf: &[u8]) -> Result<Option<usize>> {
        let from = self.searched.max(start);
        let limit = self.limits.line as usize;
        let found = memchr(b'\r', &buf[from..]).map(|offset| from + offset);
        let seen = found.unwrap_or(buf.len());
        if seen - start > limit {
            return Err(ProtocolError::Limit { what: "bytes in a line", limit: limit as u64 });
        }
        self.searched = seen;
        match found.map(|cr| buf.get(cr + 1)) {
            Some(Some(b'\n')) => Ok(found),
            Some(Some(_)) => Err(ProtocolError::MissingCrLf("a line")),
            Some(None) | None => {
                self.need = buf.len() + 1;
                Ok(None)
            }
        }
    }

    fn advance(&mut self, end: usize) -> Result<()> {
        self.pos = end;
        self.searched = end;
        self.need = 0;
        if end > self.limits.reply as usize { Err(self.reply_limit()) } else { Ok(()) }
    }

    /// Refuses a reply of which it is known already that it passes the limit.
    fn wait(&self) -> Result<Option<Scanned>> {
        if self.need > self.limits.reply as usize { Err(self.reply_limit()) } else { Ok(None) }
    }

    fn bulk_limit(&self) -> ProtocolError {
        ProtocolError::Limit { what: "bytes in a string", limit: self.limits.bulk.into() }
    }

    fn element_limit(&self) -> ProtocolError {
        ProtocolError::Limit { what: "elements", limit: self.limits.elements.into() }
    }

    fn reply_limit(&self) -> ProtocolError {
        ProtocolError::Limit { what: "bytes", limit: self.limits.reply.into() }
    }
}
