//! Subscribers in the simulated world, whatever the servers are to each other: what they are told, and what servers
//! without luck tell them.
//!
//! Each channel's messages are numbered. Whoever misses a number must have been told of a gap before the next
//! message, or how many were dropped because there was no room for them; nobody hears of what he does not want; and
//! when all is well again, whoever still listens must hear of what is published then, and no server is subscribed to
//! anything else.

mod log;
mod reader;
mod scenario;
mod server;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use redstart_core::command::slot;
use redstart_core::config::Protocol;
use redstart_core::pubsub::Kind;

use super::cluster::Troubles;
use super::conn::Conn;
use super::oracles::{Verdict, Violation, demand};
use super::seeds::report;
use super::sentinel::Mishaps;
use super::setup::{Setup, ms};
use super::tally::Tally;
use super::world::{Event, MS, World};
use super::{Done, Report, Sim};
use log::{Log, PATTERN, Wish};
use reader::Plan;
use server::name;

pub use scenario::slot_of_channel;
pub(super) use server::{Change, Channel, Published, Told, Topics, slots};

/// How many channels there are, and how many that are sharded.
const CHANNELS: usize = 3;

/// Room for a few messages, of which none is longer than the longest name and number.
const FEW_MESSAGES: usize = 380;

/// What is published is read within this time, be the reader ever so slow.
const READING: u64 = 1500 * MS;

/// A task that listens, and what it was told.
pub(super) struct Reader {
    task: usize,
    log: Rc<RefCell<Log>>,
}

/// Runs a seed with subscribers to one server.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_pubsub(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let setup = Setup::draw(seed, &mut rng, with_text);
    run_with_readers(setup, &mut rng)
}

/// Runs a seed with subscribers to a cluster.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_cluster_pubsub(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let setup = Setup::draw_cluster(seed, &mut rng, with_text);
    run_with_readers(setup, &mut rng)
}

/// Runs a seed with subscribers to servers that sentinels watch.
///
/// # Errors
/// A promise that was not kept, and what happened until then if it was to be kept.
pub fn run_service_pubsub(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let mut setup = Setup::draw_service(seed, &mut rng, with_text);
    // Who is subscribed to a server that is made a replica misses what is published until it follows, and nothing
    // says so but the end of the connection, which is why sentinels end it.
    setup.service.iter_mut().for_each(|service| service.options.closes = true);
    run_with_readers(setup, &mut rng)
}

fn run_with_readers(mut setup: Setup, rng: &mut Rng) -> Result<Report, (Violation, String)> {
    setup.readers = rng.usize(1..5);
    if rng.bool() {
        setup.subscription_bytes = FEW_MESSAGES;
    }
    // A connection on which nothing is due is known to be dead by its health check alone.
    setup.health_interval.get_or_insert(ms(300));
    if setup.protocol == Protocol::Resp2 || setup.server.old {
        // There a connection with subscriptions cannot be told another token: each ends with its own.
        (setup.tokens, setup.server.tokens) = (None, None);
    }
    let mut sim = Sim::new(setup);
    let verdict = sim.live(rng);
    report(&sim, verdict)
}

impl Sim {
    /// Draws who listens to what, and when something is published.
    pub(super) fn plan_readers(&mut self, rng: &mut Rng, trouble: u64) {
        for _ in 0..self.setup.readers {
            self.start_reader(Plan::draw(rng, self.setup.subscription_bytes == FEW_MESSAGES));
        }
        if self.setup.readers > 0 {
            for _ in 0..rng.usize(20..400) {
                let (at, number) = (rng.u64(..trouble), rng.usize(..CHANNELS));
                let kind = if rng.bool() { Kind::Channel } else { Kind::Shard };
                self.world().schedule(at, Event::Publish((kind, number)));
            }
        }
    }

    fn start_reader(&mut self, plan: Plan) {
        let log = Rc::new(RefCell::new(Log::default()));
        let reader = reader::Reader {
            client: self.client.clone().expect("the handle is there"),
            world: Rc::clone(&self.world),
            log: Rc::clone(&log),
            slack: self.slack(),
        };
        let task = self.executor.spawn(async move {
            reader.read(plan).await;
            Done::Reader
        });
        self.call_of.resize(task + 1, None);
        self.executor.wake(task);
        self.readers.push(Reader { task, log });
    }

    /// Nobody listens any more.
    pub(super) fn drop_readers(&mut self) {
        for reader in &self.readers {
            self.executor.drop_task(reader.task);
        }
    }

    /// What readers were told so far is sound.
    pub(super) fn judge_readers(&self) -> Verdict {
        self.readers.iter().try_for_each(|reader| reader.log.borrow().verdict.clone())?;
        let gaps: u64 = self.readers.iter().map(|reader| reader.log.borrow().gaps).sum();
        let troubles = self.setup.cluster.as_ref().map_or(Troubles::none(), |cluster| cluster.troubles);
        let mishaps = self.setup.service.as_ref().map_or(Mishaps::none(), |service| service.mishaps);
        let is_quiet = !self.setup.faults.are_harmful()
            && (troubles, mishaps) == (Troubles::none(), Mishaps::none())
            && self.world.borrow().conns.iter().all(|conn| conn.blemish.is_none());
        demand(gaps == 0 || !is_quiet, "f2_gaps_have_reasons", || {
            format!("{gaps} gaps were told, although nothing went wrong")
        })
    }

    /// F1: all has been well for long, so whoever listens hears of what is published.
    pub(super) fn recover_readers(&mut self) -> Verdict {
        if self.readers.is_empty() {
            return Ok(());
        }
        if self.listens_in_vain() {
            let refresh =
                self.setup.cluster.as_ref().map(|cluster| (cluster.refresh.period, cluster.patience()));
            // Whoever is never to look at the cluster unless something calls for it cannot know.
            let Some((Some(period), patience)) = refresh else { return self.judge_readers() };
            let looked_by = self.now() + (period + period / 4).as_nanos() as u64 + patience + self.slack();
            self.live_until(looked_by)?;
        }
        for number in 0..CHANNELS {
            self.world().publish((Kind::Channel, number));
            self.world().publish((Kind::Shard, number));
        }
        let now = self.now();
        self.live_until(now + READING)?;
        self.judge_readers()?;
        let world = self.world.borrow();
        for (number, reader) in self.readers.iter().enumerate() {
            let log = reader.log.borrow();
            let missed = log.missed(&world.published);
            demand(missed.is_none() && !log.is_interrupted(), "f1_subscriptions_are_restored", || {
                format!("reader {number} has not heard the last of {missed:?}, although all is well: {log:?}")
            })?;
        }
        let wishes = self.readers.iter().flat_map(|reader| reader.log.borrow().wishes().collect::<Vec<_>>());
        f3_servers_are_told_the_last_wish(wishes, &world)
    }

    /// Whether the client is subscribed at a node that the cluster has forgotten. Nothing is said there any more, not
    /// even that; it is found out by the next look at the cluster.
    fn listens_in_vain(&self) -> bool {
        let world = self.world.borrow();
        let Some(cluster) = &world.cluster else { return false };
        let is_forgotten = |conn: &Conn| !cluster.truth.members.contains_key(&conn.server);
        let mut listening =
            world.conns.iter().filter(|conn| conn.is_live() && !conn.session.topics.is_empty());
        listening.any(is_forgotten)
    }

    /// Counts what readers were told.
    pub(super) fn note_readers(&self, tally: &mut Tally) {
        for log in self.readers.iter().map(|reader| reader.log.borrow()) {
            tally.count_up("messages read", log.messages);
            tally.count_up("messages of sharded channels read", log.of_shards);
            tally.count_up("gaps told", log.gaps);
            tally.count_up("messages dropped for want of room", log.dropped);
        }
    }
}

/// F3, F5: all is well, so what is wanted is subscribed once, a sharded channel at the owner of its slot, and nothing
/// else is.
fn f3_servers_are_told_the_last_wish(wishes: impl Iterator<Item = Wish>, world: &World) -> Verdict {
    let mut subscribed: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for conn in world.conns.iter().filter(|conn| conn.is_live()) {
        for topic in conn.session.topics.keys() {
            subscribed.entry(topic.clone()).or_default().push(conn.server);
        }
    }
    let topic = |(kind, number): Wish| {
        let text = if kind == Kind::Pattern { PATTERN.to_owned() } else { name((kind, number)) };
        (kind, text.into_bytes())
    };
    let wanted: BTreeMap<_, ()> = wishes.map(|wish| (topic(wish), ())).collect();
    let is_right = |(kind, name): &(Kind, Vec<u8>), servers: &[usize]| {
        let home = match (&world.cluster, &world.service) {
            (Some(cluster), _) if *kind == Kind::Shard => cluster.truth.owner(slot::of(name)),
            (None, Some(watch)) => Some(watch.primary),
            _ => servers.first().copied(),
        };
        servers.len() == 1 && servers.first().copied() == home
    };
    let wrong =
        subscribed.iter().find(|(topic, servers)| !wanted.contains_key(topic) || !is_right(topic, servers));
    let missing = wanted.keys().find(|topic| !subscribed.contains_key(topic));
    demand(wrong.is_none() && missing.is_none(), "f3_the_last_wish_wins", || {
        format!("{missing:?} is subscribed nowhere, {wrong:?} where it is not to be; wanted: {wanted:?}")
    })
}
