//! What can go wrong with a service, and which of it does in one run.

use fastrand::Rng;

use super::{Lie, Step};
use crate::sim::world::{Event, MS, World};

/// A kind of trouble. A run has each with a probability of one third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Mishap {
    // No call may fail because of these.
    /// A sentinel stands still.
    SentinelStalls,
    /// A sentinel dies.
    SentinelKills,
    /// A sentinel hears nothing.
    Deafness,
    /// News take long.
    SlowGossip,
    /// The address of a sentinel belongs to a server of another service.
    Recycling,

    // From here on calls may fail.
    /// A sentinel says what is wrong.
    Lies,
    /// A server dies, and is replaced if it was the primary.
    Kills,
    /// A server stands still, and is replaced if it was the primary.
    Stalls,
    /// Another server is made the primary while the old one is well.
    Switches,
    /// Replicas are far behind.
    LostTails,
}

impl Mishap {
    /// All because of which no call may fail.
    pub const HARMLESS: [Self; 5] =
        [Self::SentinelStalls, Self::SentinelKills, Self::Deafness, Self::SlowGossip, Self::Recycling];

    /// All others.
    pub const HARMFUL: [Self; 5] = [Self::Lies, Self::Kills, Self::Stalls, Self::Switches, Self::LostTails];
}

/// The mishaps of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    on: u32,
}

impl Mishaps {
    /// Nothing happens.
    #[must_use]
    pub const fn none() -> Self {
        Self { on: 0 }
    }

    /// Each with a probability of one third; in one run of four none that makes calls fail.
    pub fn draw(rng: &mut Rng) -> Self {
        let harmful = if rng.u8(..4) == 0 { &[][..] } else { &Mishap::HARMFUL };
        let all = Mishap::HARMLESS.iter().chain(harmful);
        all.filter(|_| rng.u8(..3) == 0).fold(Self::none(), |sum, &mishap| sum.with(mishap))
    }

    /// These and `mishap`.
    #[must_use]
    pub const fn with(self, mishap: Mishap) -> Self {
        Self { on: self.on | 1 << mishap as u32 }
    }

    /// Whether `mishap` is on.
    #[must_use]
    pub const fn has(self, mishap: Mishap) -> bool {
        self.on & 1 << mishap as u32 != 0
    }

    /// Whether a call may fail because of one of these.
    #[must_use]
    pub fn are_harmful(self) -> bool {
        Mishap::HARMFUL.iter().any(|&mishap| self.has(mishap))
    }

    /// Whether the client may be told of a new primary late because of one of these.
    #[must_use]
    pub fn delay_news(self) -> bool {
        let delaying = [Mishap::Lies, Mishap::SlowGossip];
        delaying.iter().chain(&Mishap::HARMLESS).any(|&mishap| self.has(mishap))
    }
}

impl World {
    /// Lets something go wrong now, somewhere.
    pub(in crate::sim) fn strike_service(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Kills | Mishap::Stalls => self.strike_data(mishap == Mishap::Kills),
            Mishap::SentinelKills | Mishap::SentinelStalls => {
                let Some(server) = self.any_sentinel() else { return };
                self.strike_for_a_while(server, mishap == Mishap::SentinelKills);
            }
            Mishap::Switches => {
                let primary = self.watch().primary;
                if let Some(heir) = self.next_primary().filter(|_| self.servers[primary].is_up()) {
                    self.promote_server(primary, heir);
                }
            }
            Mishap::Deafness | Mishap::Lies => self.strike_sentinel(mishap),
            Mishap::Recycling => self.strike_by_recycling(),
            Mishap::SlowGossip | Mishap::LostTails => {}
        }
    }

    /// Any sentinel that is up, as a server.
    fn any_sentinel(&mut self) -> Option<usize> {
        let watch = self.watch();
        let numbers: Vec<_> = (0..watch.sentinels.len()).map(|sentinel| watch.number_of(sentinel)).collect();
        let up: Vec<_> = numbers.into_iter().filter(|&server| self.servers[server].is_up()).collect();
        self.rng.choice(up)
    }

    fn strike_data(&mut self, dead: bool) {
        let watch = self.watch();
        let (primary, servers) = (watch.primary, watch.servers.len());
        let server = if self.rng.u8(..4) > 0 { primary } else { self.rng.usize(..servers) };
        if self.servers[server].is_up() {
            self.silence_server(server, dead);
            self.schedule_return(server, dead);
        }
    }

    fn strike_for_a_while(&mut self, server: usize, dead: bool) {
        if dead {
            self.crash(server);
        } else {
            self.freeze(server);
        }
        self.schedule_return(server, dead);
    }

    fn schedule_return(&mut self, server: usize, dead: bool) {
        let at = self.now + self.rng.u64(50 * MS..1500 * MS);
        let step = if dead { Step::Restart(server) } else { Step::Thaw(server) };
        self.schedule(at, Event::Service(step));
    }

    fn strike_sentinel(&mut self, mishap: Mishap) {
        let sentinels = self.watch().sentinels.len();
        let sentinel = self.rng.usize(..sentinels);
        let number = self.watch().number_of(sentinel);
        if mishap == Mishap::Lies {
            let lie = Lie::ALL[self.rng.usize(..Lie::ALL.len())];
            let watcher = &mut self.watch().sentinels[sentinel];
            (watcher.lie, watcher.has_lied) = (Some(lie), true);
            self.note_server(number, &format!("lies: {lie:?}"));
        } else {
            self.watch().sentinels[sentinel].deaf = true;
            self.note_server(number, "hears nothing");
        }
        let at = self.now + self.rng.u64(50 * MS..1000 * MS);
        self.schedule(at, Event::Service(Step::Calm(sentinel)));
    }

    /// The last sentinel's address belongs to a server of another service from now on.
    fn strike_by_recycling(&mut self) {
        let watch = self.watch();
        let Some(last) = watch.sentinels.len().checked_sub(1).filter(|&last| last > 0) else { return };
        let number = watch.number_of(last);
        if std::mem::replace(&mut watch.sentinels[last].recycled, true) {
            return;
        }
        self.crash(number);
        self.servers[number].down = false;
        self.note_server(number, "belongs to another service");
    }

    /// A sentinel tells the truth and hears again.
    pub(super) fn calm_sentinel(&mut self, sentinel: usize) {
        let watch = self.watch();
        let number = watch.number_of(sentinel);
        let watcher = &mut watch.sentinels[sentinel];
        let was_deaf = std::mem::take(&mut watcher.deaf);
        if watcher.lie.take().is_some() || was_deaf {
            self.note_server(number, "is in its right mind");
        }
        self.enlighten(sentinel);
    }

    /// Ends all trouble in the service. What it has become it stays.
    pub(in crate::sim) fn heal_service(&mut self) {
        let Some(watch) = &self.service else { return };
        for sentinel in 0..watch.sentinels.len() {
            self.calm_sentinel(sentinel);
        }
    }
}
