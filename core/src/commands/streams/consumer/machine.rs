//! A consumer as a machine: questions out, answers in.
//!
//! ```text
//! Own -------------> Claim <--------> Read
//!  ^  nothing left     one page each    |
//!  +------------------------------------+
//!            a delivery was lost
//! ```

use alloc::vec::{self, Vec};

use super::super::{Autoclaimed, StreamEntry, StreamGroupCommands, StreamId, XreadgroupOptions};
use super::ConsumerOptions;
use super::reply::{Answer, ConsumerReply};
use crate::command::{Arg, Command, FromReply, Prepare};
use crate::commands::scan_iter::{bytes_of, may_pass, wrong};
use crate::error::{Delivery, Error, ServerCode};

pub(super) struct Machine<T> {
    key: Vec<u8>,
    group: Vec<u8>,
    name: Vec<u8>,
    options: ConsumerOptions,
    step: Step,
    /// The group is missing, and is made before the step.
    creating: bool,
    /// So often in a row it was made, and missing nevertheless.
    created: usize,
    /// Entries that are not there any more, and are acknowledged before the step.
    gone: Vec<StreamId>,
    /// The last entry that came. New ones come after it, whoever had it before.
    last: StreamId,
    /// From where stale entries are looked for; the beginning when all were looked at.
    claim_from: StreamId,
    /// Nothing came since stale entries are looked for from the beginning.
    quiet: bool,
    /// What was not taken of the page at hand.
    page: vec::IntoIter<StreamEntry<T>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// What the consumer has pending itself, after this entry.
    Own(StreamId),
    /// What is stale.
    Claim,
    /// What is new.
    Read,
    Ended,
}

impl<T: FromReply> Machine<T> {
    pub(super) fn new(key: impl Arg, group: impl Arg, name: impl Arg, options: ConsumerOptions) -> Self {
        Self {
            key: bytes_of(key),
            group: bytes_of(group),
            name: bytes_of(name),
            options,
            step: Step::Own(StreamId::MIN),
            creating: false,
            created: 0,
            gone: Vec::new(),
            last: StreamId::MIN,
            claim_from: StreamId::MIN,
            quiet: false,
            page: Vec::new().into_iter(),
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn group(&self) -> &[u8] {
        &self.group
    }

    pub(super) const fn last(&self) -> StreamId {
        self.last
    }

    pub(super) fn at_hand(&self) -> usize {
        self.page.len()
    }

    /// The next entry of the page at hand.
    pub(super) fn next(&mut self) -> Option<StreamEntry<T>> {
        self.page.next()
    }

    /// What is asked next, when the page at hand is used up.
    pub(super) fn request(&self) -> Option<Command<ConsumerReply<T>>> {
        let (p, key, group, count) = (Prepare, &self.key, &self.group, self.options.count);
        if !self.gone.is_empty() {
            return Some(p.xack(key, group, &self.gone).reply_as());
        }
        if let Some(start) = self.options.create.filter(|_| self.creating) {
            return Some(p.xgroup_create_mkstream(key, group, start, None).reply_as());
        }
        Some(match self.step {
            Step::Own(after) => {
                p.xreadgroup_pending::<(), T>(group, &self.name, [(key, after)], Some(count)).reply_as()
            }
            Step::Claim => {
                let idle = self.options.claim_after.unwrap_or_default();
                p.xautoclaim::<T>(key, group, &self.name, idle, self.claim_from, count).reply_as()
            }
            Step::Read => {
                let options = XreadgroupOptions::new().count(count);
                let options = if self.options.drain { options } else { options.block(self.options.block) };
                p.xreadgroup::<(), T>(group, &self.name, key, options).reply_as()
            }
            Step::Ended => return None,
        })
    }

    /// Takes the answer. An error is the caller's, who may ask for more if it can pass.
    pub(super) fn handle(&mut self, reply: Result<ConsumerReply<T>, Error>) -> Result<(), Error> {
        match (self.step, reply.map(|reply| reply.0)) {
            (_, Err(error)) => return self.handle_error(error),
            (_, Ok(Answer::Done)) if !self.gone.is_empty() => self.gone.clear(),
            (_, Ok(Answer::Done)) if self.creating => self.handle_created(),
            (Step::Own(_) | Step::Read, Ok(Answer::Delivered(entries))) if !self.is_aside() => {
                self.handle_delivered(entries);
            }
            (Step::Claim, Ok(Answer::Claimed(page))) if !self.is_aside() => self.handle_claimed(page),
            _ => return self.handle_error(wrong("what a consumer has asked for")),
        }
        Ok(())
    }

    fn handle_delivered(&mut self, entries: Vec<StreamEntry<Option<T>>>) {
        let last = entries.last().map(|entry| entry.id);
        self.step = match (self.step, last) {
            (Step::Own(after), Some(last)) if last > after => Step::Own(last),
            (Step::Own(_) | Step::Read, _) if self.options.claim_after.is_some() => Step::Claim,
            (Step::Read, None) if self.options.drain => Step::Ended,
            _ => Step::Read,
        };
        self.take(entries);
    }

    fn handle_claimed(&mut self, page: Autoclaimed<StreamEntry<Option<T>>>) {
        let is_round = page.next == StreamId::MIN;
        let is_empty = page.claimed.is_empty();
        self.step =
            if self.options.drain && is_round && is_empty && self.quiet { Step::Ended } else { Step::Read };
        self.claim_from = page.next;
        self.take(page.claimed);
        self.quiet |= is_round;
    }

    fn take(&mut self, entries: Vec<StreamEntry<Option<T>>>) {
        self.created = 0;
        self.quiet &= entries.is_empty();
        let mut page = Vec::with_capacity(entries.len());
        for StreamEntry { id, fields } in entries {
            self.last = self.last.max(id);
            match fields {
                Some(fields) => page.push(StreamEntry { id, fields }),
                None => self.gone.push(id),
            }
        }
        self.page = page.into_iter();
    }

    /// There is a group, and as far as this consumer knows it has delivered nothing yet.
    fn handle_created(&mut self) {
        self.creating = false;
        self.created += 1;
        (self.last, self.claim_from) = (StreamId::MIN, StreamId::MIN);
        if let Step::Own(after) = &mut self.step {
            *after = StreamId::MIN;
        }
    }

    fn handle_error(&mut self, error: Error) -> Result<(), Error> {
        match error.code() {
            Some(ServerCode::NoGroup) if self.options.create.is_some() && self.created < CREATED_MAX => {
                self.creating = true;
                return Ok(());
            }
            Some(ServerCode::BusyGroup) if self.creating => {
                self.handle_created();
                return Ok(());
            }
            _ => {}
        }
        if !may_pass(&error) {
            self.step = Step::Ended;
            self.creating = false;
            self.gone.clear();
        } else if self.step == Step::Read && !self.is_aside() && error.delivery() == Delivery::MaybeExecuted {
            // Perhaps entries were delivered that have not arrived.
            self.step = Step::Own(self.last);
        }
        Err(error)
    }

    /// Whether something else is asked before the step.
    const fn is_aside(&self) -> bool {
        self.creating || !self.gone.is_empty()
    }
}

/// So often in a row a group is made that is missing again at once, before the caller is told.
const CREATED_MAX: usize = 16;
