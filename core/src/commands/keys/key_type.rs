//! What a key holds.

use alloc::string::String;

use crate::command::{Arg, ArgSink, ArgSlot, Args, FromReply};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// There is no such key.
    Missing,
    /// A string, also as a bitmap or a HyperLogLog.
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set, also of places.
    SortedSet,
    /// A hash.
    Hash,
    /// A stream.
    Stream,
    /// Another type by its name, such as `ReJSON-RL`.
    Other(String),
}

impl KeyType {
    /// The server's name of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Missing => "none",
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Other(name) => name,
        }
    }
}

impl From<String> for KeyType {
    fn from(name: String) -> Self {
        match &*name {
            "none" => Self::Missing,
            "string" => Self::String,
            "list" => Self::List,
            "set" => Self::Set,
            "zset" => Self::SortedSet,
            "hash" => Self::Hash,
            "stream" => Self::Stream,
            _ => Self::Other(name),
        }
    }
}

impl FromReply for KeyType {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        String::from_reply(item).map(Self::from)
    }
}

impl Arg for KeyType {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(self.as_str().as_bytes());
    }
}

impl Args for KeyType {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }
}
