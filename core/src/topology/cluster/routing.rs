//! A cluster as the engine sees it: where a request goes, whom to ask for the topology, what its answers
//! change.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Ask, Asked, Change, Decision, Outcome, Refresh, SlotMap, Trigger, View, decide, epoch};
use crate::command::Target;
use crate::config::{ClusterOptions, Config, Endpoint, ReadFrom};
use crate::error::{Delivery, Error, ErrorKind, ServerCode};
use crate::resp::Frame;
use crate::time::Instant;
use crate::topology::NodeId;
use crate::topology::reads::{Health, Readable};

/// What a node was asked, and has answered so far.
#[derive(Debug)]
struct Question {
    ask: Ask,
    view: Option<View>,
}

/// News of the cluster.
#[derive(Debug)]
pub(crate) enum News {
    /// The nodes were asked, and this has changed.
    Changed(Change),
    /// No node could tell, most likely for this reason.
    Failed(Option<Error>),
}

/// The nodes of a cluster and the slots that they serve.
#[derive(Debug)]
pub(crate) struct Cluster {
    map: SlotMap,
    refresh: Refresh,
    options: ClusterOptions,
    config: Arc<Config>,
    /// What nodes have said of themselves.
    zones: BTreeMap<NodeId, Box<str>>,
    /// By number.
    questions: BTreeMap<u32, Question>,
    last_question: u32,
    /// Primaries with slots, as of the last answer.
    primaries: Vec<NodeId>,
    /// Which of them is the next to take a request that any may take.
    turn: usize,
    last_failure: Option<Error>,
}

impl Cluster {
    pub(crate) fn new(
        config: &Arc<Config>,
        options: &ClusterOptions,
        rng: fastrand::Rng,
        now: Instant,
    ) -> Self {
        Self {
            config: Arc::clone(config),
            zones: BTreeMap::new(),
            map: SlotMap::new(),
            refresh: Refresh::new(options.refresh, options.seeds.clone(), rng, now),
            options: options.clone(),
            questions: BTreeMap::new(),
            last_question: 0,
            primaries: Vec::new(),
            turn: 0,
            last_failure: None,
        }
    }

    /// The node that serves a slot. `None`: nobody knows yet.
    #[inline]
    pub(crate) fn route_slot(&self, slot: u16) -> Option<NodeId> {
        self.map.primary(slot)
    }

    /// The one node that a request is for. `None`: nobody knows yet, or it is for several.
    pub(crate) fn route(&mut self, target: Target) -> Option<NodeId> {
        match target {
            Target::Slot(slot) | Target::Read { slot, .. } => self.map.primary(slot),
            Target::Node(node) => Some(NodeId(node.into())),
            Target::AllPrimaries
            | Target::AllNodes
            | Target::Nowhere
            | Target::Named(_)
            | Target::Session(_) => None,
            Target::AnyPrimary | Target::AnyNode => self.next_primary(),
        }
    }

    /// The node for a read of `slot`. `None`: there is none such.
    pub(crate) fn route_read(
        &mut self,
        slot: u16,
        from: ReadFrom,
        health: impl Fn(NodeId) -> Health,
    ) -> Option<NodeId> {
        let turn = self.next_turn();
        let primary = self.map.primary(slot)?;
        let readable = Readable { primary, replicas: self.map.replicas(primary) };
        readable.choose(from, turn, health, |node| self.is_in_own_zone(node))
    }

    fn next_primary(&mut self) -> Option<NodeId> {
        let turn = self.next_turn();
        self.primaries.get(turn.checked_rem(self.primaries.len())?).copied()
    }

    const fn next_turn(&mut self) -> usize {
        self.turn = self.turn.wrapping_add(1);
        self.turn
    }

    /// Whether the node is known to be in the client's own zone.
    fn is_in_own_zone(&self, node: NodeId) -> bool {
        let Some(endpoint) = self.map.endpoint(node) else { return false };
        let zone = self.config.zones.get(endpoint).map(|zone| &**zone);
        let zone = zone.or_else(|| self.map.zone(node)).or_else(|| Some(&**self.zones.get(&node)?));
        zone.is_some() && zone == self.config.zone.as_deref()
    }

    /// A node has said which zone it is in.
    pub(crate) fn handle_zone(&mut self, node: NodeId, zone: &str) {
        if !zone.is_empty() {
            self.zones.insert(node, zone.into());
        }
    }

    /// The node at `endpoint`, as the client or as the cluster calls it. `None`: it is not part of the cluster.
    pub(crate) fn find(&self, endpoint: &Endpoint) -> Option<NodeId> {
        let mapped = || self.options.address_map.as_ref().map(|map| map.map(endpoint));
        let node = self.map.find(endpoint).or_else(|| self.map.find(&mapped()?));
        node.filter(|&node| self.map.is_member(node))
    }

    /// The node at `endpoint`, whether it is part of the cluster or not. `None`: there are too many.
    pub(crate) fn admit(&mut self, endpoint: &Endpoint) -> Option<NodeId> {
        self.map.admit(endpoint)
    }

    pub(crate) fn endpoint(&self, node: NodeId) -> Option<&Endpoint> {
        self.map.endpoint(node)
    }

    /// Whether the node serves slots.
    pub(crate) fn serves(&self, node: NodeId) -> bool {
        self.map.is_primary(node)
    }

    /// Whether the node is part of the cluster.
    pub(crate) fn is_member(&self, node: NodeId) -> bool {
        self.map.is_member(node)
    }

    /// The nodes that serve slots.
    pub(crate) fn primaries(&self) -> &[NodeId] {
        &self.primaries
    }

    /// All nodes of the cluster.
    pub(crate) fn members(&self) -> impl Iterator<Item = NodeId> {
        self.map.members()
    }

    /// Whether the topology was seen.
    pub(crate) const fn is_known(&self) -> bool {
        !self.primaries.is_empty()
    }

    /// Forgets a node that is not part of the cluster. Returns whether it was none.
    pub(crate) fn release(&mut self, node: NodeId) -> bool {
        self.zones.remove(&node);
        self.map.release(node)
    }

    /// What becomes of a request that the node turned away, after `hops` detours.
    pub(crate) fn decide(&mut self, now: Instant, node: NodeId, error: &Error, hops: usize) -> Decision {
        let Some(endpoint) = self.map.endpoint(node).cloned() else { return Decision::Deliver };
        let asked = Asked::new(&endpoint).address_map(self.options.address_map.as_ref());
        let decision = decide(error, asked, hops);
        if let Some(trigger) = error.code().and_then(|code| Trigger::of(code, &endpoint)) {
            self.refresh.handle_trigger(now, trigger);
        }
        decision
    }

    /// A slot is served elsewhere, says a node. Returns the node that is said to serve it.
    pub(crate) fn handle_moved(&mut self, now: Instant, slot: u16, to: &Endpoint) -> Option<NodeId> {
        self.map.handle_moved(now, slot, to)
    }

    /// A request goes to a slot that nobody serves.
    pub(crate) fn handle_unknown(&mut self, now: Instant) {
        self.refresh.handle_trigger(now, Trigger::UnknownSlot);
    }

    /// The connection with a node is lost, or the node is silent although it owes something.
    pub(crate) fn handle_lost(&mut self, now: Instant, node: NodeId) {
        if let Some(endpoint) = self.map.endpoint(node) {
            self.refresh.handle_trigger(now, Trigger::Lost(endpoint));
        }
    }

    /// So many requests have had no reply from a node in time.
    pub(crate) fn handle_timed_out(&mut self, now: Instant, node: NodeId, count: usize) {
        if let Some(endpoint) = self.map.endpoint(node) {
            (0..count).for_each(|_| self.refresh.handle_timed_out(now, endpoint));
        }
    }

    /// A node has answered something.
    #[inline]
    pub(crate) fn handle_alive(&mut self, node: NodeId) {
        if self.refresh.has_doubts()
            && let Some(endpoint) = self.map.endpoint(node)
        {
            self.refresh.handle_alive(endpoint);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.refresh.handle_timeout(now);
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.refresh.poll_timeout().unwrap_or(Instant::FAR)
    }

    /// The next node to ask for its slots and its epoch, and the number of the question.
    pub(crate) fn poll_question(&mut self, now: Instant) -> Option<(NodeId, u32)> {
        while let Some(ask) = self.refresh.poll_ask() {
            if let Some(node) = self.map.admit(&ask.endpoint) {
                self.last_question = self.last_question.wrapping_add(1);
                self.questions.insert(self.last_question, Question { ask, view: None });
                return Some((node, self.last_question));
            }
            self.refresh.handle_answer(now, &ask, None);
        }
        None
    }

    /// The answer to a question for the slots.
    pub(crate) fn handle_slots(&mut self, now: Instant, number: u32, answer: Result<Frame, Error>) {
        let Some(question) = self.questions.get_mut(&number) else { return };
        let view = answer.and_then(|frame| {
            let asked = Asked::new(&question.ask.endpoint).address_map(self.options.address_map.as_ref());
            View::from_slots(frame.item(), asked).map_err(|_| {
                let reason = "CLUSTER SLOTS was answered with what is no topology";
                Error::new(ErrorKind::Conversation(reason), Delivery::NotSent)
                    .with_node(&question.ask.endpoint.to_string())
            })
        });
        match view {
            Ok(view) => question.view = Some(view),
            Err(error) => {
                self.last_failure = Some(explain(error));
                self.end_question(now, number, None);
            }
        }
    }

    /// The answer to a question for the epoch, which follows that for the slots.
    pub(crate) fn handle_epoch(&mut self, now: Instant, number: u32, answer: Option<&Frame>) {
        let epoch = answer.and_then(|frame| epoch(frame.item()));
        self.end_question(now, number, epoch);
    }

    fn end_question(&mut self, now: Instant, number: u32, epoch: Option<u64>) {
        if let Some(Question { ask, view }) = self.questions.remove(&number) {
            self.refresh.handle_answer(now, &ask, view.map(|view| view.with_epoch(epoch)));
        }
    }

    /// What has come of asking.
    pub(crate) fn poll_news(&mut self) -> Option<News> {
        loop {
            return match self.refresh.poll_outcome()? {
                Outcome::Failed => Some(News::Failed(self.last_failure.take())),
                Outcome::Found { view, asked_at } => {
                    // A view is refused for its size alone: what was adopted before stays.
                    let Ok(change) = self.map.adopt(&view, asked_at) else { continue };
                    self.primaries = self.map.shards().map(|(primary, _)| primary).collect();
                    Some(News::Changed(change))
                }
            };
        }
    }
}

/// What it means that a node refuses to tell its slots. A fault of its own passes, as a wrong answer does; a server
/// of no cluster says the same for ever.
fn explain(error: Error) -> Error {
    let Some(refusal) = error.server().filter(|_| error.delivery() == Delivery::Rejected) else {
        return error;
    };
    let never_will = ["ERR This instance has cluster support disabled", "ERR unknown ", "ERR Unknown "];
    if refusal.code() != ServerCode::Err || never_will.iter().any(|text| refusal.text().starts_with(text)) {
        return error;
    }
    let reason = ErrorKind::Conversation("CLUSTER SLOTS was refused");
    Error::new(reason, Delivery::NotSent).with_cause(Some(error))
}
