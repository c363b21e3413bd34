//! What one call sends, and how it lies in the driver's inbox.

use alloc::vec::Vec;
use core::time::Duration;

use super::slots::Room;
use super::subscription::Wish;
use crate::command::{Flags, Packed, PackedBatch, ScriptText, Target, WireSink};
use crate::config::{Endpoint, ReadFrom};
use crate::connection::{ConnId, Outgoing, RequestId};
use crate::engine::{Engine, Patience, Request, Taken};
use crate::seldom::{Seldom, Vacant};

/// What one call sends.
#[derive(Debug)]
pub(super) enum Parcel<'a> {
    Command(&'a Packed),
    Pipeline(&'a PackedBatch),
    Transaction(&'a PackedBatch),
    /// Commands that are not replied to.
    Silent(&'a PackedBatch),
    /// A connection of one's own, with a node that is for the target or was chosen.
    Lease(Target, Option<&'a Endpoint>),
}

/// What callers have left for the driver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) bytes: Outgoing,
    pub(crate) requests: Vec<Request>,
    /// There is something in the errands; or the line of calls or the alarms have changed, so that there are times to
    /// watch, or there is room again.
    pub(crate) has_errands: bool,
    pub(crate) errands: Seldom<Errands>,
}

/// What callers seldom leave for the driver.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    pub(crate) cancelled: Vec<RequestId>,
    /// What was taken for callers who are gone.
    pub(crate) unclaimed: Vec<Taken>,
    /// Connections of sessions that are over.
    pub(crate) released: Vec<ConnId>,
    pub(crate) close: Option<Duration>,
    pub(crate) wishes: Vec<Wish>,
    /// Nodes that callers have chosen, by the numbers in their requests' targets.
    pub(crate) nodes: Vec<Endpoint>,
    /// The connections of sessions, by the numbers in their requests' targets.
    pub(crate) sessions: Vec<ConnId>,
    /// The texts of scripts that are run by their digests.
    pub(crate) texts: Vec<(RequestId, u32, ScriptText)>,
}

impl Vacant for Errands {
    const VACANT: &'static Self = &Self {
        cancelled: Vec::new(),
        unclaimed: Vec::new(),
        released: Vec::new(),
        close: None,
        wishes: Vec::new(),
        nodes: Vec::new(),
        sessions: Vec::new(),
        texts: Vec::new(),
    };
}

impl Inbox {
    pub(crate) const fn new() -> Self {
        Self { bytes: Outgoing::new(), requests: Vec::new(), has_errands: false, errands: Seldom::new() }
    }

    /// One with room for a request: many clients never leave more at a time.
    pub(crate) fn with_room() -> Self {
        Self { requests: Vec::with_capacity(1), ..Self::new() }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.requests.is_empty() && !self.has_errands
    }

    /// What is seldom left, to leave something.
    #[cold]
    #[inline(never)]
    pub(crate) fn errands(&mut self) -> &mut Errands {
        self.has_errands = true;
        &mut self.errands
    }

    /// The wishes of subscriptions alone: nobody will see to the rest.
    pub(crate) fn into_wishes(mut self) -> Vec<Wish> {
        self.errands.made().map(|errands| core::mem::take(&mut errands.wishes)).unwrap_or_default()
    }

    /// Takes all that was left in `other`. This one is empty, and its buffers are those of `other` from here on.
    pub(crate) fn take(&mut self, other: &mut Self) {
        if !other.requests.is_empty() {
            core::mem::swap(&mut self.bytes, &mut other.bytes);
            core::mem::swap(&mut self.requests, &mut other.requests);
        }
        if core::mem::take(&mut other.has_errands) {
            self.has_errands = true;
            core::mem::swap(&mut self.errands, &mut other.errands);
        }
    }

    /// Looks up the nodes that callers have chosen, and sessions.
    #[inline]
    pub(crate) fn find_nodes(&mut self, engine: &Engine) {
        let Errands { nodes, sessions, .. } = &*self.errands;
        if nodes.is_empty() && sessions.is_empty() {
            return;
        }
        for request in &mut self.requests {
            match request.target {
                Target::Named(place) => {
                    let node = nodes.get(usize::from(place));
                    request.target = node.map_or(Target::Nowhere, |node| engine.locate(node));
                }
                Target::Session(place) => {
                    let conn = sessions.get(usize::from(place));
                    request.target = conn.map_or(Target::Nowhere, |conn| engine.locate_session(*conn));
                }
                _ => {}
            }
        }
    }

    /// Takes requests out that are cancelled; `cancelled` is sorted.
    #[cold]
    pub(crate) fn drop_cancelled(&mut self) {
        let Self { requests, bytes, errands, .. } = self;
        let cancelled = &errands.cancelled;
        let is_cancelled = |request: &Request| cancelled.binary_search(&request.id).is_ok();
        if !requests.iter().any(is_cancelled) {
            return;
        }
        let mut kept = Outgoing::default();
        requests.retain(|request| {
            let goes = is_cancelled(request);
            match goes {
                true => bytes.release(request.wire_len as usize),
                false => bytes.transfer(request.wire_len as usize, &mut kept),
            }
            !goes
        });
        *bytes = kept;
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink();
        self.requests.shrink_to_fit();
        if !self.has_errands {
            self.errands = Seldom::new();
        }
    }

    /// The driver has seen to the errands; the buffers are kept for the next ones.
    pub(crate) fn clear_errands(&mut self) {
        self.has_errands = false;
        let Some(errands) = self.errands.made() else { return };
        let Errands { cancelled, unclaimed, released, close, wishes, nodes, sessions, texts } = errands;
        cancelled.clear();
        unclaimed.clear();
        released.clear();
        *close = None;
        wishes.clear();
        nodes.clear();
        sessions.clear();
        texts.clear();
    }
}

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const REPLY_OFF: &[u8] = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n";
const REPLY_ON: &[u8] = b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

impl Parcel<'_> {
    #[inline]
    pub(super) fn room(&self) -> Room {
        match self {
            Self::Command(command) => Room { commands: 1, bytes: command.wire_len() },
            Self::Pipeline(batch) => Room { commands: batch.entries().len(), bytes: batch.wire_len() },
            Self::Transaction(batch) => {
                Room { commands: 1, bytes: MULTI.len() + batch.wire_len() + EXEC.len() }
            }
            Self::Silent(batch) => {
                Room { commands: 1, bytes: REPLY_OFF.len() + batch.wire_len() + REPLY_ON.len() }
            }
            Self::Lease(..) => Room { commands: 1, bytes: 0 },
        }
    }

    pub(super) fn is_oversize(&self) -> bool {
        match self {
            Self::Command(command) => command.is_oversize(),
            Self::Pipeline(batch) | Self::Transaction(batch) | Self::Silent(batch) => batch.is_oversize(),
            Self::Lease(..) => false,
        }
    }

    /// How many results are gathered; `None` for a single one.
    pub(super) fn batch(&self) -> Option<usize> {
        match self {
            Self::Pipeline(batch) => Some(batch.entries().len()),
            Self::Command(_) | Self::Transaction(_) | Self::Silent(_) | Self::Lease(..) => None,
        }
    }
}

/// How targets are changed by what is said of reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// There are no slots: nodes differ by their role alone.
    pub(super) by_role: bool,
    pub(super) from: ReadFrom,
    /// All is for this session.
    pub(super) session: Option<ConnId>,
}

impl Aim {
    #[inline]
    pub(super) const fn at(self, target: Target, flags: Flags) -> Target {
        let target = if self.by_role { Target::Slot(0) } else { target };
        target.reading(flags, self.from)
    }
}

impl Inbox {
    /// The target for a node that the caller has chosen.
    #[cold]
    fn name(&mut self, node: &Endpoint) -> Target {
        let nodes = &mut self.errands().nodes;
        let known = nodes.iter().position(|known| known == node);
        let place = known.unwrap_or_else(|| {
            nodes.push(node.clone());
            nodes.len() - 1
        });
        u16::try_from(place).map_or(Target::Nowhere, Target::Named)
    }

    /// The target for a session.
    #[cold]
    fn name_session(&mut self, conn: ConnId) -> Target {
        let sessions = &mut self.errands().sessions;
        let known = sessions.iter().position(|known| *known == conn);
        let place = known.unwrap_or_else(|| {
            sessions.push(conn);
            sessions.len() - 1
        });
        u16::try_from(place).map_or(Target::Nowhere, Target::Session)
    }

    /// Leaves a request for the driver, whose bytes are `wire`.
    #[inline]
    pub(super) fn put_usual(&mut self, wire: &[u8], request: Request) {
        self.bytes.copied(wire);
        self.requests.push(request);
    }

    /// Encodes a call for the driver.
    pub(super) fn put(
        &mut self,
        id: RequestId,
        parcel: &Parcel<'_>,
        target: Target,
        aim: Aim,
        patience: Patience,
    ) {
        let session = aim.session.map(|conn| self.name_session(conn));
        let at = |target, flags| session.unwrap_or_else(|| aim.at(target, flags));
        let bytes = &mut self.bytes;
        let before = bytes.held();
        let request = Request {
            id,
            part: 0,
            wire_len: 0,
            replies: 1,
            target: session.unwrap_or(target),
            flags: Flags::default(),
            name_words: 1,
            patience,
        };
        match parcel {
            Parcel::Command(command) => {
                command.write_to(bytes);
                let wire_len = (bytes.held() - before) as u32;
                let (flags, name_words) = (command.flags(), command.name_words());
                let target = match command.node().filter(|_| session.is_none()) {
                    Some(node) => self.name(node),
                    None => at(target, flags),
                };
                if let Some(text) = command.script() {
                    self.errands().texts.push((id, 0, ScriptText(text.clone())));
                }
                self.requests.push(Request { wire_len, target, flags, name_words, ..request });
            }
            Parcel::Pipeline(batch) => {
                batch.write_to(bytes);
                for (part, text) in batch.texts() {
                    self.errands().texts.push((id, part as u32, ScriptText(text.clone())));
                }
                self.requests.extend((0..).zip(batch.entries()).map(|(part, entry)| {
                    let wire_len = entry.wire_len() as u32;
                    let (flags, name_words) = (entry.flags(), entry.name_words());
                    let target = at(entry.target().unwrap_or_default(), flags);
                    Request { part, wire_len, target, flags, name_words, ..request }
                }));
            }
            Parcel::Transaction(batch) => {
                bytes.copied(MULTI);
                batch.write_to(bytes);
                bytes.copied(EXEC);
                let wire_len = (bytes.held() - before) as u32;
                let replies = batch.entries().len() as u32 + 2;
                self.requests.push(Request { wire_len, replies, ..request });
            }
            Parcel::Silent(batch) => {
                bytes.copied(REPLY_OFF);
                batch.write_to(bytes);
                bytes.copied(REPLY_ON);
                let wire_len = (bytes.held() - before) as u32;
                self.requests.push(Request { wire_len, name_words: 2, ..request });
            }
            Parcel::Lease(target, node) => {
                let target = match node {
                    Some(node) => self.name(node),
                    None => at(*target, Flags::BLOCKING),
                };
                self.requests.push(Request::lease(id, target, patience));
            }
        }
    }
}
