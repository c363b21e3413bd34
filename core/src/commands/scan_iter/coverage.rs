//! Which slots of a cluster were seen whole, by what the nodes say of themselves.
//!
//! A node is asked for its [`Word`] before it is walked through and after. A slot that it serves at both times,
//! and that was on its way to nobody at either, has had all its keys there all the time, so the walk has seen
//! them. Three things could have happened in between and gone unnoticed, so all of the walk is void if
//!
//! - the configuration epoch is another: the node may have lost a slot and got it back. Whoever is given a slot
//!   by another node, or by an election, takes a new epoch, unless it has the greatest one already; and that
//!   it has not, as the one that had the slot meanwhile took it.
//! - the process is another: cursors are places in tables whose order differs from process to process.
//! - the node is another, at the same address.
//!
//! A slot on its way has keys at both ends, and they go in one direction. It is seen whole by a walk through the
//! node that it leaves, *followed* by one through the node that it goes to: a key that the first has missed was
//! at the second by then. Between the two the slot is noted as a *rest*.
//!
//! Not noticed is a slot that is put on its way and called back, and its keys with it, during one walk.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::slots::Slots;
use crate::commands::cluster::{ClusterNode, SlotRange};

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Its line in its own `CLUSTER NODES`.
    pub(super) node: ClusterNode,
    /// The name of its process, if it tells one.
    pub(super) process: Option<String>,
}

impl Word {
    /// Whether the node has keys of the slot: all or, if the slot is on its way, some.
    pub(super) fn has_keys_of(&self, slot: u16) -> bool {
        self.serves(slot) || self.node.importing.contains_key(&slot)
    }

    fn serves(&self, slot: u16) -> bool {
        self.node.slots.iter().any(|range| range.contains(slot))
    }

    /// Whether it is the same node, and has been there without a break in between.
    fn lasts_until(&self, after: &Self) -> bool {
        let (before, now) = (&self.node, &after.node);
        (&before.id, before.config_epoch) == (&now.id, now.config_epoch) && self.process == after.process
    }
}

/// The slots that were seen whole, and those that were so in part.
pub(super) struct Coverage {
    whole: Slots,
    /// Slots that were seen at the node that they are leaving, and the id of the one that has the rest.
    rests: BTreeMap<u16, String>,
}

impl Coverage {
    pub(super) fn new() -> Self {
        Self { whole: Slots::new(), rests: BTreeMap::new() }
    }

    /// Whether the slot was seen whole.
    pub(super) fn has(&self, slot: u16) -> bool {
        self.whole.contains(slot)
    }

    /// How many slots were seen whole.
    pub(super) fn count(&self) -> u16 {
        self.whole.count()
    }

    /// The id of the node where the rest of a slot is, if the slot was seen in part.
    pub(super) fn rest(&self, slot: u16) -> Option<&str> {
        self.rests.get(&slot).map(String::as_str)
    }

    /// The slot has to be seen from its beginning.
    pub(super) fn forget_rest(&mut self, slot: u16) {
        self.rests.remove(&slot);
    }

    /// A node was walked through. Returns whether slots have become whole by that.
    pub(super) fn settle(&mut self, before: &Word, after: &Word) -> bool {
        if !before.lasts_until(after) {
            return false;
        }
        let known = self.whole.count();
        self.settle_rests(before, after);
        let mut kept = Slots::of(&before.node.slots).and(&Slots::of(&after.node.slots));
        let (were_moving, moving) = (&before.node.migrating, &after.node.migrating);
        for (&slot, to) in were_moving.iter().chain(moving) {
            let (is_kept, stays) = (kept.contains(slot), moving.get(&slot) == Some(to));
            kept.remove(slot);
            if !stays {
                // It went to another node, or was called back: keys may be at the first one still.
                self.rests.remove(&slot);
            } else if is_kept && !self.has(slot) {
                self.rests.insert(slot, to.clone());
            }
        }
        self.whole.extend(&kept);
        let Self { whole, rests } = self;
        rests.retain(|&slot, _| !whole.contains(slot));
        whole.count() > known
    }

    /// The node that was walked through has the rests of some slots. It was walked through after the nodes that
    /// they leave, so that is all that was missing, if they were there all the time.
    fn settle_rests(&mut self, before: &Word, after: &Word) {
        let Self { whole, rests } = self;
        let stays = |slot: u16| {
            before.has_keys_of(slot)
                && after.has_keys_of(slot)
                && !before.node.migrating.contains_key(&slot)
                && !after.node.migrating.contains_key(&slot)
        };
        rests.retain(|&slot, at| {
            let here = *at == after.node.id;
            if here && stays(slot) {
                whole.add(SlotRange::new(slot, slot));
            }
            !here
        });
    }
}
