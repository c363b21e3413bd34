//! A client's scheduler and the nodes that it asks.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use fastrand::Rng;

use crate::commands::SlotRange;
use crate::config::{Endpoint, RefreshOptions};
use crate::time::Instant;
use crate::topology::cluster::{Ask, Node, Outcome, Refresh, Shard, Trigger, View};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn node(port: u16) -> Endpoint {
    Endpoint::tcp("h", port)
}

/// Shards of all slots: each of a primary and its replicas.
pub(super) fn view(shards: &[(u16, &[u16])]) -> View {
    let width = 16_384 / shards.len() as u16;
    let shard = |(at, (primary, replicas)): (usize, &(u16, &[u16]))| {
        let first = at as u16 * width;
        let last = if at + 1 == shards.len() { 16_383 } else { first + width - 1 };
        let replicas = replicas.iter().map(|&port| Node::new(node(port))).collect();
        Shard::new(Node::new(node(*primary)), replicas, vec![SlotRange::new(first, last)])
    };
    View::new(shards.iter().enumerate().map(shard)).unwrap()
}

pub(super) fn three() -> View {
    view(&[(1, &[4]), (2, &[5]), (3, &[6])])
}

/// What a node does when it is asked.
#[derive(Clone)]
pub(super) enum Manner {
    /// It answers after a while; `None` is an answer that is no view, or a connection that fails.
    Answers(Duration, Option<View>),
    Silent,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) refresh: Refresh,
    pub(super) manners: BTreeMap<Endpoint, Manner>,
    /// Answers on their way.
    coming: BTreeMap<(Instant, u64), (Ask, Option<View>)>,
    pub(super) asks: Vec<(Instant, Ask)>,
    pub(super) outcomes: Vec<(Instant, Outcome)>,
}

impl World {
    /// Nodes 1 to 9 answer `view` after a millisecond; the client begins with nodes 1 and 9.
    pub(super) fn new(seed: u64, view: &View) -> Self {
        Self::with(RefreshOptions::default(), seed, view)
    }

    pub(super) fn with(options: RefreshOptions, seed: u64, view: &View) -> Self {
        let now = Instant::ORIGIN;
        let manner = Manner::Answers(ms(1), Some(view.clone()));
        let mut world = Self {
            now,
            refresh: Refresh::new(options, vec![node(1), node(9)], Rng::with_seed(seed), now),
            manners: (1..=9).map(|port| (node(port), manner.clone())).collect(),
            coming: BTreeMap::new(),
            asks: Vec::new(),
            outcomes: Vec::new(),
        };
        world.drain();
        world
    }

    /// A world whose client has found the view, at time 1 ms.
    pub(super) fn settled(seed: u64, view: &View) -> Self {
        let mut world = Self::new(seed, view);
        world.run(ms(1));
        assert_eq!(world.found().last(), Some(view));
        world.forget();
        world
    }

    pub(super) fn set(&mut self, port: u16, manner: Manner) {
        self.manners.insert(node(port), manner);
    }

    pub(super) fn all(&mut self, view: &View) {
        for manner in self.manners.values_mut() {
            *manner = Manner::Answers(ms(1), Some(view.clone()));
        }
    }

    pub(super) fn forget(&mut self) {
        self.asks.clear();
        self.outcomes.clear();
    }

    pub(super) fn drain(&mut self) {
        while let Some(ask) = self.refresh.poll_ask() {
            if let Manner::Answers(latency, view) = &self.manners[&ask.endpoint] {
                let number = self.asks.len() as u64;
                self.coming.insert((self.now + *latency, number), (ask.clone(), view.clone()));
            }
            self.asks.push((self.now, ask));
        }
        while let Some(outcome) = self.refresh.poll_outcome() {
            self.outcomes.push((self.now, outcome));
        }
    }

    /// Lets this much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for step in 0.. {
            assert!(step < 100_000, "it never rests");
            let answer = self.coming.first_key_value().map_or(Instant::FAR, |(key, _)| key.0);
            let due = self.refresh.poll_timeout().unwrap_or(Instant::FAR);
            let next = answer.min(due);
            if next > end {
                break;
            }
            assert!(next >= self.now || next == due, "answers come in order");
            self.now = self.now.max(next);
            if answer <= due {
                let (_, (ask, view)) = self.coming.pop_first().expect("an answer is coming");
                self.refresh.handle_answer(self.now, &ask, view);
            } else {
                self.refresh.handle_timeout(self.now);
                let again = self.refresh.poll_timeout();
                assert!(again.is_none_or(|again| again > self.now), "nothing is left to do now");
            }
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn trigger(&mut self, trigger: Trigger<'_>) {
        self.refresh.handle_trigger(self.now, trigger);
        self.drain();
    }

    pub(super) fn found(&self) -> Vec<View> {
        let view = |(_, outcome): &(Instant, Outcome)| match outcome {
            Outcome::Found { view, .. } => Some(view.clone()),
            Outcome::Failed => None,
        };
        self.outcomes.iter().filter_map(view).collect()
    }

    /// When each refresh started.
    pub(super) fn starts(&self) -> Vec<Instant> {
        let mut starts: Vec<(u64, Instant)> = self.asks.iter().map(|(at, ask)| (ask.round, *at)).collect();
        starts.dedup_by_key(|start| start.0);
        assert!(starts.is_sorted(), "one at a time");
        starts.into_iter().map(|start| start.1).collect()
    }

    pub(super) fn asked(&self) -> Vec<Endpoint> {
        self.asks.iter().map(|(_, ask)| ask.endpoint.clone()).collect()
    }
}
