//! What one run with a cluster is made of.

use std::time::Duration;

use fastrand::Rng;
use redstart_core::config::{ClusterOptions, Config, ReadFrom, RefreshOptions};

use super::faults::{TAGS, Trouble, Troubles};
use super::{Addresses, Cluster, Options};
use crate::sim::Class;
use crate::sim::setup::{Setup, ms};
use crate::sim::world::MS;

/// What more there is to say of a run with a cluster.
#[derive(Clone, Debug)]
pub struct ClusterSetup {
    /// What kind of cluster it is.
    pub options: Options,
    /// What happens to it.
    pub troubles: Troubles,
    /// The nodes that the client knows at first.
    pub seeds: Vec<usize>,
    /// See [`RefreshOptions`].
    pub refresh: RefreshOptions,
    /// See [`Config::suspect_after`].
    pub suspect_after: Duration,
    /// See [`Config::read_from`].
    pub read_from: ReadFrom,
    /// How many hash tags the keys have.
    pub tags: u8,
}

impl Default for ClusterSetup {
    /// Nothing happens.
    fn default() -> Self {
        let mut refresh = RefreshOptions::default();
        refresh.interval = ms(50);
        refresh.patience = ms(50);
        refresh.linger = ms(20);
        Self {
            options: Options::default(),
            troubles: Troubles::none(),
            seeds: vec![0],
            refresh,
            suspect_after: ms(100),
            read_from: ReadFrom::default(),
            tags: TAGS,
        }
    }
}

impl ClusterSetup {
    fn draw(rng: &mut Rng) -> Self {
        let troubles = Troubles::draw(rng);
        let (primaries, replicas) = (rng.usize(2..5), rng.usize(..3));
        let slow = troubles.has(Trouble::SlowGossip);
        let options = Options {
            primaries,
            replicas,
            spares: 2,
            scattered: false,
            addresses: match rng.u8(..4) {
                0 => Addresses::Names,
                1 => Addresses::Unknown,
                _ => Addresses::Addresses,
            },
            gossip: if slow { rng.u64(50 * MS..300 * MS) } else { rng.u64(MS..20 * MS) },
            lag: if troubles.has(Trouble::LostTails) { 30 * MS } else { rng.u64(..2 * MS) },
            node_timeout: rng.u64(30 * MS..150 * MS),
            full_coverage: rng.bool(),
            try_again: rng.bool(),
        };
        let mut refresh = RefreshOptions::default();
        refresh.interval = ms(rng.u64(20..200));
        refresh.period = if rng.bool() { None } else { Some(ms(rng.u64(400..4000))) };
        if troubles.has(Trouble::Recycling) {
            // Who never looks cannot know that an address is another's now.
            refresh.period = Some(ms(150));
        }
        refresh.deadline = ms(rng.u64(200..600));
        refresh.asks = rng.usize(1..4);
        refresh.patience = ms(rng.u64(20..100));
        refresh.linger = ms(rng.u64(5..50));
        let members = primaries * (1 + replicas);
        let mut seeds: Vec<_> = (0..members).collect();
        rng.shuffle(&mut seeds);
        seeds.truncate(rng.usize(1..=members.min(4)));
        let suspect_after = ms(rng.u64(30..200));
        let read_from = match rng.u8(..6) {
            0 => ReadFrom::PreferReplica,
            1 => ReadFrom::RoundRobin,
            _ => ReadFrom::Primary,
        };
        Self { options, troubles, seeds, refresh, suspect_after, read_from, tags: TAGS }
    }

    /// How long the client may need to see that a node was replaced.
    pub(in crate::sim) fn patience(&self) -> u64 {
        let refresh = &self.refresh;
        let round = refresh.interval + refresh.interval / 4 + refresh.patience + refresh.linger;
        let time = self.suspect_after + 2 * round + ms(50);
        // Later refreshes are an eighth of the time apart that the node has been a suspect.
        self.options.gossip + (time + time / 4).as_nanos() as u64
    }

    pub(in crate::sim) fn apply(&self, config: Config) -> Config {
        let cluster = Cluster::new(self.options.clone());
        let seeds = self.seeds.iter().map(|&seed| cluster.endpoint(seed));
        config
            .deployment(ClusterOptions::new(seeds).refresh(self.refresh))
            .suspect_after(self.suspect_after)
            .read_from(self.read_from)
    }
}

impl Setup {
    /// Any setup with a cluster, whose client and servers suit each other.
    pub(in crate::sim) fn draw_cluster(seed: u64, rng: &mut Rng, with_text: bool) -> Self {
        let mut setup = Self::draw(seed, rng, with_text);
        // Of trouble on the way there is less, so that what happens in the cluster can be seen.
        let none = rng.u8(..3) > 0;
        let harmful: Vec<_> = Class::HARMFUL.iter().filter(|_| rng.u8(..4) == 0).collect();
        let faults = setup.faults.tamed();
        let harmful = if none { &[][..] } else { &harmful };
        setup.faults = harmful.iter().fold(faults, |sum, class| sum.with(**class));
        let cluster = ClusterSetup::draw(rng);
        if setup.faults.has(Class::Cuts) && rng.bool() {
            setup.faults = setup.faults.with(Class::Jitter);
        }
        if cluster.troubles.has(Trouble::Recycling) {
            setup.faults = setup.faults.tamed();
        }
        setup.database = 0;
        // The client's own questions take room, too.
        setup.queue_commands = setup.queue_commands.max(60);
        setup.queue_bytes = setup.queue_bytes.max(4000);
        setup.liveness_timeout = ms(rng.u64(100..300));
        setup.connect_timeout = ms(rng.u64(100..200));
        setup.response_timeout = match setup.faults.has(Class::Impatience) {
            true => ms(rng.u64(20..500)),
            false => ms(rng.u64(2000..3000)),
        };
        setup.health_interval = (rng.u8(..3) == 0).then(|| ms(rng.u64(500..2000)));
        setup.cluster = Some(cluster);
        setup
    }
}
