//! A task that subscribes, reads, and does it again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use redstart_core::Error;
use redstart_core::client::{Client, NoEvent, Subscription};
use redstart_core::error::ErrorKind;
use redstart_core::pubsub::Event;

use super::super::oracles::{Verdict, demand};
use super::super::setup::ms;
use super::CHANNELS;
use super::server::{Published, channel};

/// A channel, and whether it is heard of by the pattern that all match.
pub(super) type Topic = (bool, usize);

/// One subscription: what to, and how long nothing may come before it is dropped.
#[derive(Clone, Debug)]
pub(super) struct Life {
    channels: Vec<usize>,
    /// Channels that are added when some messages were read.
    added: Vec<usize>,
    by_pattern: bool,
    patience: Duration,
    /// How long it does not look, after every message.
    nap: Option<Duration>,
}

impl Life {
    fn draw(rng: &mut Rng, lazy: bool) -> Self {
        let by_pattern = rng.u8(..4) == 0;
        let mut channels: Vec<_> = (0..CHANNELS).filter(|_| rng.bool()).collect();
        let added = if rng.bool() { channels.split_off(channels.len() / 2) } else { Vec::new() };
        Self {
            channels,
            added,
            by_pattern,
            patience: ms(rng.u64(5..150)),
            nap: lazy.then(|| ms(rng.u64(5..60))),
        }
    }

    /// All that it hears of in the end.
    pub(super) fn topics(&self) -> impl Iterator<Item = Topic> {
        let own = self.channels.iter().chain(&self.added).map(|channel| (false, *channel));
        own.chain((0..CHANNELS).filter(|_| self.by_pattern).map(|channel| (true, channel)))
    }

    async fn begin(&self, client: &Client) -> Result<Subscription, Error> {
        let names = |channels: &[usize]| channels.iter().copied().map(channel).collect::<Vec<_>>();
        let subscription = client.subscribe(names(&self.channels)).await?;
        if self.by_pattern {
            subscription.psubscribe("ch:*").await?;
        }
        subscription.subscribe(names(&self.added)).await?;
        Ok(subscription)
    }
}

/// Subscriptions one after the other, the last of which lasts.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    lives: Vec<Life>,
    last: Life,
}

impl Plan {
    /// Draws a plan. Whoever has room for a `few` messages only may be slow.
    pub(super) fn draw(rng: &mut Rng, few: bool) -> Self {
        let lives = (0..rng.usize(..6)).map(|_| Life::draw(rng, false)).collect();
        let lazy = few && rng.bool();
        Self { lives, last: Life::draw(rng, lazy) }
    }

    pub(super) const fn last(&self) -> &Life {
        &self.last
    }
}

/// What a reader has seen of a channel.
#[derive(Debug, Default)]
struct Seen {
    last: u64,
    /// A gap was told of since.
    excused: bool,
}

/// What a reader was told.
#[derive(Debug)]
pub(super) struct Log {
    seen: BTreeMap<Topic, Seen>,
    interrupted: bool,
    pub(super) messages: u64,
    pub(super) gaps: u64,
    /// How many messages were dropped for want of room,
    pub(super) dropped: u64,
    /// and of how many it is not known yet which.
    unaccounted: u64,
    pub(super) verdict: Verdict,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            seen: BTreeMap::new(),
            interrupted: false,
            messages: 0,
            gaps: 0,
            dropped: 0,
            unaccounted: 0,
            verdict: Ok(()),
        }
    }
}

impl Log {
    pub(super) const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Whether the last message of a channel was heard, unless there was no room for it.
    pub(super) fn has_heard(&self, topic: &Topic, published: &Published) -> bool {
        self.unaccounted > 0 || self.seen.get(topic).is_some_and(|seen| seen.last == published[topic.1])
    }

    fn begin(&mut self) {
        self.seen.clear();
        self.interrupted = false;
        self.unaccounted = 0;
    }

    /// F2: every gap is told before the next message, and no message comes twice. F4: what there was no room for is
    /// counted.
    fn read(&mut self, event: &Event) {
        const NAME: &str = "f2_every_gap_is_told";
        let verdict = match event {
            Event::Interrupted => {
                self.gaps += 1;
                self.seen.values_mut().for_each(|seen| seen.excused = true);
                let twice = std::mem::replace(&mut self.interrupted, true);
                demand(!twice, NAME, || "it was interrupted twice".to_owned())
            }
            Event::Resumed => {
                let was = std::mem::take(&mut self.interrupted);
                demand(was, NAME, || "it was resumed and had not been interrupted".to_owned())
            }
            Event::Message(message) => {
                self.messages += 1;
                let number: u64 = message.payload_as().unwrap_or_default();
                let channel = std::str::from_utf8(&message.channel).ok();
                let channel = channel.and_then(|name| name.strip_prefix("ch:")?.parse().ok());
                let topic = (message.pattern.is_some(), channel.unwrap_or_default());
                let interrupted = self.interrupted;
                let seen = self.seen.entry(topic).or_default();
                let Seen { last, excused } =
                    std::mem::replace(seen, Seen { last: number, excused: interrupted });
                let missing = number.saturating_sub(last + 1);
                let known = last == 0 || excused || missing <= self.unaccounted;
                if last > 0 && !excused {
                    self.unaccounted = self.unaccounted.saturating_sub(missing);
                }
                let follows = known && (last == 0 || number > last);
                demand(follows, NAME, || format!("{topic:?}: {number} came after {last} without a word"))
            }
            Event::Lagged(count) => {
                self.dropped += count;
                self.unaccounted += count;
                demand(*count > 0, "f4_what_is_dropped_is_counted", || "none was dropped".to_owned())
            }
            other => demand(false, NAME, || format!("{other:?}")),
        };
        if self.verdict.is_ok() {
            self.verdict = verdict;
        }
    }
}

/// Reads as planned, until the client is closed.
pub(super) async fn read(client: Client, plan: Plan, log: Rc<RefCell<Log>>) {
    for life in &plan.lives {
        log.borrow_mut().begin();
        let Ok(mut subscription) = life.begin(&client).await else { continue };
        while let Ok(event) = subscription.next_timeout(life.patience).await {
            log.borrow_mut().read(&event);
        }
    }
    loop {
        log.borrow_mut().begin();
        match plan.last.begin(&client).await {
            Ok(mut subscription) => {
                while let Some(event) = subscription.next().await {
                    log.borrow_mut().read(&event);
                    if let Some(nap) = plan.last.nap
                        && rest(&client, nap).await.is_err()
                    {
                        return;
                    }
                }
                return;
            }
            Err(error) if *error.kind() == ErrorKind::Closed => return,
            Err(_) if rest(&client, ms(20)).await.is_err() => return,
            Err(_) => {}
        }
    }
}

/// Waits a little, since what was refused would be again. A subscription to nothing hears nothing.
async fn rest(client: &Client, time: Duration) -> Result<(), Error> {
    let mut idle = client.subscribe(()).await?;
    match idle.next_timeout(time).await {
        Err(NoEvent::Timeout) => Ok(()),
        _ => Err(Error::new(ErrorKind::Closed, redstart_core::error::Delivery::NotSent)),
    }
}
