//! What a subscription is told.

use alloc::sync::Arc;

use bytes::Bytes;

use crate::command::FromReply;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was published. All messages of a channel share its name.
    pub channel: Arc<[u8]>,
    /// The pattern that the channel matches, if that is why the message came.
    pub pattern: Option<Arc<[u8]>>,
    /// What was published. Keeping it keeps a few KiB of other messages at the most.
    pub payload: Bytes,
}

impl Message {
    /// What was published, as a value of another type.
    ///
    /// # Errors
    /// It is none such.
    pub fn payload_as<T: FromReply>(&self) -> Result<T, ConversionError> {
        T::from_reply(Frame::string(self.payload.clone()).item())
    }
}

impl Event {
    /// How many bytes of a subscription's room it takes.
    #[must_use]
    #[inline]
    pub fn room(&self) -> usize {
        let text = match self {
            Self::Message(Message { channel, payload, .. }) => channel.len().saturating_add(payload.len()),
            _ => 0,
        };
        size_of::<Self>().saturating_add(text)
    }
}
