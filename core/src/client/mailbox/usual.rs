//! The way of nearly every call: one short command with nothing special about it, for which there is room.

use core::task::{Poll, Waker};

use super::super::Options;
use super::super::slots::{Outcome, Room};
use super::{Mailbox, leave};
use crate::command::{Packed, Target};
use crate::connection::RequestId;
use crate::engine::Request;

impl Mailbox {
    /// Sends a command, if it goes the usual way; `None`: [`submit`](Mailbox::submit) says what becomes of it.
    #[inline]
    pub(in super::super) fn submit_usual(
        &self,
        command: &Packed,
        options: &Options,
        waker: &Waker,
    ) -> Option<RequestId> {
        let wire = command.usual_wire()?;
        if options.session.is_some() {
            return None;
        }
        let target = if self.routes { command.target().ok()? } else { Target::default() };
        let flags = command.flags();
        let target = self.aim(*options).at(target, flags);
        let room = Room { commands: 1, bytes: wire.len() };
        let mut state = self.lock();
        if state.is_closing() || !state.line.is_empty() || !state.fits(room, &self.config) {
            return None;
        }
        state.pending.add(room);
        let id = state.slots.begin(None, waker);
        state.inbox.put_usual(
            wire,
            Request {
                id,
                part: 0,
                wire_len: wire.len() as u32,
                replies: 1,
                target,
                flags,
                name_words: command.name_words(),
                patience: options.patience,
            },
        );
        leave(state);
        Some(id)
    }

    /// Looks whether a single request that was sent has ended.
    #[inline]
    pub(in super::super) fn take(
        &self,
        id: RequestId,
        waker: &Waker,
        into: &mut Option<Outcome>,
    ) -> Poll<()> {
        self.lock().slots.take(id, waker, into)
    }
}
