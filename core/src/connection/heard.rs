//! How servers tell of messages and confirm subscriptions.
//!
//! In RESP3 by pushes, in RESP2 by arrays with the same elements, on a connection that does nothing else.

use alloc::borrow::Cow;
use core::ops::Range;

use bytes::Bytes;

use crate::resp::{Alike, Frame, Strings, narrow};

/// What is subscribed to: each kind has commands and confirmations of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A channel.
    Channel,
    /// All channels that match a pattern.
    Pattern,
    /// A sharded channel, which is served where its slot is.
    Shard,
}

impl Kind {
    /// The name of the command that begins a subscription, or ends it.
    pub(crate) const fn command(self, on: bool) -> &'static str {
        match (self, on) {
            (Self::Channel, true) => "SUBSCRIBE",
            (Self::Channel, false) => "UNSUBSCRIBE",
            (Self::Pattern, true) => "PSUBSCRIBE",
            (Self::Pattern, false) => "PUNSUBSCRIBE",
            (Self::Shard, true) => "SSUBSCRIBE",
            (Self::Shard, false) => "SUNSUBSCRIBE",
        }
    }
}

/// Where the names and the payload of a message are in a text that begins with the first name and ends with the
/// payload, as they lie on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// How long the pattern is, if there is one.
    pattern: Option<u32>,
    channel_at: u32,
    channel_len: u32,
    payload_at: u32,
}

impl Layout {
    /// Of a message whose parts are here. Returns where its text is, too.
    #[inline]
    fn of(
        pattern: Option<&Range<usize>>,
        channel: &Range<usize>,
        payload: &Range<usize>,
    ) -> (Range<usize>, Self) {
        let start = pattern.unwrap_or(channel).start;
        let layout = Self {
            pattern: pattern.map(|pattern| narrow(pattern.len())),
            channel_at: narrow(channel.start.wrapping_sub(start)),
            channel_len: narrow(channel.len()),
            payload_at: narrow(payload.start.wrapping_sub(start)),
        };
        (start..payload.end, layout)
    }

    /// A text of these.
    pub(crate) fn join(pattern: Option<&[u8]>, channel: &[u8], payload: &[u8]) -> (Bytes, Self) {
        let layout = Self {
            pattern: pattern.map(|pattern| narrow(pattern.len())),
            channel_at: narrow(pattern.map_or(0, <[u8]>::len)),
            channel_len: narrow(channel.len()),
            payload_at: narrow(pattern.map_or(0, <[u8]>::len).saturating_add(channel.len())),
        };
        ([pattern.unwrap_or_default(), channel, payload].concat().into(), layout)
    }

    /// The same with the payload elsewhere.
    #[inline]
    pub(crate) const fn with_payload_at(self, at: usize) -> Self {
        Self { payload_at: narrow(at), ..self }
    }

    pub(crate) fn pattern(self, text: &[u8]) -> Option<&[u8]> {
        self.pattern.map(|len| text.get(..len as usize).unwrap_or_default())
    }

    #[inline]
    pub(crate) fn channel(self, text: &[u8]) -> &[u8] {
        let rest = text.get(self.channel_at as usize..);
        rest.and_then(|rest| rest.get(..self.channel_len as usize)).unwrap_or_default()
    }

    #[inline]
    pub(crate) const fn payload_at(self) -> usize {
        self.payload_at as usize
    }

    #[inline]
    pub(crate) const fn channel_len(self) -> usize {
        self.channel_len as usize
    }
}

/// Messages of one channel that lie at the front of what was read.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) kind: Kind,
    /// The text of the first.
    pub(crate) text: Range<usize>,
    pub(crate) layout: Layout,
    /// Their last strings are what was published.
    pub(crate) run: Alike,
}

impl Heard {
    /// The messages that these strings are, if they are any.
    #[inline]
    pub(crate) fn new(strings: &Strings, read: &[u8]) -> Option<Self> {
        let [first, second, third, fourth] = &strings.at;
        let (kind, (text, layout)) = match (strings.count, read.get(first.clone())?) {
            (3, b"message") => (Kind::Channel, Layout::of(None, second, third)),
            (3, b"smessage") => (Kind::Shard, Layout::of(None, second, third)),
            (4, b"pmessage") => (Kind::Pattern, Layout::of(Some(second), third, fourth)),
            _ => return None,
        };
        Some(Self { kind, text, layout, run: strings.run })
    }
}

/// A message, as it is told in a frame of any spelling.
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) text: Bytes,
    pub(crate) layout: Layout,
}

/// The message that a frame is, if it is one.
pub(crate) fn message(frame: &Frame) -> Option<Told> {
    let mut items = frame.item().items();
    let kind = match &*items.next()?.text()? {
        b"message" => Kind::Channel,
        b"smessage" => Kind::Shard,
        b"pmessage" => Kind::Pattern,
        _ => return None,
    };
    let pattern = if kind == Kind::Pattern { Some(items.next()?) } else { None };
    let (channel, payload) = (items.next()?, items.next()?);
    let in_place = || {
        let pattern = pattern.map(|pattern| pattern.place().ok_or(())).transpose().ok()?;
        Some(Layout::of(pattern.as_ref(), &channel.place()?, &payload.place()?))
    };
    let (text, layout) = match in_place() {
        Some((text, layout)) => (frame.part(text), layout),
        // What came in chunks is in no one place.
        None => {
            let pattern = pattern.and_then(|pattern| pattern.text());
            Layout::join(pattern.as_deref(), &channel.text()?, &payload.text()?)
        }
    };
    Some(Told { kind, text, layout })
}

/// What becomes of a subscription: its kind, and whether it begins.
pub(crate) type Change = (Kind, bool);

/// What a frame confirms, if it is a confirmation: the kind, whether the subscription begins, and the name.
pub(crate) fn confirmation(frame: &Frame) -> Option<(Change, Cow<'_, [u8]>)> {
    let mut items = frame.item().items();
    let what = match &*items.next()?.text()? {
        b"subscribe" => (Kind::Channel, true),
        b"unsubscribe" => (Kind::Channel, false),
        b"psubscribe" => (Kind::Pattern, true),
        b"punsubscribe" => (Kind::Pattern, false),
        b"ssubscribe" => (Kind::Shard, true),
        b"sunsubscribe" => (Kind::Shard, false),
        _ => return None,
    };
    Some((what, items.next()?.text()?))
}

/// Whether a frame of RESP2 is the answer to `PING` of a connection that has subscriptions.
pub(crate) fn is_pong(frame: &Frame) -> bool {
    frame.item().items().next().is_some_and(|first| first.text().as_deref() == Some(b"pong"))
}

/// Whether a frame of RESP2, on a connection that has nothing but subscriptions, is what RESP3 has pushes for.
pub(crate) fn is_told(frame: &Frame) -> bool {
    frame.kind() == crate::resp::Kind::Array && !is_pong(frame)
}
