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
//! at the second by then. Between the two the slot is noted as a *rest*. At last the first node is asked again: if
//! it got a new epoch, the slot may have arrived, come back, and left once more.
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
    rests: BTreeMap<u16, Rest>,
}

impl Coverage {
    pub(super) fn new() -> Self {
        Self { whole: Slots::new(), rests: BTreeMap::new() }
    }

    /// The slots of a range that were not seen whole.
    pub(super) fn gaps(&self, range: SlotRange) -> impl Iterator<Item = u16> {
        self.whole.gaps(range)
    }

    /// How many slots were seen whole.
    pub(super) fn count(&self) -> u16 {
        self.whole.count()
    }

    /// What is known of a slot that was seen in part.
    pub(super) fn rest(&self, slot: u16) -> Option<&Rest> {
        self.rests.get(&slot)
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
        self.rests.retain(|&slot, rest| rest.follow(slot, before, after));
        let mut kept = Slots::of(&before.node.slots).and(&Slots::of(&after.node.slots));
        let (were_moving, moving) = (&before.node.migrating, &after.node.migrating);
        for (&slot, to) in were_moving.iter().chain(moving) {
            let (is_kept, stays) = (kept.contains(slot), moving.get(&slot) == Some(to));
            kept.remove(slot);
            if !stays {
                // It went to another node, or was called back: keys may be at the first one still.
                self.rests.remove(&slot);
            } else if is_kept && !self.whole.contains(slot) {
                self.rests.insert(slot, Rest::of(&after.node, to));
            }
        }
        self.whole.extend(&kept);
        let Self { whole, rests } = self;
        rests.retain(|&slot, _| !whole.contains(slot));
        whole.count() > known
    }

    /// The node that slots were leaving was asked again. Returns whether slots have become whole by that.
    pub(super) fn confirm(&mut self, word: &Word) -> bool {
        let known = self.whole.count();
        let Self { whole, rests } = self;
        rests.retain(|&slot, rest| {
            let is_asked = rest.is_followed && rest.from == word.node.id;
            if is_asked && rest.holds(slot, word) {
                whole.add(SlotRange::new(slot, slot));
            }
            !is_asked
        });
        whole.count() > known
    }
}

/// A slot that was seen at the node that it was leaving.
pub(super) struct Rest {
    /// The id of that node.
    pub(super) from: String,
    /// And its epoch.
    epoch: u64,
    /// The id of the node that it was going to.
    pub(super) to: String,
    /// Whether that one was walked through since.
    pub(super) is_followed: bool,
}

impl Rest {
    fn of(node: &ClusterNode, to: &str) -> Self {
        Self { from: node.id.clone(), epoch: node.config_epoch, to: to.into(), is_followed: false }
    }

    /// A node was walked through. Returns whether this is a rest still.
    fn follow(&mut self, slot: u16, before: &Word, after: &Word) -> bool {
        if self.to != after.node.id || self.is_followed {
            return true;
        }
        self.is_followed = [before, after].iter().all(|word| {
            let comes = word.node.importing.get(&slot) == Some(&self.from);
            comes || word.serves(slot) && !word.node.migrating.contains_key(&slot)
        });
        self.is_followed
    }

    /// Whether the slot has not come back in between to the node that it was leaving.
    fn holds(&self, slot: u16, word: &Word) -> bool {
        let leaves = word.node.migrating.get(&slot) == Some(&self.to);
        word.node.config_epoch == self.epoch && (leaves || !word.serves(slot))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// A node that says `epoch [slot] [slot>to] [slot<from]`; slots on their way from it are its own.
    fn word(id: &str, text: &str) -> Word {
        let mut parts = text.split(' ');
        let config_epoch = parts.next().expect("an epoch").parse().expect("a number");
        let mut node = ClusterNode { id: id.into(), config_epoch, ..ClusterNode::default() };
        for part in parts {
            let slot = |text: &str| text.parse().expect("a slot");
            if let Some((of, from)) = part.split_once('<') {
                node.importing.insert(slot(of), from.into());
                continue;
            }
            let (own, to) = part.split_once('>').unwrap_or((part, ""));
            node.slots.push(SlotRange::new(slot(own), slot(own)));
            if !to.is_empty() {
                node.migrating.insert(slot(own), to.into());
            }
        }
        Word { node, process: Some("p".into()) }
    }

    fn whole(coverage: &Coverage) -> Vec<u16> {
        (0..20).filter(|&slot| coverage.whole.contains(slot)).collect()
    }

    #[test]
    fn what_a_node_keeps_is_seen_whole() {
        let table: [(&str, &str, &[u16]); 9] = [
            ("1 5 6", "1 5 6", &[5, 6]),
            ("1 5 6", "1 6", &[6]),
            ("1 6", "1 5 6", &[6]),
            ("1 5", "2 5", &[]),
            ("1 5 6>b", "1 5 6>b", &[5]),
            ("1 5 6", "1 5 6>b", &[5]),
            ("1 5 6>b", "1 5 6", &[5]),
            ("1 5 6>b", "1 5", &[5]),
            ("1 5 6<b", "1 5 6<b", &[5]),
        ];
        for (before, after, expected) in table {
            let mut coverage = Coverage::new();
            let gained = coverage.settle(&word("a", before), &word("a", after));
            assert_eq!(whole(&coverage), expected, "{before}, {after}");
            assert_eq!(gained, !expected.is_empty());
        }
    }

    #[test]
    fn another_node_or_process_has_seen_nothing() {
        let before = word("a", "1 5");
        let (other, restarted) = (word("b", "1 5"), Word { process: Some("q".into()), ..before.clone() });
        let silent = Word { process: None, ..before.clone() };
        for after in [other, restarted, silent.clone()] {
            let mut coverage = Coverage::new();
            assert!(!coverage.settle(&before, &after) && coverage.count() == 0, "{after:?}");
        }
        assert!(Coverage::new().settle(&silent, &silent), "nothing is known against it");
    }

    /// Slot 6 is on its way from a to b, and a was gone through.
    fn in_part() -> Coverage {
        let mut coverage = Coverage::new();
        coverage.settle(&word("a", "1 6>b"), &word("a", "1 6>b"));
        assert!(coverage.rest(6).is_some_and(|rest| rest.to == "b" && !rest.is_followed));
        coverage
    }

    #[test]
    fn a_slot_on_its_way_is_seen_at_both_ends() {
        // What b says before and after, and what a says at last: is the slot seen?
        let table = [
            ("9 6<a", "9 6<a", "1 6>b", true),
            ("9 6<a", "9 6<a", "1", true),
            ("9 6<a", "9 6", "1", true),
            // It has come back to a in between.
            ("9 6<a", "9 6<a", "2 6>b", false),
            ("9 6<a", "9 6<a", "1 6", false),
            ("9 6<a", "9 6<a", "1 6>c", false),
            // It has come to b from elsewhere, or was not there all the time.
            ("9 6<c", "9 6<a", "1 6>b", false),
            ("9 6<a", "9 6<c", "1 6>b", false),
            ("9", "9 6<a", "1 6>b", false),
            ("9 6<a", "9", "1 6>b", false),
            ("9 6<a", "9 6>c", "1", false),
            ("9 6<a", "10 6", "1", false),
        ];
        for (before, after, last, seen) in table {
            let mut coverage = in_part();
            coverage.settle(&word("b", before), &word("b", after));
            assert_eq!(coverage.count(), 0, "before the last word");
            assert!(!coverage.confirm(&word("c", last)), "it is not the node in question");
            assert_eq!(coverage.confirm(&word("a", last)), seen, "{before}, {after}, {last}");
            assert_eq!(coverage.count(), u16::from(seen));
        }
    }

    #[test]
    fn a_rest_is_none_without_the_first_half() {
        let mut coverage = in_part();
        assert!(!coverage.confirm(&word("a", "1 6>b")), "nobody was at b");
        assert!(coverage.rest(6).is_some());
        // The slot has arrived: that b has it all suffices.
        assert!(coverage.settle(&word("b", "2 6"), &word("b", "2 6")));
        assert!(coverage.rest(6).is_none());
        // It was called back: keys may be at b, or were.
        let mut coverage = in_part();
        coverage.settle(&word("a", "1 6>b"), &word("a", "1 6"));
        assert!(coverage.rest(6).is_none());
    }
}
