//! The slow log: the latest commands that took long.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::SlowlogCommands;
//!
//! let command = p.slowlog_get(Some(10));
//! assert_eq!(command.packed().name(), "SLOWLOG GET");
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

use crate::command::{Command, FromReply, Join, Route, Run, UnixTime, elements, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands about the slow log. <https://redis.io/docs/latest/commands/?group=server>
///
/// The settings `slowlog-log-slower-than`, 10 ms by default, and `slowlog-max-len` say which commands are in it.
pub trait SlowlogCommands: Run {
    /// Returns up to `count` of the latest slow commands of one node, the latest first; all of them for `None`, which
    /// needs Redis 7.0.
    ///
    /// `SLOWLOG GET count` · 2.2.12 · O(n), n entries returned
    fn slowlog_get(self, count: Option<u64>) -> Self::Output<Vec<SlowlogEntry>> {
        let command = Command::new("SLOWLOG GET");
        let command = match count {
            Some(count) => command.arg(count),
            None => command.arg(-1),
        };
        self.run(command.read_only())
    }

    /// Returns how many entries there are; on a cluster, those of all nodes.
    ///
    /// `SLOWLOG LEN` · 2.2.12 · O(1)
    fn slowlog_len(self) -> Self::Output<u64> {
        self.run(Command::new("SLOWLOG LEN").read_only().route(Route::AllNodes).join(Join::Sum))
    }

    /// Empties the log, on every node of a cluster.
    ///
    /// `SLOWLOG RESET` · 2.2.12 · O(n) in the entries
    fn slowlog_reset(self) -> Self::Output<()> {
        self.run(Command::new("SLOWLOG RESET").route(Route::AllNodes).join(Join::AllSucceeded))
    }
}

impl<R: Run> SlowlogCommands for R {}

/// A command that took long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlowlogEntry {
    /// The server's number of it, never used twice before a restart.
    pub id: u64,
    /// When it was run, in whole seconds.
    pub time: UnixTime,
    /// How long it ran, without the time to read it and to send its reply.
    pub duration: Duration,
    /// Its name and its arguments, 32 at most and of 128 bytes at most each; the server says where it has cut.
    pub command: Vec<Bytes>,
    /// Where it came from: `ip:port`, or the path of a Unix socket; since 4.0.
    pub client_addr: Option<String>,
    /// The name of the connection, if it has one; since 4.0.
    pub client_name: Option<String>,
}

impl FromReply for SlowlogEntry {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let mut parts = elements(item)?;
        let (Some(id), Some(time), Some(micros), Some(command)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unexpected("at least 4 elements", item));
        };
        let mut text = || parts.next().map_or(Ok(None), |part| text(part).map(Some));
        Ok(Self {
            id: FromReply::from_reply(id)?,
            time: UnixTime::from_secs(FromReply::from_reply(time)?),
            duration: Duration::from_micros(FromReply::from_reply(micros)?),
            command: FromReply::from_reply(command)?,
            client_addr: text()?,
            client_name: text()?.filter(|name| !name.is_empty()),
        })
    }
}

fn text(item: Item<'_>) -> Result<String, ConversionError> {
    Ok(String::from_utf8_lossy(&expect_text("a text", item)?).into_owned())
}
