//! Latency: what made the server slow, and how long commands take.
//!
//! Each node measures for itself, and says so for itself: on a cluster these commands go to one node, unless their
//! documentation says otherwise.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::LatencyCommands;
//!
//! let command = p.latency_histogram(["get", "config|set"]);
//! assert_eq!(command.packed().name(), "LATENCY HISTOGRAM");
//! ```

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::command::{Arg, Args, Command, FromReply, Join, Route, Run, UnixTime, expect_text, pairs};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands about latency. <https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/>
///
/// An event, such as `command` or `fork`, is noted when it took longer than the setting `latency-monitor-threshold`,
/// which is off by default. Histograms are always kept.
pub trait LatencyCommands: Run {
    /// Returns the server's advice on latency.
    ///
    /// `LATENCY DOCTOR` · 2.8.13 · O(1)
    fn latency_doctor(self) -> Self::Output<String> {
        self.run(Command::new("LATENCY DOCTOR").read_only())
    }

    /// Returns a drawing of an event's latencies. Fails if the event was never noted.
    ///
    /// `LATENCY GRAPH event` · 2.8.13 · O(1)
    fn latency_graph(self, event: impl Arg) -> Self::Output<String> {
        self.run(Command::new("LATENCY GRAPH").arg(event).read_only())
    }

    /// Returns how long the commands named have taken, or all of them for `()`; those that were never run are left
    /// out.
    ///
    /// `LATENCY HISTOGRAM [command [command ...]]` · 7.0.0 · O(n) in the commands
    fn latency_histogram(self, commands: impl Args) -> Self::Output<BTreeMap<String, LatencyHistogram>> {
        self.run(Command::new("LATENCY HISTOGRAM").args(commands).read_only())
    }

    /// Returns an event's latest latencies, 160 at most, the oldest first.
    ///
    /// `LATENCY HISTORY event` · 2.8.13 · O(1)
    fn latency_history(self, event: impl Arg) -> Self::Output<Vec<LatencySample>> {
        self.run(Command::new("LATENCY HISTORY").arg(event).read_only())
    }

    /// Returns the events that were noted, each with its latest latency and its greatest.
    ///
    /// `LATENCY LATEST` · 2.8.13 · O(1)
    fn latency_latest(self) -> Self::Output<Vec<LatencyEvent>> {
        self.run(Command::new("LATENCY LATEST").read_only())
    }

    /// Forgets the events named, or all of them for `()`; returns how many there were. On a cluster all nodes do, and
    /// it is their sum.
    ///
    /// `LATENCY RESET [event [event ...]]` · 2.8.13 · O(1)
    fn latency_reset(self, events: impl Args) -> Self::Output<u64> {
        self.run(Command::new("LATENCY RESET").args(events).route(Route::AllNodes).join(Join::Sum))
    }
}

impl<R: Run> LatencyCommands for R {}

/// How long a command has taken.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LatencyHistogram {
    /// How often it was run.
    pub calls: u64,
    /// How many of the calls took no longer than this, from the shortest to the longest: each number has those before
    /// it in it.
    pub buckets: Vec<(Duration, u64)>,
}

impl FromReply for LatencyHistogram {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut histogram = Self::default();
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"calls" => histogram.calls = FromReply::from_reply(value)?,
                b"histogram_usec" => {
                    let buckets = Vec::<(u64, u64)>::from_reply(value)?.into_iter();
                    histogram.buckets =
                        buckets.map(|(micros, calls)| (Duration::from_micros(micros), calls)).collect();
                }
                _ => {}
            }
        }
        Ok(histogram)
    }
}

/// How long something took once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LatencySample {
    /// When, in whole seconds.
    pub time: UnixTime,
    /// How long, in whole milliseconds; the longest of that second.
    pub latency: Duration,
}

impl FromReply for LatencySample {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (secs, millis) = FromReply::from_reply(item)?;
        Ok(Self { time: UnixTime::from_secs(secs), latency: Duration::from_millis(millis) })
    }
}

/// An event that was noted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LatencyEvent {
    /// Its name.
    pub event: String,
    /// When it was noted last, in whole seconds.
    pub time: UnixTime,
    /// How long it took then, in whole milliseconds.
    pub latest: Duration,
    /// How long it took at most, in whole milliseconds.
    pub max: Duration,
}

impl FromReply for LatencyEvent {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (event, secs, latest, max) = FromReply::from_reply(item)?;
        let (latest, max) = (Duration::from_millis(latest), Duration::from_millis(max));
        Ok(Self { event, time: UnixTime::from_secs(secs), latest, max })
    }
}
