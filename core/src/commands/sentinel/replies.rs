//! Small arguments and replies of the commands of sentinels.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::Info;
use crate::command::{Arg, ArgSink, ArgSlot, Args, FromReply, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Sentinels that are enough to replace a primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SentinelQuorum {
    /// How many can be reached, the one that was asked among them.
    pub usable: u64,
}

impl FromReply for SentinelQuorum {
    /// `OK 3 usable Sentinels. ...`
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let bytes = expect_text("a number of sentinels", item)?;
        let text = core::str::from_utf8(&bytes).unwrap_or_default();
        let usable = text.strip_prefix("OK ").and_then(|text| text.split(' ').next()?.parse().ok());
        usable.map(|usable| Self { usable }).ok_or_else(|| unexpected("a number of sentinels", item))
    }
}

/// What a sentinel thinks of a primary.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SentinelOpinion {
    /// Whether it finds the primary down.
    pub is_down: bool,
    /// The sentinel that it votes for, if it was asked to vote.
    pub leader: Option<String>,
    /// The epoch of its vote.
    pub leader_epoch: u64,
}

impl FromReply for SentinelOpinion {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (is_down, leader, leader_epoch): (_, String, _) = FromReply::from_reply(item)?;
        Ok(Self { is_down, leader: (leader != "*").then_some(leader), leader_epoch })
    }
}

/// What `INFO` last said to a sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelCachedInfo {
    /// How long ago that was.
    pub age: Duration,
    /// What it said; `None` if it was not asked yet.
    pub info: Option<Info>,
}

impl FromReply for SentinelCachedInfo {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (age, info) = FromReply::from_reply(item)?;
        Ok(Self { age: Duration::from_millis(age), info })
    }
}

/// A script that a sentinel runs, or waits to run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SentinelScript {
    /// Its path and its arguments.
    pub argv: Vec<String>,
    /// How far it is.
    pub state: ScriptState,
    /// How often it was started.
    pub attempts: u64,
}

/// How far a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScriptState {
    /// It runs.
    Running {
        /// The number of its process.
        pid: u64,
        /// For how long.
        time: Duration,
    },
    /// It waits to be run.
    Scheduled {
        /// For how long still.
        delay: Duration,
    },
}

impl FromReply for SentinelScript {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut argv, mut attempts) = (Vec::new(), 0);
        let (mut pid, mut time, mut delay) = (0, None, None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"argv" => argv = FromReply::from_reply(value)?,
                b"pid" => pid = FromReply::from_reply(value)?,
                b"run-time" => time = Some(Duration::from_millis(FromReply::from_reply(value)?)),
                b"run-delay" => delay = Some(Duration::from_millis(FromReply::from_reply(value)?)),
                b"retry-num" => attempts = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        let state = match (time, delay) {
            (Some(time), _) => ScriptState::Running { pid, time },
            (None, Some(delay)) => ScriptState::Scheduled { delay },
            (None, None) => return Err(unexpected("the state of a script", item)),
        };
        Ok(Self { argv, state, attempts })
    }
}

/// Choices for [`sentinel_simulate_failure`](super::SentinelCommands::sentinel_simulate_failure): when the sentinel
/// ends itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SentinelFailure {
    /// Once it was elected to replace a primary (`CRASH-AFTER-ELECTION`).
    AfterElection,
    /// Once it has made a replica the primary (`CRASH-AFTER-PROMOTION`).
    AfterPromotion,
}

impl Arg for SentinelFailure {
    fn write_to(&self, out: ArgSlot<'_>) {
        out.bytes(match self {
            Self::AfterElection => b"CRASH-AFTER-ELECTION",
            Self::AfterPromotion => b"CRASH-AFTER-PROMOTION",
        });
    }
}

impl Args for SentinelFailure {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        out.arg(self);
    }

    fn count(&self) -> usize {
        1
    }
}
