//! What most replies are.

use core::ops::Range;

use super::{Scanner, offset};
use crate::resp::frame::Node;
use crate::resp::length::read_short;
use crate::resp::short::{short_line, short_line_cut, short_string, short_string_cut};

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
    #[inline]
    pub(in crate::resp) fn lone(&mut self, buf: &[u8]) -> Lone {
        if self.pos > 0 {
            return Lone::Other;
        }
        let found = match short_string(self.limits.bulk, buf, buf) {
            None => short_line(self.limits.line, buf),
            found => found,
        };
        match found.map(|(root, rest)| (offset(buf, rest), root)) {
            Some((len, root)) if len <= self.limits.reply as usize => {
                self.need = 0;
                self.searched = 0;
                Lone::Whole(len, root)
            }
            Some(_) => Lone::Other,
            None => self.lone_cut(buf),
        }
    }

    /// [`lone`](Self::lone) for what is not there in full.
    fn lone_cut(&mut self, buf: &[u8]) -> Lone {
        let need = short_string_cut(self.limits.bulk, buf, buf);
        match need.or_else(|| short_line_cut(self.limits.line, buf)) {
            Some(need) if need <= self.limits.reply as usize => {
                self.need = need;
                Lone::Part
            }
            _ => Lone::Other,
        }
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
            let (node, after) = short_string(self.limits.bulk, buf, rest)?;
            let start = node.start as usize;
            *place = start..start.saturating_add(node.len as usize);
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
