//! Whether a node serves a command, and where it sends the client if it does not.

use super::node::{Key, Node};

/// Why a node does not serve a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Elsewhere {
    /// Another node serves the slot.
    Moved(u16, usize),
    /// It sends clients astray.
    Astray(u16, String),
    /// The keys are on another node already.
    Ask(u16, usize),
    /// Some keys are here and some on another node.
    TryAgain,
    /// Nobody serves the slot.
    Unbound,
    /// The cluster is not whole.
    Down,
    /// The keys are of different slots.
    CrossSlot,
}

/// A command or transaction, as far as its way matters.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Errand<'a> {
    pub(in crate::sim) keys: &'a [Key],
    pub(in crate::sim) writes: bool,
    /// It came behind `ASKING`.
    pub(in crate::sim) asking: bool,
    /// Its connection may read from replicas.
    pub(in crate::sim) read_only: bool,
    /// The keys are sharded channels, which stay until their slots have left.
    pub(in crate::sim) channels: bool,
}

impl Node {
    /// What Redis does in `getNodeByQuery`; `me` is the number of this node. `partly` is what it says of keys
    /// of which some have left: `TRYAGAIN` since 7.2, `ASK` before.
    pub(in crate::sim) fn route(
        &self,
        me: usize,
        errand: Errand<'_>,
        is_down: bool,
        try_again: bool,
    ) -> Result<(), Elsewhere> {
        let Some(&(slot, _)) = errand.keys.first() else { return Ok(()) };
        let Some(owner) = self.view.owner(slot) else { return Err(Elsewhere::Unbound) };
        if errand.keys.iter().any(|(other, _)| *other != slot) {
            return Err(Elsewhere::CrossSlot);
        }
        if is_down {
            return Err(Elsewhere::Down);
        }
        let missing = || errand.keys.iter().filter(|key| !self.data.contains_key(*key)).count();
        if let Some(&to) = self.migrating.get(&slot).filter(|_| owner == me && !errand.channels) {
            match missing() {
                0 => {}
                some if some < errand.keys.len() && try_again => return Err(Elsewhere::TryAgain),
                _ => return Err(Elsewhere::Ask(slot, to)),
            }
        } else if self.importing.contains_key(&slot) && errand.asking {
            let several = errand.keys.len() > 1;
            return if several && missing() > 0 { Err(Elsewhere::TryAgain) } else { Ok(()) };
        }
        if let Some(detour) = &self.detour
            && (detour.first..=detour.last).contains(&slot)
            && owner == me
        {
            return Err(Elsewhere::Astray(slot, detour.to.clone()));
        }
        let reads_here = errand.read_only && !errand.writes && self.follows == Some(owner);
        if owner == me || reads_here { Ok(()) } else { Err(Elsewhere::Moved(slot, owner)) }
    }
}
