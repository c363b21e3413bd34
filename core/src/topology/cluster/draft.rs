//! A view in the making.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::view::{NODES_MAX, Node, Shard, View, ViewError};
use crate::command::slot::SLOTS;
use crate::commands::SlotRange;
use crate::config::Endpoint;

/// Gathers shards into a [`View`] and refuses what cannot be. What it holds is bounded by the limit on nodes
/// and the number of slots, however often either is named; its work grows with the ranges, not with the slots.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// By primary.
    shards: BTreeMap<Endpoint, Shard>,
    /// The replicas of all shards.
    replicas: BTreeSet<Endpoint>,
    /// Slots that somebody claims, be it a node that cannot be used: the first of each range, and the last.
    claimed: BTreeMap<u16, u16>,
}

impl Draft {
    /// Adds a shard, or to one. Without a usable primary its slots are claimed but not served.
    pub(super) fn add(
        &mut self,
        primary: Option<Node>,
        slots: impl IntoIterator<Item = SlotRange>,
        replicas: impl IntoIterator<Item = Node>,
    ) -> Result<(), ViewError> {
        let mut slots = slots.into_iter().peekable();
        if slots.peek().is_none() {
            return Ok(());
        }
        let mut shard = primary.map(|primary| {
            let endpoint = primary.endpoint.clone();
            self.shards.entry(endpoint).or_insert_with(|| Shard::new(primary, Vec::new(), Vec::new()))
        });
        for range in slots {
            if range.start > range.end || range.end >= SLOTS {
                return Err(ViewError::Slots { first: range.start.into(), last: range.end.into() });
            }
            claim(&mut self.claimed, range)?;
            if let Some(shard) = &mut shard {
                shard.slots.push(range);
            }
        }
        if let Some(shard) = shard {
            for replica in replicas {
                if self.replicas.insert(replica.endpoint.clone()) {
                    shard.replicas.push(replica);
                }
                if self.replicas.len() > NODES_MAX {
                    return Err(ViewError::TooManyNodes);
                }
            }
        }
        if self.shards.len() + self.replicas.len() > NODES_MAX {
            Err(ViewError::TooManyNodes)
        } else {
            Ok(())
        }
    }

    pub(super) fn finish(self) -> Result<View, ViewError> {
        let primaries: BTreeSet<Endpoint> = self.shards.keys().cloned().collect();
        let mut shards: Vec<Shard> = self.shards.into_values().collect();
        let mut coverage = 0;
        for shard in &mut shards {
            shard.replicas.retain(|replica| !primaries.contains(&replica.endpoint));
            shard.replicas.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
            shard.slots.sort_unstable();
            shard.slots = SlotRange::join(core::mem::take(&mut shard.slots));
            coverage += shard.slots.iter().map(|range| range.slots().len()).sum::<usize>();
        }
        match u16::try_from(coverage) {
            Ok(coverage @ 1..) => Ok(View::from_checked(shards, coverage)),
            _ => Err(ViewError::NoSlots),
        }
    }
}

fn claim(claimed: &mut BTreeMap<u16, u16>, range: SlotRange) -> Result<(), ViewError> {
    let before = claimed.range(..range.start).next_back().filter(|(_, end)| **end >= range.start);
    let within = claimed.range(range.slots()).next();
    match (before, within) {
        (Some(_), _) => Err(ViewError::Overlap(range.start)),
        (None, Some((&slot, _))) => Err(ViewError::Overlap(slot)),
        (None, None) => {
            claimed.insert(range.start, range.end);
            Ok(())
        }
    }
}
