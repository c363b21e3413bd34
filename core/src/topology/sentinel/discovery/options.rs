//! How searches are spaced, and what calls for one.

use core::time::Duration;

use crate::config::Endpoint;

/// How searches are spaced and how long they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryOptions {
    /// The shortest time between the starts of two searches, at least 1 ms. Default 250 ms.
    pub interval: Duration,
    /// The time between searches that nothing calls for, give or take a quarter. `None` for none of these.
    /// Default 60 s.
    pub poll_interval: Option<Duration>,
    /// How long a sentinel may take to answer, and a server that it names to tell its role, connecting
    /// included; at least 1 ms. Default 500 ms.
    pub ask_timeout: Duration,
}

impl Default for DiscoveryOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(250),
            poll_interval: Some(Duration::from_secs(60)),
            ask_timeout: Duration::from_millis(500),
        }
    }
}

/// What tells that the primary may be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger<'a> {
    /// The connection to this server was lost or could not be made, the server is silent, or it turned a
    /// request away because it is no primary (`READONLY`, `MASTERDOWN`).
    Suspect(&'a Endpoint),
    /// This sentinel announced a new primary (`+switch-master`). That is only a hint: it is asked, as the
    /// first.
    Switched(&'a Endpoint),
}
