//! The connections beside the shared one.

use core::time::Duration;

/// How many side connections there may be, and how long they live.
///
/// Most commands share one connection per node. What would make others wait gets a side connection for as long as it
/// takes: a [blocking](crate::command::Command::blocking) command, or a session. When it is over, the connection is
/// used again, unless anything about it is unclear: then it is closed.
///
/// ```
/// use core::time::Duration;
/// use redstart_core::config::{Config, PoolOptions};
///
/// let pool = PoolOptions::new().max(200).idle_timeout(Duration::from_secs(10));
/// let config = Config::default().pool(pool);
/// assert_eq!(Config::from_url("redis://127.0.0.1?pool_max=200&pool_idle_timeout=10s"), Ok(config));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct PoolOptions {
    pub(crate) max: usize,
    pub(crate) min_idle: usize,
    pub(crate) queue: usize,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_lifetime: Option<Duration>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max: 50,
            min_idle: 0,
            queue: 8_192,
            idle_timeout: Some(Duration::from_secs(60)),
            max_lifetime: None,
        }
    }
}

impl PoolOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many side connections there may be with one node. Calls that find all of them in use wait in their order,
    /// within their deadlines. Default 50.
    ///
    /// If far more calls wait than there are connections, and each gives up sooner than its turn comes, most connections
    /// go to who is about to leave, and little gets done: allow more connections, or wait for longer.
    pub const fn max(mut self, connections: usize) -> Self {
        self.max = connections;
        self
    }

    /// How many of them are made in advance and kept although nobody uses them, with each node that takes writes.
    /// Default 0.
    pub const fn min_idle(mut self, connections: usize) -> Self {
        self.min_idle = connections;
        self
    }

    /// How many calls may wait for a side connection with one node. One more fails at once with
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit). Default 8,192.
    pub const fn queue(mut self, calls: usize) -> Self {
        self.queue = calls;
        self
    }

    /// How long a side connection is kept that nobody uses. `None` keeps it. Default 60 s.
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.idle_timeout = timeout.into();
        self
    }

    /// How old a side connection may become. One that is in use then is closed afterwards. `None` sets no bound.
    /// Default `None`.
    pub fn max_lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.max_lifetime = lifetime.into();
        self
    }
}
