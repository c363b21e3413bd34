//! One refresh: nodes asked side by side, others in their place if they fail.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::config::{Endpoint, RefreshOptions};
use crate::time::Instant;
use crate::topology::cluster::View;

#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) started: Instant,
    /// Whom to ask next, best first.
    candidates: VecDeque<Endpoint>,
    /// Nodes to be asked that nobody has fetched yet.
    asks: VecDeque<Endpoint>,
    /// Nodes asked that have not answered, and until when that is no reason to ask another one; `None` once
    /// another one was.
    silent: BTreeMap<Endpoint, Option<Instant>>,
    views: Vec<View>,
    /// When it ends at the latest.
    until: Instant,
}

impl Round {
    pub(super) fn new(
        number: u64,
        now: Instant,
        candidates: VecDeque<Endpoint>,
        options: &RefreshOptions,
    ) -> Self {
        let mut round = Self {
            number,
            started: now,
            candidates,
            asks: VecDeque::new(),
            silent: BTreeMap::new(),
            views: Vec::new(),
            until: now + options.deadline,
        };
        round.ask(now, options);
        round
    }

    /// Keeps as many nodes asked as are wanted, while there are any.
    fn ask(&mut self, now: Instant, options: &RefreshOptions) {
        for patience in self.silent.values_mut() {
            patience.take_if(|until| *until <= now);
        }
        let hopeful = self.silent.values().flatten().count();
        for _ in self.views.len() + hopeful..options.asks {
            let Some(node) = self.candidates.pop_front() else { return };
            self.silent.insert(node.clone(), Some(now + options.patience));
            self.asks.push_back(node);
        }
    }

    /// What `node` said, if it was asked and has not answered yet.
    pub(super) fn handle_answer(
        &mut self,
        now: Instant,
        node: &Endpoint,
        view: Option<View>,
        options: &RefreshOptions,
    ) {
        if self.silent.remove(node).is_none() {
            return;
        }
        if let Some(view) = view {
            self.views.push(view);
            self.until = self.until.min(now + options.linger);
        }
        self.ask(now, options);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, options: &RefreshOptions) {
        self.ask(now, options);
    }

    /// Whether there is nothing more to wait for.
    pub(super) fn is_over(&self, now: Instant, options: &RefreshOptions) -> bool {
        let enough = self.views.len() >= options.asks;
        now >= self.until || enough || (self.silent.is_empty() && self.candidates.is_empty())
    }

    pub(super) fn into_views(self) -> Vec<View> {
        self.views
    }

    pub(super) fn poll_ask(&mut self) -> Option<Endpoint> {
        self.asks.pop_front()
    }

    /// The end, or the time to ask another node.
    pub(super) fn poll_timeout(&self) -> Instant {
        let patience = self.silent.values().flatten().min();
        patience.map_or(self.until, |&until| until.min(self.until))
    }
}
