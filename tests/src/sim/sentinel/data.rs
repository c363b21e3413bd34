//! What a server has of the data, and how it comes to have it.

use std::collections::VecDeque;

use fastrand::Rng;
use redstart_core::command::Value;

use super::{Applied, Watch};

/// A server's data.
#[derive(Debug)]
pub(in crate::sim) struct Data {
    /// The server that it follows; the primary follows nobody, nor does one that takes itself for it.
    pub(in crate::sim) follows: Option<usize>,
    /// In which epoch it was told so: what happened in others it may have missed.
    pub(in crate::sim) since: u64,
    /// The writes that it has, in order.
    pub(in crate::sim) log: Vec<usize>,
    /// Writes that will have come at these times.
    coming: VecDeque<(u64, usize)>,
}

impl Data {
    pub(super) const fn new(follows: Option<usize>) -> Self {
        Self { follows, since: 0, log: Vec::new(), coming: VecDeque::new() }
    }

    /// Takes over what has come by now.
    pub(super) fn catch_up(&mut self, now: u64) {
        while self.coming.front().is_some_and(|(at, _)| *at <= now) {
            self.log.extend(self.coming.pop_front().map(|(_, id)| id));
        }
    }

    /// Follows nobody from now on: what has not come is lost.
    pub(super) fn stand_alone(&mut self, now: u64) {
        self.catch_up(now);
        self.coming.clear();
        self.follows = None;
    }
}

impl Watch {
    /// Whether a server follows the primary and has what it has, but for the last.
    pub(in crate::sim) fn is_copy(&self, server: usize) -> bool {
        let data = &self.servers[server];
        data.follows == Some(self.primary) && data.since == self.epoch
    }

    /// A server has run a command.
    pub(super) fn apply(&mut self, id: usize, server: usize, now: u64, writes: bool, rng: &mut Rng) {
        self.applied.push(Applied { id, server, at: now });
        if !writes {
            return;
        }
        self.servers[server].log.push(id);
        let lag = self.options.lag;
        for data in self.servers.iter_mut().filter(|data| data.follows == Some(server)) {
            let last = data.coming.back().map_or(0, |(at, _)| *at);
            data.coming.push_back((last.max(now + rng.u64(..=lag)), id));
        }
    }

    /// A server follows another one from now on, and has what that one has.
    pub(super) fn follow(&mut self, server: usize, primary: usize, now: u64) {
        self.servers[primary].catch_up(now);
        let log = self.servers[primary].log.clone();
        self.servers[server] = Data { log, since: self.epoch, ..Data::new(Some(primary)) };
    }

    /// The answer of a server to `ROLE`.
    pub(super) fn role(&self, server: usize) -> Value {
        let bulk = |text: &str| Value::Bulk(text.to_owned().into());
        let number = |number: usize| Value::Integer(number as i64);
        let Some(Data { follows: Some(primary), log, .. }) = self.servers.get(server) else {
            return Value::Array(vec![bulk("master"), number(0), Value::Array(vec![])]);
        };
        let (host, port) = self.place(*primary);
        let link = bulk("connected");
        Value::Array(vec![bulk("slave"), bulk(&host), number(port.into()), link, number(log.len())])
    }
}
