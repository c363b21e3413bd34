//! Shards: primaries, each with its replicas and slots.

use alloc::string::String;
use alloc::vec::Vec;

use super::slots::{ClusterHost, SlotRange};
use crate::command::{FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A primary and its replicas, with the slots that they serve.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClusterShard {
    /// The slots, none for a primary that serves none.
    pub slots: Vec<SlotRange>,
    /// The nodes, in no order, those that fail among them.
    pub nodes: Vec<ClusterShardNode>,
}

/// A node of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterShardNode {
    /// Its id.
    pub id: String,
    /// Where clients are to connect.
    pub host: ClusterHost,
    /// Its port without TLS, if it has one.
    pub port: Option<u16>,
    /// Its port for TLS, if it has one.
    pub tls_port: Option<u16>,
    /// Its IP address; empty if it is not known.
    pub ip: String,
    /// The name of its host, if it was told one.
    pub hostname: Option<String>,
    /// What it is.
    pub role: ClusterRole,
    /// How far it is in the stream of replication, in bytes.
    pub replication_offset: u64,
    /// Whether it works.
    pub health: NodeHealth,
}

/// What a node is in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClusterRole {
    /// It takes writes.
    Primary,
    /// It follows the primary.
    Replica,
}

/// Whether a node works.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeHealth {
    /// It does.
    Online,
    /// It does not.
    Failed,
    /// It is a replica that has not read its data yet.
    Loading,
    /// Another state, in the server's word.
    Other(String),
}

impl ClusterShard {
    /// The primary.
    #[must_use]
    pub fn primary(&self) -> Option<&ClusterShardNode> {
        self.nodes.iter().find(|node| node.role == ClusterRole::Primary)
    }

    /// The replicas.
    pub fn replicas(&self) -> impl Iterator<Item = &ClusterShardNode> {
        self.nodes.iter().filter(|node| node.role == ClusterRole::Replica)
    }
}

impl FromReply for ClusterShard {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut shard = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"slots" => {
                    let ends = Vec::<(u16, u16)>::from_reply(value)?;
                    shard.slots = ends.into_iter().map(|(start, end)| SlotRange::new(start, end)).collect();
                }
                b"nodes" => shard.nodes = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        Ok(shard)
    }
}

impl FromReply for ClusterShardNode {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut node = Self {
            id: String::new(),
            host: ClusterHost::Unknown,
            port: None,
            tls_port: None,
            ip: String::new(),
            hostname: None,
            role: ClusterRole::Replica,
            replication_offset: 0,
            health: NodeHealth::Other(String::new()),
        };
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"id" => node.id = FromReply::from_reply(value)?,
                b"endpoint" => node.host = FromReply::from_reply(value)?,
                b"port" => node.port = FromReply::from_reply(value)?,
                b"tls-port" => node.tls_port = FromReply::from_reply(value)?,
                b"ip" => node.ip = FromReply::from_reply(value)?,
                b"hostname" => node.hostname = FromReply::from_reply(value)?,
                b"role" => node.role = FromReply::from_reply(value)?,
                b"replication-offset" => node.replication_offset = FromReply::from_reply(value)?,
                b"health" => node.health = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        if node.id.is_empty() { Err(unexpected("a node with an id", item)) } else { Ok(node) }
    }
}

impl FromReply for ClusterRole {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        match &*expect_text("the role of a node", item)? {
            b"master" => Ok(Self::Primary),
            b"replica" | b"slave" => Ok(Self::Replica),
            _ => Err(unexpected("master or replica", item)),
        }
    }
}

impl FromReply for NodeHealth {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let word = String::from_reply(item)?;
        Ok(match word.as_str() {
            "online" => Self::Online,
            "fail" | "failed" => Self::Failed,
            "loading" => Self::Loading,
            _ => Self::Other(word),
        })
    }
}
