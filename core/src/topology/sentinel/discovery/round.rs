//! One search: sentinels asked in turn, and the servers that they name.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::config::Endpoint;
use crate::error::SentinelFault;
use crate::time::Instant;
use crate::topology::sentinel::Word;

/// What is waited for.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Nothing: the next sentinel is to be asked.
    Next,
    /// This sentinel's answer.
    Asking(Endpoint),
    /// The role of the server that a sentinel named.
    Checking { sentinel: Endpoint, server: Endpoint },
}

#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) step: Step,
    /// When that takes too long.
    pub(super) until: Instant,
    /// The sentinel to be asked, if nobody has fetched it yet.
    pub(super) ask: Option<Endpoint>,
    asked: BTreeSet<Endpoint>,
    /// Whether a sentinel has named a server, whichever it was.
    pub(super) heard: bool,
    /// Whether the suspected primary is being asked for its role.
    pub(super) has_asked_suspect: bool,
    /// The servers that are not the primary, and why.
    pub(super) refuted: BTreeMap<Endpoint, SentinelFault>,
    /// Of the words that others are newer than, the newest.
    pub(super) outdated: Option<(Endpoint, Word)>,
    /// What was wrong with each sentinel, in the order in which they were asked.
    pub(super) faults: Vec<(Endpoint, SentinelFault)>,
}

impl Round {
    pub(super) const fn new(number: u64) -> Self {
        Self {
            number,
            step: Step::Next,
            until: Instant::FAR,
            ask: None,
            asked: BTreeSet::new(),
            heard: false,
            has_asked_suspect: false,
            refuted: BTreeMap::new(),
            outdated: None,
            faults: Vec::new(),
        }
    }

    pub(super) fn has_asked(&self, sentinel: &Endpoint) -> bool {
        self.asked.contains(sentinel)
    }

    pub(super) fn ask(&mut self, sentinel: Endpoint, until: Instant) {
        self.asked.insert(sentinel.clone());
        self.ask = Some(sentinel.clone());
        self.step = Step::Asking(sentinel);
        self.until = until;
    }

    /// Whether this sentinel's answer is waited for.
    pub(super) fn is_asking(&self, sentinel: &Endpoint) -> bool {
        matches!(&self.step, Step::Asking(asked) if asked == sentinel)
    }

    /// Whether this server's role is waited for.
    pub(super) fn is_checking(&self, server: &Endpoint) -> bool {
        matches!(&self.step, Step::Checking { server: checked, .. } if checked == server)
    }

    /// Keeps a word that others are newer than, if it is the newest of these.
    pub(super) fn keep_outdated(&mut self, sentinel: Endpoint, word: Word) {
        if self.outdated.as_ref().is_none_or(|(_, kept)| kept.epoch < word.epoch) {
            self.outdated = Some((sentinel, word));
        }
    }
}
