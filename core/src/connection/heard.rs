//! How servers tell of messages and confirm subscriptions.
//!
//! In RESP3 by pushes, in RESP2 by arrays with the same elements, on a connection that does nothing else.

use alloc::borrow::Cow;
use core::ops::Range;

use crate::resp::{Alike, Frame, Strings};

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

/// Messages of one channel that lie at the front of what was read.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) kind: Kind,
    pub(crate) pattern: Range<usize>,
    pub(crate) channel: Range<usize>,
    /// Their last strings are what was published.
    pub(crate) run: Alike,
}

impl Heard {
    /// The messages that these strings are, if they are any.
    #[inline]
    pub(crate) fn new(strings: &Strings, read: &[u8]) -> Option<Self> {
        let [first, second, third, _] = &strings.at;
        let (kind, pattern, channel) = match (strings.count, read.get(first.clone())?) {
            (3, b"message") => (Kind::Channel, &(0..0), second),
            (3, b"smessage") => (Kind::Shard, &(0..0), second),
            (4, b"pmessage") => (Kind::Pattern, second, third),
            _ => return None,
        };
        Some(Self { kind, pattern: pattern.clone(), channel: channel.clone(), run: strings.run })
    }
}

/// A message, as it is told in a frame of any spelling.
pub(crate) struct Told<'a> {
    pub(crate) kind: Kind,
    pub(crate) pattern: Cow<'a, [u8]>,
    pub(crate) channel: Cow<'a, [u8]>,
    pub(crate) payload: bytes::Bytes,
}

/// The message that a frame is, if it is one.
pub(crate) fn message(frame: &Frame) -> Option<Told<'_>> {
    let mut items = frame.item().items();
    let kind = match &*items.next()?.text()? {
        b"message" => Kind::Channel,
        b"smessage" => Kind::Shard,
        b"pmessage" => Kind::Pattern,
        _ => return None,
    };
    let pattern = if kind == Kind::Pattern { items.next()?.text()? } else { Cow::default() };
    Some(Told { kind, pattern, channel: items.next()?.text()?, payload: items.next()?.shared()? })
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
