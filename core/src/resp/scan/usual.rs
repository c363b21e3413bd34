//! What most replies of more than one element consist of.

use super::{Elements, Open, Scanner, Step};
use crate::resp::frame::{Kind, Node};
use crate::resp::length::read_short;
use crate::resp::short::{Found, Text, is_string_cut, short_string};

/// Why no more was passed.
enum Stop {
    /// The reply ended, of which this is the root.
    Whole(Node),
    /// The end of this string is not there.
    Begun(Text),
    /// What comes next is something else, or cut.
    Other,
}

impl Scanner {
    /// Goes on as long as there is what most replies consist of: strings and arrays that are short and break no
    /// rule, in aggregates of a known length. `None`: what comes next is for [`element`](Self::element).
    pub(super) fn usual(&mut self, buf: &[u8]) -> Option<Step> {
        let from = buf.get(self.pos..)?;
        if self.streams > 0 || (self.open.is_empty() && !from.starts_with(b"*")) {
            return None;
        }
        let (stop, rest) = self.pass_usual(buf, from);
        if rest.len() < from.len() {
            // It forgets an attribute that was just passed, which matters in streams only.
            self.advance(buf, rest);
        }
        match stop {
            Stop::Whole(root) => Some(Step::Whole(root)),
            Stop::Begun(text) => {
                self.await_end(text);
                Some(Step::Short)
            }
            Stop::Other => is_string_cut(rest).then(|| self.short(buf)),
        }
    }

    /// Passes what is [`usual`](Self::usual) from `rest` on; returns what follows.
    fn pass_usual<'b>(&mut self, buf: &'b [u8], mut rest: &'b [u8]) -> (Stop, &'b [u8]) {
        let limit = self.limits.bulk;
        let mut left = self.left();
        let mut begun = self.begun.take();
        loop {
            let found = match begun.take() {
                Some(text) => text.found(buf),
                None => short_string(limit, buf, rest),
            };
            match found {
                Found::Whole(text, after) if left > 0 => {
                    self.tape.push(text.node());
                    rest = after;
                    left = left.saturating_sub(1);
                    if left == 0 {
                        match self.close_full() {
                            Ok(outer) => left = outer,
                            Err(root) => return (Stop::Whole(root), rest),
                        }
                    }
                }
                Found::Begun(text) if left > 0 => {
                    self.set_left(left);
                    return (Stop::Begun(text), rest);
                }
                _ => {
                    self.set_left(left);
                    match self.short_array(rest) {
                        None => return (Stop::Other, rest),
                        Some((count, after)) => {
                            self.push_open(Kind::Array, Elements::Left(count));
                            left = count;
                            rest = after;
                        }
                    }
                }
            }
        }
    }

    /// How many elements are to come in the innermost aggregate, none if no one is open.
    #[inline]
    fn left(&self) -> u32 {
        match self.open.last() {
            Some(Open { elements: Elements::Left(left), .. }) => *left,
            _ => 0,
        }
    }

    #[inline]
    fn set_left(&mut self, left: u32) {
        if let Some(top) = self.open.last_mut() {
            top.elements = Elements::Left(left);
        }
    }

    /// The count of the array that begins `rest`, if it is short and may be opened, and what follows.
    #[inline]
    fn short_array<'b>(&self, rest: &'b [u8]) -> Option<(u32, &'b [u8])> {
        let [b'*', line @ ..] = rest else { return None };
        let (count, after) = read_short(line)?;
        let is_legal = count <= self.limits.elements && self.limits.check_depth(self.open.len()).is_ok();
        (count > 0 && is_legal).then_some((count, after))
    }

    /// Closes the innermost aggregate, all elements of which were passed, and those that it completes. Returns how
    /// many are to come in what is then the innermost, or the root if the reply is whole.
    #[inline]
    fn close_full(&mut self) -> core::result::Result<u32, Node> {
        while let Some(top) = self.open.pop() {
            let element = self.end(top);
            let is_attribute = element.kind == Kind::Attribute;
            match self.open.last_mut() {
                None if is_attribute => return Ok(0),
                None => return Err(element),
                Some(Open { elements: Elements::Left(left), .. }) => {
                    *left = left.saturating_sub(u32::from(!is_attribute));
                    if *left > 0 {
                        return Ok(*left);
                    }
                }
                Some(_) => return Ok(0),
            }
        }
        Ok(0)
    }
}
