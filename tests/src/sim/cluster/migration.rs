//! Slots that change hands, at once or key by key.

use redstart_core::command::slot::SLOTS;

use super::node::Change;
use super::{Cluster, Step};
use crate::sim::world::{Event, MS, World};

/// Slots whose keys are on their way.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Migration {
    pub(in crate::sim) first: u16,
    pub(in crate::sim) last: u16,
    pub(in crate::sim) from: usize,
    pub(in crate::sim) to: usize,
    /// It lasts until then, even if no key is left.
    pub(in crate::sim) until: u64,
}

impl Cluster {
    /// The migration that concerns some of these slots.
    fn migration(&self, first: u16, last: u16) -> Option<usize> {
        self.migrations.iter().position(|running| running.first <= last && running.last >= first)
    }
}

impl World {
    /// The keys of a range of slots, all of one node, begin to leave for another node; all have left no
    /// earlier than after `length`.
    pub(in crate::sim) fn migrate(&mut self, first: u16, last: u16, to: usize, length: u64) {
        let until = self.now + length;
        let cluster = self.cluster();
        let Some(from) = cluster.truth.owner(first) else { return };
        let whole = (first..=last).all(|slot| cluster.truth.owner(slot) == Some(from));
        if from == to || !whole || last >= SLOTS || cluster.migration(first, last).is_some() {
            return;
        }
        for slot in first..=last {
            cluster.nodes[from].migrating.insert(slot, to);
            cluster.nodes[to].importing.insert(slot, from);
        }
        cluster.migrations.push(Migration { first, last, from, to, until });
        self.note_server(from, &format!("slots {first}-{last} leave for node {}", to + 1));
        self.schedule_key(first);
    }

    fn schedule_key(&mut self, first: u16) {
        let at = self.now + self.rng.u64(MS..20 * MS);
        self.schedule(at, Event::Cluster(Step::Migrate(first)));
    }

    /// The next key leaves; behind the last one the slots do.
    pub(in crate::sim) fn migrate_next(&mut self, first: u16) {
        let now = self.now;
        let Some(index) = self.cluster().migration(first, first) else { return };
        let migration = self.cluster().migrations[index];
        let keys = self.cluster().nodes[migration.from].keys_in(migration.first, migration.last);
        match keys.first() {
            Some(_) => self.carry(migration.from, migration.to, &keys[..1]),
            None if now >= migration.until => return self.finish_migration(index),
            None => {}
        }
        self.schedule_key(first);
    }

    fn carry(&mut self, from: usize, to: usize, keys: &[super::Key]) {
        let Self { cluster: Some(cluster), rng, now, .. } = self else { return };
        for key in keys {
            let ids = cluster.nodes[from].data.get(key).cloned().unwrap_or_default();
            cluster.change(to, *now, rng, Change::Put(key.clone(), ids));
            cluster.change(from, *now, rng, Change::Remove(key.clone()));
        }
    }

    fn finish_migration(&mut self, index: usize) {
        let migration = self.cluster().migrations.swap_remove(index);
        for slot in migration.first..=migration.last {
            self.cluster().nodes[migration.from].migrating.remove(&slot);
            self.cluster().nodes[migration.to].importing.remove(&slot);
        }
        self.move_slots(migration.first, migration.last, migration.to);
    }

    /// Slots go back to a node, if it can take them.
    pub(in crate::sim) fn return_slots(&mut self, first: u16, last: u16, to: usize) {
        let is_well = self.is_well(to);
        let truth = &self.cluster().truth;
        let is_primary = truth.members.get(&to).is_some_and(|member| member.primary.is_none());
        let owner = truth.owner(first);
        let are_together = (first..=last).all(|slot| truth.owner(slot) == owner);
        if is_well && is_primary && are_together && owner.is_some_and(|owner| self.is_well(owner)) {
            self.move_slots(first, last, to);
        }
    }

    /// All that leaves a node or comes to it has left and come.
    pub(in crate::sim) fn finish_migrations_of(&mut self, node: usize) {
        let concerned = |running: &Migration| running.from == node || running.to == node;
        while let Some(index) = self.cluster().migrations.iter().position(concerned) {
            self.finish_migration(index);
        }
    }

    /// Slots go to another node at once, with their keys.
    pub(in crate::sim) fn move_slots(&mut self, first: u16, last: u16, to: usize) {
        let now = self.now;
        while let Some(index) = self.cluster().migration(first, last) {
            self.finish_migration(index);
        }
        let mut involved = vec![to];
        for slot in first..=last {
            let owner = self.cluster().truth.owner(slot);
            involved.extend(owner.filter(|owner| !involved.contains(owner)));
        }
        self.cluster().catch_up(to, now);
        for &from in &involved[1..] {
            let keys = self.cluster().nodes[from].keys_in(first, last);
            self.carry(from, to, &keys);
        }
        self.note_server(to, &format!("has slots {first}-{last} now"));
        self.announce(&involved, |view| {
            view.epoch += 1;
            view.assign(first, last, Some(to));
            let epoch = view.epoch;
            view.members.entry(to).and_modify(|member| member.epoch = epoch);
        });
    }
}
