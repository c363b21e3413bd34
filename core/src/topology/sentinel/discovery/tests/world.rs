//! A client's search, the sentinels that it asks and the servers that they name.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use fastrand::Rng;

use crate::config::{Endpoint, SentinelOptions};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, SentinelFault};
use crate::time::Instant;
use crate::topology::sentinel::{Ask, Discovery, Outcome, Part, Trigger, Word};

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A sentinel.
pub(super) fn s(port: u16) -> Endpoint {
    Endpoint::tcp("s", port)
}

/// A server.
pub(super) fn h(port: u16) -> Endpoint {
    Endpoint::tcp("h", port)
}

/// The word that this server is the primary, since the failover of this number, and another one its replica.
pub(super) fn word(primary: u16, epoch: u64) -> Word {
    let replica = if primary == 1 { 2 } else { 1 };
    Word { epoch: Some(epoch), replicas: vec![h(replica)], ..Word::new(h(primary)) }
}

pub(super) fn refused() -> Error {
    Error::new(ErrorKind::Connection(ConnectionError::Refused), Delivery::NotSent)
}

/// What a sentinel does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Manner {
    /// It answers after a while.
    Answers(Duration, Result<Word, SentinelFault>),
    Silent,
}

/// What a server does when it is asked for its role, after a while.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Says(Part),
    Refuses,
    Silent,
}

pub(super) const PRIMARY: Reply = Reply::Says(Part::Primary);
pub(super) const REPLICA: Reply = Reply::Says(Part::Replica);
pub(super) const SENTINEL: Reply = Reply::Says(Part::Sentinel);

#[derive(Clone)]
enum Coming {
    Answer(Ask, Result<Word, SentinelFault>),
    Role(Endpoint, Reply),
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) now: Instant,
    pub(super) discovery: Discovery,
    pub(super) sentinels: BTreeMap<Endpoint, Manner>,
    pub(super) servers: BTreeMap<Endpoint, (Duration, Reply)>,
    /// On its way to the client.
    coming: BTreeMap<(Instant, u64), Coming>,
    sent: u64,
    pub(super) asks: Vec<(Instant, Ask)>,
    pub(super) checks: Vec<(Instant, Endpoint)>,
    pub(super) outcomes: Vec<(Instant, Outcome)>,
}

impl World {
    /// Sentinels 1 to 3, which the client is given, and 4 and 5, say after a millisecond that server 1 is the
    /// primary; servers 1 to 3 take as long to tell their role.
    pub(super) fn new(seed: u64) -> Self {
        Self::with(&SentinelOptions::new("main", [s(1), s(2), s(3)]).poll_interval(ms(60_000)), seed)
    }

    pub(super) fn with(options: &SentinelOptions, seed: u64) -> Self {
        let now = Instant::ORIGIN;
        let manner = Manner::Answers(ms(1), Ok(word(1, 0)));
        let reply = |port| Reply::Says(if port == 1 { Part::Primary } else { Part::Replica });
        let mut world = Self {
            now,
            discovery: Discovery::new(options, Rng::with_seed(seed), now),
            sentinels: (1..=5).map(|port| (s(port), manner.clone())).collect(),
            servers: (1..=3).map(|port| (h(port), (ms(1), reply(port)))).collect(),
            coming: BTreeMap::new(),
            sent: 0,
            asks: Vec::new(),
            checks: Vec::new(),
            outcomes: Vec::new(),
        };
        world.drain();
        world
    }

    /// A world whose client has found server 1, at time 2 ms.
    pub(super) fn settled(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.run(ms(2));
        assert_eq!(world.found(), [h(1)]);
        assert!(world.discovery.is_settled());
        world.forget();
        world
    }

    pub(super) fn set(&mut self, sentinel: u16, manner: Manner) {
        self.sentinels.insert(s(sentinel), manner);
    }

    /// This sentinel says this from now on, in a millisecond.
    pub(super) fn says(&mut self, sentinel: u16, word: Word) {
        self.set(sentinel, Manner::Answers(ms(1), Ok(word)));
    }

    pub(super) fn all_say(&mut self, word: &Word) {
        for manner in self.sentinels.values_mut() {
            *manner = Manner::Answers(ms(1), Ok(word.clone()));
        }
    }

    pub(super) fn is(&mut self, server: u16, reply: Reply) {
        self.servers.insert(h(server), (ms(1), reply));
    }

    pub(super) fn forget(&mut self) {
        self.asks.clear();
        self.checks.clear();
        self.outcomes.clear();
    }

    fn send(&mut self, after: Duration, what: Coming) {
        self.sent += 1;
        self.coming.insert((self.now + after, self.sent), what);
    }

    pub(super) fn drain(&mut self) {
        while let Some(ask) = self.discovery.poll_ask() {
            if let Manner::Answers(latency, answer) = self.sentinels[&ask.sentinel].clone() {
                self.send(latency, Coming::Answer(ask.clone(), answer));
            }
            self.asks.push((self.now, ask));
        }
        while let Some(server) = self.discovery.poll_check() {
            let (latency, reply) = self.servers.get(&server).cloned().unwrap_or((ms(1), Reply::Refuses));
            if reply != Reply::Silent {
                self.send(latency, Coming::Role(server.clone(), reply));
            }
            self.checks.push((self.now, server));
        }
        while let Some(outcome) = self.discovery.poll_outcome() {
            self.outcomes.push((self.now, outcome));
        }
    }

    /// Lets this much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        for step in 0.. {
            assert!(step < 100_000, "it never rests");
            let coming = self.coming.first_key_value().map_or(Instant::FAR, |(key, _)| key.0);
            let due = self.discovery.poll_timeout().unwrap_or(Instant::FAR);
            let next = coming.min(due);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            if coming <= due {
                match self.coming.pop_first().expect("something is coming").1 {
                    Coming::Answer(ask, answer) => self.discovery.handle_answer(self.now, &ask, answer),
                    Coming::Role(server, reply) => self.role(&server, &reply),
                }
            } else {
                self.discovery.handle_timeout(self.now);
                let again = self.discovery.poll_timeout();
                assert!(again.is_none_or(|again| again > self.now), "nothing is left to do now");
            }
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn role(&mut self, server: &Endpoint, reply: &Reply) {
        let error = refused();
        let part = if let Reply::Says(part) = reply { Ok(*part) } else { Err(&error) };
        self.discovery.handle_role(self.now, server, part);
        self.drain();
    }

    pub(super) fn trigger(&mut self, trigger: Trigger<'_>) {
        self.discovery.handle_trigger(self.now, trigger);
        self.drain();
    }

    /// The primaries that were found.
    pub(super) fn found(&self) -> Vec<Endpoint> {
        let primary = |(_, outcome): &(Instant, Outcome)| match outcome {
            Outcome::Found { primary, .. } => Some(primary.clone()),
            Outcome::Failed(_) => None,
        };
        self.outcomes.iter().filter_map(primary).collect()
    }

    /// What was wrong with each sentinel in the searches that failed.
    pub(super) fn faults(&self) -> Vec<Vec<(String, SentinelFault)>> {
        let faults = |(_, outcome): &(Instant, Outcome)| match outcome {
            Outcome::Failed(error) => match error.kind() {
                ErrorKind::NoPrimary { sentinels } => Some(sentinels.clone()),
                other => panic!("{other:?}"),
            },
            Outcome::Found { .. } => None,
        };
        self.outcomes.iter().filter_map(faults).collect()
    }

    /// When each search started.
    pub(super) fn starts(&self) -> Vec<Instant> {
        let mut starts: Vec<(u64, Instant)> = self.asks.iter().map(|(at, ask)| (ask.round, *at)).collect();
        starts.dedup_by_key(|start| start.0);
        assert!(starts.is_sorted(), "one at a time");
        starts.into_iter().map(|start| start.1).collect()
    }

    /// The sentinels that were asked, by port.
    pub(super) fn asked(&self) -> Vec<u16> {
        let port = |sentinel: &Endpoint| match sentinel {
            Endpoint::Tcp { port, .. } => *port,
            Endpoint::Unix { .. } => 0,
        };
        self.asks.iter().map(|(_, ask)| port(&ask.sentinel)).collect()
    }
}
