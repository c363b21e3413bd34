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
            (Route::Keys, None) => Self::AnyPrimary,
        }
    }

    /// The same target, where reads of such `flags` go to other nodes than the primary.
    #[must_use]
    pub const fn reading(self, flags: Flags, from: ReadFrom) -> Self {
        match (self, from) {
            (_, ReadFrom::Primary) => self,
            (Self::Slot(slot), _) if flags.has(Flags::READ_ONLY) => Self::Read { slot, from },
            _ => self,
        }
    }
}
