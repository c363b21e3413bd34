//! What a run with a service is made of.

use std::time::Duration;

use fastrand::Rng;
use redstart_core::config::{Config, Credentials, ReadFrom, SentinelOptions};

use super::{Mishap, Mishaps, SERVICE, Service, Watch};
use crate::sim::faults::Class;
use crate::sim::setup::{Setup, ms};
use crate::sim::world::MS;

/// What a run with a service is made of.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// What kind of service it is.
    pub options: Service,
    /// What goes wrong with it.
    pub mishaps: Mishaps,
    /// The sentinels that the client is given.
    pub given: Vec<usize>,
    /// See [`SentinelOptions::min_other_sentinels`].
    pub min_other_sentinels: usize,
    /// See [`SentinelOptions::poll_interval`].
    pub poll_interval: Duration,
    /// See [`SentinelOptions::ask_timeout`].
    pub ask_timeout: Duration,
    /// See [`Config::suspect_after`].
    pub suspect_after: Duration,
    /// See [`Config::read_from`].
    pub read_from: ReadFrom,
}

impl Default for ServiceSetup {
    /// Nothing happens.
    fn default() -> Self {
        Self {
            options: Service::default(),
            mishaps: Mishaps::none(),
            given: vec![0, 1],
            min_other_sentinels: 0,
            poll_interval: ms(1000),
            ask_timeout: ms(100),
            suspect_after: ms(100),
            read_from: ReadFrom::Primary,
        }
    }
}

impl ServiceSetup {
    fn draw(rng: &mut Rng) -> Self {
        let mishaps = Mishaps::draw(rng);
        let sentinels = rng.usize(1..6);
        let slow = mishaps.has(Mishap::SlowGossip);
        let options = Service {
            replicas: rng.usize(1..4),
            sentinels,
            gossip: if slow { rng.u64(50 * MS..300 * MS) } else { rng.u64(MS..20 * MS) },
            lag: if mishaps.has(Mishap::LostTails) { 30 * MS } else { rng.u64(..2 * MS) },
            down_after: rng.u64(30 * MS..300 * MS),
            stale: rng.u64(10 * MS..400 * MS),
            closes: rng.u8(..4) > 0,
            password: rng.bool().then_some("watched"),
        };
        let mut given: Vec<_> = (0..sentinels).collect();
        rng.shuffle(&mut given);
        given.truncate(rng.usize(1..=sentinels));
        if mishaps.has(Mishap::Recycling) && given == [sentinels - 1] {
            given = vec![0];
        }
        Self {
            options,
            mishaps,
            given,
            min_other_sentinels: if rng.u8(..3) == 0 { (sentinels - 1).min(1) } else { 0 },
            poll_interval: ms(rng.u64(100..1000)),
            ask_timeout: ms(rng.u64(80..250)),
            suspect_after: ms(rng.u64(30..200)),
            read_from: match rng.u8(..6) {
                0 => ReadFrom::PreferReplica,
                1 => ReadFrom::RoundRobin,
                2 => ReadFrom::LowestLatency,
                _ => ReadFrom::Primary,
            },
        }
    }

    pub(in crate::sim) fn apply(&self, config: Config) -> Config {
        let watch = Watch::new(self.options.clone());
        let given = self.given.iter().map(|&sentinel| watch.endpoint(watch.number_of(sentinel)));
        let options = SentinelOptions::new(SERVICE, given)
            .credentials(self.options.password.map(Credentials::password))
            .min_other_sentinels(self.min_other_sentinels)
            .poll_interval(self.poll_interval)
            .ask_timeout(self.ask_timeout);
        config.deployment(options).suspect_after(self.suspect_after).read_from(self.read_from)
    }
}

impl Setup {
    /// Any setup with a service, whose client and servers suit each other.
    pub(in crate::sim) fn draw_service(seed: u64, rng: &mut Rng, with_text: bool) -> Self {
        let mut setup = Self::draw(seed, rng, with_text);
        // Of trouble on the way there is less, so that what happens in the service can be seen.
        let none = rng.u8(..3) > 0;
        let harmful: Vec<_> = Class::HARMFUL.iter().filter(|_| rng.u8(..4) == 0).collect();
        let harmful = if none { &[][..] } else { &harmful };
        setup.faults = harmful.iter().fold(setup.faults.tamed(), |sum, class| sum.with(**class));
        if setup.faults.has(Class::Cuts) && rng.bool() {
            setup.faults = setup.faults.with(Class::Jitter);
        }
        // The client's own questions take room, too.
        setup.queue_commands = setup.queue_commands.max(40);
        setup.queue_bytes = setup.queue_bytes.max(4000);
        setup.response_timeout = match setup.faults.has(Class::Impatience) {
            true => ms(rng.u64(20..500)),
            false => ms(rng.u64(4000..6000)),
        };
        setup.health_interval = (rng.u8(..3) == 0).then(|| ms(rng.u64(500..2000)));
        let mut service = ServiceSetup::draw(rng);
        if setup.faults.are_harmful() && service.read_from == ReadFrom::LowestLatency {
            // What is broken without a sign is found out only by using it, which this does too seldom.
            service.read_from = ReadFrom::RoundRobin;
        }
        setup.service = Some(service);
        setup
    }
}
