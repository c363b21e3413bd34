//! The lines of `CLUSTER NODES`, taken apart.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::slots::SlotRange;
use crate::command::{FromReply, UnixTime, elements, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// A node of a cluster, as one node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClusterNode {
    /// Its id.
    pub id: String,
    /// Its IP address; empty if it is not known, as a node's own is not before it has met another.
    pub ip: String,
    /// Its port; 0 if its address is not known.
    pub port: u16,
    /// Its port for other nodes; since 4.0.
    pub bus_port: Option<u16>,
    /// The name of its host, if it was told one; since 7.0.
    pub hostname: Option<String>,
    /// `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, `noaddr`, `nofailover`, those that hold.
    pub flags: BTreeSet<String>,
    /// The id of its primary, if it is a replica.
    pub primary: Option<String>,
    /// When it was sent the `PING` that it has not answered yet.
    pub ping_sent: Option<UnixTime>,
    /// When it last answered.
    pub pong_received: Option<UnixTime>,
    /// The epoch of its slots; of its primary's, for a replica.
    pub config_epoch: u64,
    /// Whether the node that was asked is connected to it.
    pub is_connected: bool,
    /// The slots that it serves; none for a replica.
    pub slots: Vec<SlotRange>,
    /// Slots on their way from it, and to whom. Each node tells its own only.
    pub migrating: BTreeMap<u16, String>,
    /// Slots on their way to it, and from whom. Each node tells its own only.
    pub importing: BTreeMap<u16, String>,
    /// What else is told of its address, such as `shard-id`, where the server tells it.
    pub other: BTreeMap<String, String>,
}

impl ClusterNode {
    /// Whether it is the node that was asked.
    #[must_use]
    pub fn is_myself(&self) -> bool {
        self.flags.contains("myself")
    }

    /// Whether it is a primary.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.flags.contains("master")
    }

    /// Whether it is a replica.
    #[must_use]
    pub fn is_replica(&self) -> bool {
        self.flags.contains("slave")
    }

    /// Whether most primaries found that it fails.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.flags.contains("fail")
    }
}

impl FromReply for ClusterNode {
    /// One line.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text("a line about a node", item)?;
        let line = String::from_utf8_lossy(&bytes);
        Self::parse(line.trim_end()).ok_or_else(|| unexpected("a line about a node", item))
    }

    /// A text of lines, or a list of them.
    fn list_from_reply(item: Item<'_>) -> Result<Vec<Self>, ConversionError> {
        if item.kind().is_aggregate() {
            return elements(item)?.map(Self::from_reply).collect();
        }
        let bytes = expect_text("a line per node", item)?;
        let wrong = || unexpected("a line per node", item);
        String::from_utf8_lossy(&bytes).lines().map(|line| Self::parse(line).ok_or_else(wrong)).collect()
    }
}

impl ClusterNode {
    /// `ID ADDRESS FLAGS PRIMARY PING-SENT PONG-RECEIVED EPOCH LINK-STATE [SLOT ...]`
    pub(in crate::commands) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut node = Self { id: words.next()?.to_owned(), ..Self::default() };
        node.set_address(words.next()?)?;
        node.flags = words.next()?.split(',').filter(|flag| *flag != "noflags").map(String::from).collect();
        node.primary = words.next().filter(|id| *id != "-").map(String::from);
        node.ping_sent = time(words.next()?)?;
        node.pong_received = time(words.next()?)?;
        node.config_epoch = words.next()?.parse().ok()?;
        node.is_connected = words.next()? == "connected";
        words.filter(|word| !word.is_empty()).try_for_each(|word| node.add_slots(word))?;
        Some(node)
    }

    /// `IP:PORT[@BUS-PORT][,HOSTNAME[,NAME=VALUE ...]]`
    fn set_address(&mut self, address: &str) -> Option<()> {
        let mut parts = address.split(',');
        let (ip, ports) = parts.next()?.rsplit_once(':')?;
        let (port, bus_port) = ports.split_once('@').unwrap_or((ports, ""));
        self.ip = ip.to_owned();
        self.port = port.parse().ok()?;
        self.bus_port = if bus_port.is_empty() { None } else { Some(bus_port.parse().ok()?) };
        self.hostname = parts.next().filter(|name| !name.is_empty()).map(String::from);
        let other = parts.filter_map(|part| part.split_once('='));
        self.other = other.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(())
    }

    /// `SLOT`, `START-END`, `[SLOT->-NODE]` or `[SLOT-<-NODE]`
    fn add_slots(&mut self, word: &str) -> Option<()> {
        if let Some(moving) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            let (ways, (slot, node)) = match moving.split_once("->-") {
                Some(parts) => (&mut self.migrating, parts),
                None => (&mut self.importing, moving.split_once("-<-")?),
            };
            ways.insert(slot.parse().ok()?, node.to_owned());
            return Some(());
        }
        let (start, end) = word.split_once('-').unwrap_or((word, word));
        self.slots.push(SlotRange::new(start.parse().ok()?, end.parse().ok()?));
        Some(())
    }
}

/// Milliseconds, 0 for never; `None` if it is something else.
fn time(word: &str) -> Option<Option<UnixTime>> {
    let millis: u64 = word.parse().ok()?;
    Some((millis != 0).then(|| UnixTime::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(slot: u16, node: &str) -> BTreeMap<u16, String> {
        BTreeMap::from([(slot, node.to_owned())])
    }

    #[test]
    fn a_primary_with_slots_on_their_way() {
        let line = "e7d1 127.0.0.1:30001@31001,host-1,shard-id=69bc myself,master - 0 7 1 connected \
            0-5460 5462 [93-<-292f] [77->-e7d2]";
        let node = ClusterNode::parse(line).expect("a node");
        assert_eq!((node.id.as_str(), node.ip.as_str()), ("e7d1", "127.0.0.1"));
        assert_eq!((node.port, node.bus_port), (30001, Some(31001)));
        assert_eq!(node.hostname.as_deref(), Some("host-1"));
        assert_eq!(node.other, BTreeMap::from([("shard-id".to_owned(), "69bc".to_owned())]));
        assert!(node.is_myself() && node.is_primary() && !node.is_replica() && !node.has_failed());
        assert_eq!((node.primary, node.config_epoch, node.is_connected), (None, 1, true));
        assert_eq!((node.ping_sent, node.pong_received), (None, Some(UnixTime::from_millis(7))));
        assert_eq!(node.slots, [SlotRange::new(0, 5460), SlotRange::new(5462, 5462)]);
        assert_eq!((node.importing, node.migrating), (map(93, "292f"), map(77, "e7d2")));
    }

    #[test]
    fn a_failed_replica_at_an_ipv6_address() {
        let node = ClusterNode::parse("a ::1:7000@17000 slave,fail b 5 6 2 disconnected").expect("a node");
        assert_eq!((node.ip.as_str(), node.port, node.hostname.as_deref()), ("::1", 7000, None));
        assert!(node.is_replica() && node.has_failed() && !node.is_connected);
        assert_eq!(node.primary.as_deref(), Some("b"));
        assert_eq!(node.slots, []);
    }

    #[test]
    fn nodes_whose_address_is_not_known() {
        let myself = ClusterNode::parse("a :7000@17000 myself,master - 0 0 0 connected").expect("a node");
        assert_eq!((myself.ip.as_str(), myself.port), ("", 7000));
        let lost = ClusterNode::parse("a :0@0 noaddr,noflags - 0 0 0 disconnected").expect("a node");
        assert_eq!((lost.port, lost.flags), (0, BTreeSet::from(["noaddr".to_owned()])));
        let old = ClusterNode::parse("a 10.0.0.1:7000 master - 0 0 0 connected ").expect("a node");
        assert_eq!((old.bus_port, old.slots), (None, Vec::new()));
    }

    #[test]
    fn what_is_no_node_is_refused() {
        for line in [
            "",
            "a",
            "a 127.0.0.1 master - 0 0 0 connected",
            "a :x@1 master - 0 0 0 connected",
            "a :1@x master - 0 0 0 connected",
            "a :1@1 master - x 0 0 connected",
            "a :1@1 master - 0 0 x connected",
            "a :1@1 master - 0 0 0",
            "a :1@1 master - 0 0 0 connected x",
            "a :1@1 master - 0 0 0 connected 1-",
            "a :1@1 master - 0 0 0 connected [1-b]",
            "a :1@1 master - 0 0 0 connected [x->-b]",
        ] {
            assert_eq!(ClusterNode::parse(line), None, "{line:?}");
        }
    }
}
