//! Which nodes serve which slots.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::command::{ArgSink, Args, FromReply, elements, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Slots that follow each other, both ends included: made from `0..=5460`. Whether there are such slots is not
/// checked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotRange {
    /// The first slot.
    pub start: u16,
    /// The last slot.
    pub end: u16,
}

impl SlotRange {
    /// The slots from `start` to `end`.
    #[must_use]
    pub const fn new(start: u16, end: u16) -> Self {
        Self { start, end }
    }

    /// Whether the slot is one of them.
    #[must_use]
    pub const fn contains(self, slot: u16) -> bool {
        self.start <= slot && slot <= self.end
    }

    /// The slots in order.
    #[must_use]
    pub const fn slots(self) -> RangeInclusive<u16> {
        self.start..=self.end
    }

    /// Slots in ascending order, in as few ranges as possible.
    pub(crate) fn gather(slots: impl Iterator<Item = u16>) -> Vec<Self> {
        Self::join(slots.map(|slot| Self::new(slot, slot)))
    }

    /// Ranges in ascending order that share no slot, in as few as possible.
    pub(crate) fn join(parts: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for part in parts {
            match ranges.last_mut() {
                Some(range) if range.end.checked_add(1) == Some(part.start) => range.end = part.end,
                _ => ranges.push(part),
            }
        }
        ranges
    }
}

impl From<RangeInclusive<u16>> for SlotRange {
    fn from(range: RangeInclusive<u16>) -> Self {
        Self::new(*range.start(), *range.end())
    }
}

/// Two arguments: the ends.
impl Args for SlotRange {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.start).arg(self.end);
    }
}

/// Slots that follow each other, and the nodes that serve them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterSlots {
    /// The slots.
    pub range: SlotRange,
    /// The primary, and after it the replicas that work.
    pub nodes: Vec<ClusterSlotNode>,
}

impl ClusterSlots {
    /// The primary.
    #[must_use]
    pub fn primary(&self) -> Option<&ClusterSlotNode> {
        self.nodes.first()
    }

    /// The replicas that work.
    #[must_use]
    pub fn replicas(&self) -> &[ClusterSlotNode] {
        self.nodes.get(1..).unwrap_or_default()
    }
}

/// A node that serves slots.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterSlotNode {
    /// Where clients are to connect.
    pub host: ClusterHost,
    /// The port; that for TLS, if the question came over TLS.
    pub port: u16,
    /// Its id; since 4.0.
    pub id: Option<String>,
    /// The other ways to name its host, as `ip` and `hostname`; since 7.0.
    pub metadata: BTreeMap<String, String>,
}

/// The host of a node as the cluster is configured to name it (`cluster-preferred-endpoint-type`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClusterHost {
    /// An IP address or a name.
    Named(String),
    /// The host that the question went to, whichever way the client reached it (nil or empty).
    Asked,
    /// One that has no name although names are preferred (`?`): it cannot be connected to.
    Unknown,
}

impl ClusterHost {
    /// What to connect to, when the question went to `asked`.
    #[must_use]
    pub fn resolve<'a>(&'a self, asked: &'a str) -> Option<&'a str> {
        match self {
            Self::Named(host) => Some(host),
            Self::Asked => Some(asked),
            Self::Unknown => None,
        }
    }
}

impl FromReply for ClusterHost {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let host = Option::<String>::from_reply(item)?.unwrap_or_default();
        Ok(match host.as_str() {
            "" => Self::Asked,
            "?" => Self::Unknown,
            _ => Self::Named(host),
        })
    }
}

impl FromReply for ClusterSlots {
    /// The ends of the range, and the nodes one after the other.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(start), Some(end)) = (parts.next(), parts.next()) else {
            return Err(unexpected("a range of slots and its nodes", item));
        };
        let range = SlotRange::new(FromReply::from_reply(start)?, FromReply::from_reply(end)?);
        Ok(Self { range, nodes: parts.map(FromReply::from_reply).collect::<Result<_, _>>()? })
    }
}

impl FromReply for ClusterSlotNode {
    /// Host and port; in newer servers also id, and metadata.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(host), Some(port)) = (parts.next(), parts.next()) else {
            return Err(unexpected("a node's host and port", item));
        };
        Ok(Self {
            host: FromReply::from_reply(host)?,
            port: FromReply::from_reply(port)?,
            id: parts.next().map(FromReply::from_reply).transpose()?,
            metadata: parts.next().map(FromReply::from_reply).transpose()?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::format;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read(wire: &str) -> Result<Vec<ClusterSlots>, ConversionError> {
        let mut bytes = BytesMut::from(wire);
        let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
        FromReply::from_reply(frame.item())
    }

    #[test]
    fn every_way_to_name_a_host() {
        let named = ClusterHost::Named("h".to_owned());
        for (wire, host, connect_to) in [
            ("$1\r\nh\r\n", named, Some("h")),
            ("$0\r\n\r\n", ClusterHost::Asked, Some("asked")),
            ("$-1\r\n", ClusterHost::Asked, Some("asked")),
            ("_\r\n", ClusterHost::Asked, Some("asked")),
            ("$1\r\n?\r\n", ClusterHost::Unknown, None),
        ] {
            let slots = read(&format!("*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n{wire}:7\r\n")).expect("slots");
            assert_eq!(slots[0].nodes[0].host, host, "{wire:?}");
            assert_eq!(host.resolve("asked"), connect_to);
        }
    }

    #[test]
    fn nodes_of_every_age() {
        let (old, with_id) = ("*2\r\n+a\r\n:7\r\n", "*3\r\n+b\r\n:7\r\n+id\r\n");
        let resp2 = "*4\r\n+c\r\n:7\r\n+id\r\n*2\r\n+ip\r\n+1\r\n";
        let resp3 = "*5\r\n+d\r\n:7\r\n+id\r\n%1\r\n+ip\r\n+1\r\n+new\r\n";
        let slots = read(&format!("*1\r\n*6\r\n:1\r\n:2\r\n{old}{with_id}{resp2}{resp3}")).expect("slots");
        let ids: Vec<_> = slots[0].nodes.iter().map(|node| node.id.as_deref()).collect();
        assert_eq!(ids, [None, Some("id"), Some("id"), Some("id")]);
        let metadata: Vec<_> = slots[0].nodes.iter().map(|node| node.metadata.len()).collect();
        assert_eq!(metadata, [0, 0, 1, 1]);
        assert_eq!((slots[0].range, slots[0].replicas().len()), (SlotRange::new(1, 2), 3));
    }

    #[test]
    fn slots_without_nodes_and_what_is_no_slots() {
        let slots = read("*1\r\n*2\r\n:0\r\n:5\r\n").expect("slots");
        assert_eq!((slots[0].primary(), slots[0].replicas()), (None, &[][..]));
        assert!(read("*1\r\n*1\r\n:0\r\n").is_err());
        assert!(read("*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n+a\r\n").is_err());
        assert!(read("*1\r\n*2\r\n:0\r\n:70000\r\n").is_err());
    }

    #[test]
    fn ranges() {
        let range = SlotRange::from(1..=3);
        assert_eq!([0, 1, 3, 4].map(|slot| range.contains(slot)), [false, true, true, false]);
        assert_eq!(range.count(), 2);
        assert!(range.slots().eq([1, 2, 3]) && SlotRange::new(3, 1).slots().is_empty());
        let gather = |slots: &[u16]| SlotRange::gather(slots.iter().copied());
        assert_eq!(gather(&[]), []);
        assert_eq!(gather(&[5]), [SlotRange::new(5, 5)]);
        assert_eq!(gather(&[0, 1, 2, 4, 7, 8]), [(0..=2).into(), (4..=4).into(), (7..=8).into()]);
        let end = u16::MAX;
        assert_eq!(gather(&[end - 1, end, 0]), [(end - 1..=end).into(), (0..=0).into()]);
    }
}
