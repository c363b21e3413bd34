//! One connection between client and server: two directions, each first in, first out.
//!
//! ```text
//! client --write--> [ written | arrived | handled ] --> Session
//! client <--read--- [ read | received | under way ] <-- replies
//! ```

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use bytes::BytesMut;

use super::leases::Use;
use super::ledger::Turn;
use super::request::{Reader, Request};
use super::server::Session;

/// How many bytes a socket takes, unless it is made small.
pub(super) const CAPACITY: u64 = 64 << 10;

/// How far the client is with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Opening,
    Open,
    /// It did not open.
    Failed(io::ErrorKind),
    /// The client has dropped it.
    Closed,
}

/// What kind of command a reply is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Handshake,
    /// A question of the client's own: `PING`, or one about the cluster.
    Own,
    /// `ASKING`, which goes with the command behind it.
    Asking,
    /// `MULTI`, or a command in a transaction: the client counts them with their `EXEC`.
    Part,
    /// A command of its own, or `EXEC`.
    Whole,
    /// A command in which the server may wait.
    Wait,
}

/// From the client to the server. All places are counted in bytes from the start.
#[derive(Debug)]
pub(super) struct Up {
    pub(super) written: u64,
    pub(super) arrived: u64,
    pub(super) handled: u64,
    /// When the last piece arrives: the next one arrives no earlier.
    pub(super) last: u64,
    /// How many bytes fit between the client and what the server has handled.
    pub(super) capacity: u64,
    /// Pieces that arrive are held back; up to where.
    pub(super) muted: Option<u64>,
    /// Nothing beyond this arrives any more.
    pub(super) torn_at: u64,
    pub(super) reader: Reader,
    /// Whole commands that were written and not handled, each with the place of its end.
    pub(super) commands: VecDeque<(u64, Request)>,
    /// What was unanswered when the command that is being written was begun: of the handshake, and at all.
    pub(super) unanswered_at_start: (usize, usize),
    /// The last command that was written whole is `ASKING`.
    pub(super) asking: bool,
    /// The numbers of the commands of the transaction that is being written.
    pub(super) transaction: Option<Vec<usize>>,
}

/// From the server to the client.
#[derive(Debug, Default)]
pub(super) struct Down {
    /// On the way, in order.
    pub(super) segments: VecDeque<Vec<u8>>,
    pub(super) last: u64,
    /// Received and not read yet.
    pub(super) received: BytesMut,
    pub(super) sent: u64,
    pub(super) read: u64,
    /// What is due, by the order of the commands, with the bytes of each command.
    pub(super) dues: VecDeque<(Due, usize)>,
    /// Where each reply ends that was sent and not yet read, and what it means to the way of commands.
    pub(super) ends: VecDeque<(u64, Vec<Turn>)>,
    /// From here on nothing is heeded: a redirect named a node that cannot be.
    pub(super) absurd_from: Option<u64>,
    /// Segments that arrive are held back; so many.
    pub(super) muted: Option<usize>,
    /// Up to here there is the answer of a replica on the way.
    pub(super) denied_until: Option<u64>,
    /// No reply is sent any more.
    pub(super) silent: bool,
    /// No read ends before this place.
    pub(super) whole_until: u64,
    /// The end of the stream is under way behind all segments.
    pub(super) fin: bool,
    /// The end of the stream has arrived.
    pub(super) ended: bool,
    /// The next reply that leaves nothing due is followed by one that nobody asked for.
    pub(super) extra: bool,
    /// So many bytes of it come at first, if not chance decides.
    pub(super) extra_seen: usize,
}

#[derive(Debug)]
pub(super) struct Conn {
    /// Which server it leads to.
    pub(super) server: usize,
    /// When the client began to connect.
    pub(super) made_at: u64,
    pub(super) stage: Stage,
    /// Nobody listens.
    pub(super) refused: bool,
    /// The network has broken it.
    pub(super) broken: bool,
    /// The server still reads from it.
    pub(super) served: bool,
    pub(super) up: Up,
    pub(super) down: Down,
    pub(super) session: Session,
    /// What the client has made of it, if it is a side connection.
    pub(super) used: Use,
    /// A command came on it that shares its connection with others.
    pub(super) was_shared: bool,
    /// What went wrong with it, so that the client may close it.
    pub(super) blemish: Option<&'static str>,
    /// When the client first wrote a request although nothing is heard on it.
    pub(super) asked_in_vain: Option<u64>,
    /// The client has written what the network does not have yet: TLS lies between.
    pub(super) held_back: bool,
    /// When the reply came that nobody asked for.
    pub(super) poisoned: Option<u64>,
    pub(super) closed_at: Option<u64>,
    pub(super) connector: Option<Waker>,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl Conn {
    pub(super) fn new(server: usize, now: u64, capacity: u64) -> Self {
        let up = Up {
            written: 0,
            arrived: 0,
            handled: 0,
            last: now,
            capacity,
            muted: None,
            torn_at: u64::MAX,
            reader: Reader::default(),
            commands: VecDeque::new(),
            unanswered_at_start: (0, 0),
            asking: false,
            transaction: None,
        };
        Self {
            server,
            made_at: now,
            stage: Stage::Opening,
            refused: false,
            broken: false,
            served: true,
            up,
            down: Down { last: now, ..Down::default() },
            session: Session::default(),
            used: Use::default(),
            was_shared: false,
            blemish: None,
            asked_in_vain: None,
            held_back: false,
            poisoned: None,
            closed_at: None,
            connector: None,
            reader: None,
            writer: None,
        }
    }

    /// Something is wrong with it from now on.
    pub(super) fn blemish(&mut self, what: &'static str) {
        self.blemish.get_or_insert(what);
    }

    /// Whether both ends could still talk.
    pub(super) fn is_live(&self) -> bool {
        self.stage == Stage::Open && !self.broken && self.served
    }

    /// Whether the other end hears nothing, or nothing is heard of it, without a sign of that.
    pub(super) fn is_mute(&self) -> bool {
        self.down.silent || self.down.muted.is_some() || self.up.muted.is_some()
    }

    /// How many commands are unanswered as the client sees it: of the handshake, and at all.
    pub(super) fn unanswered(&self) -> (usize, usize) {
        let dues = &self.down.dues;
        (dues.iter().filter(|(due, _)| *due == Due::Handshake).count(), dues.len())
    }

    /// How many of the callers' requests are unanswered as the client sees it.
    pub(super) fn in_flight(&self) -> usize {
        self.down.dues.iter().filter(|(due, _)| matches!(due, Due::Whole | Due::Part)).count()
    }

    /// Whether something is under way in either direction.
    pub(super) fn is_busy(&self) -> bool {
        self.up.handled < self.up.written || !self.down.dues.is_empty() || !self.down.segments.is_empty()
    }

    pub(super) fn wake_all(&mut self) {
        for waker in [self.connector.take(), self.reader.take(), self.writer.take()] {
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Down {
    /// Takes `count` bytes that the client reads, and what those replies mean that are read whole by that.
    pub(super) fn take(&mut self, count: usize) -> (BytesMut, Vec<Turn>) {
        let bytes = self.received.split_to(count);
        self.read += count as u64;
        let mut turns = Vec::new();
        while self.ends.front().is_some_and(|(end, _)| *end <= self.read) {
            self.dues.pop_front();
            let Some((end, said)) = self.ends.pop_front() else { break };
            if self.absurd_from.is_none_or(|from| end < from) {
                turns.extend(said);
            }
        }
        (bytes, turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_behind_a_redirect_to_nowhere_is_not_heeded() {
        let mut down = Down { absurd_from: Some(20), ..Down::default() };
        down.received.extend_from_slice(&[0; 30]);
        for end in [10, 20, 30] {
            down.dues.push_back((Due::Whole, 1));
            down.ends.push_back((end, vec![Turn::Elsewhere(end as usize)]));
        }
        assert_eq!(down.take(9).1, [], "no reply is whole yet");
        assert_eq!(down.take(21).1, [Turn::Elsewhere(10)]);
        assert!(down.dues.is_empty());
    }
}
