//! What a node says of its cluster is taken as a whole, and only if it can be.

use std::collections::BTreeSet;

use bytes::BytesMut;
use redstart_core::Instant;
use redstart_core::command::slot::SLOTS;
use redstart_core::config::Endpoint;
use redstart_core::resp::{Decoder, Limits};
use redstart_core::topology::cluster::{Asked, SlotMap, View, epoch};

/// Reads every reply of a stream in every way, and lets one client adopt whatever is taken, one view after the
/// other.
///
/// # Panics
/// A view breaks its promises, the map is not as the view, or the best of all views covers less than another.
pub fn check_input(input: &[u8]) {
    let asked = Endpoint::tcp("front.example", 7801);
    let mut decoder = Decoder::new(Limits::default());
    let mut read = BytesMut::from(input);
    let mut views = Vec::new();
    while let Ok(Some(frame)) = decoder.decode(&mut read) {
        for asked in [Asked::new(&asked), Asked::new(&asked).tls(true)] {
            views.extend(View::from_slots(frame.item(), asked));
            views.extend(View::from_shards(frame.item(), asked));
        }
        // A number or nothing, of any reply.
        let _ = epoch(frame.item());
    }
    let mut map = SlotMap::new();
    for view in &views {
        check(view, &mut map);
    }
    let most = views.iter().map(View::coverage).max();
    assert_eq!(View::best(views).map(|view| view.coverage()), most);
}

/// Checks what a view promises, whatever it was made of, and that `map` is like it once it has adopted it.
///
/// # Panics
/// It is not so.
pub fn check(view: &View, map: &mut SlotMap) {
    let mut nodes = BTreeSet::new();
    assert!(view.nodes().all(|node| nodes.insert(&node.endpoint)), "every node is there once");
    assert!(nodes.iter().all(|node| super::is_place(node)), "{nodes:?}");
    let primaries: Vec<_> = view.shards().iter().map(|shard| &shard.primary.endpoint).collect();
    assert!(primaries.is_sorted());

    let change = map.adopt(view, Instant::ORIGIN).expect("there is room");
    assert!(change.left.iter().all(|&node| map.release(node)), "they have left");
    assert_eq!(map.members().count(), nodes.len());
    let mut served = BTreeSet::new();
    for shard in view.shards() {
        assert!(!shard.slots.is_empty() && shard.replicas.is_sorted_by_key(|replica| &replica.endpoint));
        let primary = map.find(&shard.primary.endpoint);
        for slot in shard.slots.iter().flat_map(|range| range.slots()) {
            assert!(slot < SLOTS && served.insert(slot), "slot {slot}");
            assert!(primary.is_some() && map.primary(slot) == primary, "slot {slot}");
        }
    }
    assert!(!served.is_empty());
    assert_eq!(served.len(), usize::from(view.coverage()));
    assert_eq!(served.len(), map.coverage(), "what the view does not have, nobody serves");
}
