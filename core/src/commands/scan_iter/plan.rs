//! Which node is next, by what is said of who serves what and by what was seen.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::coverage::{Coverage, Rest};
use super::reply::Holding;
use crate::command::slot::SLOTS;
use crate::commands::cluster::{ClusterHost, ClusterNode};
use crate::config::{AddressMap, ClusterOptions, Endpoint};

/// What is next.
pub(super) enum Next {
    /// A node is gone through, for the sake of this slot; it may be at these places, the most likely last.
    Visit(u16, Vec<Endpoint>),
    /// A node that this slot was leaving is asked again.
    Recheck(u16, Vec<Endpoint>),
    /// This slot is waited for: what is missing of it is at a node that serves nothing, and cannot be visited.
    Wait(u16),
    /// What is missing is at nodes that have no name.
    Unnamed,
    /// The nodes are asked who serves what.
    Ask,
    /// All was seen.
    Over,
}

/// Who serves what, as was said last.
pub(super) struct Plan {
    holdings: Vec<Holding>,
    names: Names,
    /// How many answers in a row have told of no slot that is not seen yet.
    exhausted: u8,
}

impl Plan {
    pub(super) fn new(options: &ClusterOptions) -> Self {
        Self { holdings: Vec::new(), names: Names::new(options), exhausted: 0 }
    }

    /// A node has said who serves what.
    pub(super) fn adopt(&mut self, holdings: Vec<Holding>, seen: &Coverage) {
        self.holdings = holdings;
        let is_new = self.missing(seen).next().is_some();
        self.exhausted = if is_new { 0 } else { self.exhausted.saturating_add(1) };
    }

    /// The slots that are served and not seen whole, with those who serve them.
    fn missing<'a>(&'a self, seen: &'a Coverage) -> impl Iterator<Item = (u16, &'a Holding)> {
        let gaps = |holding: &'a Holding| seen.gaps(holding.range).map(move |slot| (slot, holding));
        self.holdings.iter().flat_map(gaps)
    }

    /// Words that were given are checked first, since they grow old. Then comes the node of which most is missing, so
    /// that slots that have moved to one that was visited are seen all at once; then the other ends of slots on
    /// their way.
    pub(super) fn next(&self, seen: &Coverage) -> Next {
        let mut unnamed = false;
        let mut places = |holding| {
            let places = self.names.endpoints(holding);
            unnamed |= places.is_empty();
            Some(places).filter(|places| !places.is_empty())
        };
        let (mut follow, mut wait) = (None, None);
        for (slot, holder) in self.missing(seen) {
            let Some(rest) = seen.rest(slot) else { continue };
            match self.keeper(Some(rest), holder).map(&mut places) {
                None => wait = wait.or(Some(Next::Wait(slot))),
                Some(Some(places)) if rest.is_followed => return Next::Recheck(slot, places),
                Some(places) => follow = follow.or_else(|| places.map(|places| Next::Visit(slot, places))),
            }
        }
        let visit = self
            .by_size(seen)
            .into_iter()
            .find_map(|(slot, holder)| Some(Next::Visit(slot, places(holder)?)));
        match visit.or(follow).or(wait) {
            Some(next) => next,
            None if unnamed => Next::Unnamed,
            // A node that was cut off or reset may tell of few slots: so two are asked.
            None if seen.count() < SLOTS && self.exhausted < 2 => Next::Ask,
            None => Next::Over,
        }
    }

    /// Nodes, and the first slot of each of which nothing is seen; those with most of these slots come first.
    fn by_size<'a>(&'a self, seen: &'a Coverage) -> Vec<(u16, &'a Holding)> {
        let mut nodes: BTreeMap<_, (usize, u16, &Holding)> = BTreeMap::new();
        for (slot, holder) in self.missing(seen).filter(|&(slot, _)| seen.rest(slot).is_none()) {
            nodes.entry((holder.port, &holder.id)).or_insert((0, slot, holder)).0 += 1;
        }
        let mut nodes: Vec<_> = nodes.into_values().collect();
        nodes.sort_by_key(|&(count, slot, _)| (SLOTS as usize - count, slot));
        nodes.into_iter().map(|(_, slot, holder)| (slot, holder)).collect()
    }

    /// The node that has what is missing of a slot. `None`: it is one that serves nothing.
    fn keeper<'a>(&'a self, rest: Option<&Rest>, holder: &'a Holding) -> Option<&'a Holding> {
        let id = match rest {
            Some(rest) if rest.is_followed => &rest.from,
            Some(rest) => &rest.to,
            None => return Some(holder),
        };
        self.holdings.iter().find(|holding| holding.id.as_ref() == Some(id))
    }

    /// Whether what is missing of the slot may be at this place, as far as is known.
    pub(super) fn is_at(&self, place: &Endpoint, slot: u16, seen: &Coverage) -> bool {
        let holder = self.missing(seen).find(|&(missing, _)| missing == slot).map(|(_, holder)| holder);
        let keeper = holder.and_then(|holder| self.keeper(seen.rest(slot), holder));
        keeper.is_none_or(|node| self.names.endpoints(node).contains(place))
    }

    /// A node was visited for the sake of `slot`. Returns a slot that it was said to serve and that is missing, so that
    /// it cannot be true any more.
    pub(super) fn stale(&self, slot: u16, node: &ClusterNode, seen: &Coverage) -> Option<u16> {
        let is_its =
            |holding: &Holding| holding.id.as_ref() == Some(&node.id) || holding.range.contains(slot);
        let mut missing =
            self.missing(seen).filter(|&(slot, holder)| is_its(holder) && seen.rest(slot).is_none());
        missing.next().map(|(slot, _)| slot)
    }
}

/// How nodes are called.
struct Names {
    /// Where a node is that gives no host: where the client found the cluster.
    hosts: Vec<Arc<str>>,
    map: Option<AddressMap>,
}

impl Names {
    fn new(options: &ClusterOptions) -> Self {
        let mut hosts: Vec<Arc<str>> = Vec::new();
        for seed in options.seeds.iter().rev() {
            if let Endpoint::Tcp { host, .. } = seed
                && !hosts.contains(host)
            {
                hosts.push(Arc::clone(host));
            }
        }
        Self { hosts, map: options.address_map.clone() }
    }

    /// Where the client may know a node to be, the most likely last; nowhere if it has no name.
    fn endpoints(&self, node: &Holding) -> Vec<Endpoint> {
        let hosts = match &node.host {
            _ if node.port == 0 => Vec::new(),
            ClusterHost::Named(host) => vec![Arc::from(host.as_str())],
            ClusterHost::Asked => self.hosts.clone(),
            ClusterHost::Unknown => Vec::new(),
        };
        let told = hosts.into_iter().map(|host| Endpoint::tcp(host, node.port));
        told.map(|told| self.map.as_ref().map_or_else(|| told.clone(), |map| map.map(&told))).collect()
    }
}
