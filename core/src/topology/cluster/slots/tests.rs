//! The map against the plainest model, and its promises one by one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use fastrand::Rng;

use super::*;
use crate::topology::cluster::{Node, Shard};

/// So many nodes play along; few, so that they meet again and again.
const CAST: u16 = 12;

fn node(number: u16) -> Node {
    Node::new(Endpoint::tcp("h", 1 + number))
}

fn at(second: u64) -> Instant {
    Instant::from_nanos(second)
}

fn shard(primary: u16, replicas: &[u16], slots: &[(u16, u16)]) -> Shard {
    let slots = slots.iter().map(|&(start, end)| SlotRange::new(start, end)).collect();
    Shard::new(node(primary), replicas.iter().map(|&replica| node(replica)).collect(), slots)
}

fn view(shards: impl IntoIterator<Item = Shard>) -> View {
    View::new(shards).unwrap()
}

/// What the map should know, as plainly as can be: nodes are numbers of the cast.
#[derive(Clone)]
struct Model {
    owners: Vec<Option<u16>>,
    moved: BTreeMap<u16, u64>,
    replicas: BTreeMap<u16, Vec<u16>>,
    members: BTreeSet<u16>,
}

impl Model {
    fn adopt(&mut self, view: &View, asked_at: u64) {
        let before = core::mem::replace(&mut self.owners, vec![None; 16_384]);
        self.replicas.clear();
        self.members.clear();
        let number = |node: &Node| (0..CAST).find(|&number| self::node(number) == *node).unwrap();
        for shard in view.shards() {
            let primary = number(&shard.primary);
            let replicas: Vec<u16> = shard.replicas.iter().map(number).collect();
            self.members.extend(replicas.iter().chain([&primary]));
            self.replicas.insert(primary, replicas);
            for slot in shard.slots.iter().flat_map(|range| range.slots()) {
                self.owners[usize::from(slot)] = Some(primary);
            }
        }
        self.moved.retain(|_, at| *at >= asked_at);
        for &slot in self.moved.keys() {
            self.owners[usize::from(slot)] = before[usize::from(slot)];
            self.members.extend(before[usize::from(slot)]);
        }
    }
}

/// A view of some shards over ranges of any length, with gaps.
fn random_view(rng: &mut Rng) -> View {
    loop {
        let mut cast: Vec<u16> = (0..CAST).collect();
        rng.shuffle(&mut cast);
        let mut shards: Vec<Shard> = (0..rng.usize(1..=4)).map(|at| shard(cast[at], &[], &[])).collect();
        for &replica in &cast[4..] {
            if rng.bool() {
                rng.choice(&mut shards).unwrap().replicas.push(node(replica));
            }
        }
        let mut slot = rng.u16(0..100);
        while slot < 16_384 {
            let last = (slot + rng.u16(0..300)).min(16_383);
            rng.choice(&mut shards).unwrap().slots.push(SlotRange::new(slot, last));
            slot = last + 1 + rng.u16(0..3) * rng.u16(0..2000);
        }
        if let Ok(view) = View::new(shards) {
            return view;
        }
    }
}

/// The numbers in the cast of the nodes that the map knows.
fn numbers(map: &SlotMap) -> BTreeMap<NodeId, u16> {
    (0..CAST).filter_map(|number| Some((map.find(&node(number).endpoint)?, number))).collect()
}

fn owner(map: &SlotMap, slot: u16) -> Option<u16> {
    map.primary(slot).map(|id| numbers(map)[&id])
}

/// Compares some slots.
fn check_slots(map: &SlotMap, model: &Model, slots: impl Iterator<Item = u16>) {
    let numbers = numbers(map);
    for slot in slots {
        let owner = map.primary(slot).map(|id| numbers[&id]);
        assert_eq!(owner, model.owners[usize::from(slot)], "slot {slot}");
    }
}

/// Compares all that there is.
fn check(map: &SlotMap, model: &Model) {
    check_slots(map, model, 0..SLOTS);
    assert_eq!(map.coverage(), model.owners.iter().flatten().count());
    let numbers = numbers(map);
    // The order of numbers is that of endpoints.
    let members: Vec<u16> = map.members().map(|id| numbers[&id]).collect();
    assert_eq!(members, model.members.iter().copied().collect::<Vec<_>>());
    let mut owners = model.owners.clone();
    owners.dedup();
    let serving: Vec<u16> = (0..CAST).filter(|&number| owners.contains(&Some(number))).collect();
    let primaries: Vec<u16> = map.shards().map(|(primary, _)| numbers[&primary]).collect();
    assert_eq!(primaries, serving);
    for (primary, replicas) in map.shards() {
        assert_eq!(map.replicas(primary), replicas);
        let replicas: Vec<u16> = replicas.iter().map(|id| numbers[id]).collect();
        assert_eq!(replicas, model.replicas.get(&numbers[&primary]).cloned().unwrap_or_default());
    }
}

/// What must be true of a change, given the map before and after.
fn check_change(change: &Change, before: &SlotMap, after: &SlotMap) {
    let set = |map: &SlotMap| map.members().collect::<BTreeSet<_>>();
    let (was, is) = (set(before), set(after));
    let as_set = |ids: &[NodeId]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(as_set(&change.joined), &is - &was);
    assert_eq!(as_set(&change.stayed), &is & &was);
    assert_eq!(as_set(&change.left), &was - &is);
    for ids in [&change.joined, &change.stayed, &change.left] {
        assert!(ids.windows(2).all(|pair| after.endpoint(pair[0]) < after.endpoint(pair[1])), "by endpoint");
    }
    for &id in &change.left {
        assert_eq!(before.endpoint(id), after.endpoint(id), "a node that has left keeps its number");
    }
    let changed: Vec<u16> = change.slots.iter().flat_map(|range| range.slots()).collect();
    let owners = before.owners.iter().zip(&after.owners);
    let expected: Vec<u16> =
        (0..).zip(owners).filter(|(_, (was, is))| was != is).map(|(slot, _)| slot).collect();
    assert_eq!(changed, expected);
}

fn play(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut map = SlotMap::new();
    let owners = vec![None; 16_384];
    let mut model =
        Model { owners, moved: BTreeMap::new(), replicas: BTreeMap::new(), members: BTreeSet::new() };
    for now in 1..=rng.u64(2..25) {
        match rng.u8(0..10) {
            0 => {
                let (view, asked_at) = (random_view(&mut rng), rng.u64(0..=now));
                let before = map.clone();
                let change = map.adopt(&view, at(asked_at)).expect("there is room");
                model.adopt(&view, asked_at);
                check_change(&change, &before, &map);
            }
            1..6 => {
                let (slot, number) = (rng.u16(0..SLOTS), rng.u16(0..CAST));
                let id = map.handle_moved(at(now), slot, &node(number).endpoint).expect("there is room");
                assert_eq!(map.primary(slot), Some(id));
                model.owners[usize::from(slot)] = Some(number);
                model.moved.insert(slot, now);
                model.members.insert(number);
            }
            6 => {
                let endpoint = node(rng.u16(0..CAST)).endpoint;
                let id = map.admit(&endpoint).expect("there is room");
                assert_eq!((map.find(&endpoint), map.endpoint(id)), (Some(id), Some(&endpoint)));
            }
            _ => {
                let number = rng.u16(0..CAST);
                if let Some(id) = map.find(&node(number).endpoint) {
                    let released = map.release(id);
                    assert_eq!(released, !model.members.contains(&number));
                    assert_eq!(map.endpoint(id).is_none(), released);
                }
            }
        }
        let sample: Vec<u16> =
            model.moved.keys().copied().chain((0..32).map(|_| rng.u16(0..SLOTS))).collect();
        check_slots(&map, &model, sample.into_iter());
    }
    check(&map, &model);
}

#[test]
fn like_the_model() {
    for seed in 0..2000 {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(played.is_ok(), "seed {seed}");
    }
}

#[test]
fn a_moved_slot_stays_until_a_later_view_decides() {
    let old = view([shard(0, &[1], &[(0, 9)]), shard(2, &[], &[(10, 19)])]);
    let new = view([shard(0, &[], &[(0, 4), (6, 9)]), shard(3, &[1], &[(5, 5)]), shard(2, &[], &[(10, 19)])]);
    let mut map = SlotMap::new();
    map.adopt(&old, at(0)).unwrap();
    let third = map.handle_moved(at(10), 5, &node(3).endpoint).unwrap();
    assert_eq!([4, 5, 6].map(|slot| owner(&map, slot)), [Some(0), Some(3), Some(0)], "it alone is moved");
    assert_eq!(map.replicas(third), []);

    let change = map.adopt(&old, at(9)).unwrap();
    assert_eq!(owner(&map, 5), Some(3), "a view that was asked for before says nothing of it");
    assert_eq!((change.left, change.slots), (vec![], vec![]));

    let mut confirmed = map.clone();
    let change = confirmed.adopt(&new, at(11)).unwrap();
    assert_eq!(change.slots, []);
    assert_eq!(confirmed.replicas(third).len(), 1);
    confirmed.adopt(&old, at(12)).unwrap();
    assert_eq!(owner(&confirmed, 5), Some(0), "what was confirmed does not hold against later views");

    let change = map.adopt(&old, at(11)).unwrap();
    assert_eq!((change.left, &change.slots[..]), (vec![third], &[SlotRange::new(5, 5)][..]));
    assert_eq!(owner(&map, 5), Some(0), "contradicted");
}

#[test]
fn numbers_are_given_out_again_only_when_released() {
    let mut map = SlotMap::new();
    let seed = map.admit(&node(9).endpoint).unwrap();
    let change = map.adopt(&view([shard(0, &[], &[(0, 9)])]), at(0)).unwrap();
    let first = change.joined[0];
    assert!(first != seed && !map.release(first));
    assert_eq!(map.members().collect::<Vec<_>>(), [first], "a node to begin with is no member");

    let change = map.adopt(&view([shard(1, &[], &[(0, 9)])]), at(1)).unwrap();
    assert_eq!(change.left, [first]);
    assert_eq!(map.endpoint(first), Some(&node(0).endpoint));
    let change = map.adopt(&view([shard(0, &[], &[(0, 9)])]), at(2)).unwrap();
    assert_eq!(change.joined, [first], "it is back under its number");

    let second = change.left[0];
    assert!(map.release(second) && !map.release(second));
    assert_eq!(map.find(&node(1).endpoint), None);
    assert_eq!(map.admit(&node(5).endpoint), Some(second));
}

#[test]
fn there_are_no_slots_beyond_the_last() {
    let mut map = SlotMap::new();
    assert_eq!(map.handle_moved(at(0), 16_384, &node(0).endpoint), None);
    assert_eq!(map.handle_moved(at(0), u16::MAX, &node(0).endpoint), None);
    assert_eq!((map.find(&node(0).endpoint), map.primary(16_384), map.primary(u16::MAX)), (None, None, None));
    assert!(map.handle_moved(at(0), 16_383, &node(0).endpoint).is_some());
}

#[test]
fn nodes_that_are_not_released_are_bounded() {
    let crowd = |host: &str| {
        let replicas = (2..=10_000).map(|port| Node::new(Endpoint::tcp(host, port))).collect();
        let slots = vec![SlotRange::new(0, 0)];
        view([Shard::new(Node::new(Endpoint::tcp(host, 1)), replicas, slots)])
    };
    let mut map = SlotMap::new();
    for host in ["a", "b", "c", "d"] {
        map.adopt(&crowd(host), at(0)).expect("40,000 nodes are known at most");
    }
    assert_eq!(map.adopt(&crowd("e"), at(0)), Err(ViewError::TooManyNodes));
    assert_eq!(map.handle_moved(at(0), 5, &Endpoint::tcp("e", 1)), None);
    assert_eq!(map.admit(&Endpoint::tcp("e", 1)), None);
    assert!(map.admit(&Endpoint::tcp("d", 1)).is_some() && map.primary(0).is_some(), "nothing is changed");
    let change = map.adopt(&crowd("a"), at(0)).expect("these are known");
    for id in change.left {
        assert!(map.release(id));
    }
    map.adopt(&crowd("e"), at(0)).expect("there is room again");
}

#[test]
fn zones_are_kept() {
    let mut map = SlotMap::new();
    let mut primary = node(0);
    primary.zone = Some("eu-1a".into());
    let shard = Shard::new(primary, vec![node(1)], vec![SlotRange::new(0, 0)]);
    map.adopt(&view([shard]), at(0)).unwrap();
    let zones: Vec<_> = map.members().map(|id| map.zone(id)).collect();
    assert_eq!(zones, [Some("eu-1a"), None]);
}
