//! What most replies of more than one element consist of.

use super::{Elements, Open, Scanner, Step};
use crate::resp::frame::Kind;
use crate::resp::length::read_short;
use crate::resp::short::{short_string, short_string_cut};

impl Scanner {
    /// Goes on as long as there is what most replies consist of: strings and arrays that are short and break no
    /// rule, in aggregates of a known length. `None`: what comes next is for [`element`](Self::element).
    pub(super) fn usual(&mut self, buf: &[u8]) -> Option<Step> {
        if self.streams > 0 {
            return None;
        }
        let from = buf.get(self.pos..)?;
        let (step, rest) = self.pass_usual(buf, from);
        if rest.len() < from.len() {
            // It forgets an attribute that was just passed, which matters in streams only.
            self.advance(buf, rest);
        }
        step.or_else(|| {
            self.need = short_string_cut(self.limits.bulk, buf, rest)?;
            Some(Step::Short)
        })
    }

    /// Passes what is [`usual`](Self::usual) from `rest` on; returns the last step, if it ends the reply, and what
    /// follows.
    fn pass_usual<'b>(&mut self, buf: &[u8], mut rest: &'b [u8]) -> (Option<Step>, &'b [u8]) {
        let limit = self.limits.bulk;
        loop {
            if let Some(Open { elements: Elements::Left(left), .. }) = self.open.last_mut() {
                while *left > 1
                    && let Some((node, after)) = short_string(limit, buf, rest)
                {
                    self.tape.push(node);
                    *left = left.saturating_sub(1);
                    rest = after;
                }
                if *left == 1
                    && let Some((node, after)) = short_string(limit, buf, rest)
                {
                    self.tape.push(node);
                    rest = after;
                    match self.count(node) {
                        Ok(Step::Read) => continue,
                        // It is no error: only what is streamed is counted up, towards a limit.
                        step => return (step.ok(), rest),
                    }
                }
            }
            let [b'*', line @ ..] = rest else { return (None, rest) };
            match read_short(line) {
                Some((count, after)) if count > 0 && self.may_hold(count) => {
                    self.push_open(Kind::Array, Elements::Left(count));
                    rest = after;
                }
                _ => return (None, rest),
            }
        }
    }

    /// Whether an aggregate of so many elements may be opened.
    #[inline]
    fn may_hold(&self, count: u32) -> bool {
        count <= self.limits.elements && self.limits.check_depth(self.open.len()).is_ok()
    }
}
