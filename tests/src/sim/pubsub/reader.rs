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
}

impl Life {
    fn draw(rng: &mut Rng) -> Self {
        let by_pattern = rng.u8(..4) == 0;
        let mut channels: Vec<_> = (0..CHANNELS).filter(|_| rng.bool()).collect();
        let added = if rng.bool() { channels.split_off(channels.len() / 2) } else { Vec::new() };
        Self { channels, added, by_pattern, patience: ms(rng.u64(5..150)) }
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
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let lives = (0..rng.usize(..6)).map(|_| Life::draw(rng)).collect();
        Self { lives, last: Life::draw(rng) }
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
    pub(super) verdict: Verdict,
}

impl Default for Log {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), interrupted: false, messages: 0, gaps: 0, verdict: Ok(()) }
    }
}

impl Log {
    pub(super) const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Whether the last message of a channel was heard.
    pub(super) fn has_heard(&self, topic: &Topic, published: &Published) -> bool {
        self.seen.get(topic).is_some_and(|seen| seen.last == published[topic.1])
    }

    fn begin(&mut self) {
        self.seen.clear();
        self.interrupted = false;
    }

    /// F2: every gap is told before the next message, and no message comes twice.
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
                let follows =
                    number == seen.last + 1 || seen.last == 0 || (seen.excused && number > seen.last);
                let last = std::mem::replace(seen, Seen { last: number, excused: interrupted }).last;
                demand(follows, NAME, || format!("{topic:?}: {number} came after {last} without a word"))
            }
            other => demand(false, NAME, || format!("{other:?} although there is room")),
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
                }
                return;
            }
            Err(error) if *error.kind() == ErrorKind::Closed => return,
            Err(_) if rest(&client).await.is_err() => return,
            Err(_) => {}
        }
    }
}

/// Waits a little, since what was refused would be again. A subscription to nothing hears nothing.
async fn rest(client: &Client) -> Result<(), Error> {
    let mut idle = client.subscribe(()).await?;
    match idle.next_timeout(ms(20)).await {
        Err(NoEvent::Timeout) => Ok(()),
        _ => Err(Error::new(ErrorKind::Closed, redstart_core::error::Delivery::NotSent)),
    }
}
