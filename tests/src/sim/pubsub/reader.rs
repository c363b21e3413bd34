//! A task that subscribes, reads, changes its mind, and does it again.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use redstart_core::Error;
use redstart_core::client::{Client, NoEvent, Subscription};
use redstart_core::error::{Delivery, ErrorKind};
use redstart_core::pubsub::{Event, Kind};

use super::super::setup::ms;
use super::super::world::World;
use super::CHANNELS;
use super::log::{Log, PATTERN, Wish};
use super::server::name;

/// A change of what a subscription hears of, when it has had so many events.
#[derive(Clone, Debug)]
struct Step {
    after: u32,
    begins: bool,
    wishes: Vec<Wish>,
}

/// One subscription: what to, and how long nothing may come before it is dropped.
#[derive(Clone, Debug)]
struct Life {
    wishes: Vec<Wish>,
    steps: Vec<Step>,
    patience: Duration,
    /// How long it does not look, after every message.
    nap: Option<Duration>,
}

impl Life {
    fn draw(rng: &mut Rng, lazy: bool) -> Self {
        let all = || {
            let channels = (0..CHANNELS).flat_map(|number| [(Kind::Channel, number), (Kind::Shard, number)]);
            channels.chain([(Kind::Pattern, 0)])
        };
        let wishes = all().filter(|(kind, _)| rng.u8(..4) < if *kind == Kind::Pattern { 1 } else { 2 });
        let wishes = wishes.collect();
        let mut after = 0;
        let mut step = || {
            after += rng.u32(..12);
            let (begins, wish) = (rng.bool(), all().nth(rng.usize(..2 * CHANNELS + 1)));
            let others = all().filter(|_| rng.u8(..4) == 0);
            Step { after, begins, wishes: wish.into_iter().chain(others).collect() }
        };
        let steps = (0..4).map(|_| step()).collect();
        Self { wishes, steps, patience: ms(rng.u64(5..150)), nap: lazy.then(|| ms(rng.u64(5..60))) }
    }
}

/// Subscriptions one after the other, the last of which lasts.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    lives: Vec<Life>,
    last: Life,
}

impl Plan {
    /// One subscription that never changes.
    pub(super) fn lasting(wishes: Vec<Wish>) -> Self {
        let last = Life { wishes, steps: Vec::new(), patience: Duration::MAX, nap: None };
        Self { lives: Vec::new(), last }
    }

    /// Draws a plan. Whoever has room for a `few` messages only may be slow.
    pub(super) fn draw(rng: &mut Rng, few: bool) -> Self {
        let lives = (0..rng.usize(..6)).map(|_| Life::draw(rng, false)).collect();
        let lazy = few && rng.bool();
        Self { lives, last: Life::draw(rng, lazy) }
    }
}

/// Who subscribes.
pub(super) struct Reader {
    pub(super) client: Client,
    pub(super) world: Rc<RefCell<World>>,
    pub(super) log: Rc<RefCell<Log>>,
    /// How long the client may need to see to what it was told.
    pub(super) slack: u64,
}

impl Reader {
    /// Reads as planned, until the client is closed.
    pub(super) async fn read(self, plan: Plan) {
        for life in &plan.lives {
            if let Ok(mut subscription) = self.begin(life).await {
                self.follow(life, &mut subscription, Some(life.patience)).await;
            }
        }
        loop {
            match self.begin(&plan.last).await {
                Ok(mut subscription) => return self.follow(&plan.last, &mut subscription, None).await,
                Err(error) if *error.kind() == ErrorKind::Closed => return,
                // What was refused would be again.
                Err(_) if rest(&self.client, ms(20)).await.is_err() => return,
                Err(_) => {}
            }
        }
    }

    async fn begin(&self, life: &Life) -> Result<Subscription, Error> {
        self.log.borrow_mut().begin();
        let subscription = self.client.subscribe(()).await?;
        self.add(&subscription, &life.wishes).await?;
        Ok(subscription)
    }

    /// Reads until nothing has come for so long, or the client is closed.
    async fn follow(&self, life: &Life, subscription: &mut Subscription, patience: Option<Duration>) {
        let mut steps = life.steps.iter().peekable();
        for count in 0.. {
            while let Some(step) = steps.next_if(|step| step.after <= count) {
                if step.begins {
                    // If it fails, what was subscribed before stays.
                    let _ = self.add(subscription, &step.wishes).await;
                } else {
                    self.remove(subscription, &step.wishes);
                }
            }
            let event = match patience {
                Some(patience) => subscription.next_timeout(patience).await.ok(),
                None => subscription.next().await,
            };
            let Some(event) = event else { return };
            self.take(&event);
            if let Some(nap) = life.nap
                && rest(&self.client, nap).await.is_err()
            {
                return;
            }
        }
    }

    fn take(&self, event: &Event) {
        let world = self.world.borrow();
        self.log.borrow_mut().read(event, &world.published, self.slack);
    }

    async fn add(&self, subscription: &Subscription, wishes: &[Wish]) -> Result<(), Error> {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            let (wishes, names) = of_kind(kind, wishes);
            if wishes.is_empty() {
                continue;
            }
            let new = self.log.borrow_mut().ask(&wishes);
            let outcome = match kind {
                Kind::Channel => subscription.subscribe(names).await,
                Kind::Pattern => subscription.psubscribe(names).await,
                Kind::Shard => subscription.ssubscribe(names).await,
            };
            let (world, mut log) = (self.world.borrow(), self.log.borrow_mut());
            match outcome {
                Ok(()) => log.hold(&new, &world.published),
                Err(error) => {
                    log.fail(&new, &world.published, world.now);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn remove(&self, subscription: &Subscription, wishes: &[Wish]) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            let (wishes, names) = of_kind(kind, wishes);
            match kind {
                _ if wishes.is_empty() => continue,
                Kind::Channel => subscription.unsubscribe(names),
                Kind::Pattern => subscription.punsubscribe(names),
                Kind::Shard => subscription.sunsubscribe(names),
            }
            self.log.borrow_mut().leave(&wishes, self.world.borrow().now);
        }
    }
}

/// The wishes of a kind, and how they are called.
fn of_kind(kind: Kind, wishes: &[Wish]) -> (Vec<Wish>, Vec<String>) {
    let wishes: Vec<_> = wishes.iter().filter(|wish| wish.0 == kind).copied().collect();
    let called = |wish: &Wish| if kind == Kind::Pattern { PATTERN.to_owned() } else { name(*wish) };
    let names = wishes.iter().map(called).collect();
    (wishes, names)
}

/// Waits a little. A subscription to nothing hears nothing.
async fn rest(client: &Client, time: Duration) -> Result<(), Error> {
    let mut idle = client.subscribe(()).await?;
    match idle.next_timeout(time).await {
        Err(NoEvent::Timeout) => Ok(()),
        _ => Err(Error::new(ErrorKind::Closed, Delivery::NotSent)),
    }
}
