//! How a cluster is, and how its nodes are linked.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use super::super::fields::Fields;
use crate::command::{FromReply, UnixTime, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// How a cluster is, as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClusterInfo {
    /// Whether the node answers questions for keys: by default it does not while a slot is served by nobody, or
    /// while the node cannot reach most primaries.
    pub is_ok: bool,
    /// How many slots have a node.
    pub slots_assigned: u16,
    /// How many slots have a node that works.
    pub slots_ok: u16,
    /// How many slots have a node that this one cannot reach.
    pub slots_pfail: u16,
    /// How many slots have a node that the cluster has given up.
    pub slots_fail: u16,
    /// How many nodes the node knows, itself and those that fail among them.
    pub known_nodes: u64,
    /// How many primaries serve a slot.
    pub size: u64,
    /// The greatest epoch that the node has seen.
    pub current_epoch: u64,
    /// The epoch of the node's slots; of its primary's, for a replica.
    pub my_epoch: u64,
    /// How many messages the node has sent to other nodes.
    pub messages_sent: u64,
    /// How many messages the node has received from other nodes.
    pub messages_received: u64,
    /// All other fields, by the server's names.
    pub other: BTreeMap<String, String>,
}

impl FromReply for ClusterInfo {
    /// Lines of `name:value`.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text("lines about a cluster", item)?;
        Self::parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| unexpected("lines about a cluster", item))
    }
}

impl ClusterInfo {
    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let mut fields =
            Fields::new(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        Some(Self {
            is_ok: fields.text("cluster_state")? == "ok",
            slots_assigned: fields.number("cluster_slots_assigned")?,
            slots_ok: fields.number("cluster_slots_ok")?,
            slots_pfail: fields.number("cluster_slots_pfail")?,
            slots_fail: fields.number("cluster_slots_fail")?,
            known_nodes: fields.number("cluster_known_nodes")?,
            size: fields.number("cluster_size")?,
            current_epoch: fields.number("cluster_current_epoch")?,
            my_epoch: fields.number("cluster_my_epoch")?,
            messages_sent: fields.number("cluster_stats_messages_sent")?,
            messages_received: fields.number("cluster_stats_messages_received")?,
            other: fields.rest(),
        })
    }
}

/// A connection between two nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterLink {
    /// Who made it.
    pub direction: LinkDirection,
    /// The id of the other node.
    pub node: String,
    /// When it was made.
    pub created: UnixTime,
    /// What the node waits for on its socket: `r` to read, `w` to write.
    pub events: String,
    /// Bytes of memory for what is still to be sent.
    pub send_buffer_allocated: u64,
    /// Bytes that are still to be sent.
    pub send_buffer_used: u64,
}

/// Who made a connection between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkDirection {
    /// The node that was asked.
    To,
    /// The other node.
    From,
}

impl FromReply for ClusterLink {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut link = Self {
            direction: LinkDirection::To,
            node: String::new(),
            created: UnixTime::from_millis(0),
            events: String::new(),
            send_buffer_allocated: 0,
            send_buffer_used: 0,
        };
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"direction" => link.direction = FromReply::from_reply(value)?,
                b"node" => link.node = FromReply::from_reply(value)?,
                b"create-time" => link.created = UnixTime::from_millis(FromReply::from_reply(value)?),
                b"events" => link.events = FromReply::from_reply(value)?,
                b"send-buffer-allocated" => link.send_buffer_allocated = FromReply::from_reply(value)?,
                b"send-buffer-used" => link.send_buffer_used = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        if link.node.is_empty() { Err(unexpected("a link with a node", item)) } else { Ok(link) }
    }
}

impl FromReply for LinkDirection {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match &*expect_text("to or from", item)? {
            b"to" => Ok(Self::To),
            b"from" => Ok(Self::From),
            _ => Err(unexpected("to or from", item)),
        }
    }
}

/// What became of a node's configuration epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EpochBump {
    /// It is this one now.
    Bumped(u64),
    /// It was the greatest already, and is still this one.
    Still(u64),
}

impl FromReply for EpochBump {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text("an epoch", item)?;
        let text = core::str::from_utf8(&bytes).unwrap_or_default();
        let (word, epoch) = text.split_once(' ').unwrap_or_default();
        match (word, epoch.parse()) {
            ("BUMPED", Ok(epoch)) => Ok(Self::Bumped(epoch)),
            ("STILL", Ok(epoch)) => Ok(Self::Still(epoch)),
            _ => Err(unexpected("BUMPED or STILL, and an epoch", item)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_other_fields() {
        let info = ClusterInfo::parse("cluster_state:fail\r\ncluster_size:3\r\nnew_field:x\r\n");
        let other = BTreeMap::from([("new_field".to_owned(), "x".to_owned())]);
        assert_eq!(info, Some(ClusterInfo { size: 3, other, ..ClusterInfo::default() }));
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        assert_eq!(ClusterInfo::parse(""), None);
        assert_eq!(ClusterInfo::parse("cluster_size:3\r\n"), None);
        assert_eq!(ClusterInfo::parse("cluster_state:ok\r\ncluster_size:many\r\n"), None);
    }
}
