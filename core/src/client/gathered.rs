//! The outcomes of a batch, as they came: most of them in runs.

use alloc::vec::Vec;
use core::slice;

use super::slots::Outcome;
use crate::engine::Run;
use crate::error::Error;
use crate::resp::{Item, Items};

/// Outcomes of a batch.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pieces: Vec<Piece>,
    /// How many outcomes are still due.
    missing: usize,
    /// How those have ended that did not come.
    lost: Option<Error>,
}

#[derive(Debug)]
struct Piece {
    /// Which command of the batch it is, or begins with.
    first: u32,
    part: Part,
}

#[derive(Debug)]
enum Part {
    One(Outcome),
    Run(Run),
}

impl Gathered {
    /// A batch of so many commands.
    pub(super) fn new(count: usize) -> Self {
        Self { missing: count, ..Self::default() }
    }

    /// Takes an outcome. Returns whether all are there.
    pub(super) fn put(&mut self, place: u32, outcome: Outcome) -> bool {
        self.pieces.push(Piece { first: place, part: Part::One(outcome) });
        self.count(1)
    }

    /// Takes as many outcomes as `count`. Returns whether all are there.
    pub(super) fn put_run(&mut self, first: u32, count: u32, run: Run) -> bool {
        self.pieces.push(Piece { first, part: Part::Run(run) });
        self.count(count as usize)
    }

    fn count(&mut self, come: usize) -> bool {
        self.missing = self.missing.saturating_sub(come);
        let whole = self.missing == 0;
        if whole {
            // What came over one connection is in order.
            self.pieces.sort_by_key(|piece| piece.first);
        }
        whole
    }

    /// What has not come does not come any more.
    pub(super) fn give_up(&mut self, error: Error) {
        self.lost = Some(error);
        self.pieces.sort_by_key(|piece| piece.first);
    }

    /// What the call is told, place by place.
    pub(super) fn read(&self) -> Reader<'_> {
        Reader { pieces: self.pieces.iter(), run: None, place: 0, lost: self.lost.as_ref() }
    }

    /// The same outcomes, each by itself, for as many commands as `count`.
    pub(super) fn apart(&self, count: usize) -> Vec<Option<Outcome>> {
        let mut reader = self.read();
        let apart = |outcome: Result<Item<'_>, Error>| outcome.map(|item| item.to_frame()).transpose();
        (0..count as u32).map(|place| apart(reader.take(place))).collect()
    }
}

impl From<Vec<Option<Outcome>>> for Gathered {
    fn from(outcomes: Vec<Option<Outcome>>) -> Self {
        let pieces = (0..)
            .zip(outcomes)
            .filter_map(|(first, outcome)| outcome.map(|outcome| Piece { first, part: Part::One(outcome) }));
        Self { pieces: pieces.collect(), ..Self::default() }
    }
}

/// Reads outcomes in their order.
pub(super) struct Reader<'a> {
    pieces: slice::Iter<'a, Piece>,
    /// What is left of the run that was begun, and the place of its next reply.
    run: Option<Items<'a>>,
    place: u32,
    lost: Option<&'a Error>,
}

impl<'a> Reader<'a> {
    /// The outcome at `place`; the places are asked for one by one.
    #[inline]
    pub(super) fn take(&mut self, place: u32) -> Result<Item<'a>, Error> {
        if place == self.place
            && let Some(item) = self.run.as_mut().and_then(Iterator::next)
        {
            self.place += 1;
            return Ok(item);
        }
        self.take_piece(place)
    }

    fn take_piece(&mut self, place: u32) -> Result<Item<'a>, Error> {
        let pieces = self.pieces.as_slice();
        if let Some(piece) = pieces.first().filter(|piece| piece.first == place) {
            self.pieces.next();
            match &piece.part {
                Part::One(Ok(frame)) => return Ok(frame.item()),
                Part::One(Err(error)) => return Err(error.clone()),
                Part::Run(run) => {
                    let mut items = run.items();
                    if let Some(item) = items.next() {
                        (self.run, self.place) = (Some(items), place + 1);
                        return Ok(item);
                    }
                }
            }
        }
        Err(self.lost.cloned().unwrap_or_else(Error::missing_reply))
    }
}
