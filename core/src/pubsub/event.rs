//! What a subscription is told.

use core::fmt;

use bytes::{Buf, Bytes};

use crate::command::FromReply;
use crate::connection::Layout;
use crate::error::ConversionError;
use crate::resp::Frame;

/// What a subscription is told, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Something was published.
    Message(Message),
    /// From here on messages may be missing: the connection was lost, or the server has ended a subscription,
    /// as it does when the slot of a channel moves. It is being made anew.
    Interrupted,
    /// All channels are subscribed again. What was published since [`Interrupted`](Self::Interrupted) may be
    /// missing, here and there or all of it.
    Resumed,
    /// So many messages were dropped, the oldest, because they were not read in time and passed the
    /// [limit](crate::Config::subscription_bytes).
    Lagged(u64),
}

/// Something that was published.
///
/// It is a part of what was read, with the name of its channel. To keep it keeps a few KiB of others at the most.
#[derive(Clone)]
pub struct Message {
    text: Bytes,
    layout: Layout,
}

impl Message {
    /// A message as it comes to those who have subscribed to its channel.
    pub fn new(channel: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Self {
        let (text, layout) = Layout::join(None, channel.as_ref(), payload.as_ref());
        Self { text, layout }
    }

    /// The same as it comes to those who have subscribed to a pattern.
    #[must_use]
    pub fn with_pattern(&self, pattern: impl AsRef<[u8]>) -> Self {
        let (text, layout) = Layout::join(Some(pattern.as_ref()), self.channel(), self.payload());
        Self { text, layout }
    }

    #[inline]
    pub(super) const fn of(text: Bytes, layout: Layout) -> Self {
        Self { text, layout }
    }

    /// Where it was published.
    #[must_use]
    #[inline]
    pub fn channel(&self) -> &[u8] {
        self.layout.channel(&self.text)
    }

    /// The pattern that the channel matches, if that is why the message came.
    #[must_use]
    pub fn pattern(&self) -> Option<&[u8]> {
        self.layout.pattern(&self.text)
    }

    /// What was published.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.text.get(self.layout.payload_at()..).unwrap_or_default()
    }

    /// What was published, without a copy.
    #[must_use]
    pub fn into_payload(mut self) -> Bytes {
        self.text.advance(self.layout.payload_at().min(self.text.len()));
        self.text
    }

    /// What was published, as a value of another type.
    ///
    /// # Errors
    /// It is none such.
    pub fn payload_as<T: FromReply>(&self) -> Result<T, ConversionError> {
        T::from_reply(Frame::string(self.clone().into_payload()).item())
    }

    /// A part of the message, as shared bytes.
    pub(super) fn part(&self, part: &[u8]) -> Bytes {
        self.text.slice_ref(part)
    }
}

/// Messages are equal if the same was published in the same channel, and came for the same pattern.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.channel() == other.channel()
            && self.payload() == other.payload()
            && self.pattern() == other.pattern()
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &[u8]| Bytes::copy_from_slice(text);
        f.debug_struct("Message")
            .field("channel", &text(self.channel()))
            .field("pattern", &self.pattern().map(text))
            .field("payload", &text(self.payload()))
            .finish()
    }
}

impl Event {
    /// How many bytes of a subscription's room it takes.
    #[must_use]
    #[inline]
    pub fn room(&self) -> usize {
        let text = match self {
            Self::Message(message) => message.layout.channel_len().saturating_add(message.payload().len()),
            _ => 0,
        };
        size_of::<Self>().saturating_add(text)
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::format;

    use super::*;
    use crate::connection::message;
    use crate::resp::{Decoder, Limits};

    /// The message that this push is.
    fn told(wire: &str) -> Message {
        let mut read = bytes::BytesMut::from(wire);
        let frame = Decoder::new(Limits::default()).decode(&mut read).expect("legal").expect("whole");
        let told = message(&frame).expect("a message");
        Message::of(told.text, told.layout)
    }

    #[test]
    fn the_parts_of_a_message_are_found_however_it_is_spelled() {
        let long = "x".repeat(100);
        for payload in ["", "rain", &long] {
            let len = payload.len();
            let message = Message::new("news", payload);
            let (plain, chunked) =
                (format!("${len}\r\n{payload}\r\n"), "$?\r\n;1\r\nn\r\n;3\r\news\r\n;0\r\n");
            assert_eq!(told(&format!(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n{plain}")), message);
            assert_eq!(told(&format!("*3\r\n+message\r\n{chunked}{plain}")), message);
            let with_pattern = message.with_pattern("n*");
            assert_ne!(message, with_pattern);
            for channel in ["$4\r\nnews\r\n", chunked] {
                let told = told(&format!(">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n{channel}{plain}"));
                assert_eq!(told, with_pattern);
                assert_eq!((told.channel(), told.pattern()), (&b"news"[..], Some(&b"n*"[..])));
                assert_eq!(told.payload(), payload.as_bytes());
                assert_eq!(told.payload_as(), Ok(payload.to_owned()));
                assert_eq!(told.into_payload(), payload);
            }
        }
    }

    #[test]
    fn what_is_seen_of_a_message_is_its_parts() {
        let message = Message::new("news", b"\xff").with_pattern("");
        assert_eq!(
            format!("{message:?}"),
            r#"Message { channel: b"news", pattern: Some(b""), payload: b"\xff" }"#
        );
        assert_eq!(Event::Message(message).room(), size_of::<Event>() + 5);
    }
}
