//! Which of a primary and its replicas a read goes to.

use core::time::Duration;

use super::NodeId;
use crate::config::ReadFrom;

/// What is known of the way to a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    /// As far as is known, it takes requests.
    pub(crate) usable: bool,
    /// How long it takes to answer; unknown before it was asked anything.
    pub(crate) latency: Option<Duration>,
}

/// One read in so many goes to the next node in turn, so that all latencies stay known.
const MEASURED: usize = 64;

/// The nodes that have what is to be read.
pub(super) struct Readable<'a> {
    pub(super) primary: NodeId,
    pub(super) replicas: &'a [NodeId],
}

impl Readable<'_> {
    /// The node for a read, the `turn`th of all. `None`: there is none such.
    pub(super) fn choose(
        &self,
        from: ReadFrom,
        turn: usize,
        health: impl Fn(NodeId) -> Health,
        is_in_own_zone: impl Fn(NodeId) -> bool,
    ) -> Option<NodeId> {
        let &Self { primary, replicas } = self;
        let usable = |node: NodeId| health(node).usable;
        let same_zone = |node: NodeId| usable(node) && is_in_own_zone(node);
        let replica = || in_turn(turn, replicas, usable);
        match from {
            ReadFrom::Primary => Some(primary),
            ReadFrom::Replica => replica().or_else(|| in_turn(turn, replicas, |_| true)),
            ReadFrom::PreferReplica => replica().or(Some(primary)),
            ReadFrom::SameZone => in_turn(turn, replicas, same_zone)
                .or_else(|| Some(primary).filter(|&primary| same_zone(primary)))
                .or_else(replica)
                .or(Some(primary)),
            ReadFrom::RoundRobin => any_in_turn(turn, primary, replicas, usable),
            ReadFrom::LowestLatency if turn.is_multiple_of(MEASURED) => {
                any_in_turn(turn / MEASURED, primary, replicas, usable)
            }
            ReadFrom::LowestLatency => {
                let nodes = replicas.iter().copied().chain([primary]).filter(|&node| usable(node));
                nodes.min_by_key(|&node| health(node).latency).or(Some(primary))
            }
        }
    }
}

/// The first of `nodes` that will do, from the one whose turn it is on.
fn in_turn(turn: usize, nodes: &[NodeId], will_do: impl Fn(NodeId) -> bool) -> Option<NodeId> {
    let (after, before) = nodes.split_at_checked(turn.checked_rem(nodes.len())?)?;
    before.iter().chain(after).copied().find(|&node| will_do(node))
}

/// The same with the primary among them, which takes the read if none will do.
fn any_in_turn(
    turn: usize,
    primary: NodeId,
    replicas: &[NodeId],
    usable: impl Fn(NodeId) -> bool,
) -> Option<NodeId> {
    let (round, place) = (turn / (replicas.len() + 1), turn % (replicas.len() + 1));
    match place.checked_sub(1) {
        None if usable(primary) => Some(primary),
        place => in_turn(place.unwrap_or(round), replicas, usable).or(Some(primary)),
    }
}
