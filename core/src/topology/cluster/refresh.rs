//! When to ask the nodes for the topology, which of them, and what to make of their answers.
//!
//! ```text
//!               trigger, or the period is over           answers are in,
//!                  not before the interval              or time is up
//! Idle (due) ------------------------------> Round ------------------------> Idle, and an Outcome
//! ```

mod round;
mod trigger;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use self::round::Round;
pub use self::trigger::Trigger;
use super::view::View;
use crate::config::{Backoff, Endpoint, RefreshOptions};
use crate::retry;
use crate::time::Instant;

/// A node is to be asked for the topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which refresh it is for; its answer is of no use to another.
    pub round: u64,
    /// The node.
    pub endpoint: Endpoint,
}

/// How a refresh has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// For [`SlotMap::adopt`](super::SlotMap::adopt).
    Found {
        /// The best view that was given.
        view: View,
        /// When the nodes were asked for it.
        asked_at: Instant,
    },
    /// No node gave a view. There will be another try.
    Failed,
}

/// When to ask the nodes for the topology, which of them, and what to make of their answers.
///
/// However many [triggers](Trigger) there are, there is one refresh at a time, and they start no closer
/// together than [`RefreshOptions::interval`]. It asks several nodes at once, suspects last, and does not
/// wait for a silent one longer than others take to answer.
///
/// While a primary is suspected, refreshes go on until it is replaced or answers again: at first at that
/// interval, so that finding its successor adds little to the time that the cluster took; when that was
/// long enough for any cluster, an eighth of the time apart that it has been suspected.
///
/// After every input [`poll_ask`](Self::poll_ask) and [`poll_outcome`](Self::poll_outcome) are to be drained
/// before the next one.
#[derive(Clone, Debug)]
pub struct Refresh {
    options: RefreshOptions,
    rng: fastrand::Rng,
    seeds: Vec<Endpoint>,
    /// The nodes of the last view, and whether they are primaries.
    known: BTreeMap<Endpoint, bool>,
    /// Primaries that do not answer, and since when.
    suspects: BTreeMap<Endpoint, Instant>,
    /// Nodes whose word counts less in the next round.
    doubted: BTreeSet<Endpoint>,
    /// How many requests in a row have timed out at a node.
    timeouts: BTreeMap<Endpoint, u32>,
    round: Option<Round>,
    rounds: u64,
    /// When the next round may start, whatever calls for it.
    not_before: Instant,
    /// Rounds in a row that failed.
    failures: u32,
    /// When the next round starts, while there is none.
    due: Instant,
    /// Whether there was a trigger since the last round started.
    called: bool,
    outcomes: VecDeque<Outcome>,
}

impl Refresh {
    /// A scheduler whose first refresh, which asks the `seeds`, is due `now`. `rng` is its only source of
    /// randomness.
    #[must_use]
    pub fn new(mut options: RefreshOptions, seeds: Vec<Endpoint>, rng: fastrand::Rng, now: Instant) -> Self {
        options.asks = options.asks.max(1);
        options.interval = options.interval.max(INTERVAL_MIN);
        Self {
            options,
            rng,
            seeds,
            known: BTreeMap::new(),
            suspects: BTreeMap::new(),
            doubted: BTreeSet::new(),
            timeouts: BTreeMap::new(),
            round: None,
            rounds: 0,
            not_before: now,
            failures: 0,
            due: now,
            called: false,
            outcomes: VecDeque::new(),
        }
    }

    /// Something tells that the topology may have changed.
    pub fn handle_trigger(&mut self, now: Instant, trigger: Trigger<'_>) {
        let is_news = match trigger {
            Trigger::Moved => true,
            Trigger::UnknownSlot => self.round.is_none(),
            Trigger::Lost(node) if self.known.get(node) == Some(&true) => self.suspect(now, node),
            Trigger::ClusterDown(node) | Trigger::NotPrimary(node) | Trigger::Lost(node) => {
                self.doubted.insert(node.clone());
                true
            }
        };
        // One call is as good as many.
        if is_news && !core::mem::replace(&mut self.called, true) && self.round.is_none() {
            self.schedule(now, Duration::ZERO);
        }
    }

    /// Whether it was not suspected already: then refreshes go on by themselves.
    fn suspect(&mut self, now: Instant, node: &Endpoint) -> bool {
        let is_news = !self.suspects.contains_key(node);
        if is_news {
            self.suspects.insert(node.clone(), now);
        }
        is_news
    }

    /// A request has timed out at `node`: from [`RefreshOptions::timeouts`] in a row on, that is as good as
    /// [`Trigger::Lost`].
    pub fn handle_timed_out(&mut self, now: Instant, node: &Endpoint) {
        let count = self.timeouts.entry(node.clone()).or_default();
        *count = count.saturating_add(1);
        if *count >= self.options.timeouts {
            self.handle_trigger(now, Trigger::Lost(node));
        }
    }

    /// Whether a node is doubted, so that it matters that one [is alive](Self::handle_alive).
    #[must_use]
    pub fn has_doubts(&self) -> bool {
        !self.timeouts.is_empty() || !self.suspects.is_empty()
    }

    /// `node` has answered something. Costs next to nothing while all is well.
    #[inline]
    pub fn handle_alive(&mut self, node: &Endpoint) {
        if self.has_doubts() {
            self.timeouts.remove(node);
            self.suspects.remove(node);
        }
    }

    /// A round starts after `pause`, or sooner if that is settled already, but not before one may. It starts
    /// a little later than that, so that clients who see the same event do not ask all at once.
    fn schedule(&mut self, now: Instant, pause: Duration) {
        let jitter = retry::random(&mut self.rng, self.options.interval / 4);
        self.due = self.due.min(self.not_before.max(now + pause) + jitter);
    }

    /// The answer to an [`Ask`], or `None` if the node could not be reached or gave no view.
    pub fn handle_answer(&mut self, now: Instant, ask: &Ask, view: Option<View>) {
        if let Some(round) = &mut self.round
            && round.number == ask.round
        {
            round.handle_answer(now, &ask.endpoint, view, &self.options);
            self.end_round(now);
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Early calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.round {
            Some(round) => round.handle_timeout(now, &self.options),
            None if now >= self.due => self.start_round(now),
            None => return,
        }
        self.end_round(now);
    }

    fn start_round(&mut self, now: Instant) {
        self.rounds += 1;
        self.not_before = now + self.options.interval;
        self.called = false;
        let candidates = self.candidates();
        self.round = Some(Round::new(self.rounds, now, candidates, &self.options));
    }

    /// Whom to ask, in this order: primaries, replicas, the nodes to begin with, and last those that are
    /// suspected or doubted. Each group is shuffled, so that not all clients ask the same nodes.
    fn candidates(&mut self) -> VecDeque<Endpoint> {
        let doubted = core::mem::take(&mut self.doubted);
        let mut groups: [Vec<Endpoint>; 4] = Default::default();
        let [primaries, replicas, seeds, last] = &mut groups;
        for (node, &is_primary) in &self.known {
            let group = if doubted.contains(node) || self.suspects.contains_key(node) {
                &mut *last
            } else if is_primary {
                &mut *primaries
            } else {
                &mut *replicas
            };
            group.push(node.clone());
        }
        seeds.extend(self.seeds.iter().filter(|seed| !self.known.contains_key(*seed)).cloned());
        groups.iter_mut().for_each(|group| self.rng.shuffle(group));
        groups.into_iter().flatten().collect()
    }

    /// Ends the round if there is nothing more to wait for.
    fn end_round(&mut self, now: Instant) {
        let Some(round) = self.round.take_if(|round| round.is_over(now, &self.options)) else { return };
        self.due = Instant::FAR;
        let asked_at = round.started;
        if let Some(view) = View::best(self.kin(round.into_views())) {
            self.failures = 0;
            self.learn(&view);
            self.outcomes.push_back(Outcome::Found { view, asked_at });
            if let Some(period) = self.options.period {
                self.due = now + period / 4 * 3 + retry::random(&mut self.rng, period / 2);
            }
            if let Some(&youngest) = self.suspects.values().max() {
                self.schedule(now, pause_for_suspect(now - youngest));
            }
        } else {
            let interval = self.options.interval;
            let backoff = Backoff { base: interval, cap: interval.max(FAILURE_PAUSE_MAX) };
            let pause = retry::delay(&backoff, self.failures, &mut self.rng);
            self.failures = self.failures.saturating_add(1);
            self.outcomes.push_back(Outcome::Failed);
            self.not_before = self.not_before.max(now + pause);
            self.schedule(now, Duration::ZERO);
        }
        if self.called {
            self.schedule(now, Duration::ZERO);
        }
    }

    /// The views of the known cluster, if any is. An address of a node that has left may be another
    /// cluster's by now, which answers as it must; but all nodes may be new as well.
    fn kin(&self, mut views: Vec<View>) -> Vec<View> {
        let is_kin = |view: &View| {
            let known = view.nodes().filter(|node| self.known.contains_key(&node.endpoint)).count();
            2 * known >= view.nodes().count().min(self.known.len())
        };
        if views.iter().any(is_kin) {
            views.retain(is_kin);
        }
        views
    }

    fn learn(&mut self, view: &View) {
        self.known.clear();
        for shard in view.shards() {
            self.known.insert(shard.primary.endpoint.clone(), true);
            self.known.extend(shard.replicas.iter().map(|replica| (replica.endpoint.clone(), false)));
        }
        let known = &self.known;
        self.suspects.retain(|node, _| known.get(node) == Some(&true));
        self.timeouts.retain(|node, _| known.contains_key(node));
    }

    /// The next node to ask.
    pub fn poll_ask(&mut self) -> Option<Ask> {
        let round = self.round.as_mut()?;
        Some(Ask { round: round.number, endpoint: round.poll_ask()? })
    }

    /// The next refresh that has ended.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let at = self.round.as_ref().map_or(self.due, Round::poll_timeout);
        (at != Instant::FAR).then_some(at)
    }
}

/// How long to wait before looking again for the successor of a node that has been a suspect for so long.
fn pause_for_suspect(suspected: Duration) -> Duration {
    let pause = suspected / 8;
    if suspected < TAKEOVER_MAX { pause.min(SUSPECT_PAUSE_MAX) } else { pause }
}

/// By then a cluster with the usual timeout of 15 s has replaced a node, if it can.
const TAKEOVER_MAX: Duration = Duration::from_secs(30);

/// The longest pause until then.
const SUSPECT_PAUSE_MAX: Duration = Duration::from_millis(150);

/// A shorter interval is taken for this one.
const INTERVAL_MIN: Duration = Duration::from_millis(1);

/// The longest wait after refreshes that failed, unless the interval is longer: a cluster that is well again is found
/// within this time, and a question costs a node little.
const FAILURE_PAUSE_MAX: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
