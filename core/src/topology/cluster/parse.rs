//! Answers of the nodes to views: `CLUSTER SHARDS` and `CLUSTER SLOTS`, over RESP2 and RESP3.
//!
//! What is missing or unknown in a lawful answer costs the node that it belongs to: a node without an
//! address or port is left out, and if it is a primary its slots are served by nobody. What no node would
//! say costs the whole answer.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::asked::{Asked, NoHost};
use super::draft::Draft;
use super::view::{NODES_MAX, Node, View, ViewError};
use crate::command::slot::SLOTS;
use crate::command::{FromReply, elements, expect_text, pairs, unexpected};
use crate::commands::SlotRange;
use crate::error::ConversionError;
use crate::resp::Item;

impl View {
    /// Reads the reply to `CLUSTER SLOTS`, which every version knows.
    ///
    /// # Errors
    /// The reply is of another shape or cannot be true; nothing of it should be used.
    pub fn from_slots(reply: Item<'_>, asked: Asked<'_>) -> Result<Self, ViewError> {
        let mut draft = Draft::default();
        for entry in elements(reply)? {
            let mut parts = elements(entry)?;
            let (Some(first), Some(last), Some(primary)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(unexpected("a range of slots and its nodes", entry).into());
            };
            let range = range(first, last)?;
            let primary = slots_node(primary, asked)?;
            if parts.len() > NODES_MAX {
                return Err(ViewError::TooManyNodes);
            }
            let mut replicas = Vec::new();
            for replica in parts {
                replicas.extend(slots_node(replica, asked)?);
            }
            draft.add(primary, [range], replicas)?;
        }
        draft.finish()
    }

    /// Reads the reply to `CLUSTER SHARDS`, since Redis 7.0. Replicas are taken if they are `online`.
    ///
    /// Around a failover `CLUSTER SLOTS` tells more: 8.2.3, while a shard has two primaries, gives the slots
    /// of the one that it lists first, be it the one that has lost them all.
    ///
    /// # Errors
    /// The reply is of another shape or cannot be true; nothing of it should be used.
    pub fn from_shards(reply: Item<'_>, asked: Asked<'_>) -> Result<Self, ViewError> {
        let mut draft = Draft::default();
        for shard in elements(reply)? {
            let [slots, nodes] = fields(shard, [b"slots", b"nodes"])?;
            let (Some(slots), Some(nodes)) = (slots, nodes) else {
                return Err(unexpected("the slots and nodes of a shard", shard).into());
            };
            let (primary, replicas) = shard_nodes(nodes, asked)?;
            draft.add(primary, ranges(slots)?, replicas)?;
        }
        draft.finish()
    }
}

/// The epoch in the reply to `CLUSTER INFO`: the higher, the more its node knows of failovers.
#[must_use]
pub fn epoch(reply: Item<'_>) -> Option<u64> {
    let text = reply.text()?;
    let value =
        text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"cluster_current_epoch:"))?;
    core::str::from_utf8(value).ok()?.trim_end().parse().ok()
}

/// `[host, port, id, remarks]`; versions before 7.0 have no remarks, versions before 4.0 no id.
fn slots_node(item: Item<'_>, asked: Asked<'_>) -> Result<Option<Node>, ViewError> {
    let mut parts = elements(item)?;
    let (Some(host), Some(number)) = (parts.next(), parts.next()) else {
        return Err(unexpected("the host and port of a node", item).into());
    };
    let [zone] = match parts.nth(1) {
        Some(remarks) => fields(remarks, [b"availability-zone"])?,
        None => [None],
    };
    node(host, port(number)?, zone, asked)
}

/// The usable primary, if there is one, and the replicas that can be read from.
fn shard_nodes(list: Item<'_>, asked: Asked<'_>) -> Result<(Option<Node>, Vec<Node>), ViewError> {
    let mut primary = None;
    let mut fallen = None;
    let mut replicas = Vec::new();
    let nodes = elements(list)?;
    if nodes.len() > NODES_MAX {
        return Err(ViewError::TooManyNodes);
    }
    for item in nodes {
        let [host, plain, tls, role, health, zone] =
            fields(item, [b"endpoint", b"port", b"tls-port", b"role", b"health", b"availability-zone"])?;
        let (Some(host), Some(role), Some(health)) = (host, role, health) else {
            return Err(unexpected("the endpoint, role and health of a node", item).into());
        };
        let plain = plain.map_or(Ok(None), port)?;
        let tls = tls.map_or(Ok(None), port)?;
        let node = node(host, if asked.is_tls() { tls.or(plain) } else { plain }, zone, asked)?;
        match (&*expect_text("a role", role)?, &*expect_text("a health", health)?) {
            // The slots are those of the first primary that has not failed: a second one has lost them.
            (b"master", b"fail") => fallen = fallen.or(Some(node)),
            (b"master", _) => primary = primary.or(Some(node)),
            (b"replica", b"online") => replicas.extend(node),
            _ => {}
        }
    }
    // A primary that has failed serves its slots until a replica is promoted: nobody else does.
    Ok((primary.or(fallen).flatten(), replicas))
}

/// `[first, last, first, last, ...]`
fn ranges(list: Item<'_>) -> Result<Vec<SlotRange>, ViewError> {
    let mut slots = elements(list)?;
    if slots.len() > 2 * usize::from(SLOTS) {
        return Err(ViewError::TooManyRanges);
    }
    let mut ranges = Vec::with_capacity(slots.len() / 2);
    while let Some(first) = slots.next() {
        let last = slots.next().ok_or_else(|| unexpected("pairs of slots", list))?;
        ranges.push(range(first, last)?);
    }
    Ok(ranges)
}

/// A range as the node gives it; whether there are such slots, the draft looks.
fn range(first: Item<'_>, last: Item<'_>) -> Result<SlotRange, ViewError> {
    let (first, last) = (i64::from_reply(first)?, i64::from_reply(last)?);
    match (u16::try_from(first), u16::try_from(last)) {
        (Ok(start), Ok(end)) => Ok(SlotRange::new(start, end)),
        _ => Err(ViewError::Slots { first, last }),
    }
}

fn node(
    host: Item<'_>,
    port: Option<u16>,
    zone: Option<Item<'_>>,
    asked: Asked<'_>,
) -> Result<Option<Node>, ViewError> {
    let host = if host.is_null() { Vec::new().into() } else { expect_text("a host", host)? };
    let Some(port) = port else { return Ok(None) };
    let endpoint = asked.locate(&host, port).map_err(|NoHost| ViewError::Host)?;
    Ok(endpoint.map(|endpoint| Node { endpoint, zone: zone.and_then(zone_name) }))
}

/// A port, or `None` for 0: the node does not listen in this way.
fn port(item: Item<'_>) -> Result<Option<u16>, ViewError> {
    match i64::from_reply(item)? {
        0 => Ok(None),
        port => u16::try_from(port).map(Some).map_err(|_| ViewError::Port(port)),
    }
}

fn zone_name(item: Item<'_>) -> Option<Arc<str>> {
    const LEN_MAX: usize = 255;
    let text = item.text()?;
    let name = core::str::from_utf8(&text).ok()?;
    (1..=LEN_MAX).contains(&name.len()).then(|| name.into())
}

/// The values of the named fields of a map; unknown ones are passed over.
fn fields<'a, const N: usize>(
    map: Item<'a>,
    names: [&[u8]; N],
) -> Result<[Option<Item<'a>>; N], ConversionError> {
    let mut values = [None; N];
    for pair in pairs(map)? {
        let (name, value) = pair?;
        let name = expect_text("the name of a field", name)?;
        for (wanted, slot) in names.iter().zip(&mut values) {
            if *wanted == &*name {
                *slot = Some(value);
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
