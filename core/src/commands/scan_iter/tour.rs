//! The walk through all keys of a cluster, as a machine: what to ask next, and what the answers mean.
//!
//! ```text
//!   Locate ---> Visit: Process, Word, Page .. Page, Process, Word ---> Locate, the next Visit, or Over
//!     ^           |  ^                |
//!     |           |  +---- Doubt <----+ an error that may pass
//!     +-- Rouse <-+ the node is not what it was taken for
//! ```
//!
//! A slot that was on its way is seen by two visits, and then its first node is asked for its word (Recheck).
//!
//! Nodes are visited one after the other, until all slots that are served were [seen whole](super::coverage). Which node
//! has a slot is asked of the node that the client itself sends the slot's commands to: so the two agree, and
//! what is asked waits until the slot is served.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::coverage::{Coverage, Word};
use super::failure::{RESTARTS_MAX, may_pass, restarted, wrong};
use super::plan::{Next, Plan};
use super::reply::{Ask, Told};
use crate::config::{ClusterOptions, Endpoint};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};

/// The walk. See the [module](self).
pub(super) struct Tour {
    state: State,
    coverage: Coverage,
    plan: Plan,
    /// How often in a row something was begun that has not made a slot whole.
    fruitless: usize,
}

/// What is under way.
enum State {
    /// It is asked who serves which slots: any node, or the one that serves this slot.
    Locate(Option<u16>),
    /// The slot is waited for, and then located.
    Rouse(u16),
    /// A node is visited.
    Visit(Visit),
    /// The first node of a slot that was on its way is asked for its word.
    Recheck(Visit),
    /// The visit has met this error: is its node still the one to be visited?
    Doubt(Visit, Error),
    Over,
}

/// A node on its turn.
struct Visit {
    /// The slot for whose sake it is visited.
    slot: u16,
    /// Where it may be, the most likely last.
    endpoints: Vec<Endpoint>,
    step: Step,
    /// What it said of itself in the beginning.
    before: Option<Word>,
}

enum Step {
    /// Its process is asked for.
    Process,
    /// And what it says of itself.
    Word(Option<String>),
    /// The page at this cursor.
    Page(u64),
}

impl Tour {
    pub(super) fn new(options: &ClusterOptions) -> Self {
        Self { state: State::Locate(None), coverage: Coverage::new(), plan: Plan::new(options), fruitless: 0 }
    }

    /// Where the walk is at its node.
    pub(super) const fn cursor(&self) -> Option<u64> {
        match &self.state {
            State::Visit(Visit { step: Step::Page(cursor), .. }) => Some(*cursor),
            _ => None,
        }
    }

    /// How many slots were seen whole.
    pub(super) fn covered(&self) -> u16 {
        self.coverage.count()
    }

    /// What to ask next; `None` when all was seen.
    pub(super) fn ask(&self) -> Option<Ask<'_>> {
        Some(match &self.state {
            State::Locate(of) => Ask::Slots { of: *of },
            State::Rouse(slot) => Ask::AtRest { slot: *slot },
            State::Visit(visit) | State::Recheck(visit) => visit.ask()?,
            State::Doubt(visit, _) => Ask::Slots { of: Some(visit.slot) },
            State::Over => return None,
        })
    }

    /// A page came, with the cursor of the next one.
    pub(super) fn handle_page(&mut self, next: u64) -> Result<bool, Error> {
        match &mut self.state {
            State::Visit(visit @ Visit { step: Step::Page(_), .. }) => {
                visit.step = if next == 0 { Step::Process } else { Step::Page(next) };
                Ok(true)
            }
            _ => Err(self.end(wrong("what a node says"))),
        }
    }

    /// Something else came.
    pub(super) fn handle_told(&mut self, told: Told) -> Result<(), Error> {
        match (mem::replace(&mut self.state, State::Over), told) {
            (State::Locate(_), Told::Slots(holdings)) => {
                self.plan.adopt(holdings, &self.coverage);
                self.go_on()
            }
            (State::Doubt(visit, error), Told::Slots(holdings)) => {
                self.plan.adopt(holdings, &self.coverage);
                self.resolve(visit, error)
            }
            (State::Rouse(slot), _) => {
                self.state = State::Locate(Some(slot));
                Ok(())
            }
            (State::Visit(mut visit @ Visit { step: Step::Process, .. }), told) => {
                let process = match told {
                    Told::Process(process) => Some(process),
                    _ => None,
                };
                visit.step = Step::Word(process);
                self.state = State::Visit(visit);
                Ok(())
            }
            (
                State::Visit(Visit { step: Step::Word(process), before, endpoints, slot }),
                Told::Node(node),
            ) => {
                let word = Word { node: *node, process };
                match before {
                    Some(before) => self.leave(slot, &before, &word),
                    None if word.has_keys_of(slot) => {
                        let step = Step::Page(0);
                        self.state = State::Visit(Visit { slot, endpoints, step, before: Some(word) });
                        Ok(())
                    }
                    None => self.set_back(slot, None),
                }
            }
            (State::Recheck(Visit { slot, .. }), Told::Node(node)) => {
                let gained = self.coverage.confirm(&Word { node: *node, process: None });
                self.coverage.forget_rest(slot);
                self.count(gained);
                self.go_on()?;
                self.complain(None)
            }
            _ => Err(wrong("what was asked for")),
        }
    }

    /// What was asked for has failed. An error is the caller's, who may ask for more if it can pass.
    pub(super) fn handle_error(&mut self, error: Error) -> Result<(), Error> {
        let passes = may_pass(&error);
        match (mem::replace(&mut self.state, State::Over), error.kind()) {
            // The client does not know the node, yet or any more.
            (State::Visit(visit), ErrorKind::Usage(_)) => match visit.elsewhere() {
                Ok(visit) => {
                    self.state = State::Visit(visit);
                    Ok(())
                }
                Err(slot) => self.set_back(slot, Some(error)),
            },
            // Where it must not be asked, the process stays unknown.
            (State::Visit(mut visit @ Visit { step: Step::Process, .. }), ErrorKind::Server(_)) => {
                visit.step = Step::Word(None);
                self.state = State::Visit(visit);
                Ok(())
            }
            (State::Recheck(visit), _) if passes || matches!(error.kind(), ErrorKind::Usage(_)) => {
                self.set_back(visit.slot, Some(error))
            }
            (State::Visit(visit), _) if passes => {
                self.state = State::Doubt(visit, error);
                Ok(())
            }
            // Where keys of this slot must not be touched, there is no waiting.
            (State::Rouse(slot), ErrorKind::Server(_)) => {
                self.state = State::Locate(Some(slot));
                Ok(())
            }
            (state, _) => {
                if passes {
                    self.state = state;
                }
                Err(error)
            }
        }
    }

    fn end(&mut self, why: Error) -> Error {
        self.state = State::Over;
        why
    }

    fn go_on(&mut self) -> Result<(), Error> {
        self.state = match self.plan.next(&self.coverage) {
            Next::Visit(slot, places) => State::Visit(Visit::new(slot, places, Step::Process)),
            Next::Recheck(slot, places) => State::Recheck(Visit::new(slot, places, Step::Word(None))),
            Next::Wait(slot) => {
                self.coverage.forget_rest(slot);
                State::Rouse(slot)
            }
            Next::Ask => State::Locate(None),
            Next::Over => State::Over,
            Next::Unnamed => {
                self.state = State::Locate(None);
                let unknown = ErrorKind::Connection(ConnectionError::NotResolved);
                return Err(Error::new(unknown, Delivery::NotSent).with_command("SCAN"));
            }
        };
        Ok(())
    }

    /// A visit is over.
    fn leave(&mut self, slot: u16, before: &Word, after: &Word) -> Result<(), Error> {
        let gained = self.coverage.settle(before, after);
        self.count(gained);
        match self.plan.stale(slot, &after.node, &self.coverage) {
            Some(slot) => self.state = State::Locate(Some(slot)),
            None => self.go_on()?,
        }
        self.complain(None)
    }

    const fn count(&mut self, gained: bool) {
        self.fruitless = if gained { 0 } else { self.fruitless + 1 };
    }

    /// There is nothing to visit where the slot was said to be.
    fn set_back(&mut self, slot: u16, why: Option<Error>) -> Result<(), Error> {
        self.coverage.forget_rest(slot);
        self.fruitless += 1;
        self.state = State::Rouse(slot);
        self.complain(why)
    }

    /// Tells the caller, who can go on, that the walk does not get any further.
    fn complain(&mut self, why: Option<Error>) -> Result<(), Error> {
        if self.fruitless < RESTARTS_MAX || matches!(self.state, State::Over) {
            return Ok(());
        }
        self.fruitless = 0;
        Err(restarted(why))
    }

    /// Goes on with a visit that has met an error, which is the caller's, or gives it up for one elsewhere.
    fn resolve(&mut self, visit: Visit, error: Error) -> Result<(), Error> {
        let is_at = |place: &Endpoint| self.plan.is_at(place, visit.slot, &self.coverage);
        let stays = visit.endpoints.last().is_some_and(is_at);
        if stays {
            self.state = State::Visit(visit);
            return Err(error);
        }
        self.coverage.forget_rest(visit.slot);
        self.go_on()
    }
}

impl Visit {
    const fn new(slot: u16, endpoints: Vec<Endpoint>, step: Step) -> Self {
        Self { slot, endpoints, step, before: None }
    }

    fn ask(&self) -> Option<Ask<'_>> {
        let node = self.endpoints.last()?;
        Some(match self.step {
            Step::Process => Ask::Process { node: Some(node) },
            Step::Word(_) => Ask::Word { node },
            Step::Page(cursor) => Ask::Page { cursor, node: Some(node) },
        })
    }

    /// The visit where else the node may be, from its beginning, or the slot for whose sake it was.
    fn elsewhere(mut self) -> Result<Self, u16> {
        self.endpoints.pop();
        if self.endpoints.is_empty() || self.before.is_some() {
            return Err(self.slot);
        }
        Ok(Self { step: Step::Process, ..self })
    }
}

#[cfg(test)]
mod tests;
