//! What a sentinel knows of the servers that it watches and of its peers.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::time::Duration;

use super::super::fields::Fields;
use crate::command::{FromReply, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What a sentinel knows of any server. Times are spans up to now unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelNode {
    /// The name of a primary, `ip:port` of a replica, the id of a sentinel.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The id that it has until it is restarted; of a sentinel, for ever. `None` before it was heard of.
    pub run_id: Option<String>,
    /// `master`, `slave` or `sentinel`, and of `s_down`, `o_down`, `disconnected`, `master_down`,
    /// `failover_in_progress`, `promoted`, `reconf_sent`, `reconf_inprog`, `reconf_done` those that hold.
    pub flags: BTreeSet<String>,
    /// How many commands it has not answered yet.
    pub link_pending_commands: u64,
    /// How many primaries share the connection to it.
    pub link_refcount: u64,
    /// For how long the last ping is not answered; zero if it is.
    pub last_ping_sent: Duration,
    /// When it last answered a ping well.
    pub last_ok_ping_reply: Duration,
    /// When it last answered a ping.
    pub last_ping_reply: Duration,
    /// For how long this sentinel has found it down, if it does.
    pub s_down_time: Option<Duration>,
    /// For how long enough sentinels have found it down, if they do.
    pub o_down_time: Option<Duration>,
    /// How long it may keep silent before it is found down.
    pub down_after: Duration,
    /// Fields that this version of Redstart does not know.
    pub other: BTreeMap<String, String>,
}

impl SentinelNode {
    /// Whether this sentinel finds it down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.flags.contains("s_down") || self.flags.contains("o_down")
    }

    /// Whether this sentinel has no connection to it.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.flags.contains("disconnected")
    }
}

/// What a sentinel knows of a primary.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelPrimary {
    /// What it knows of any server.
    pub node: SentinelNode,
    /// How the replacement that is under way is going, such as `wait_start`.
    pub failover_state: Option<String>,
    /// When its `INFO` was last read.
    pub info_refresh: Duration,
    /// What it says that it is: `master` or `slave`.
    pub role_reported: String,
    /// For how long it has said so.
    pub role_reported_time: Duration,
    /// The epoch of the last replacement.
    pub config_epoch: u64,
    /// How many replicas the sentinel knows.
    pub replicas: u64,
    /// How many other sentinels the sentinel knows.
    pub other_sentinels: u64,
    /// How many sentinels must find it down.
    pub quorum: u64,
    /// How long a replacement may take.
    pub failover_timeout: Duration,
    /// How many replicas are told at once to follow another primary.
    pub parallel_syncs: u64,
    /// The script that is told of events.
    pub notification_script: Option<String>,
    /// The script that is told of a new primary.
    pub client_reconfig_script: Option<String>,
}

/// What a sentinel knows of a replica.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelReplica {
    /// What it knows of any server.
    pub node: SentinelNode,
    /// When its `INFO` was last read.
    pub info_refresh: Duration,
    /// What it says that it is: `master` or `slave`.
    pub role_reported: String,
    /// For how long it has said so.
    pub role_reported_time: Duration,
    /// For how long it has been without its primary; zero if it is not, and if it never was connected.
    pub link_down_time: Duration,
    /// Whether it is connected to its primary.
    pub is_linked: bool,
    /// The host of its primary, by its own word.
    pub primary_host: Option<String>,
    /// The port of its primary, by its own word.
    pub primary_port: u16,
    /// The least is preferred as a primary; 0 for one that never is to be.
    pub priority: u64,
    /// How far it has read its primary's stream, in bytes.
    pub offset: u64,
    /// Whether clients are to be told of it.
    pub is_announced: bool,
}

/// What a sentinel knows of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelPeer {
    /// What it knows of any server.
    pub node: SentinelNode,
    /// When it last announced itself.
    pub last_hello: Duration,
    /// The sentinel that it voted for.
    pub voted_leader: Option<String>,
    /// The epoch of its vote.
    pub voted_leader_epoch: u64,
}

impl FromReply for SentinelPrimary {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let read = |fields: &mut Fields| {
            Some(Self {
                failover_state: fields.text("failover-state"),
                info_refresh: millis(fields, "info-refresh")?,
                role_reported: fields.text("role-reported").unwrap_or_default(),
                role_reported_time: millis(fields, "role-reported-time")?,
                config_epoch: fields.number("config-epoch")?,
                replicas: fields.number("num-slaves")?,
                other_sentinels: fields.number("num-other-sentinels")?,
                quorum: fields.optional("quorum")??,
                failover_timeout: millis(fields, "failover-timeout")?,
                parallel_syncs: fields.number("parallel-syncs")?,
                notification_script: fields.text("notification-script"),
                client_reconfig_script: fields.text("client-reconfig-script"),
                node: SentinelNode::take(fields)?,
            })
        };
        read_record("fields of a primary", item, read)
    }
}

impl FromReply for SentinelReplica {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let read = |fields: &mut Fields| {
            Some(Self {
                info_refresh: millis(fields, "info-refresh")?,
                role_reported: fields.text("role-reported").unwrap_or_default(),
                role_reported_time: millis(fields, "role-reported-time")?,
                link_down_time: millis(fields, "master-link-down-time")?,
                is_linked: fields.text("master-link-status")? == "ok",
                primary_host: fields.text("master-host").filter(|host| host != "?"),
                primary_port: fields.number("master-port")?,
                priority: fields.number("slave-priority")?,
                offset: fields.number("slave-repl-offset")?,
                is_announced: fields.optional("replica-announced")?.is_none_or(|flag: u8| flag != 0),
                node: SentinelNode::take(fields)?,
            })
        };
        read_record("fields of a replica", item, read)
    }
}

impl FromReply for SentinelPeer {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let read = |fields: &mut Fields| {
            Some(Self {
                last_hello: millis(fields, "last-hello-message")?,
                voted_leader: fields.text("voted-leader").filter(|id| id != "?"),
                voted_leader_epoch: fields.optional("voted-leader-epoch")??,
                node: SentinelNode::take(fields)?,
            })
        };
        read_record("fields of a sentinel", item, read)
    }
}

fn read_record<T>(
    expected: &'static str,
    item: Item<'_>,
    read: impl FnOnce(&mut Fields) -> Option<T>,
) -> Result<T, ConversionError> {
    let mut fields = Fields::new(FromReply::from_reply(item)?);
    read(&mut fields).ok_or_else(|| unexpected(expected, item))
}

impl SentinelNode {
    /// Reads what every record has, after what only some have: all fields that are left are unknown ones.
    fn take(fields: &mut Fields) -> Option<Self> {
        let flags = fields.text("flags").unwrap_or_default();
        Some(Self {
            name: fields.text("name")?,
            host: fields.text("ip")?,
            port: fields.optional("port")??,
            run_id: fields.text("runid"),
            flags: flags.split(',').map(String::from).collect(),
            link_pending_commands: fields.number("link-pending-commands")?,
            link_refcount: fields.number("link-refcount")?,
            last_ping_sent: millis(fields, "last-ping-sent")?,
            last_ok_ping_reply: millis(fields, "last-ok-ping-reply")?,
            last_ping_reply: millis(fields, "last-ping-reply")?,
            s_down_time: fields.optional("s-down-time")?.map(Duration::from_millis),
            o_down_time: fields.optional("o-down-time")?.map(Duration::from_millis),
            down_after: millis(fields, "down-after-milliseconds")?,
            other: fields.rest(),
        })
    }
}

/// A span; negative ones, by which sentinels mean that there is none, are zero.
fn millis(fields: &mut Fields, name: &str) -> Option<Duration> {
    let millis: i64 = fields.number(name)?;
    Some(Duration::from_millis(millis.try_into().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::fmt::Debug;

    use bytes::BytesMut;

    use super::*;
    use crate::resp::{Decoder, Limits};

    const NODE: &str = "name n ip h port 7 runid id flags slave,s_down link-refcount 1 last-ping-sent 5 \
        last-ok-ping-reply 6 last-ping-reply 6 s-down-time 4 down-after-milliseconds 3 new x";

    /// Reads the same fields as RESP2 and RESP3 spell them.
    fn read<T: FromReply + PartialEq + Debug>(fields: &str) -> Result<T, ConversionError> {
        let texts = fields.split_whitespace().map(|text| format!("${}\r\n{text}\r\n", text.len()));
        let texts = texts.collect::<String>();
        let count = fields.split_whitespace().count();
        let [two, three] =
            [format!("*{count}\r\n{texts}"), format!("%{}\r\n{texts}", count / 2)].map(|wire| {
                let mut bytes = BytesMut::from(wire.as_bytes());
                let frame =
                    Decoder::new(Limits::default()).decode(&mut bytes).expect("legal").expect("whole");
                T::from_reply(frame.item())
            });
        assert_eq!(two.as_ref().ok(), three.as_ref().ok());
        three
    }

    #[test]
    fn a_replica_that_was_never_connected() {
        let own = "info-refresh 0 role-reported slave master-link-down-time -1000 master-link-status err \
            master-host ? master-port 0 slave-priority 100";
        let replica: SentinelReplica = read(&format!("{NODE} {own}")).expect("a replica");
        assert_eq!((replica.link_down_time, replica.is_linked), (Duration::ZERO, false));
        assert_eq!((replica.primary_host, replica.is_announced), (None, true));
        let node = replica.node;
        assert!(node.is_down() && !node.is_disconnected());
        assert_eq!((node.s_down_time, node.o_down_time), (Some(Duration::from_millis(4)), None));
        assert_eq!(node.other, BTreeMap::from([("new".into(), "x".into())]));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert!(read::<SentinelPeer>(&format!("{NODE} voted-leader-epoch 1")).is_ok());
        assert!(read::<SentinelPeer>("voted-leader-epoch 1").is_err());
        assert!(read::<SentinelPeer>(NODE).is_err());
        assert!(read::<SentinelReplica>(NODE).is_err());
        assert!(read::<SentinelPrimary>(NODE).is_err());
        assert!(read::<SentinelPrimary>(&format!("{NODE} quorum 2")).is_ok());
        assert!(read::<SentinelPrimary>(&format!("{NODE} quorum many")).is_err());
    }
}
