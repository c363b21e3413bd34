//! What one subscription has asked for and was told, judged message by message.

use std::collections::BTreeMap;

use redstart_core::pubsub::{Event, Kind, Message};

use super::super::oracles::{Verdict, demand};
use super::CHANNELS;
use super::server::{Channel, Published, channel};

/// What can be subscribed to: a channel of either kind, or the pattern that all channels match, whose number is 0.
pub(super) type Wish = (Kind, usize);

/// What is heard by a wish: of the pattern, each channel is counted by itself.
type Topic = (Kind, usize);

/// How it stands with a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// A call asks for it.
    Asked,
    /// A call that asked for it has ended well.
    Held,
    /// It was given up then.
    Left(u64),
}

/// What was heard of a topic.
#[derive(Debug, Default)]
struct Seen {
    /// The number of the last message.
    last: u64,
    /// When the subscription was confirmed, so many had been published.
    before: u64,
    /// A gap was told of since the last message.
    excused: bool,
}

/// What a subscription has asked for and was told.
#[derive(Debug)]
pub(super) struct Log {
    wishes: BTreeMap<Wish, Standing>,
    seen: BTreeMap<Topic, Seen>,
    interrupted: bool,
    pub(super) messages: u64,
    pub(super) of_shards: u64,
    pub(super) gaps: u64,
    /// How many messages were dropped for want of room,
    pub(super) dropped: u64,
    /// and of how many it is not known yet which.
    unaccounted: u64,
    pub(super) verdict: Verdict,
}

impl Default for Log {
    fn default() -> Self {
        let (wishes, seen) = (BTreeMap::new(), BTreeMap::new());
        let (messages, of_shards, gaps, dropped, unaccounted) = (0, 0, 0, 0, 0);
        let (interrupted, verdict) = (false, Ok(()));
        Self { wishes, seen, interrupted, messages, of_shards, gaps, dropped, unaccounted, verdict }
    }
}

impl Log {
    pub(super) const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// All that it wants to hear of.
    pub(super) fn wishes(&self) -> impl Iterator<Item = Wish> {
        let is_on = |(_, standing): &(&Wish, &Standing)| !matches!(standing, Standing::Left(_));
        self.wishes.iter().filter(is_on).map(|(wish, _)| *wish)
    }

    /// A new subscription begins, which wants nothing yet.
    pub(super) fn begin(&mut self) {
        self.wishes.clear();
        self.seen.clear();
        self.interrupted = false;
        self.unaccounted = 0;
    }

    /// A call begins that asks for `wishes`; those of them that were not held before.
    pub(super) fn ask(&mut self, wishes: &[Wish]) -> Vec<Wish> {
        let is_new = |wish: &&Wish| self.wishes.get(*wish) != Some(&Standing::Held);
        let new: Vec<_> = wishes.iter().filter(is_new).copied().collect();
        self.wishes.extend(new.iter().map(|wish| (*wish, Standing::Asked)));
        new
    }

    /// The call has ended well: from here on whatever is published is heard of.
    pub(super) fn hold(&mut self, wishes: &[Wish], published: &Published) {
        for &wish in wishes {
            self.wishes.insert(wish, Standing::Held);
            for topic in topics(wish) {
                let seen = self.seen.entry(topic).or_default();
                (seen.before, seen.excused) = (published.count(source(topic)), self.interrupted);
            }
        }
    }

    /// The call has failed. What was confirmed of it may have been heard of meanwhile.
    pub(super) fn fail(&mut self, wishes: &[Wish], published: &Published, now: u64) {
        self.hold(wishes, published);
        self.leave(wishes, now);
    }

    /// Wishes are given up. What is published from here on is not heard of.
    pub(super) fn leave(&mut self, wishes: &[Wish], now: u64) {
        self.wishes.extend(wishes.iter().map(|wish| (*wish, Standing::Left(now))));
    }

    /// F1: a wish that is not confirmed, or the last message of whose channel was not heard though there was room.
    pub(super) fn missed(&self, published: &Published) -> Option<Wish> {
        let is_heard = |topic: &Topic| {
            let last = published.count(source(*topic));
            self.unaccounted > 0
                || self.seen.get(topic).is_some_and(|seen| seen.last == last || seen.before >= last)
        };
        let is_missed = |(wish, standing): &(&Wish, &Standing)| match standing {
            Standing::Asked => true,
            Standing::Held => !topics(**wish).all(|topic| is_heard(&topic)),
            Standing::Left(_) => false,
        };
        self.wishes.iter().find(is_missed).map(|(wish, _)| *wish)
    }

    /// F2: every gap is told before the next message, and no message comes twice. F4: what there was no room for is
    /// counted. What was given up may be heard of for as long as the client needs to see to that.
    pub(super) fn read(&mut self, event: &Event, published: &Published, slack: u64) {
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
            Event::Message(message) => self.hear(message, published, slack),
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

    fn hear(&mut self, message: &Message, published: &Published, slack: u64) -> Verdict {
        let Some((topic, number)) = self.place(message) else {
            return demand(false, "f3_the_last_wish_wins", || format!("{message:?} is nobody's"));
        };
        let wish = if topic.0 == Kind::Pattern { (topic.0, 0) } else { topic };
        let (standing, time) = (self.wishes.get(&wish), published.time(source(topic), number));
        let is_wanted = match (standing, time) {
            (Some(Standing::Left(at)), Some(time)) => time <= at + slack,
            (standing, time) => standing.is_some() && time.is_some(),
        };
        demand(is_wanted, "f3_the_last_wish_wins", || {
            format!("{topic:?}: {number}, published at {time:?}, came to one with {standing:?}")
        })?;
        self.messages += 1;
        self.of_shards += u64::from(topic.0 == Kind::Shard);
        let interrupted = self.interrupted;
        let seen = self.seen.entry(topic).or_default();
        let Seen { last, before, excused } = *seen;
        (seen.last, seen.excused) = (number, interrupted);
        let missing = number.saturating_sub(last.max(before) + 1);
        let known = excused || missing <= self.unaccounted;
        if !excused {
            self.unaccounted = self.unaccounted.saturating_sub(missing);
        }
        demand(known && number > last, "f2_every_gap_is_told", || {
            format!("{topic:?}: {number} came after {last} without a word")
        })
    }

    /// The topic of a message and its number, if it is as it was published.
    fn place(&self, message: &Message) -> Option<(Topic, u64)> {
        let payload = std::str::from_utf8(message.payload()).ok()?;
        let (number, name) = payload.split_once(' ')?;
        let of = |kind| channel(kind, message.channel()).map(|(_, number)| (kind, number));
        let topic = match message.pattern() {
            Some(pattern) if pattern == PATTERN.as_bytes() => of(Kind::Pattern)?,
            Some(_) => return None,
            None => of(Kind::Channel).or_else(|| of(Kind::Shard))?,
        };
        (name.as_bytes() == message.channel()).then_some((topic, number.parse().ok()?))
    }
}

/// The pattern that all channels match, but not those that are sharded.
pub(super) const PATTERN: &str = "ch:*";

/// What is heard by a wish.
fn topics((kind, number): Wish) -> impl Iterator<Item = Topic> {
    let numbers = if kind == Kind::Pattern { 0..CHANNELS } else { number..number + 1 };
    numbers.map(move |number| (kind, number))
}

/// Where that is published of which a topic hears.
fn source((kind, number): Topic) -> Channel {
    (if kind == Kind::Shard { kind } else { Kind::Channel }, number)
}
