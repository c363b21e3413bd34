//! Publishing, and who listens. To listen is not a command but a
//! [`Subscription`](crate::pubsub).
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::PubSubCommands;
//!
//! let command = p.publish("news", "rain");
//! assert_eq!(command.packed().name(), "PUBLISH");
//! ```

use alloc::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::command::{Arg, Args, Command, FromReply, Join, Route, Run, pairs, slot};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands of publish/subscribe. <https://redis.io/docs/latest/commands/?group=pubsub>
///
/// A message is not kept: whoever is not subscribed when it is published never gets it.
pub trait PubSubCommands: Run {
    /// Publishes a message; returns how many subscriptions got it. Of a cluster, whose nodes pass it on to each
    /// other, those at one node are counted alone.
    ///
    /// `PUBLISH channel message` · 2.0.0 · O(subscribers + patterns)
    fn publish(self, channel: impl Arg, message: impl Arg) -> Self::Output<u64> {
        self.run(Command::new("PUBLISH").arg(channel).arg(message))
    }

    /// Publishes a message to a sharded channel, which stays in the shard of its slot; returns how many
    /// subscriptions at that node got it.
    ///
    /// `SPUBLISH shardchannel message` · 7.0.0 · O(subscribers)
    fn spublish(self, channel: impl Arg, message: impl Arg) -> Self::Output<u64> {
        let command = Command::new("SPUBLISH").arg(channel);
        // It goes by its slot like a key, and is none.
        let slot = command.packed().args().nth(1).map_or(0, |channel| slot::of(&channel));
        self.run(command.arg(message).slot(slot))
    }

    /// Returns the channels that have subscriptions, patterns aside: all of them, or those that match a pattern. Of a
    /// cluster, those at all nodes.
    ///
    /// `PUBSUB CHANNELS [pattern]` · 2.8.0 · O(n)
    fn pubsub_channels<T: FromReply + Ord>(self, pattern: impl Args) -> Self::Output<BTreeSet<T>> {
        self.run(everywhere(Command::new("PUBSUB CHANNELS")).args(pattern))
    }

    /// Returns how many subscriptions channels have, patterns aside. Of a cluster, those at all nodes.
    ///
    /// `PUBSUB NUMSUB [channel [channel ...]]` · 2.8.0 · O(n)
    fn pubsub_numsub(self, channels: impl Args) -> Self::Output<SubscriptionCounts> {
        self.run(everywhere(Command::new("PUBSUB NUMSUB")).args(channels))
    }

    /// Returns how many patterns have subscriptions. Of a cluster the numbers of all nodes are added up, so that a
    /// pattern is counted once for each node where it has some.
    ///
    /// `PUBSUB NUMPAT` · 2.8.0 · O(1)
    fn pubsub_numpat(self) -> Self::Output<u64> {
        self.run(everywhere(Command::new("PUBSUB NUMPAT")).join(Join::Sum))
    }

    /// Returns the sharded channels that have subscriptions: all of them, or those that match a pattern. Of a
    /// cluster, those at all nodes.
    ///
    /// `PUBSUB SHARDCHANNELS [pattern]` · 7.0.0 · O(n)
    fn pubsub_shardchannels<T: FromReply + Ord>(self, pattern: impl Args) -> Self::Output<BTreeSet<T>> {
        self.run(everywhere(Command::new("PUBSUB SHARDCHANNELS")).args(pattern))
    }

    /// Returns how many subscriptions sharded channels have. Of a cluster, those at all nodes.
    ///
    /// `PUBSUB SHARDNUMSUB [shardchannel [shardchannel ...]]` · 7.0.0 · O(n)
    fn pubsub_shardnumsub(self, channels: impl Args) -> Self::Output<SubscriptionCounts> {
        self.run(everywhere(Command::new("PUBSUB SHARDNUMSUB")).args(channels))
    }
}

impl<R: Run> PubSubCommands for R {}

fn everywhere<T>(command: Command<T>) -> Command<T> {
    command.read_only().route(Route::AllNodes).join(Join::Merge)
}

/// How many subscriptions channels have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionCounts(BTreeMap<Bytes, u64>);

impl SubscriptionCounts {
    /// How many `channel` has.
    pub fn of(&self, channel: impl AsRef<[u8]>) -> u64 {
        self.0.get(channel.as_ref()).copied().unwrap_or_default()
    }

    /// All channels that were asked for, in their order as bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, u64)> {
        self.0.iter().map(|(channel, count)| (channel, *count))
    }
}

impl FromReply for SubscriptionCounts {
    /// A list of channels and numbers in turn. The numbers of a channel that is there several times are added up.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut counts = BTreeMap::<Bytes, u64>::new();
        for pair in pairs(item)? {
            let (channel, count) = pair?;
            let sum = counts.entry(Bytes::from_reply(channel)?).or_default();
            *sum = sum.saturating_add(u64::from_reply(count)?);
        }
        Ok(Self(counts))
    }
}
