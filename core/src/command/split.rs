//! A command whose keys are in several slots, cut into one command per slot.
//!
//! ```text
//! MSET a 1 b 2 c 3     slots: a and c in one, b in another
//!   -> MSET a 1 c 3
//!   -> MSET b 2
//! ```
//!
//! The parts go out as a batch. They run each by itself: other clients can see some of them done and others
//! not, and when one fails the others stay done.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::flags::{Flags, Join};
use super::join::{Part, aggregate, assemble, failure, join};
use super::packed::{KeySpan, Packed, Stored};
use super::reply::unexpected;
use super::slot;
use crate::error::Error;
use crate::resp::{Frame, Kind};

/// The parts of a command, and how their replies become its reply.
#[derive(Clone, Debug)]
pub struct Split {
    /// In the order of their first keys, each for one slot.
    pub parts: Vec<Packed>,
    /// How their replies become one.
    pub gather: Gather,
}

/// How the replies to the parts of a command become its reply.
#[derive(Clone, Debug)]
pub struct Gather {
    /// For each key, in the caller's order, the part that has it.
    places: Vec<usize>,
    /// How many parts there are.
    parts: usize,
    flags: Flags,
}

impl Packed {
    /// Cuts the command into one per slot; `None` if one slot, or none, has all its keys.
    ///
    /// A part has the keys of its slot in their order, each with the arguments that belong to it, and the
    /// flags and the timeout of the whole. Large values are shared with it, not copied.
    ///
    /// # Errors
    /// Two slots, if its keys are in several and it cannot be cut: it was not [marked](super::Command::split)
    /// for it.
    pub fn split(&self) -> Result<Option<Split>, (u16, u16)> {
        let Err(slots) = self.slot() else { return Ok(None) };
        let mut spans = self.key_spans();
        let (Some(span), None) = (spans.next(), spans.next()) else { return Err(slots) };
        let end = span.first as usize + span.step as usize * span.count as usize;
        if !self.flags().has(Flags::SPLIT) || end > self.argc() {
            return Err(slots);
        }
        Ok(Some(Split::new(self, span, end)))
    }
}

impl Split {
    /// The arguments are a head, then a key every `span.step`, then from `end` on a tail.
    fn new(whole: &Packed, span: KeySpan, end: usize) -> Self {
        let args: Vec<Stored<'_>> = whole.stored().collect();
        let (args, tail) = args.split_at(end.min(args.len()));
        let (head, keyed) = args.split_at((span.first as usize).min(args.len()));

        let mut by_slot = BTreeMap::new();
        let mut members: Vec<(u16, Vec<&[Stored<'_>]>)> = Vec::new();
        let mut places = Vec::with_capacity(span.count as usize);
        for unit in keyed.chunks(span.step as usize) {
            let slot = slot::of(unit.first().map_or(&[], |key| key.payload()));
            let place = *by_slot.entry(slot).or_insert_with(|| {
                members.push((slot, Vec::new()));
                members.len() - 1
            });
            members[place].1.push(unit);
            places.push(place);
        }

        let part = |(slot, units): &(u16, Vec<_>)| whole.part(*slot, head, units, tail);
        let parts: Vec<Packed> = members.iter().map(part).collect();
        let gather = Gather { places, parts: parts.len(), flags: whole.flags() };
        Self { parts, gather }
    }
}

impl Gather {
    /// How many parts there are.
    #[must_use]
    pub const fn parts(&self) -> usize {
        self.parts
    }

    /// Makes one reply of those to the parts, which come in the order of the parts. It is made as
    /// [`join`](super::join()) says, except that merged elements come in the order of the keys that they belong
    /// to.
    ///
    /// # Errors
    /// As [`join`](super::join()). A reply to merge must be an array with an element for each key of its part.
    pub fn join(&self, outcomes: impl IntoIterator<Item = Result<Frame, Error>>) -> Result<Frame, Error> {
        let parts: Vec<Part> = outcomes.into_iter().map(Part::new).collect();
        match self.flags.join() {
            Join::Merge => self.merge(&parts),
            _ => join(self.flags, parts),
        }
    }

    fn merge(&self, parts: &[Part]) -> Result<Frame, Error> {
        if let Some(error) = failure(self.flags, parts) {
            return Err(error);
        }
        let mut expected = alloc::vec![0; self.parts];
        self.places.iter().for_each(|&place| expected[place] += 1);
        let mut columns = Vec::with_capacity(parts.len());
        for (part, keys) in parts.iter().zip(expected) {
            let Ok(frame) = part.outcome() else { continue };
            if frame.kind() != Kind::Array || frame.item().len() != keys {
                return Err(part.misshapen(unexpected("an array with an element per key", frame.item())));
            }
            columns.push(frame.item().items());
        }
        let mut out = aggregate(b'*', self.places.len(), parts);
        for &place in &self.places {
            let element = columns.get_mut(place).and_then(Iterator::next);
            element.ok_or_else(Error::missing_reply)?.encode(&mut out);
        }
        assemble(out)
    }
}

#[cfg(test)]
mod tests;
