//! The end of a blocking command before its time, without losing what it may take.
//!
//! ```text
//! given up, or late --> CLIENT UNBLOCK on the shared connection --> "0": it had not come yet, or is answered
//!                                  |                                      `--> asked again, a little later
//!                                  v
//!       side connection: the server's error: nothing was taken       --> used again when both are in
//!                        or what the command has taken               --> put back, then the same
//!                        or nothing, for as long as a connect may take --> closed
//! ```
//!
//! The connection is not used before the answer to the last `CLIENT UNBLOCK` is in, which could end the wait of the
//! next request else. If it is not known whether the server still has that to do, the connection is closed.

use super::{ConnId, Engine, Entry, NodeId, Outgoing, Phase, RequestId};
use crate::command::{Command, Flags, FromReply, Packed, Target, Undo, slot};
use crate::error::{Delivery, Error};
use crate::resp::Frame;
use crate::time::Instant;

/// The place of a request to end a wait; its generation is the number of the connection.
pub(super) const UNBLOCK: u32 = RequestId::PARTS + 2;
/// The place of what is put back.
pub(super) const RETURN: u32 = RequestId::PARTS + 3;

/// A reply that took something away from the server: it has to come to whom it is for, or be
/// [given back](Engine::give_back).
#[derive(Debug)]
pub struct Taken {
    undo: Undo,
    frame: Frame,
}

impl Taken {
    /// The reply to a command that is undone so.
    ///
    /// # Errors
    /// The reply, if it took nothing away.
    pub(crate) fn new(undo: Option<Undo>, frame: Frame) -> Result<Self, Frame> {
        match undo {
            Some(undo @ Undo::Release) => Ok(Self { undo, frame }),
            Some(undo) if undo.command(frame.item()).is_some() => Ok(Self { undo, frame }),
            _ => Err(frame),
        }
    }

    /// The reply itself: it has come to whom it is for.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        self.frame
    }
}

impl Engine {
    /// Puts back what a command has taken for somebody who is gone.
    ///
    /// It is sent until the server has answered: elements go back to that end of their list which they came from.
    /// Rather than to lose them, they are put back twice if the connection is lost meanwhile.
    pub fn give_back(&mut self, now: Instant, taken: &Taken) {
        if taken.undo == Undo::Release {
            let numbers = <(u64, u64)>::from_reply(taken.frame.item());
            return numbers.map_or((), |(conn, _)| self.release(now, ConnId(conn)));
        }
        let Some(command) = taken.undo.command(taken.frame.item()) else { return };
        if self.phase == Phase::Closed {
            return;
        }
        self.returns.1 += 1;
        self.returns.0 = self.returns.0.wrapping_add(1);
        let id = RequestId { slot: RETURN, generation: self.returns.0 };
        let key = command.args().nth(1).unwrap_or_default();
        let target = Target::Slot(slot::of(&key));
        let (entry, mut bytes) = own(id, target, Instant::FAR, &command);
        self.submit(now, entry, &mut bytes);
    }

    /// What was put back is there again, or cannot be.
    pub(super) fn handle_returned(&mut self, now: Instant) {
        self.returns.1 = self.returns.1.saturating_sub(1);
        self.finish_drain(now);
    }

    /// Whether something is still to be put back.
    pub(super) const fn is_returning(&self) -> bool {
        self.returns.1 > 0
    }

    /// Nobody waits any more for what a connection waits for.
    pub(super) fn recall(&mut self, now: Instant, conn: ConnId) {
        if self.sides.recall(now, conn).is_some() {
            self.ask_to_unblock(now, conn);
        } else {
            self.close_aside(now, conn);
        }
    }

    /// Asks the server to end the wait on a connection.
    pub(super) fn ask_to_unblock(&mut self, now: Instant, conn: ConnId) {
        let Some(side) = self.sides.get(conn) else { return };
        let (node, client_id) = (side.node, side.client_id);
        let deadline = now + side.config.connect_timeout;
        let (entry, mut bytes) = unblock(conn, node, client_id, deadline);
        self.submit_to(now, node, entry, &mut bytes);
    }

    /// The server was asked to end a wait.
    pub(super) fn handle_unblocked(&mut self, now: Instant, entry: &Entry, result: &Result<Frame, Error>) {
        let conn = ConnId(entry.id.generation.into());
        let Some(recall) = self.sides.recalled(conn) else { return };
        recall.asking = false;
        recall.unclear |= matches!(result, Err(error) if error.delivery() == Delivery::MaybeExecuted);
        let (answered, unclear) = (recall.answered, recall.unclear);
        match result {
            _ if answered && unclear => self.close_aside(now, conn),
            _ if answered => self.serve_aside(now, conn),
            // It may not, or the server does not know how.
            Err(error) if error.delivery() == Delivery::Rejected => self.close_aside(now, conn),
            // In a session, another may wait behind the one that was ended.
            Ok(frame) if frame.item().text().as_deref() == Some(b"1") && !recall.unclear => {}
            Ok(_) | Err(_) => recall.handle_in_vain(now),
        }
        self.finish_drain(now);
    }
}

/// A request to end the wait on a connection.
pub(super) fn unblock(conn: ConnId, node: NodeId, client_id: u64, deadline: Instant) -> (Entry, Outgoing) {
    let command = Command::<()>::new("CLIENT UNBLOCK").arg(client_id).arg("ERROR");
    let id = RequestId { slot: UNBLOCK, generation: conn.0 as u32 };
    own(id, Target::Node(node.0 as u16), deadline, command.packed())
}

/// A request of the engine's own.
fn own(id: RequestId, target: Target, deadline: Instant, command: &Packed) -> (Entry, Outgoing) {
    let mut bytes = Outgoing::default();
    command.write_to(&mut bytes);
    let entry = Entry {
        id,
        part: 0,
        wire_len: bytes.held() as u32,
        deadline,
        target,
        flags: command.flags().without(Flags::BLOCKING),
        name_words: command.name_words(),
        attempts: 0,
    };
    (entry, bytes)
}
