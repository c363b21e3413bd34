//! What the server tracks for client-side caching.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::command::{FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Where the invalidation messages of a connection go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TrackingRedirect {
    /// Nowhere: the connection is not tracked.
    #[default]
    NotTracking,
    /// Over the connection itself.
    None,
    /// Over the connection with this number.
    To(u64),
}

impl TrackingRedirect {
    pub(super) const fn of(number: i64) -> Self {
        match number {
            i64::MIN..0 => Self::NotTracking,
            0 => Self::None,
            id => Self::To(id.unsigned_abs()),
        }
    }
}

impl FromReply for TrackingRedirect {
    /// A connection's number; 0 and -1 have meanings of their own.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        i64::from_reply(item).map(Self::of)
    }
}

/// How the server tracks the keys that a connection reads.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TrackingInfo {
    /// `on` or `off`, and of `bcast`, `optin`, `optout`, `caching-yes`, `caching-no`, `noloop`,
    /// `broken_redirect` those that hold.
    pub flags: BTreeSet<String>,
    /// Where the invalidation messages go.
    pub redirect: TrackingRedirect,
    /// The prefixes of the keys that are broadcast.
    pub prefixes: Vec<Bytes>,
}

impl FromReply for TrackingInfo {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut info = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"flags" => info.flags = FromReply::from_reply(value)?,
                b"redirect" => info.redirect = FromReply::from_reply(value)?,
                b"prefixes" => info.prefixes = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        if info.flags.is_empty() { Err(unexpected("flags of tracking", item)) } else { Ok(info) }
    }
}
