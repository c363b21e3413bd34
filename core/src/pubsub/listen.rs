//! Messages on their way to those who want them.

use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;

use super::delivery::Payload;
use super::topic::Topic;
use super::{Kind, PubSub};
use crate::connection::{Heard, Told, message};
use crate::resp::Frame;
use crate::topology::NodeId;

impl PubSub {
    /// A node tells of the message at the front of `read`, which is taken off it.
    #[inline]
    pub(crate) fn handle_heard(&mut self, node: NodeId, heard: &Heard, read: &mut BytesMut) {
        let bytes = |range: &core::ops::Range<usize>| read.get(range.clone()).unwrap_or_default();
        let (pattern, channel) = (bytes(&heard.pattern), bytes(&heard.channel));
        let payload = Payload::Small(bytes(&heard.payload));
        self.pass_on(node, heard.kind, (pattern, channel), payload);
        bytes::Buf::advance(read, heard.len);
    }

    /// A node has said something by a push. Returns whether it was a message.
    pub(crate) fn handle_push(&mut self, node: NodeId, push: &Frame) -> bool {
        let Some(Told { kind, pattern, channel, payload }) = message(push) else { return false };
        let of_frame = match Payload::is_shared(payload.len()) {
            true => Payload::Shared(&payload),
            false => Payload::Small(&payload),
        };
        self.pass_on(node, kind, (&pattern, &channel), of_frame);
        true
    }

    #[inline]
    fn pass_on(
        &mut self,
        node: NodeId,
        kind: Kind,
        (pattern, channel): (&[u8], &[u8]),
        payload: Payload<'_>,
    ) {
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
        let (channel, pattern) = names(topic, channel);
        // Whoever still waits for the confirmation is told of no gap either.
        let users = topic.users.iter().filter(|user| user.established && (at_home || user.everywhere));
        let users: SmallVec<[usize; 8]> = users.map(|user| user.subscription).collect();
        for at in users {
            let (channel, pattern) = (channel.clone(), pattern.clone());
            self.tell(at, |delivery| delivery.message(channel, pattern, payload));
        }
    }
}

/// Channel and pattern of a message, shared with those before where they are the same.
#[inline]
fn names(topic: &mut Topic, channel: &[u8]) -> (Bytes, Option<Bytes>) {
    if topic.kind != Kind::Pattern {
        return (topic.name.clone(), None);
    }
    if topic.last_channel != channel {
        topic.last_channel = Bytes::copy_from_slice(channel);
    }
    (topic.last_channel.clone(), Some(topic.name.clone()))
}
