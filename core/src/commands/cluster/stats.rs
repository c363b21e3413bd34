//! What slots are used for.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::time::Duration;

use super::slots::SlotRange;
use crate::command::{Arg, ArgSink, ArgSlot, Args, FromReply, pairs};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a slot is used for. All but the keys is counted only while `cluster-slot-stats-enabled` is set.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SlotStats {
    /// The slot.
    pub slot: u16,
    /// How many keys it has.
    pub key_count: u64,
    /// How long its commands have kept the processor busy.
    pub cpu: Option<Duration>,
    /// Bytes received for it.
    pub network_bytes_in: Option<u64>,
    /// Bytes sent for it.
    pub network_bytes_out: Option<u64>,
    /// All other figures, by the server's names.
    pub other: BTreeMap<String, i64>,
}

impl FromReply for SlotStats {
    /// The slot, and a map of figures.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (slot, Figures(mut stats)) = FromReply::from_reply(item)?;
        stats.slot = slot;
        Ok(stats)
    }
}

struct Figures(SlotStats);

impl FromReply for Figures {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut stats = SlotStats::default();
        for pair in pairs(item)? {
            let (name, value) = pair?;
            let name = String::from_reply(name)?;
            match name.as_str() {
                "key-count" => stats.key_count = FromReply::from_reply(value)?,
                "cpu-usec" => stats.cpu = Some(Duration::from_micros(FromReply::from_reply(value)?)),
                "network-bytes-in" => stats.network_bytes_in = FromReply::from_reply(value)?,
                "network-bytes-out" => stats.network_bytes_out = FromReply::from_reply(value)?,
                // What newer servers add need not be a number.
                _ => drop(i64::from_reply(value).map(|value| stats.other.insert(name, value))),
            }
        }
        Ok(Self(stats))
    }
}

/// Choices for [`cluster_slot_stats`](super::ClusterCommands::cluster_slot_stats).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlotStatsQuery {
    /// The slots of a range (`SLOTSRANGE`).
    Range(SlotRange),
    /// The first slots in an order (`ORDERBY`).
    First(SlotOrder),
}

impl From<SlotRange> for SlotStatsQuery {
    fn from(range: SlotRange) -> Self {
        Self::Range(range)
    }
}

impl From<SlotOrder> for SlotStatsQuery {
    fn from(order: SlotOrder) -> Self {
        Self::First(order)
    }
}

impl Args for SlotStatsQuery {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        match self {
            Self::Range(range) => out.arg("SLOTSRANGE").args(range),
            Self::First(order) => out.arg("ORDERBY").args(order),
        };
    }
}

/// An order of slots, greatest first unless said otherwise. On a cluster each primary orders its own slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SlotOrder {
    metric: SlotMetric,
    limit: Option<u16>,
    ascending: bool,
}

impl SlotOrder {
    /// All slots, by `metric`.
    pub const fn by(metric: SlotMetric) -> Self {
        Self { metric, limit: None, ascending: false }
    }

    /// At most this many slots, and at least one (`LIMIT`).
    pub const fn limit(mut self, count: u16) -> Self {
        self.limit = Some(count);
        self
    }

    /// The least first (`ASC`).
    pub const fn ascending(mut self) -> Self {
        self.ascending = true;
        self
    }
}

impl Args for SlotOrder {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self.metric).args(self.limit.map(|count| ("LIMIT", count)));
        out.args(self.ascending.then_some("ASC"));
    }
}

/// What slots are ordered by. All but the keys needs `cluster-slot-stats-enabled` to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotMetric {
    /// How many keys there are.
    KeyCount,
    /// How long the processor was busy.
    Cpu,
    /// Bytes received.
    NetworkBytesIn,
    /// Bytes sent.
    NetworkBytesOut,
}

impl Arg for SlotMetric {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::KeyCount => b"KEY-COUNT",
            Self::Cpu => b"CPU-USEC",
            Self::NetworkBytesIn => b"NETWORK-BYTES-IN",
            Self::NetworkBytesOut => b"NETWORK-BYTES-OUT",
        });
    }
}
