//! Choices for consumers.

use core::time::Duration;

use super::super::GroupStart;

/// Choices for [`xconsume`](super::StreamConsumers::xconsume).
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ConsumerOptions {
    pub(super) count: u64,
    pub(super) block: Duration,
    pub(super) create: Option<GroupStart>,
    pub(super) claim_after: Option<Duration>,
    pub(super) drain: bool,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ConsumerOptions {
    /// How many entries are in a page, if not said otherwise.
    pub const COUNT: u64 = 100;
    /// How long a page is waited for at the server, if not said otherwise.
    pub const BLOCK: Duration = Duration::from_secs(5);

    /// Pages of 100 entries, each waited for up to 5 s. Nothing is claimed, and a group that is missing is made, to
    /// begin with the first entry of the stream.
    pub const fn new() -> Self {
        let create = Some(GroupStart::First);
        Self { count: Self::COUNT, block: Self::BLOCK, create, claim_after: None, drain: false }
    }

    /// So many entries in a page at most. They are pending from the moment the page is delivered, so that entries at
    /// the end of a long one can get [stale](Self::claim_after) before they are taken.
    pub const fn count(mut self, count: u64) -> Self {
        self.count = count;
        self
    }

    /// Waits for up to `time` at the server before it looks for stale entries and asks again; for ever if that is
    /// zero.
    pub const fn block(mut self, time: Duration) -> Self {
        self.block = time;
        self
    }

    /// Makes the group, and the stream, if there is none: to begin with this entry. A group that is destroyed
    /// meanwhile is made again.
    pub const fn create_from(mut self, start: GroupStart) -> Self {
        self.create = Some(start);
        self
    }

    /// Fails with [`NoGroup`](crate::error::ServerCode::NoGroup) if there is no group.
    pub const fn must_exist(mut self) -> Self {
        self.create = None;
        self
    }

    /// Before each page, claims entries that no consumer has touched for `idle`, its own among them: so much time an
    /// entry has, from its delivery to its acknowledgement, before another consumer gets it, too (6.2).
    ///
    /// About as many entries are looked at each time as a page has.
    pub const fn claim_after(mut self, idle: Duration) -> Self {
        self.claim_after = Some(idle);
        self
    }

    /// Ends when nothing is left for it, instead of waiting.
    pub const fn drain(mut self) -> Self {
        self.drain = true;
        self
    }
}
