//! Where in a cluster a request goes.

use super::flags::{Flags, Route};
use crate::config::ReadFrom;

/// Which node of a cluster, or which nodes, a request is for. One server takes it whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// Any primary.
    #[default]
    AnyPrimary,
    /// Any node, be it a primary or a replica.
    AnyNode,
    /// The node that serves this slot.
    Slot(u16),
    /// A node that has this slot, to read from it.
    Read {
        /// The slot.
        slot: u16,
        /// Which of its nodes.
        from: ReadFrom,
    },
    /// One node, by its number in the engine's table. It goes nowhere else.
    Node(u16),
    /// One node, by its place among the endpoints that are handed over with the requests.
    Named(u16),
    /// The connection of a session, by its place among those that are handed over with the requests, or by its seat.
    Session(u16),
    /// A node that the caller named and that does not exist.
    Nowhere,
    /// Every primary.
    AllPrimaries,
    /// Every node.
    AllNodes,
}

impl Target {
    /// The target of a command of such `flags` whose keys are in `slot`.
    #[must_use]
    pub const fn new(flags: Flags, slot: Option<u16>) -> Self {
        match (flags.route(), slot) {
            (Route::AllPrimaries, _) => Self::AllPrimaries,
            (Route::AllNodes, _) => Self::AllNodes,
            (_, Some(slot)) => Self::Slot(slot),
            (Route::AnyNode, None) => Self::AnyNode,
            (Route::Keys | Route::Primary, None) => Self::AnyPrimary,
        }
    }

    /// The same target, where reads of such `flags` go to other nodes than the primary.
    #[must_use]
    pub const fn reading(self, flags: Flags, from: ReadFrom) -> Self {
        match (self, from) {
            (_, ReadFrom::Primary) => self,
            _ if matches!(flags.route(), Route::Primary) => self,
            (Self::Slot(slot), _) if flags.has(Flags::READ_ONLY) => Self::Read { slot, from },
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_moved_unless_they_are_for_the_primary() {
        let read = |route| Flags::READ_ONLY.with_route(route);
        let from = ReadFrom::RoundRobin;
        let table = [
            (read(Route::Keys), Some(5), Target::Read { slot: 5, from }),
            (read(Route::Keys), None, Target::AnyPrimary),
            (read(Route::Primary), Some(5), Target::Slot(5)),
            (read(Route::Primary), None, Target::AnyPrimary),
            (read(Route::AllNodes), Some(5), Target::AllNodes),
            (Flags::IDEMPOTENT, Some(5), Target::Slot(5)),
        ];
        for (flags, slot, target) in table {
            assert_eq!(Target::new(flags, slot).reading(flags, from), target, "{flags} {slot:?}");
            let unmoved = Target::new(flags, slot);
            assert_eq!(unmoved.reading(flags, ReadFrom::Primary), unmoved, "{flags} {slot:?}");
        }
    }
}
