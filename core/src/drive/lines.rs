//! The connections of a driver: few, mostly one.

use alloc::vec::Vec;

use super::line::Line;
use super::net::Net;
use crate::connection::ConnId;

/// Lines in the order of their numbers. A list takes less room than a tree for one of them, and less time for many.
pub(super) struct Lines<N: Net>(Vec<(ConnId, Line<N>)>);

impl<N: Net> Default for Lines<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// No line is pinned where it lies, whatever its socket is.
impl<N: Net> Unpin for Lines<N> {}

impl<N: Net> Lines<N> {
    pub(super) fn insert(&mut self, id: ConnId, line: Line<N>) {
        let place = self.place(id);
        self.0.reserve_exact(1);
        self.0.insert(place, (id, line));
    }

    /// Returns whether it was there.
    pub(super) fn remove(&mut self, id: ConnId) -> bool {
        let place = self.place(id);
        let is_there = self.0.get(place).is_some_and(|(found, _)| *found == id);
        if is_there {
            self.0.remove(place);
        }
        is_there
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Line<N>> {
        let place = self.place(id);
        self.0.get_mut(place).filter(|(found, _)| *found == id).map(|(_, line)| line)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Line<N>> {
        self.0.iter().map(|(_, line)| line)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink(&mut self) {
        self.0.iter_mut().for_each(|(_, line)| line.shrink());
        self.0.shrink_to_fit();
    }

    /// Where a line is, or would be.
    #[inline]
    fn place(&self, id: ConnId) -> usize {
        self.0.partition_point(|(other, _)| *other < id)
    }
}
