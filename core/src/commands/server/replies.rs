//! Small replies of the commands about the server.

use core::time::Duration;

use crate::command::{FromReply, expect_text, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// What became of a job that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackgroundJob {
    /// It is under way.
    Started,
    /// It begins when another job is done.
    Scheduled,
}

impl FromReply for BackgroundJob {
    /// A sentence that ends with `started` or `scheduled`.
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let text = expect_text("a status", item)?;
        if text.ends_with(b"started") {
            Ok(Self::Started)
        } else if text.ends_with(b"scheduled") {
            Ok(Self::Scheduled)
        } else {
            Err(unexpected("a job that was started or scheduled", item))
        }
    }
}

/// The wall clock of a server, since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTime {
    /// Whole seconds.
    pub seconds: u64,
    /// What is above them, less than 1,000,000.
    pub microseconds: u32,
}

impl ServerTime {
    /// The time that has passed since the Unix epoch.
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::from_secs(self.seconds) + Duration::from_micros(self.microseconds.into())
    }
}

impl FromReply for ServerTime {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (seconds, microseconds) = FromReply::from_reply(item)?;
        Ok(Self { seconds, microseconds })
    }
}
