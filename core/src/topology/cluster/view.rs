//! What one node says of the cluster, checked.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::fmt;

use super::draft::Draft;
use crate::commands::SlotRange;
use crate::config::Endpoint;
use crate::error::ConversionError;

/// More nodes than this are refused. Redis itself is made for a thousand.
pub const NODES_MAX: usize = 10_000;

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// Where it stands, if it says so; from Valkey 9.1 on.
    pub zone: Option<Arc<str>>,
}

impl Node {
    /// The node at `endpoint`, in no particular zone.
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, zone: None }
    }
}

/// Slots, the node that serves them, and those that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shard {
    /// The node that takes writes.
    pub primary: Node,
    /// Nodes that follow it and can be read from, by endpoint.
    pub replicas: Vec<Node>,
    /// What it serves, in order.
    pub slots: Vec<SlotRange>,
}

impl Shard {
    /// A shard of these nodes.
    #[must_use]
    pub const fn new(primary: Node, replicas: Vec<Node>, slots: Vec<SlotRange>) -> Self {
        Self { primary, replicas, slots }
    }
}

/// Why an answer about the cluster is not taken.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ViewError {
    /// The reply is of another shape, or an error of the server.
    Shape(ConversionError),
    /// There is no slot that a usable node serves.
    NoSlots,
    /// What should be a range of slots is none: it is empty, or goes beyond the 16,384 that there are.
    Slots {
        /// Its start, as it came.
        first: i64,
        /// Its end, as it came.
        last: i64,
    },
    /// Two shards, or one of them twice, claim this slot.
    Overlap(u16),
    /// A host is neither a name nor an address.
    Host,
    /// A port is no port.
    Port(i64),
    /// There are more than [`NODES_MAX`] nodes, or too many that have left are not released yet.
    TooManyNodes,
    /// A shard has more ranges of slots than there are slots.
    TooManyRanges,
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => error.fmt(f),
            Self::NoSlots => f.write_str("no slot is served"),
            Self::Slots { first, last } => write!(f, "{first} to {last} is no range of slots"),
            Self::Overlap(slot) => write!(f, "slot {slot} is claimed twice"),
            Self::Host => f.write_str("a host is neither a name nor an address"),
            Self::Port(port) => write!(f, "{port} is no port"),
            Self::TooManyNodes => f.write_str("there are too many nodes"),
            Self::TooManyRanges => f.write_str("there are too many ranges of slots"),
        }
    }
}

impl core::error::Error for ViewError {}

impl From<ConversionError> for ViewError {
    fn from(error: ConversionError) -> Self {
        Self::Shape(error)
    }
}

/// What one node says of the cluster.
///
/// Whatever made it, this holds: every shard serves a slot, no slot is served twice, every node occurs
/// once, shards are in the order of their primaries and replicas in the order of their endpoints. Two
/// nodes that see the same cluster therefore give equal views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    shards: Vec<Shard>,
    coverage: u16,
    epoch: Option<u64>,
}

impl View {
    /// The view of these shards, brought into order. Those without slots are left out.
    ///
    /// A node that is said to be a primary here and a replica there is a primary; one that follows two
    /// primaries follows the first.
    ///
    /// # Errors
    /// What should be slots are none, a slot is claimed twice, none is claimed, or there are too many nodes.
    pub fn new(shards: impl IntoIterator<Item = Shard>) -> Result<Self, ViewError> {
        let mut draft = Draft::default();
        for shard in shards {
            draft.add(Some(shard.primary), shard.slots, shard.replicas)?;
        }
        draft.finish()
    }

    /// `shards` hold what the type promises.
    pub(super) fn from_checked(shards: Vec<Shard>, coverage: u16) -> Self {
        Self { shards, coverage, epoch: None }
    }

    /// The same view with the epoch that its node has reached (`cluster_current_epoch` of
    /// `CLUSTER INFO`), which tells an old view from a new one.
    #[must_use]
    pub const fn with_epoch(mut self, epoch: Option<u64>) -> Self {
        self.epoch = epoch;
        self
    }

    /// The shards that serve slots.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// All nodes, each once: of each shard the primary, then its replicas.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.shards.iter().flat_map(|shard| core::iter::once(&shard.primary).chain(&shard.replicas))
    }

    /// How many slots are served: 16,384 in a cluster that is whole.
    #[must_use]
    pub const fn coverage(&self) -> u16 {
        self.coverage
    }

    /// The epoch that its node has reached, if it is known.
    #[must_use]
    pub const fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// The best of several answers: the one that covers most slots; of those the one of the highest epoch;
    /// of those the one that most nodes give; of those the first.
    #[must_use]
    pub fn best(mut views: Vec<Self>) -> Option<Self> {
        let rank = |(index, view): (usize, &Self)| {
            let agreeing = views.iter().filter(|other| other.shards == view.shards).count();
            (view.coverage, view.epoch, agreeing, Reverse(index))
        };
        let (.., Reverse(index)) = views.iter().enumerate().map(rank).max()?;
        Some(views.swap_remove(index))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn node(port: u16) -> Node {
        Node::new(Endpoint::tcp("h", port))
    }

    fn shard(port: u16, replicas: &[u16], slots: &[(u16, u16)]) -> Shard {
        let slots = slots.iter().map(|&(start, end)| SlotRange::new(start, end)).collect();
        Shard::new(node(port), replicas.iter().map(|&port| node(port)).collect(), slots)
    }

    #[test]
    fn ranges_hold_slots_only() {
        for (start, end) in [(0, 0), (0, 16_383), (16_383, 16_383), (5, 6)] {
            assert!(View::new([shard(1, &[], &[(start, end)])]).is_ok(), "{start} to {end}");
        }
        for (start, end) in [(0, 16_384), (2, 1), (16_384, 16_384), (0, u16::MAX), (u16::MAX, 0)] {
            let error = ViewError::Slots { first: start.into(), last: end.into() };
            assert_eq!(View::new([shard(1, &[], &[(7, 7), (start, end)])]), Err(error));
        }
    }

    #[test]
    fn views_are_in_order() {
        let view = View::new([
            shard(2, &[9, 8, 9], &[(7, 9), (0, 3)]),
            shard(3, &[], &[]),
            shard(1, &[8, 2, 1, 7], &[(4, 6)]),
            shard(2, &[6], &[(10, 11)]),
        ]);
        // 8 follows the first that claims it; 2 and 1 are primaries; 7 to 9 and 10 to 11 are one range.
        let expected = vec![shard(1, &[7], &[(4, 6)]), shard(2, &[6, 8, 9], &[(0, 3), (7, 11)])];
        let view = view.unwrap();
        assert_eq!(view.shards(), expected);
        assert_eq!(view.coverage(), 12);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(View::new([]), Err(ViewError::NoSlots));
        assert_eq!(View::new([shard(1, &[2], &[])]), Err(ViewError::NoSlots));
        let twice = [shard(1, &[], &[(0, 9)]), shard(2, &[], &[(5, 5)])];
        assert_eq!(View::new(twice), Err(ViewError::Overlap(5)));
        assert_eq!(View::new([shard(1, &[], &[(0, 9), (9, 9)])]), Err(ViewError::Overlap(9)));
        let replicas: Vec<u16> = (2..10_001).collect();
        assert!(View::new([shard(1, &replicas, &[(0, 0)])]).is_ok(), "10,000 nodes");
        let crowd = [shard(1, &replicas, &[(0, 0)]), shard(10_001, &[], &[(1, 1)])];
        assert_eq!(View::new(crowd), Err(ViewError::TooManyNodes));
    }

    #[test]
    fn the_best_view() {
        let view = |port, last, epoch| View::new([shard(port, &[], &[(0, last)])]).unwrap().with_epoch(epoch);
        let table: [(&[View], Option<usize>); 6] = [
            (&[], None),
            (&[view(1, 10, Some(9)), view(2, 11, None)], Some(1)),
            (&[view(1, 10, None), view(2, 10, Some(1)), view(3, 10, Some(7)), view(1, 10, Some(6))], Some(2)),
            (&[view(1, 10, None), view(2, 10, None), view(2, 10, None)], Some(1)),
            (&[view(1, 10, Some(2)), view(2, 10, Some(1)), view(2, 10, Some(1))], Some(0)),
            (&[view(1, 10, None), view(2, 10, None)], Some(0)),
        ];
        for (views, best) in table {
            assert_eq!(View::best(views.to_vec()), best.map(|index| views[index].clone()), "{views:?}");
        }
    }
}
