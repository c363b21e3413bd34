//! Messages on their way to those who want them.

use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

use super::backlog::Names;
use super::delivery::Payload;
use super::topic::Topic;
use super::{Kind, PubSub};
use crate::connection::{Heard, Told, message};
use crate::resp::{Alike, CRLF, Frame};
use crate::topology::NodeId;

/// What is said in a channel.
#[derive(Clone, Copy)]
enum Said<'a> {
    One(Payload<'a>),
    /// As it lies in what was read, but for the end of the last message.
    Run(Payload<'a>, Alike),
}

impl PubSub {
    /// A node tells of the messages at the front of `read`, which are taken off it.
    #[inline]
    pub(crate) fn handle_heard(&mut self, node: NodeId, heard: &Heard, read: &mut BytesMut) {
        let bytes = |range: Range<usize>| read.get(range).unwrap_or_default();
        let names = (bytes(heard.pattern.clone()), bytes(heard.channel.clone()));
        let (run, wire) = (heard.run, bytes(0..heard.run.len.saturating_sub(CRLF)));
        if run.count == 1 {
            let payload = Alike::first(run.head, wire).map(bytes).unwrap_or_default();
            self.pass_on(node, heard.kind, names, Said::One(Payload::Small(payload)));
        } else if Payload::shares_a_buffer(wire.len()) {
            self.pass_on(node, heard.kind, names, Said::Run(Payload::Small(wire), run));
        } else {
            let wire = Bytes::copy_from_slice(wire);
            self.pass_on(node, heard.kind, names, Said::Run(Payload::Shared(&wire), run));
        }
        read.advance(run.len);
    }

    /// A node has said something by a push. Returns whether it was a message.
    pub(crate) fn handle_push(&mut self, node: NodeId, push: &Frame) -> bool {
        let Some(Told { kind, pattern, channel, payload }) = message(push) else { return false };
        let of_frame = match Payload::is_shared(payload.len()) {
            true => Payload::Shared(&payload),
            false => Payload::Small(&payload),
        };
        self.pass_on(node, kind, (&pattern, &channel), Said::One(of_frame));
        true
    }

    fn pass_on(&mut self, node: NodeId, kind: Kind, (pattern, channel): (&[u8], &[u8]), said: Said<'_>) {
        let name = if kind == Kind::Pattern { pattern } else { channel };
        let Some(id) = self.topics.find(kind, name) else { return };
        let Some(topic) = self.topics.get_mut(id) else { return };
        let at_home = topic.home == Some(node);
        if !at_home && !topic.seats.contains(&node) {
            return;
        }
        // One that comes before it is subscribed there anew is of an earlier time: others may have come since.
        if !topic.whole && !self.seats.get(&node).is_some_and(|seat| seat.is_confirmed(id)) {
            return;
        }
        let names = names(topic, channel);
        // Whoever still waits for the confirmation is told of no gap either.
        let users = topic.users.iter().filter(|user| user.established && (at_home || user.everywhere));
        let users: SmallVec<[usize; 8]> = users.map(|user| user.subscription).collect();
        for at in users {
            let names = names.clone();
            self.tell(at, |delivery| match said {
                Said::One(payload) => delivery.message(names, payload),
                Said::Run(wire, run) => delivery.messages(names, wire, run),
            });
        }
    }
}

/// Channel and pattern of a message, shared with those before where they are the same.
#[inline]
fn names(topic: &mut Topic, channel: &[u8]) -> Names {
    if topic.kind != Kind::Pattern {
        return Names { channel: topic.name.clone(), pattern: None };
    }
    let last = topic.last_channel.take().filter(|last| **last == *channel);
    let channel = last.unwrap_or_else(|| channel.into());
    topic.last_channel = Some(channel.clone());
    Names { channel, pattern: Some(topic.name.clone()) }
}
