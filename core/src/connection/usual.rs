//! The way of nearly every reply: it is small and no error, and its request has no history.

use bytes::{Buf, BytesMut};

use super::{Connection, RequestId};
use crate::resp::{Frame, Run, Small};
use crate::time::Instant;

/// Replies as most are, to callers.
#[derive(Debug)]
pub(crate) enum Usual<'a> {
    /// The reply to this command of a call.
    Small(RequestId, u32, Small),
    /// The bytes of all small replies since the last of this, one behind the other.
    Bytes(&'a [u8]),
    /// The replies to so many commands of a call, one behind the other.
    Run { id: RequestId, first: u32, count: u32, run: Frame },
}

impl Connection {
    /// Takes replies off `read` and hands them to `deliver`, as long as they and their requests are as most are:
    /// small, no error, and asked for by a caller who was not turned away before.
    pub(crate) fn take_usual(
        &mut self,
        now: Instant,
        read: &mut BytesMut,
        mut deliver: impl FnMut(Usual<'_>),
    ) {
        if !self.is_ready() {
            return;
        }
        let had = read.len();
        let mut written = self.out.in_flight() - self.answered;
        loop {
            self.take_singles(read, &mut written, &mut deliver);
            let Some(run) = self.take_run(read, &mut written) else { break };
            deliver(run);
        }
        if read.len() < had {
            self.heard_at = now;
            self.measure(now);
            self.tell_purpose(now);
        }
    }

    /// Takes replies to commands each of which is a call of its own.
    fn take_singles(
        &mut self,
        read: &mut BytesMut,
        written: &mut usize,
        deliver: &mut impl FnMut(Usual<'_>),
    ) {
        let (mut taken, mut passed, before) = (0, 0, *written);
        let mut entries = self.in_flight.iter();
        let mut next = entries.next();
        while let Some(entry) = next
            && entry.is_usual()
            && let Some(left) = written.checked_sub(entry.wire_len as usize)
        {
            next = entries.next();
            if next.is_some_and(|next| next.follows(entry)) {
                break;
            }
            let Some(small) = self.decoder.peek_usual(&read[taken..]) else { break };
            taken += small.len();
            passed += 1;
            *written = left;
            deliver(Usual::Small(entry.id, entry.part, small));
        }
        if passed > 0 {
            deliver(Usual::Bytes(&read[..taken]));
            read.advance(taken);
            self.pass(passed, before - *written);
        }
    }

    /// Takes the replies to commands of one call, one behind the other.
    fn take_run(&mut self, read: &mut BytesMut, written: &mut usize) -> Option<Usual<'static>> {
        let mut entries = self.in_flight.iter().peekable();
        let mut last = entries.next()?;
        let (id, first) = (last.id, last.part);
        if !entries.peek().is_some_and(|next| next.follows(last)) {
            return None;
        }
        let (mut run, mut passed, before) = (Run::default(), 0, *written);
        let due = self.in_flight.len();
        while last.is_usual()
            && let Some(left) = written.checked_sub(last.wire_len as usize)
            && self.decoder.add_usual(read, &mut run, due)
        {
            passed += 1;
            *written = left;
            match entries.next() {
                Some(next) if next.follows(last) => last = next,
                _ => break,
            }
        }
        self.pass(passed, before - *written);
        Some(Usual::Run { id, first, count: passed as u32, run: Frame::take_run(read, run)? })
    }

    /// The first requests, of so many bytes together, are answered.
    #[inline]
    fn pass(&mut self, count: usize, len: usize) {
        self.in_flight.forget(count);
        self.answered += len;
    }
}
