//! What most replies are.

use core::ops::Range;

use super::{Scanner, offset};
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
    /// How many bytes it has on the wire.
    pub(crate) len: usize,
    pub(crate) count: u32,
    /// Where the payload of each string is.
    pub(crate) at: [Range<usize>; 4],
}

impl Scanner {
    /// The reply that starts at `buf[0]`, if it is a short string, status or integer, or nil, and alone.
    #[inline(always)]
    pub(in crate::resp) fn lone(&mut self, buf: &[u8]) -> Lone {
        if self.pos > 0 {
            return Lone::Other;
        }
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
    /// a few short ones and is whole.
    #[inline]
    pub(in crate::resp) fn few_strings(&mut self, kind: u8, buf: &[u8]) -> Option<Strings> {
        let [first, rest @ ..] = buf else { return None };
        if self.pos > 0 || *first != kind || self.limits.depth == 0 {
            return None;
        }
        let (count, mut rest) = read_short(rest)?;
        let mut strings = Strings { count, ..Strings::default() };
        for place in strings.at.get_mut(..count.min(self.limits.elements) as usize)? {
            let Found::Whole(text, after) = short_string(self.limits.bulk, buf, rest) else { return None };
            *place = text.range();
            rest = after;
        }
        strings.len = offset(buf, rest);
        if count > self.limits.elements || strings.len > self.limits.reply as usize {
            return None;
        }
        self.need = 0;
        Some(strings)
    }
}
