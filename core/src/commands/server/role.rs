//! A server's part in replication.

use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{FromReply, elements, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A server's part in replication.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It takes writes.
    Primary {
        /// How far its replication stream is, in bytes.
        offset: u64,
        /// Its replicas that are connected.
        replicas: Vec<RoleReplica>,
    },
    /// It follows a primary.
    Replica {
        /// The primary's host.
        host: String,
        /// The primary's port.
        port: u16,
        /// How the link to the primary is.
        link: ReplicaLink,
        /// How far it has read its primary's stream, in bytes; `None` if nothing was read yet.
        offset: Option<u64>,
    },
    /// It watches over primaries.
    Sentinel {
        /// The names of the primaries.
        primaries: Vec<String>,
    },
}

/// A replica, as its primary sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleReplica {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How much of the stream it has confirmed, in bytes.
    pub offset: u64,
}

/// How a replica's link to its primary is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplicaLink {
    /// Nothing was tried yet (`none`, `connect`).
    Waiting,
    /// A connection is being made (`connecting`, `handshake`).
    Connecting,
    /// The whole data set is being read (`sync`).
    Syncing,
    /// It follows the stream (`connected`).
    Connected,
    /// Another state, in the server's word.
    Other(String),
}

impl FromReply for Role {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let mut next = || parts.next().ok_or_else(|| unexpected("more elements of a role", item));
        match &*expect_text("the name of a role", next()?)? {
            b"master" => {
                let offset = FromReply::from_reply(next()?)?;
                Ok(Self::Primary { offset, replicas: FromReply::from_reply(next()?)? })
            }
            b"slave" => Ok(Self::Replica {
                host: FromReply::from_reply(next()?)?,
                port: FromReply::from_reply(next()?)?,
                link: FromReply::from_reply(next()?)?,
                offset: i64::from_reply(next()?)?.try_into().ok(),
            }),
            b"sentinel" => Ok(Self::Sentinel { primaries: FromReply::from_reply(next()?)? }),
            _ => Err(unexpected("master, slave or sentinel", item)),
        }
    }
}

impl FromReply for RoleReplica {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (host, port, offset) = FromReply::from_reply(item)?;
        Ok(Self { host, port, offset })
    }
}

impl FromReply for ReplicaLink {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let word = String::from_reply(item)?;
        Ok(match word.as_str() {
            "none" | "connect" => Self::Waiting,
            "connecting" | "handshake" => Self::Connecting,
            "sync" => Self::Syncing,
            "connected" => Self::Connected,
            _ => Self::Other(word),
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    fn read(wire: &str) -> Result<Role, ConversionError> {
        let mut bytes = BytesMut::from(wire.as_bytes());
        let frame = Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
        Role::from_reply(frame.item())
    }

    #[test]
    fn a_replica_that_has_read_nothing() {
        let role = read("*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:7\r\n$4\r\nsync\r\n:-1\r\n");
        let link = ReplicaLink::Syncing;
        assert_eq!(role, Ok(Role::Replica { host: "h".into(), port: 7, link, offset: None }));
    }

    #[test]
    fn a_sentinel() {
        let role = read("*2\r\n$8\r\nsentinel\r\n*1\r\n$4\r\nmain\r\n");
        assert_eq!(role, Ok(Role::Sentinel { primaries: ["main".into()].into() }));
    }

    #[test]
    fn what_is_no_role_is_refused() {
        assert!(read("*0\r\n").is_err());
        assert!(read("*2\r\n$6\r\nmaster\r\n:1\r\n").is_err());
        assert!(read("*1\r\n$5\r\nother\r\n").is_err());
    }
}
