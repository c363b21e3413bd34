//! How often the nodes of a cluster are asked which nodes there are.

use core::time::Duration;

/// How refreshes are spaced and how long they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshOptions {
    /// The shortest time between the starts of two refreshes, at least 1 ms. Default 250 ms.
    pub interval: Duration,
    /// The time between refreshes that nothing calls for, give or take a quarter. `None` for none of
    /// these. Default 60 s.
    ///
    /// It bounds for how long subscriptions of a cluster may be at a node that has left it and goes on: nothing else
    /// need tell of that.
    pub period: Option<Duration>,
    /// The longest time of one refresh. Default 5 s.
    pub deadline: Duration,
    /// How many nodes are asked at once, at least 1. Default 3.
    pub asks: usize,
    /// How long a node may be silent before another one is asked in its place. Default 500 ms.
    pub patience: Duration,
    /// How long to wait for the other nodes when one has answered. Default 100 ms.
    pub linger: Duration,
    /// How many requests in a row must time out at a node to make it a suspect. Default 3.
    pub timeouts: u32,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            period: Some(Duration::from_secs(60)),
            deadline: Duration::from_secs(5),
            asks: 3,
            patience: Duration::from_millis(500),
            linger: Duration::from_millis(100),
            timeouts: 3,
        }
    }
}
