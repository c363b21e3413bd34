//! What most replies of more than one element consist of.

use super::Scanner;
use crate::resp::frame::{Kind, Node};
use crate::resp::length::read_short;
use crate::resp::short::{Found, Text, is_header_cut};

/// Why no more was passed.
pub(super) enum Stop {
    /// The reply ended, of which this is the root.
    Whole(Node),
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
        if self.tape.has_streams() {
            return Stop::Other;
        }
        let mut rest = from;
        if let Some(text) = self.begun.take() {
            match text.found(buf) {
                Found::Whole(text, after) if self.tape.count() > 0 => {
                    rest = after;
                    if let Some(root) = self.take_usual(text.node()) {
                        self.advance(buf, rest);
                        return Stop::Whole(root);
                    }
                }
                _ => return Stop::Other,
            }
        }
        while let [kind, line @ ..] = rest
            && let Some((number, after)) = read_short(line)
        {
            match kind {
                b'$' if self.tape.count() > 0 && number <= self.limits.bulk => {
                    match Text::new(buf, after, number).found_in(after) {
                        Found::Whole(text, after) => {
                            rest = after;
                            if let Some(root) = self.take_usual(text.node()) {
                                self.advance(buf, rest);
                                return Stop::Whole(root);
                            }
                        }
                        Found::Begun(text) => {
                            self.advance(buf, rest);
                            self.await_end(text);
                            return Stop::Short;
                        }
                        Found::Other => break,
                    }
                }
                b'*' if number > 0 && self.may_open(number) => {
                    self.tape.open(Kind::Array, number);
                    rest = after;
                }
                _ => break,
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

    /// Takes a string in an aggregate, and closes what is thereby complete. Returns the root if that is the reply.
    #[inline(always)]
    fn take_usual(&mut self, string: Node) -> Option<Node> {
        self.tape.push(string);
        while self.tape.count_down() {
            let closed = self.tape.close()?;
            if closed.kind == Kind::Attribute {
                // The element that it remarks on is still to come.
                break;
            }
            let root = *closed;
            if self.tape.depth() == 0 {
                return Some(root);
            }
        }
        None
    }

    /// Whether an aggregate of so many elements passes no limit.
    #[inline]
    fn may_open(&self, count: u32) -> bool {
        count <= self.limits.elements && self.limits.check_depth(self.tape.depth()).is_ok()
    }
}
