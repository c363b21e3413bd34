//! What one call sends, and how it lies in the driver's inbox.

use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use super::slots::Room;
use crate::command::{Flags, Packed, PackedBatch, Target, WireSink};
use crate::config::{Endpoint, ReadFrom};
use crate::connection::{Outgoing, RequestId};
use crate::engine::{Engine, Patience, Request};

/// What one call sends.
#[derive(Debug)]
pub(super) enum Parcel<'a> {
    Command(&'a Packed),
    Pipeline(&'a PackedBatch),
    Transaction(&'a PackedBatch),
}

/// What callers have left for the driver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) bytes: Outgoing,
    pub(crate) requests: Vec<Request>,
    pub(crate) cancelled: Vec<RequestId>,
    pub(crate) close: Option<Duration>,
    /// Nodes that callers have chosen, by the numbers in their requests' targets.
    pub(crate) nodes: Vec<Endpoint>,
    /// The texts of scripts that are run by their digests.
    pub(crate) texts: Vec<(RequestId, u32, Bytes)>,
    /// The line of calls or the alarms have changed: there are times to watch, or there is room again.
    pub(super) line_changed: bool,
}

impl Inbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.cancelled.is_empty() && self.close.is_none() && !self.line_changed
    }

    /// Looks up the nodes that callers have chosen.
    #[inline]
    pub(crate) fn find_nodes(&mut self, engine: &Engine) {
        if self.nodes.is_empty() {
            return;
        }
        for request in &mut self.requests {
            if let Target::Named(place) = request.target {
                let node = self.nodes.get(usize::from(place));
                request.target = node.map_or(Target::Nowhere, |node| engine.locate(node));
            }
        }
    }

    /// Takes requests out that are cancelled; `cancelled` is sorted.
    #[cold]
    pub(crate) fn drop_cancelled(&mut self) {
        let Self { requests, bytes, cancelled, .. } = self;
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

    /// The driver has seen to it; the buffers are kept for the next visit.
    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.cancelled.clear();
        self.close = None;
        self.nodes.clear();
        self.texts.clear();
        self.line_changed = false;
    }
}

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
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
        }
    }

    /// The bound on its time that it has itself.
    #[inline]
    pub(super) fn own_timeout(&self) -> Option<Duration> {
        match self {
            Self::Command(command) => command.own_timeout(),
            Self::Pipeline(batch) | Self::Transaction(batch) => batch.own_timeout(),
        }
    }

    pub(super) fn is_oversize(&self) -> bool {
        match self {
            Self::Command(command) => command.is_oversize(),
            Self::Pipeline(batch) | Self::Transaction(batch) => batch.is_oversize(),
        }
    }

    /// How many results are gathered; `None` for a single one.
    pub(super) fn batch(&self) -> Option<usize> {
        match self {
            Self::Pipeline(batch) => Some(batch.entries().len()),
            Self::Command(_) | Self::Transaction(_) => None,
        }
    }
}

/// How targets are changed by what is said of reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// There are no slots: nodes differ by their role alone.
    pub(super) by_role: bool,
    pub(super) from: ReadFrom,
}

impl Aim {
    #[inline]
    const fn at(self, target: Target, flags: Flags) -> Target {
        let target = if self.by_role { Target::Slot(0) } else { target };
        target.reading(flags, self.from)
    }
}

impl Inbox {
    /// The target for a node that the caller has chosen.
    #[cold]
    fn name(&mut self, node: &Endpoint) -> Target {
        let known = self.nodes.iter().position(|known| known == node);
        let place = known.unwrap_or_else(|| {
            self.nodes.push(node.clone());
            self.nodes.len() - 1
        });
        u16::try_from(place).map_or(Target::Nowhere, Target::Named)
    }

    /// Encodes a call for the driver.
    #[inline]
    pub(super) fn put(
        &mut self,
        id: RequestId,
        parcel: &Parcel<'_>,
        target: Target,
        aim: Aim,
        patience: Patience,
    ) {
        let bytes = &mut self.bytes;
        let before = bytes.held();
        let request = Request {
            id,
            part: 0,
            wire_len: 0,
            replies: 1,
            target,
            flags: Flags::default(),
            name_words: 1,
            patience,
        };
        match parcel {
            Parcel::Command(command) => {
                command.write_to(bytes);
                let wire_len = (bytes.held() - before) as u32;
                let (flags, name_words) = (command.flags(), command.name_words());
                let target = match command.node() {
                    Some(node) => self.name(node),
                    None => aim.at(target, flags),
                };
                self.texts.extend(command.script().map(|text| (id, 0, text.clone())));
                self.requests.push(Request { wire_len, target, flags, name_words, ..request });
            }
            Parcel::Pipeline(batch) => {
                batch.write_to(bytes);
                self.texts.extend(batch.texts().map(|(part, text)| (id, part as u32, text.clone())));
                self.requests.extend((0..).zip(batch.entries()).map(|(part, entry)| {
                    let wire_len = entry.wire_len() as u32;
                    let (flags, name_words) = (entry.flags(), entry.name_words());
                    let target = aim.at(entry.target().unwrap_or_default(), flags);
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
        }
    }
}
