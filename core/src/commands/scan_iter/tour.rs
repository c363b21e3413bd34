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
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::coverage::{Coverage, Word};
use super::failure::{RESTARTS_MAX, may_pass, restarted, wrong};
use super::reply::{Ask, Holding, Told};
use crate::command::slot::SLOTS;
use crate::commands::cluster::ClusterHost;
use crate::config::{AddressMap, ClusterOptions, Endpoint};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind};

/// The walk. See the [module](self).
pub(super) struct Tour {
    state: State,
    coverage: Coverage,
    names: Names,
    /// Who serves what, as was said last.
    holdings: Vec<Holding>,
    /// How many answers in a row have told of no slot that is not seen yet.
    exhausted: u8,
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
        Self {
            state: State::Locate(None),
            coverage: Coverage::new(),
            names: Names::new(options),
            holdings: Vec::new(),
            exhausted: 0,
            fruitless: 0,
        }
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
                self.adopt(holdings);
                self.go_on()
            }
            (State::Doubt(visit, error), Told::Slots(holdings)) => {
                self.adopt(holdings);
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

    /// Takes over who serves what.
    fn adopt(&mut self, holdings: Vec<Holding>) {
        self.holdings = holdings;
        let is_new = self.missing().next().is_some();
        self.exhausted = if is_new { 0 } else { self.exhausted.saturating_add(1) };
    }

    /// The slots that are served and not seen whole, with those who serve them.
    fn missing(&self) -> impl Iterator<Item = (u16, &Holding)> {
        let gaps = |holding: &Holding| self.coverage.gaps(holding.range);
        self.holdings.iter().flat_map(move |holding| gaps(holding).map(move |slot| (slot, holding)))
    }

    /// The node that has what is missing of a slot. `None`: it is one that serves nothing.
    fn keeper<'a>(&'a self, slot: u16, holder: &'a Holding) -> Option<&'a Holding> {
        let id = match self.coverage.rest(slot) {
            Some(rest) if rest.is_followed => &rest.from,
            Some(rest) => &rest.to,
            None => return Some(holder),
        };
        self.holdings.iter().find(|holding| holding.id.as_ref() == Some(id))
    }

    /// What is next: visits, waiting for slots whose rest is at a node that cannot be visited, the end.
    fn next(&self) -> Result<State, Error> {
        let (mut in_part, mut unnamed) = (None, false);
        for (slot, holder) in self.missing() {
            let Some(node) = self.keeper(slot, holder) else {
                in_part = in_part.or(Some(slot));
                continue;
            };
            let endpoints = self.names.endpoints(node);
            if endpoints.is_empty() {
                unnamed = true;
                continue;
            }
            let visit = |step| Visit { slot, endpoints, step, before: None };
            return Ok(match self.coverage.rest(slot) {
                Some(rest) if rest.is_followed => State::Recheck(visit(Step::Word(None))),
                _ => State::Visit(visit(Step::Process)),
            });
        }
        match in_part {
            Some(slot) => Ok(State::Rouse(slot)),
            None if unnamed => {
                let unknown = ErrorKind::Connection(ConnectionError::NotResolved);
                Err(Error::new(unknown, Delivery::NotSent).with_command("SCAN"))
            }
            // A node that was cut off or reset may tell of few slots: so two are asked.
            None if self.coverage.count() < SLOTS && self.exhausted < 2 => Ok(State::Locate(None)),
            None => Ok(State::Over),
        }
    }

    fn go_on(&mut self) -> Result<(), Error> {
        let next = self.next();
        if let Ok(State::Rouse(slot)) = next {
            self.coverage.forget_rest(slot);
        }
        let (state, outcome) =
            next.map_or_else(|error| (State::Locate(None), Err(error)), |next| (next, Ok(())));
        self.state = state;
        outcome
    }

    /// A visit is over.
    fn leave(&mut self, slot: u16, before: &Word, after: &Word) -> Result<(), Error> {
        let gained = self.coverage.settle(before, after);
        self.count(gained);
        // What was said of the node is not true any more if it has not made whole what it was said to serve.
        let id = Some(after.node.id.as_str());
        let is_its = |holding: &Holding| holding.id.as_deref() == id || holding.range.contains(slot);
        let is_stale =
            |&(slot, holder): &(u16, &Holding)| is_its(holder) && self.coverage.rest(slot).is_none();
        let stale = self.missing().find(is_stale).map(|(slot, _)| slot);
        match stale {
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
        let holder = self.missing().find(|&(slot, _)| slot == visit.slot).map(|(_, holder)| holder);
        let keeper = holder.and_then(|holder| self.keeper(visit.slot, holder));
        let is_at = |endpoint| keeper.is_none_or(|node| self.names.endpoints(node).contains(endpoint));
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

/// How nodes are called.
struct Names {
    /// Where a node is that gives no host: where the client found the cluster.
    hosts: Vec<Arc<str>>,
    map: Option<AddressMap>,
}

impl Names {
    fn new(options: &ClusterOptions) -> Self {
        let mut hosts: Vec<Arc<str>> = Vec::new();
        for seed in options.seeds.iter().rev() {
            if let Endpoint::Tcp { host, .. } = seed
                && !hosts.contains(host)
            {
                hosts.push(Arc::clone(host));
            }
        }
        Self { hosts, map: options.address_map.clone() }
    }

    /// Where the client may know a node to be, the most likely last; nowhere if it has no name.
    fn endpoints(&self, node: &Holding) -> Vec<Endpoint> {
        let hosts = match &node.host {
            _ if node.port == 0 => Vec::new(),
            ClusterHost::Named(host) => vec![Arc::from(host.as_str())],
            ClusterHost::Asked => self.hosts.clone(),
            ClusterHost::Unknown => Vec::new(),
        };
        let told = hosts.into_iter().map(|host| Endpoint::tcp(host, node.port));
        told.map(|told| self.map.as_ref().map_or_else(|| told.clone(), |map| map.map(&told))).collect()
    }
}

#[cfg(test)]
mod tests;
