//! What most replies of more than one element consist of.

use super::{Elements, Open, Scanner};
use crate::resp::frame::Kind;
use crate::resp::length::read_short;
use crate::resp::short::{Found, is_header_cut, short_string};

/// Why no more was passed.
pub(super) enum Stop {
    /// The reply ended, the root of which is here on the tape.
    Whole(usize),
    /// More bytes are needed.
    Short,
    /// What comes next is for [`element`](Scanner::element).
    Other,
}

impl Scanner {
    /// Goes on as long as there is what most replies consist of: strings and arrays that are short and break no
    /// rule, in aggregates of a known length.
    #[inline]
    pub(super) fn usual(&mut self, buf: &[u8]) -> Stop {
        let Some(from) = buf.get(self.pos..) else { return Stop::Other };
        if self.streams > 0 {
            return Stop::Other;
        }
        let (mut rest, mut left) = (from, self.left());
        let mut begun = self.begun.take();
        loop {
            let found = match begun.take() {
                Some(text) => text.found(buf),
                None => short_string(self.limits.bulk, buf, rest),
            };
            match found {
                Found::Whole(text, after) if left > 0 => {
                    self.tape.push(text.node());
                    rest = after;
                    left = left.saturating_sub(1);
                    if left == 0 {
                        match self.close_full() {
                            Ok(outer) => left = outer,
                            Err(root) => {
                                self.advance(buf, rest);
                                return Stop::Whole(root);
                            }
                        }
                    }
                }
                Found::Begun(text) if left > 0 => {
                    self.set_left(left);
                    self.advance(buf, rest);
                    self.await_end(text);
                    return Stop::Short;
                }
                _ => {
                    self.set_left(left);
                    let Some((count, after)) = self.short_array(rest) else { break };
                    self.push_open(Kind::Array, Elements::Left(count));
                    left = count;
                    rest = after;
                }
            }
        }
        if rest.len() < from.len() {
            // It forgets an attribute that was just passed, which matters in streams only.
            self.advance(buf, rest);
        }
        if is_header_cut(rest) {
            self.short(buf);
            return Stop::Short;
        }
        Stop::Other
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
    /// many are to come in what is then the innermost; where the root is, if the reply is whole.
    #[inline]
    fn close_full(&mut self) -> Result<u32, usize> {
        while let Some(top) = self.open.pop() {
            self.end(top);
            match self.open.last_mut() {
                // The element that it remarks on is still to come.
                _ if top.kind == Kind::Attribute => return Ok(self.left()),
                None => return Err(top.node),
                Some(outer) => {
                    let Elements::Left(left) = &mut outer.elements else { return Ok(0) };
                    *left = left.saturating_sub(1);
                    if *left > 0 {
                        return Ok(*left);
                    }
                }
            }
        }
        Ok(0)
    }
}
