//! What most replies are.

use core::ops::Range;

use super::{CRLF, Scanner, offset};
use crate::resp::frame::Node;
use crate::resp::length::read_short;
use crate::resp::short::{Found, Text, is_header_cut, is_line_cut, short_line, short_string};

/// What was found of a reply that may be a string, status, integer or nil alone.
pub(in crate::resp) enum Lone {
    /// It has so many bytes, and this is its root.
    Whole(usize, Node),
    /// It is not there in full.
    Part,
    /// It is something else, or long, or breaks a rule.
    Other,
}

/// A push or an array of up to four short strings, as it lies at the front of a buffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strings {
    pub(crate) count: u32,
    /// Where the payload of each string is.
    pub(crate) at: [Range<usize>; 4],
    pub(crate) run: Alike,
}

/// Pushes or arrays of short strings, one behind the other, that differ in their last strings alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alike {
    pub(crate) count: usize,
    /// How many bytes they have on the wire,
    pub(crate) len: usize,
    /// of which so many come in each before the last string and its length,
    pub(crate) head: usize,
    /// and so many are the payloads of the last strings,
    pub(crate) payload: usize,
    /// which all are of one length.
    pub(crate) is_even: bool,
}

/// As many bytes are looked for together, or one reply that has more.
const ALIKE_MAX: usize = 4 << 10;

impl Alike {
    /// Where the payload is of the last string of the first of them, which `wire` begins with.
    #[inline]
    pub(crate) fn first(head: usize, wire: &[u8]) -> Option<Range<usize>> {
        let [b'$', line @ ..] = wire.get(head..)? else { return None };
        let (len, payload) = read_short(line)?;
        let start = offset(wire, payload);
        Some(start..start.saturating_add(len as usize))
    }

    /// Adds what is like the first, and of its length. Returns what follows.
    #[inline]
    fn add_even<'a>(&mut self, buf: &[u8], mut rest: &'a [u8]) -> &'a [u8] {
        let (each, payload) = (self.len, self.payload);
        let Some(head) = buf.get(..each.wrapping_sub(CRLF).wrapping_sub(payload)) else { return rest };
        while self.len < ALIKE_MAX
            && let Some((next, after)) = rest.split_at_checked(each)
            && next.starts_with(head)
            && next.ends_with(b"\r\n")
        {
            self.count = self.count.wrapping_add(1);
            self.payload = self.payload.wrapping_add(payload);
            self.len = self.len.wrapping_add(each);
            rest = after;
        }
        rest
    }
}

impl Scanner {
    /// The reply that starts at `buf[0]`, if it is a short string, status or integer, or nil, and alone.
    #[inline(always)]
    pub(in crate::resp) fn lone(&mut self, buf: &[u8]) -> Lone {
        let string = match self.begun.take() {
            Some(text) => text.found(buf),
            None => short_string(self.limits.bulk, buf, buf),
        };
        let (len, root) = match string {
            Found::Whole(text, _) => (text.need(), text.node()),
            Found::Begun(text) => return self.lone_begun(text),
            Found::Other => match short_line(self.limits.line, buf) {
                Some((root, rest)) => (offset(buf, rest), root),
                None => return self.lone_cut(buf),
            },
        };
        if len > self.limits.reply as usize {
            return Lone::Other;
        }
        self.need = 0;
        self.searched = 0;
        Lone::Whole(len, root)
    }

    /// [`lone`](Self::lone) for a string whose end is not there.
    fn lone_begun(&mut self, text: Text) -> Lone {
        if text.need() > self.limits.reply as usize {
            return Lone::Other;
        }
        self.await_end(text);
        Lone::Part
    }

    /// [`lone`](Self::lone) for what is cut elsewhere.
    fn lone_cut(&mut self, buf: &[u8]) -> Lone {
        let is_cut = is_header_cut(buf) || is_line_cut(self.limits.line, buf);
        if !is_cut || buf.len() >= self.limits.reply as usize {
            return Lone::Other;
        }
        self.short(buf);
        Lone::Part
    }

    /// The strings of the push or array, whichever `kind` begins, that starts at `buf[0]`, if it has nothing but
    /// a few short ones and is whole; and how many follow that are like it.
    #[inline]
    pub(in crate::resp) fn few_strings(&mut self, kind: u8, buf: &[u8]) -> Option<Strings> {
        let [first, rest @ ..] = buf else { return None };
        if !self.is_at_start() || *first != kind || self.limits.depth == 0 {
            return None;
        }
        let (count, mut rest) = read_short(rest)?;
        let mut strings = Strings { count, ..Strings::default() };
        for place in strings.at.get_mut(..count.min(self.limits.elements) as usize)? {
            strings.run.head = offset(buf, rest);
            let Found::Whole(text, after) = short_string(self.limits.bulk, buf, rest) else { return None };
            *place = text.range();
            strings.run.payload = text.range().len();
            rest = after;
        }
        let len = offset(buf, rest);
        if count > self.limits.elements || len > self.limits.reply as usize {
            return None;
        }
        self.need = 0;
        strings.run = Alike { count: 1, len, is_even: true, ..strings.run };
        if count > 0 {
            self.add_alike(&mut strings.run, buf, rest);
        }
        Some(strings)
    }

    /// Adds to a run what is like its first in `rest`, the part of `buf` behind it.
    ///
    /// No sum here passes that of the bytes in `buf`.
    #[inline]
    fn add_alike(&self, run: &mut Alike, buf: &[u8], rest: &[u8]) {
        let Some(head) = buf.get(..run.head).filter(|head| rest.starts_with(head)) else { return };
        let mut rest = run.add_even(buf, rest);
        let (bulk, reply) = (self.limits.bulk, self.limits.reply as usize);
        while run.len < ALIKE_MAX
            && let Some(last) = rest.strip_prefix(head)
            && let Found::Whole(text, after) = short_string(bulk, last, last)
            && offset(rest, after) <= reply
        {
            run.count = run.count.wrapping_add(1);
            run.payload = run.payload.wrapping_add(text.range().len());
            run.is_even = false;
            rest = after;
            run.len = offset(buf, rest);
        }
    }
}
