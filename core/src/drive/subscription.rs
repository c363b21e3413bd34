//! A subscription for those who drive themselves while they wait.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::{Sleep, Turn};
use crate::client;
use crate::client::NoEvent;
use crate::command::Args;
use crate::error::Error;
use crate::pubsub::Event;

/// Messages from channels and patterns, for blocking code: an iterator of [`Event`]s that ends when the client is
/// closed. What it promises is said at the [subscription](client::Subscription) that it waits for.
///
/// While nobody waits, for an event or a reply, nothing is read unless the client has a thread of its own: then
/// messages pile up at the server, which disconnects a client that leaves too many there (32 MB by default, see its
/// `client-output-buffer-limit`), and that is an [`Event::Interrupted`].
pub struct Subscription<N: Sleep> {
    inner: client::Subscription,
    turn: Arc<Turn<N>>,
}

impl<N: Sleep> Subscription<N> {
    /// Waits until the subscription is there; then for its events, taking turns at driving.
    ///
    /// # Errors
    /// As `subscription`.
    pub fn wait_for(
        turn: &Arc<Turn<N>>,
        subscription: impl Future<Output = Result<client::Subscription, Error>>,
    ) -> Result<Self, Error> {
        let inner = turn.wait(subscription)?;
        Ok(Self { inner, turn: Arc::clone(turn) })
    }

    /// Adds channels (`SUBSCRIBE`). Returns once they are confirmed.
    ///
    /// # Errors
    /// As [there](client::Subscription::subscribe).
    pub fn subscribe(&self, channels: impl Args) -> Result<(), Error> {
        self.turn.wait(self.inner.subscribe(channels))
    }

    /// Adds patterns (`PSUBSCRIBE`).
    ///
    /// # Errors
    /// As [there](client::Subscription::subscribe).
    pub fn psubscribe(&self, patterns: impl Args) -> Result<(), Error> {
        self.turn.wait(self.inner.psubscribe(patterns))
    }

    /// Adds sharded channels (`SSUBSCRIBE`).
    ///
    /// # Errors
    /// As [there](client::Subscription::subscribe).
    pub fn ssubscribe(&self, channels: impl Args) -> Result<(), Error> {
        self.turn.wait(self.inner.ssubscribe(channels))
    }

    /// Ends the subscription to channels, or to all that are not sharded if none is given (`UNSUBSCRIBE`).
    pub fn unsubscribe(&self, channels: impl Args) {
        self.inner.unsubscribe(channels);
    }

    /// Ends the subscription to patterns, or to all of them if none is given (`PUNSUBSCRIBE`).
    pub fn punsubscribe(&self, patterns: impl Args) {
        self.inner.punsubscribe(patterns);
    }

    /// Ends the subscription to sharded channels, or to all of them if none is given (`SUNSUBSCRIBE`).
    pub fn sunsubscribe(&self, channels: impl Args) {
        self.inner.sunsubscribe(channels);
    }

    /// Waits for the next event, but not longer than `timeout`.
    ///
    /// # Errors
    /// There was none in time, or the client is closed.
    pub fn next_timeout(&mut self, timeout: Duration) -> Result<Event, NoEvent> {
        self.turn.wait(self.inner.next_timeout(timeout))
    }
}

impl<N: Sleep> Iterator for Subscription<N> {
    type Item = Event;

    /// Waits for the next event. `None`: the client is closed.
    fn next(&mut self) -> Option<Event> {
        // What was read before needs no driver.
        self.inner.try_next().or_else(|| self.turn.wait(self.inner.next()))
    }
}

impl<N: Sleep> fmt::Debug for Subscription<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
