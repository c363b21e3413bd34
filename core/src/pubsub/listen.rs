//! Messages on their way to those who want them.

use core::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use smallvec::SmallVec;

use super::delivery::Text;
use super::{Kind, PubSub};
use crate::connection::{Heard, Layout, Told, message};
use crate::resp::{Alike, CRLF, Frame};
use crate::topology::NodeId;

/// What is said in a channel.
#[derive(Clone, Copy)]
enum Said<'a> {
    One(Text<'a>),
    /// As it lies in what was read, but for the end of the last message; the first has its text here.
    Run(Text<'a>, &'a Range<usize>, Alike),
}

impl PubSub {
    /// A node tells of the messages at the front of `read`, which are taken off it.
    #[inline]
    pub(crate) fn handle_heard(&mut self, node: NodeId, heard: &Heard, read: &mut BytesMut) {
        let Heard { kind, text: place, layout, run } = heard;
        let text = read.get(place.clone()).unwrap_or_default();
        let wire = read.get(0..run.len.saturating_sub(CRLF)).unwrap_or_default();
        if run.count == 1 {
            self.pass_on(node, *kind, (text, *layout), Said::One(Text::Small(text)));
        } else if Text::shares_a_buffer(wire.len()) {
            self.pass_on(node, *kind, (text, *layout), Said::Run(Text::Small(wire), place, *run));
        } else {
            let wire = Bytes::copy_from_slice(wire);
            self.pass_on(node, *kind, (text, *layout), Said::Run(Text::Shared(&wire), place, *run));
        }
        read.advance(run.len);
    }

    /// A node has said something by a push. Returns whether it was a message.
    pub(crate) fn handle_push(&mut self, node: NodeId, push: &Frame) -> bool {
        let Some(Told { kind, text, layout }) = message(push) else { return false };
        let of_frame = if Text::is_shared(text.len()) { Text::Shared(&text) } else { Text::Small(&text) };
        self.pass_on(node, kind, (&text, layout), Said::One(of_frame));
        true
    }

    /// A node has said something, first or only what this text says.
    fn pass_on(&mut self, node: NodeId, kind: Kind, (text, layout): (&[u8], Layout), said: Said<'_>) {
        let name = layout.pattern(text).unwrap_or_else(|| layout.channel(text));
        let Some(id) = self.topics.find(kind, name) else { return };
        let Some(topic) = self.topics.get(id) else { return };
        let at_home = topic.home == Some(node);
        if !at_home && !topic.seats.contains(&node) {
            return;
        }
        // One that comes before it is subscribed there anew is of an earlier time: others may have come since.
        if !topic.whole && !self.seats.get(&node).is_some_and(|seat| seat.is_confirmed(id)) {
            return;
        }
        // Whoever still waits for the confirmation is told of no gap either.
        let users = topic.users.iter().filter(|user| user.established && (at_home || user.everywhere));
        let users: SmallVec<[usize; 8]> = users.map(|user| user.subscription).collect();
        for at in users {
            self.tell(at, |delivery| match said {
                Said::One(text) => delivery.message(text, layout),
                Said::Run(wire, text, run) => delivery.messages(wire, text.clone(), layout, run),
            });
        }
    }
}
