//! Nodes that can be lost, give slots away and refuse; users with wishes; and what must come of it.
//!
//! Messages are numbered for each channel. Whoever misses a number must have been told of a gap.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::super::*;
use crate::error::ServerError;
use crate::resp::{Decoder, Limits};

pub(super) fn name(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Where everything belongs, as far as the client knows.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) anchor: Option<NodeId>,
    /// By slot, of which there are few.
    pub(super) slots: Vec<Option<NodeId>>,
    pub(super) primaries: Vec<NodeId>,
}

impl Places for Nodes {
    fn home(&self, slot: Option<u16>) -> Option<NodeId> {
        match slot {
            Some(slot) => self.slots[usize::from(slot) % self.slots.len()],
            None => self.anchor,
        }
    }

    fn primaries(&self) -> &[NodeId] {
        &self.primaries
    }
}

/// What a node says on its connection.
enum Said {
    Confirmed(Kind, bool, Bytes),
    /// It refuses a command, and may know better where the slot is.
    Refused(Verdict, Option<(usize, NodeId)>),
    Message(Kind, Bytes, u64),
}

#[derive(Default)]
struct Node {
    connected: bool,
    subscribed: BTreeSet<(Kind, Bytes)>,
    commands: VecDeque<Vec<Vec<u8>>>,
    said: VecDeque<Said>,
}

/// What a user has seen of one channel.
#[derive(Default)]
struct Seen {
    /// The number of the last message.
    last: u64,
    /// A gap was told of since.
    excused: bool,
}

#[derive(Default)]
struct User {
    interrupted: bool,
    seen: BTreeMap<(Kind, Bytes), Seen>,
    /// What it has asked for and not ended.
    wants: BTreeSet<(Kind, Bytes)>,
    /// What was confirmed to it of that.
    sure: BTreeSet<(Kind, Bytes)>,
    /// What it hears of from several nodes, in any order.
    everywhere: BTreeSet<(Kind, Bytes)>,
    calls: BTreeMap<u64, Vec<(Kind, Bytes)>>,
}

const NODES: usize = 3;
const CHANNELS: [&str; 4] = ["a", "b", "c", "d"];

pub(super) struct Model {
    seed: u64,
    rng: fastrand::Rng,
    now: Instant,
    pubsub: PubSub,
    known: Nodes,
    owners: Vec<NodeId>,
    nodes: Vec<Node>,
    users: BTreeMap<u64, User>,
    numbers: BTreeMap<(Kind, Bytes), u64>,
    last_id: u64,
    quiet: bool,
}

impl Model {
    pub(super) fn new(seed: u64) -> Self {
        let owners: Vec<_> = (0..4).map(|slot| NodeId(slot % NODES)).collect();
        let known = Nodes {
            anchor: Some(NodeId(0)),
            slots: owners.iter().copied().map(Some).collect(),
            primaries: (0..NODES).map(NodeId).collect(),
        };
        Self {
            seed,
            rng: fastrand::Rng::with_seed(seed),
            now: Instant::ORIGIN,
            pubsub: PubSub::default(),
            known,
            owners,
            nodes: core::iter::repeat_with(Node::default).take(NODES).collect(),
            users: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last_id: 0,
            quiet: false,
        }
    }

    pub(super) fn run(&mut self) {
        for _ in 0..self.rng.usize(20..300) {
            self.step();
        }
        self.quiet = true;
        for _ in 0..20 {
            (0..NODES).for_each(|node| self.connect(node));
            while self.nodes.iter().any(|node| !(node.commands.is_empty() && node.said.is_empty())) {
                (0..NODES).for_each(|node| self.serve(node));
                (0..NODES).for_each(|node| self.hear(node));
            }
            self.now = self.now + Duration::from_millis(20);
            self.pubsub.handle_timeout(self.now, &self.known);
            self.follow();
        }
        self.judge();
    }

    fn step(&mut self) {
        let node = self.rng.usize(..NODES);
        match self.rng.u8(..32) {
            0..5 => self.wish(),
            5..12 => self.serve(node),
            12..21 => self.hear(node),
            21..26 => self.publish(),
            26 => self.lose(node),
            27 | 28 => self.connect(node),
            29 => self.move_slot(),
            30 => {
                self.known.anchor = Some(NodeId(node));
                self.pubsub.review(&self.known);
            }
            _ => {
                self.now = self.now + Duration::from_millis(self.rng.u64(..300));
                self.pubsub.handle_timeout(self.now, &self.known);
            }
        }
        self.follow();
    }

    fn draw(&mut self) -> (Kind, Bytes) {
        let kind = [Kind::Channel, Kind::Pattern, Kind::Shard][self.rng.usize(..3)];
        let channel = CHANNELS[self.rng.usize(..CHANNELS.len())];
        // A message does not say of which kind its channel is.
        let sharded = if kind == Kind::Shard { "s" } else { "" };
        (kind, name(&format!("{sharded}{channel}")))
    }

    fn wish(&mut self) {
        let id = self.rng.u64(1..4);
        let subscription = SubscriptionId(id);
        let (kind, first) = self.draw();
        let (other_kind, other) = self.draw();
        let names: BTreeSet<_> = if other_kind == kind { [first, other].into() } else { [first].into() };
        let user = self.users.entry(id).or_default();
        let topics: Vec<_> = names.iter().map(|name| (kind, name.clone())).collect();
        let names = names.into_iter().collect();
        self.last_id += 1;
        let intent = match self.rng.u8(..10) {
            0..5 => {
                user.wants.extend(topics.iter().cloned());
                let within = self.rng.bool().then_some(Duration::from_millis(200));
                let (call, everywhere) = (self.last_id, kind != Kind::Shard && self.rng.u8(..4) == 0);
                if everywhere {
                    user.everywhere.extend(topics.iter().cloned());
                }
                user.calls.insert(self.last_id, topics);
                Intent::Subscribe { subscription, call, kind, names, everywhere, within }
            }
            5..8 => {
                topics.iter().for_each(|topic| {
                    user.wants.remove(topic);
                    user.sure.remove(topic);
                    user.seen.remove(topic);
                    user.calls.values_mut().for_each(|wanted| wanted.retain(|it| it != topic));
                });
                Intent::Unsubscribe { subscription, kind, names }
            }
            8 => {
                let Some((&call, _)) = user.calls.first_key_value() else { return };
                user.calls.remove(&call);
                Intent::GiveUp { call }
            }
            _ => {
                self.users.remove(&id);
                Intent::Close { subscription }
            }
        };
        self.pubsub.handle_intent(self.now, intent, &self.known);
    }

    /// The client says what it has to say, and users are told.
    fn follow(&mut self) {
        while let Some((node, held)) = self.pubsub.poll_hold() {
            if held && self.nodes[node.0].connected && self.pubsub.conn(node).is_none() {
                self.pubsub.handle_ready(node, ConnId(node.0 as u64));
            }
        }
        while let Some((node, command)) = self.pubsub.poll_command(|_, _| true) {
            assert!(self.nodes[node.0].connected, "seed {}", self.seed);
            let words = command.packed().args().map(|arg| arg.into_owned()).collect();
            self.nodes[node.0].commands.push_back(words);
        }
        let mut told = Vec::new();
        while let Some((id, delivery)) = self.pubsub.poll_delivery() {
            told.push((
                id.0,
                delivery.take_events(Backlog::default()).0.collect::<Vec<_>>(),
                core::mem::take(&mut delivery.outcomes),
            ));
        }
        for (id, events, outcomes) in told {
            let seed = self.seed;
            let user = self.users.get_mut(&id).unwrap_or_else(|| panic!("seed {seed}: told after the end"));
            events.iter().for_each(|event| user.read(event, seed));
            for (call, outcome) in outcomes {
                let topics = user.calls.remove(&call).unwrap_or_default();
                if outcome.is_ok() {
                    user.sure.extend(topics.into_iter().filter(|topic| user.wants.contains(topic)));
                }
            }
        }
    }

    fn publish(&mut self) {
        let (kind, channel) = self.draw();
        let owner = self.owner(kind, &channel);
        let number = self.numbers.entry((kind, channel.clone())).or_default();
        *number += 1;
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let is_here = owner.is_none_or(|owner| owner.0 == at);
            if is_here && node.connected && node.subscribed.contains(&(kind, channel.clone())) {
                node.said.push_back(Said::Message(kind, channel.clone(), *number));
            }
        }
    }

    /// Whose a sharded channel is.
    fn owner(&self, kind: Kind, channel: &[u8]) -> Option<NodeId> {
        let slot = usize::from(crate::command::slot::of(channel)) % self.owners.len();
        (kind == Kind::Shard).then(|| self.owners[slot])
    }

    fn move_slot(&mut self) {
        let slot = self.rng.usize(..self.owners.len());
        let from = core::mem::replace(&mut self.owners[slot], NodeId(self.rng.usize(..NODES)));
        if from == self.owners[slot] {
            return;
        }
        let node = &mut self.nodes[from.0];
        for channel in CHANNELS.map(|channel| name(&format!("s{channel}"))) {
            let is_moved = usize::from(crate::command::slot::of(&channel)) % self.owners.len() == slot;
            if is_moved && node.subscribed.remove(&(Kind::Shard, channel.clone())) {
                node.said.push_back(Said::Confirmed(Kind::Shard, false, channel));
            }
        }
    }

    fn connect(&mut self, node: usize) {
        if !core::mem::replace(&mut self.nodes[node].connected, true) {
            self.pubsub.handle_ready(NodeId(node), ConnId(node as u64));
            self.follow();
        }
    }

    fn lose(&mut self, node: usize) {
        self.nodes[node] = Node::default();
        self.pubsub.handle_lost(NodeId(node), ConnId(node as u64));
    }

    /// The node sees to one command.
    fn serve(&mut self, at: usize) {
        let Some(words) = self.nodes[at].commands.pop_front() else { return };
        let kinds = [Kind::Channel, Kind::Pattern, Kind::Shard];
        let all = kinds.into_iter().flat_map(|kind| [(kind, true), (kind, false)]);
        let (kind, on) = all
            .clone()
            .find(|(kind, on)| kind.command(*on).as_bytes() == &words[0][..])
            .expect("one of them");
        let chance = if self.quiet { 0 } else { self.rng.u8(..8) };
        let misplaced =
            words[1..].iter().find_map(|word| self.owner(kind, word).filter(|owner| owner.0 != at));
        let refused = match (chance, misplaced) {
            (6, _) => Some((Verdict::Later, None)),
            (7, _) => Some((Verdict::Never, None)),
            (_, Some(owner)) => {
                let slot = usize::from(crate::command::slot::of(&words[1])) % self.owners.len();
                Some((Verdict::Later, Some((slot, owner))))
            }
            _ => None,
        };
        let node = &mut self.nodes[at];
        if let Some((verdict, better)) = refused {
            return node.said.push_back(Said::Refused(verdict, better));
        }
        for word in &words[1..] {
            let topic = (kind, Bytes::copy_from_slice(word));
            if on {
                node.subscribed.insert(topic.clone())
            } else {
                node.subscribed.remove(&topic)
            };
            node.said.push_back(Said::Confirmed(kind, on, topic.1));
        }
    }

    /// The client hears one thing.
    fn hear(&mut self, at: usize) {
        let Some(said) = self.nodes[at].said.pop_front() else { return };
        let node = NodeId(at);
        match said {
            Said::Confirmed(kind, on, channel) => {
                self.pubsub.handle_confirmation(node, (kind, on), &channel, true);
            }
            Said::Refused(verdict, better) => {
                if let Some((slot, owner)) = better {
                    self.known.slots[slot] = Some(owner);
                }
                let error = Error::new(ErrorKind::Server(ServerError::new(b"ERR no")), Fate::Rejected);
                let again = self.now + Duration::from_millis(self.rng.u64(..50));
                let refused = self.pubsub.handle_refusal(node, verdict, &error, |_| again, &self.known);
                assert_eq!(refused, Ok(()), "seed {}", self.seed);
            }
            Said::Message(kind, channel, number) => {
                let (word, pattern) = match kind {
                    Kind::Channel => ("message", None),
                    Kind::Shard => ("smessage", None),
                    Kind::Pattern => ("pmessage", Some(channel.clone())),
                };
                let channel = core::str::from_utf8(&channel).expect("a name");
                let number = format!("{number}");
                let parts = [Some(word), pattern.as_ref().map(|_| channel), Some(channel), Some(&number)];
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                let mut wire = format!(">{}\r\n", parts.len());
                parts.iter().for_each(|part| wire += &format!("${}\r\n{part}\r\n", part.len()));
                let frame = Decoder::new(Limits::default()).decode(&mut BytesMut::from(&wire[..]));
                assert!(self.pubsub.handle_push(node, &frame.expect("legal").expect("whole")));
            }
        }
        self.follow();
    }

    /// Nothing is under way any more.
    fn judge(&self) {
        let seed = self.seed;
        let desired: BTreeSet<_> =
            self.pubsub.topics.ids().filter_map(|id| self.pubsub.topics.get(id)).collect_topics();
        for (at, node) in self.nodes.iter().enumerate() {
            let here: BTreeSet<_> = desired
                .iter()
                .filter(|(_, seats)| seats.contains(&NodeId(at)))
                .map(|(topic, _)| topic.clone())
                .collect();
            let stuck = |topic: &(Kind, Bytes)| {
                let known = self.pubsub.seats.get(&NodeId(at));
                known.is_some_and(|seat| {
                    let id = self.pubsub.topics.ids().find(|id| {
                        self.pubsub
                            .topics
                            .get(*id)
                            .is_some_and(|it| (it.kind, &*it.name) == (topic.0, &*topic.1))
                    });
                    id.and_then(|id| seat.standings.get(&id)).is_some_and(|standing| standing.stuck)
                })
            };
            let confirmed: BTreeSet<_> =
                node.subscribed.iter().filter(|topic| !stuck(topic)).cloned().collect();
            let missing: Vec<_> = here.difference(&node.subscribed).collect();
            assert!(missing.is_empty(), "seed {seed}, node {at}: {missing:?} are not subscribed");
            let left: Vec<_> = confirmed.difference(&here).collect();
            assert!(left.is_empty(), "seed {seed}, node {at}: {left:?} are left");
            assert!(node.said.is_empty() && node.commands.is_empty());
        }
        for (id, user) in &self.users {
            assert!(user.calls.is_empty(), "seed {seed}: calls of {id} have not ended");
            assert!(!user.interrupted, "seed {seed}: {id} is not resumed");
            let has: BTreeSet<_> = self
                .wanted()
                .into_iter()
                .filter(|(_, users)| users.contains(id))
                .map(|(topic, _)| topic)
                .collect();
            assert!(has.is_subset(&user.wants), "seed {seed}: {id} has {has:?}, and wants {:?}", user.wants);
            assert!(
                user.sure.is_subset(&has),
                "seed {seed}: {id} has {has:?}, and was told of {:?}",
                user.sure
            );
        }
    }

    /// Who has which topic.
    fn wanted(&self) -> Vec<((Kind, Bytes), Vec<u64>)> {
        let topics = self.pubsub.topics.ids().filter_map(|id| self.pubsub.topics.get(id));
        let id_of = |at: usize| self.pubsub.subscriptions[at].as_ref().map_or(0, |it| it.id.0);
        let users = |topic: &topic::Topic| topic.users.iter().map(|user| id_of(user.subscription)).collect();
        topics.map(|topic| ((topic.kind, Bytes::copy_from_slice(&topic.name)), users(topic))).collect()
    }
}

trait CollectTopics {
    fn collect_topics(self) -> BTreeSet<((Kind, Bytes), Vec<NodeId>)>;
}

impl<'a, I: Iterator<Item = &'a topic::Topic>> CollectTopics for I {
    fn collect_topics(self) -> BTreeSet<((Kind, Bytes), Vec<NodeId>)> {
        self.filter(|topic| !topic.users.is_empty())
            .map(|topic| ((topic.kind, Bytes::copy_from_slice(&topic.name)), topic.seats.to_vec()))
            .collect()
    }
}

impl User {
    fn read(&mut self, event: &Event, seed: u64) {
        match event {
            Event::Interrupted => {
                assert!(!self.interrupted, "seed {seed}: interrupted twice");
                self.interrupted = true;
                self.seen.values_mut().for_each(|seen| seen.excused = true);
            }
            Event::Resumed => {
                assert!(self.interrupted, "seed {seed}: resumed although nothing was wrong");
                self.interrupted = false;
            }
            Event::Lagged(_) => panic!("seed {seed}: there is no limit here"),
            Event::Message(message) => {
                let number: u64 = message.payload_as().expect("a number");
                let kind = match (message.pattern(), message.channel()) {
                    (Some(_), _) => Kind::Pattern,
                    (None, [b's', ..]) => Kind::Shard,
                    (None, _) => Kind::Channel,
                };
                let topic = (kind, Bytes::copy_from_slice(message.channel()));
                let is_mixed = self.everywhere.contains(&topic);
                let interrupted = self.interrupted;
                let seen = self.seen.entry(topic).or_default();
                let follows = seen.last == 0 || number == seen.last + 1 || seen.excused || is_mixed;
                assert!(follows, "seed {seed}: {number} after {} without a word", seen.last);
                *seen = Seen { last: number, excused: interrupted };
            }
        }
    }
}
