//! What came of the commands of a batch, as it came: most of it in runs, read in order.

use alloc::vec::Vec;
use core::{fmt, slice};

use super::batch::PackedBatch;
use super::reply::FromReply;
use crate::error::{ConversionError, Delivery, Error, ErrorKind, ServerError};
use crate::resp::{Frame, Item, Items, Kind};

/// The outcomes of a batch, in whatever order and pieces they come.
#[derive(Debug, Default)]
pub struct Outcomes {
    pieces: Vec<Piece>,
    /// How many are still due.
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
    One(Result<Frame, Error>),
    /// Replies one behind the other.
    #[cfg(feature = "std")]
    Run(Frame),
}

impl Outcomes {
    /// Outcomes of so many commands, of which none has come.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { missing: count, ..Self::default() }
    }

    /// Takes the outcome of one command. Returns whether all are there.
    pub fn put(&mut self, place: u32, outcome: Result<Frame, Error>) -> bool {
        self.pieces.push(Piece { first: place, part: Part::One(outcome) });
        self.count(1)
    }

    /// Takes as many replies as `count`, which are a [run](Frame::take_run). Returns whether all are there.
    #[cfg(feature = "std")]
    pub(crate) fn put_run(&mut self, first: u32, count: u32, run: Frame) -> bool {
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

    /// What has not come does not come any more, and has ended like this.
    pub fn give_up(&mut self, error: Error) {
        self.lost = Some(error);
        self.pieces.sort_by_key(|piece| piece.first);
    }

    /// All of them, for the commands of `batch`. They are there, or given up.
    #[must_use]
    pub fn results<'a>(&'a self, batch: &'a PackedBatch) -> Results<'a> {
        let source = Source { pieces: self.pieces.iter(), run: None, lost: self.lost.as_ref() };
        Results { source, batch, place: 0, count: batch.len() }
    }

    /// The same outcomes, each by itself, for as many commands as `count`.
    #[cfg(feature = "std")]
    pub(crate) fn apart(&self, count: usize) -> Vec<Option<Result<Frame, Error>>> {
        let mut source = Source { pieces: self.pieces.iter(), run: None, lost: self.lost.as_ref() };
        (0..count).map(|place| source.take(place).map(Item::to_frame).transpose()).collect()
    }
}

impl From<Vec<Option<Result<Frame, Error>>>> for Outcomes {
    fn from(outcomes: Vec<Option<Result<Frame, Error>>>) -> Self {
        let pieces = (0..)
            .zip(outcomes)
            .filter_map(|(first, outcome)| outcome.map(|outcome| Piece { first, part: Part::One(outcome) }));
        Self { pieces: pieces.collect(), ..Self::default() }
    }
}

/// Takes outcomes in their order.
struct Source<'a> {
    pieces: slice::Iter<'a, Piece>,
    /// What is left of the run that was begun.
    run: Option<Items<'a>>,
    lost: Option<&'a Error>,
}

impl<'a> Source<'a> {
    /// The outcome at `place`; the places are asked for one by one.
    #[inline]
    fn take(&mut self, place: usize) -> Result<Item<'a>, Error> {
        match self.run.as_mut().and_then(Iterator::next) {
            Some(item) => Ok(item),
            None => self.take_piece(place),
        }
    }

    #[inline(never)]
    fn take_piece(&mut self, place: usize) -> Result<Item<'a>, Error> {
        let next = self.pieces.as_slice().first();
        if let Some(piece) = next.filter(|piece| piece.first as usize == place) {
            self.pieces.next();
            match &piece.part {
                Part::One(Ok(frame)) => return Ok(frame.item()),
                Part::One(Err(error)) => return Err(error.clone()),
                #[cfg(feature = "std")]
                Part::Run(run) => {
                    let items = self.run.insert(run.of_run());
                    if let Some(item) = items.next() {
                        return Ok(item);
                    }
                }
            }
        }
        Err(self.lost.cloned().unwrap_or_else(Error::missing_reply))
    }
}

/// The results of a batch before they have their types, to be read one by one.
pub struct Results<'a> {
    source: Source<'a>,
    batch: &'a PackedBatch,
    /// Which command's result is next.
    place: usize,
    count: usize,
}

impl<'a> Results<'a> {
    /// The elements of one reply, the one to `EXEC`, each of which answers a command of `batch`.
    #[cfg(feature = "std")]
    pub(crate) fn of_elements(reply: Item<'a>, batch: &'a PackedBatch) -> Self {
        let source = Source { pieces: [].iter(), run: Some(reply.items()), lost: None };
        Self { source, batch, place: 0, count: batch.len() }
    }

    /// How many are left.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.count.saturating_sub(self.place)
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next one as a `T`.
    ///
    /// # Errors
    /// The command failed, or its reply is no `T`. The error names the command.
    #[inline]
    pub fn read<T: FromReply>(&mut self) -> Result<T, Error> {
        let place = self.place;
        self.place += 1;
        match self.source.take(place) {
            Ok(item) if item.kind() != Kind::Error => {
                T::from_reply(item).map_err(|error| self.unfit(place, error))
            }
            outcome => Err(self.failed(place, outcome)),
        }
    }

    #[cold]
    fn unfit(&self, place: usize, error: ConversionError) -> Error {
        self.named(place, Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted))
    }

    #[cold]
    fn failed(&self, place: usize, outcome: Result<Item<'_>, Error>) -> Error {
        // A command that ran beside others: whatever is wrong with it, all of them may have run.
        let refused = |item: Item<'_>| {
            let refusal = ServerError::new(&item.text().unwrap_or_default());
            Error::new(ErrorKind::Server(refusal), Delivery::MaybeExecuted)
        };
        self.named(place, outcome.map_or_else(|error| error, refused))
    }

    fn named(&self, place: usize, error: Error) -> Error {
        match self.batch.name(place) {
            Some(name) if error.command().is_none() => error.with_command(&name),
            _ => error,
        }
    }
}

impl fmt::Debug for Results<'_> {
    /// Shows how many are left only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Results({} left)", self.len())
    }
}
