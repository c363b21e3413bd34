//! Subscribers by hand, for scenarios.

use redstart_core::command::slot;
use redstart_core::pubsub::Kind;

use super::reader::Plan;
use super::server::name;
use crate::sim::Sim;

/// The slot of a sharded channel. There are a few, which count from 0.
#[must_use]
pub fn slot_of_channel(number: usize) -> u16 {
    slot::of(name((Kind::Shard, number)).as_bytes())
}

impl Sim {
    /// Somebody listens to a sharded channel from now on.
    pub fn listen(&mut self, number: usize) {
        self.start_reader(Plan::lasting(vec![(Kind::Shard, number)]));
    }

    /// Something is published on a sharded channel.
    pub fn publish(&mut self, number: usize) {
        self.world().publish((Kind::Shard, number));
    }

    /// How many messages those who listen were told, and how many gaps.
    #[must_use]
    pub fn told(&self) -> (u64, u64) {
        let logs = self.readers.iter().map(|reader| reader.log.borrow());
        logs.fold((0, 0), |sum, log| (sum.0 + log.messages, sum.1 + log.gaps))
    }
}
