//! Walks through clusters that change at random: every key that is there all the time is seen.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use fastrand::Rng;

use super::super::Tour;
use super::{holding, timeout};
use crate::command::slot::SLOTS;
use crate::commands::cluster::{ClusterNode, SlotRange};
use crate::commands::scan_iter::reply::{Ask, Holding, Told};
use crate::config::{ClusterOptions, Endpoint};
use crate::error::{Delivery, Error, ErrorKind, Limit, ServerError};

const KEYS: u32 = 80;
/// The slots that keys are in, and that move. Those between them are empty and move as well.
const BUSY: [u16; 12] = [0, 1, 700, 701, 702, 3_000, 5_461, 8_191, 8_192, 10_922, 12_000, 16_383];

struct Node {
    id: String,
    epoch: u64,
    process: u64,
    up: bool,
    primary: Option<usize>,
    keys: BTreeSet<u32>,
    migrating: BTreeMap<u16, String>,
    importing: BTreeMap<u16, String>,
}

/// Slots that are served together.
#[derive(Clone, Copy)]
struct Part {
    range: SlotRange,
    owner: Option<usize>,
}

struct World {
    rng: Rng,
    nodes: Vec<Node>,
    parts: Vec<Part>,
    /// What was true some time ago.
    past: Vec<Vec<Part>>,
    /// What the client knows: the nodes, and which of them serves a part.
    known: BTreeSet<usize>,
    map: Vec<Option<usize>>,
    last_moved: Option<(u16, usize)>,
    /// The busy slots that move: the fewer, the stranger their ways.
    restless: usize,
    /// What may still happen.
    events: u32,
    /// Keys of the walk's user may not be touched: there is no waiting for slots.
    restricted: bool,
    /// The last answer came from a node that knows of no slot.
    was_reset: bool,
    seen: BTreeSet<u32>,
}

fn port(node: usize) -> u16 {
    7000 + node as u16
}

fn part_of(key: u32) -> u16 {
    BUSY[key as usize % BUSY.len()]
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut parts = Vec::new();
        let mut next = 0;
        for slot in BUSY {
            if slot > next {
                parts.push(SlotRange::new(next, slot - 1));
            }
            parts.push(SlotRange::new(slot, slot));
            next = slot + 1;
        }
        let primaries = rng.usize(1..5);
        let mut world = Self {
            nodes: Vec::new(),
            parts: Vec::new(),
            past: Vec::new(),
            known: BTreeSet::new(),
            map: Vec::new(),
            last_moved: None,
            restless: *rng.choice(&[1, 2, BUSY.len()]).expect("numbers"),
            events: rng.u32(0..120),
            restricted: rng.u8(..8) == 0,
            was_reset: false,
            seen: BTreeSet::new(),
            rng,
        };
        (0..primaries).for_each(|_| world.join());
        for range in parts {
            let nobodys = range.start != range.end && world.rng.u8(..40) == 0;
            let owner = (!nobodys).then(|| world.rng.usize(..primaries) * 2);
            world.parts.push(Part { range, owner });
        }
        for key in 0..KEYS {
            let owner = world.owner(part_of(key));
            world.nodes[owner].keys.insert(key);
        }
        world.past = vec![world.parts.clone()];
        world.refresh();
        world
    }

    /// A primary without slots, and its replica.
    fn join(&mut self) {
        for primary in [None, Some(self.nodes.len())] {
            let id = format!("node-{}", self.nodes.len());
            let process = self.rng.u64(..);
            let epoch = self.nodes.len() as u64 + 1;
            let (keys, migrating, importing) = Default::default();
            self.nodes.push(Node { id, epoch, process, up: true, primary, keys, migrating, importing });
        }
    }

    fn owner(&self, slot: u16) -> usize {
        self.part(slot).owner.expect("busy slots are served")
    }

    fn part(&self, slot: u16) -> Part {
        *self.parts.iter().find(|part| part.range.contains(slot)).expect("a slot")
    }

    /// The client looks at the cluster.
    fn refresh(&mut self) {
        self.known = (0..self.nodes.len()).filter(|&node| self.nodes[node].up).collect();
        self.map = self.parts.iter().map(|part| part.owner).collect();
    }

    fn primaries(&self) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&node| self.nodes[node].primary.is_none()).collect()
    }

    fn pick(&mut self, nodes: &[usize]) -> Option<usize> {
        self.rng.choice(nodes).copied()
    }

    fn open_slots(&self) -> Vec<(u16, usize)> {
        let slots = |node: usize| self.nodes[node].migrating.keys().map(move |&slot| (slot, node));
        (0..self.nodes.len()).flat_map(slots).collect()
    }

    fn index_of(&self, id: &str) -> usize {
        self.nodes.iter().position(|node| node.id == id).expect("a node")
    }

    /// Whoever gets something takes a new epoch, unless it has the greatest.
    fn bump(&mut self, node: usize, always: bool) {
        let greatest = self.nodes.iter().map(|node| node.epoch).max().unwrap_or(0);
        let alone = self.nodes.iter().filter(|node| node.epoch == greatest).count() == 1;
        if always || self.nodes[node].epoch != greatest || !alone {
            self.nodes[node].epoch = greatest + 1;
        }
    }

    fn happen(&mut self) {
        self.past.push(self.parts.clone());
        match self.rng.u8(..24) {
            0..4 => self.begin_move(),
            4..8 => self.move_keys(2),
            8..12 => self.end_move(),
            12..14 => self.fail_over(),
            14 => self.crash(),
            15 => self.join(),
            16 => {
                let node = self.rng.usize(..self.nodes.len());
                self.nodes[node].process = self.rng.u64(..);
            }
            17 => self.move_empty(),
            18..22 => self.swing(),
            _ => self.refresh(),
        }
    }

    fn begin_move(&mut self) {
        let slot = BUSY[self.rng.usize(..self.restless)];
        let (from, primaries) = (self.owner(slot), self.primaries());
        let to = self.pick(&primaries).expect("a primary");
        if from == to
            || !self.nodes[from].up
            || !self.nodes[to].up
            || self.nodes[from].migrating.contains_key(&slot)
        {
            return;
        }
        self.open(slot, from, to);
    }

    fn open(&mut self, slot: u16, from: usize, to: usize) {
        let (from_id, to_id) = (self.nodes[from].id.clone(), self.nodes[to].id.clone());
        self.nodes[from].migrating.insert(slot, to_id);
        self.nodes[to].importing.insert(slot, from_id);
    }

    /// A slot is moved with all its keys, or comes back to where it was.
    fn swing(&mut self) {
        let slot = self.last_moved.map_or(BUSY[0], |(slot, _)| slot);
        if self.rng.bool() || self.nodes[self.owner(slot)].migrating.contains_key(&slot) {
            return self.begin_move();
        }
        let (from, back) = (self.owner(slot), self.last_moved.map(|(_, from)| from));
        let Some(to) = back.filter(|&to| to != from && self.nodes[to].primary.is_none()) else { return };
        self.open(slot, from, to);
        self.close(slot, from);
    }

    fn move_keys(&mut self, count: usize) {
        let Some(&(slot, from)) = self.rng.choice(self.open_slots().iter()) else { return };
        self.migrate(slot, from, count);
    }

    /// Moves some keys of a slot. Returns the node that they go to, unless one of the two is down.
    fn migrate(&mut self, slot: u16, from: usize, count: usize) -> Option<usize> {
        let to = self.index_of(&self.nodes[from].migrating[&slot]);
        if !self.nodes[from].up || !self.nodes[to].up {
            return None;
        }
        let mut keys: Vec<u32> = self.nodes[from].keys.iter().copied().collect();
        keys.retain(|&key| part_of(key) == slot);
        self.rng.shuffle(&mut keys);
        for key in keys.into_iter().take(count) {
            self.nodes[from].keys.remove(&key);
            self.nodes[to].keys.insert(key);
        }
        Some(to)
    }

    fn end_move(&mut self) {
        let Some(&(slot, from)) = self.rng.choice(self.open_slots().iter()) else { return };
        self.close(slot, from);
    }

    fn close(&mut self, slot: u16, from: usize) {
        let Some(to) = self.migrate(slot, from, usize::MAX) else { return };
        self.last_moved = Some((slot, from));
        self.nodes[from].migrating.remove(&slot);
        self.nodes[to].importing.remove(&slot);
        let part = self.parts.iter_mut().find(|part| part.range.contains(slot)).expect("a slot");
        part.owner = Some(to);
        self.bump(to, false);
    }

    /// Slots without keys are moved at once.
    fn move_empty(&mut self) {
        let (primaries, index) = (self.primaries(), self.rng.usize(..self.parts.len()));
        let to = self.pick(&primaries).expect("a primary");
        let part = self.parts[index];
        if part.range.start != part.range.end && part.owner.is_some() && self.nodes[to].up {
            self.parts[index].owner = Some(to);
            self.bump(to, false);
        }
    }

    /// A replica takes over, with all that its primary had, and a slot on its way goes on.
    fn fail_over(&mut self) {
        let replicas = (0..self.nodes.len()).filter(|&node| self.nodes[node].up);
        let replicas: Vec<usize> = replicas.filter(|&node| self.nodes[node].primary.is_some()).collect();
        let Some(heir) = self.pick(&replicas) else { return };
        let fallen = self.nodes[heir].primary.take().expect("a replica");
        let (old, new) = (self.nodes[fallen].id.clone(), self.nodes[heir].id.clone());
        self.nodes[heir].keys = core::mem::take(&mut self.nodes[fallen].keys);
        self.nodes[heir].migrating = core::mem::take(&mut self.nodes[fallen].migrating);
        self.nodes[heir].importing = core::mem::take(&mut self.nodes[fallen].importing);
        self.nodes[fallen].primary = Some(heir);
        for node in &mut self.nodes {
            for id in node.migrating.values_mut().chain(node.importing.values_mut()).filter(|id| **id == old)
            {
                id.clone_from(&new);
            }
            if node.primary == Some(fallen) {
                node.primary = Some(heir);
            }
        }
        for part in self.parts.iter_mut().filter(|part| part.owner == Some(fallen)) {
            part.owner = Some(heir);
        }
        self.bump(heir, true);
        // It comes back as the replica of its heir.
        if !self.nodes[fallen].up {
            (self.nodes[fallen].up, self.nodes[fallen].process) = (true, self.rng.u64(..));
        }
    }

    /// A primary goes down, if there is a replica that can take over.
    fn crash(&mut self) {
        let primaries = self.primaries();
        let Some(node) = self.pick(&primaries) else { return };
        let heirs = self.nodes.iter().filter(|heir| heir.primary == Some(node) && heir.up);
        if heirs.count() > 0 {
            self.nodes[node].up = false;
        }
    }

    /// What the nodes say of who serves what. `by` knows what it serves itself.
    fn slots(&mut self, by: Option<usize>) -> Told {
        let stale = self.rng.u8(..3) == 0;
        let back = if stale { self.rng.usize(..self.past.len().min(4)) } else { 0 };
        let past = if stale { &self.past[self.past.len() - 1 - back] } else { &self.parts };
        let owners = past.iter().zip(&self.parts).map(|(past, now)| {
            let own = by.is_some() && (past.owner == by || now.owner == by);
            Some((past.range, if own { now.owner? } else { past.owner? }))
        });
        let tell = |(range, node): (SlotRange, usize)| Holding {
            range,
            ..holding(0, 0, &self.nodes[node].id, port(node))
        };
        Told::Slots(owners.flatten().map(tell).collect())
    }

    fn answer(&mut self, ask: &Ask<'_>) -> Result<Answer, Error> {
        if self.rng.u8(..30) == 0 {
            return Err(timeout());
        }
        match *ask {
            Ask::Slots { of: None } => {
                self.was_reset = !self.was_reset && self.rng.u8(..8) == 0;
                let slots = if self.was_reset { Told::Slots(Vec::new()) } else { self.slots(None) };
                Ok(Answer::Told(slots))
            }
            Ask::Slots { of: Some(slot) } => {
                let index = self.parts.iter().position(|part| part.range.contains(slot)).expect("a slot");
                match self.map[index] {
                    Some(node) if self.nodes[node].up => Ok(Answer::Told(self.slots(Some(node)))),
                    _ => {
                        self.refresh();
                        Err(timeout())
                    }
                }
            }
            Ask::AtRest { slot } => self.await_rest(slot),
            Ask::Process { node } => {
                let node = self.find(node)?;
                let process = format!("{:x}", self.nodes[node].process);
                Ok(Answer::Told(Told::Process(process)))
            }
            Ask::Word { node } => {
                let node = self.find(Some(node))?;
                Ok(Answer::Told(Told::Node(self.word(node).into())))
            }
            Ask::Page { cursor, node } => {
                let node = self.find(node)?;
                Ok(Answer::Page(self.page(node, cursor)))
            }
        }
    }

    fn find(&mut self, node: Option<&Endpoint>) -> Result<usize, Error> {
        let node = node.expect("one of several");
        let found = (0..self.nodes.len()).find(|&index| Endpoint::tcp("h", port(index)) == *node);
        let found = found.filter(|node| self.known.contains(node));
        let found = found.ok_or_else(|| Error::new(ErrorKind::Usage("no such node"), Delivery::NotSent))?;
        if self.nodes[found].up { Ok(found) } else { Err(timeout()) }
    }

    fn word(&self, node: usize) -> ClusterNode {
        let Node { id, epoch, migrating, importing, primary, .. } = &self.nodes[node];
        let owned = self.parts.iter().filter(|part| part.owner == Some(node));
        ClusterNode {
            id: id.clone(),
            config_epoch: primary.map_or(*epoch, |primary| self.nodes[primary].epoch),
            slots: owned.map(|part| part.range).collect(),
            migrating: migrating.clone(),
            importing: importing.clone(),
            ..ClusterNode::default()
        }
    }

    fn page(&mut self, node: usize, cursor: u64) -> u64 {
        let count = self.rng.usize(1..8);
        let Node { process, keys, primary, .. } = &self.nodes[node];
        let keys = primary.map_or(keys, |primary| &self.nodes[primary].keys);
        let place = |key: u32| Rng::with_seed(process ^ (u64::from(key) << 32)).u64(1..);
        let places: BTreeMap<u64, u32> = keys.iter().map(|&key| (place(key), key)).collect();
        let mut rest = places.range(cursor..);
        self.seen.extend(rest.by_ref().take(count).map(|(_, &key)| key));
        rest.next().map_or(0, |(&place, _)| place)
    }

    /// Two keys of the slot that are not there are asked for: the client learns where the slot is.
    fn await_rest(&mut self, slot: u16) -> Result<Answer, Error> {
        if self.restricted {
            let error = ErrorKind::Server(ServerError::new(b"NOPERM no permissions to access a key"));
            return Err(Error::new(error, Delivery::Rejected));
        }
        let is_open = self.open_slots().iter().any(|&(open, _)| open == slot);
        if is_open {
            return Err(timeout());
        }
        let index = self.parts.iter().position(|part| part.range.contains(slot)).expect("a slot");
        let Some(owner) = self.parts[index].owner.filter(|&owner| self.nodes[owner].up) else {
            return Err(timeout());
        };
        self.known.insert(owner);
        self.map[index] = Some(owner);
        Ok(Answer::Told(Told::Nothing))
    }

    fn settle(&mut self) {
        self.refresh();
        self.end_move();
        self.fail_over_the_fallen();
    }

    fn fail_over_the_fallen(&mut self) {
        if self.nodes.iter().any(|node| !node.up) {
            self.fail_over();
        }
    }
}

enum Answer {
    Told(Told),
    Page(u64),
}

/// Walks through a cluster of this seed, to the end.
fn walk(seed: u64) -> World {
    let mut world = World::new(seed);
    let mut tour = Tour::new(&ClusterOptions::new([Endpoint::tcp("h", port(0))]));
    let mut steps = 0;
    while let Some(ask) = tour.ask() {
        steps += 1;
        assert!(steps < 20_000, "seed {seed}: the walk does not end");
        let outcome = match world.answer(&ask) {
            Ok(Answer::Told(told)) => tour.handle_told(told),
            Ok(Answer::Page(next)) => tour.handle_page(next).map(|counts| assert!(counts)),
            Err(error) => tour.handle_error(error),
        };
        if let Err(error) = outcome {
            let expected =
                matches!(error.kind(), ErrorKind::Timeout(_) | ErrorKind::Limit(Limit::Restarts(_)));
            assert!(expected, "seed {seed}: {error}");
            world.settle();
        }
        while world.events > 0 && world.rng.u8(..3) == 0 {
            world.events -= 1;
            world.happen();
        }
    }
    world
}

#[test]
fn every_key_that_stays_is_seen_whatever_happens() {
    for seed in 0..SEEDS {
        let world = walk(seed);
        let missed: Vec<u32> = (0..KEYS).filter(|key| !world.seen.contains(key)).collect();
        assert!(missed.is_empty(), "seed {seed}: {missed:?} were not seen");
    }
}

/// As many as a second or two are enough for.
const SEEDS: u64 = 500;

#[test]
fn parts_are_all_slots() {
    let world = World::new(1);
    assert_eq!(world.parts.iter().map(|part| part.range.end - part.range.start + 1).sum::<u16>(), SLOTS);
}
