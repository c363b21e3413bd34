//! What most replies of more than one element consist of.

use super::{CRLF, Scanner};
use crate::resp::frame::{Kind, Node};
use crate::resp::length::short_length;
use crate::resp::short::{Last, Text, last_header};

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
    ///
    /// It leaves alone what matters to lines and in streams only. No sum overflows: what is added to a place in `buf` is
    /// at most a thousand.
    #[inline(always)]
    pub(super) fn usual(&mut self, buf: &[u8]) -> Stop {
        if self.tape.has_streams() {
            return Stop::Other;
        }
        let mut at = self.pos;
        if let Some(text) = self.begun.take() {
            if self.tape.count() == 0 || !text.ends_in(buf) {
                return Stop::Other;
            }
            at = text.need();
            if let Some(root) = self.take_usual(text.node()) {
                return self.whole(root, at);
            }
        }
        let stop = loop {
            let Some(rest) = buf.get(at..) else { break Stop::Other };
            let (kind, length) = match rest.first_chunk::<6>() {
                Some([kind, line @ ..]) => (*kind, short_length(line)),
                None => match last_header(buf, rest) {
                    Last::Whole(kind, length) => (kind, length),
                    Last::Cut => {
                        self.short(buf);
                        break Stop::Short;
                    }
                    Last::Other => break Stop::Other,
                },
            };
            let Some((number, width)) = length else { break Stop::Other };
            let after = at.wrapping_add(1).wrapping_add(width);
            match kind {
                b'$' if self.tape.count() > 0 && number <= self.limits.bulk => {
                    let text = Text::at(after, number);
                    let end = after.wrapping_add(number as usize);
                    match buf.get(end..).and_then(<[u8]>::first_chunk) {
                        Some(b"\r\n") => at = end.wrapping_add(CRLF),
                        Some(_) => break Stop::Other,
                        None => {
                            self.await_end(text);
                            break Stop::Short;
                        }
                    }
                    if let Some(root) = self.take_usual(text.node()) {
                        return self.whole(root, at);
                    }
                }
                b'*' if number > 0 && self.may_open(number) => {
                    self.tape.open(Kind::Array, number);
                    at = after;
                }
                _ => break Stop::Other,
            }
        };
        self.pos = at;
        stop
    }

    /// The reply ends at this place.
    #[inline]
    fn whole(&mut self, root: Node, end: usize) -> Stop {
        self.pos = end;
        self.need = 0;
        Stop::Whole(root)
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
