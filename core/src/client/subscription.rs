//! The handle of a subscription.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::Bytes;
use futures_core::Stream;

use super::alarms::within;
use super::queue::Queue;
use super::{Client, Mailbox, Options, Shared};
use crate::command::{Args, Command};
use crate::error::{Delivery, Error, ErrorKind, Limit};
use crate::pubsub::{Backlog, Event, Intent, KeyChannel, Kind, SubscriptionId};

/// As many events are made at once.
const MADE: usize = 16;

/// What a handle leaves for the driver.
#[derive(Debug)]
pub(crate) enum Wish {
    /// The intents of this subscription follow, and its events go here.
    Open(SubscriptionId, Arc<Queue>),
    Intent(Intent),
}

impl Client {
    /// Subscribes to channels (`SUBSCRIBE`). Returns once the server has confirmed all of them.
    ///
    /// There can be any number of subscriptions, also to the same channels: each gets all messages, the server
    /// sends them once. Without a channel nothing is sent, and channels can be [added](Subscription::subscribe).
    ///
    /// # Errors
    /// The server has refused it, or not confirmed it in the time that a call may take.
    pub async fn subscribe(&self, channels: impl Args) -> Result<Subscription, Error> {
        self.listen(Kind::Channel, names(channels), false).await
    }

    /// As [`subscribe`](Self::subscribe), to all channels that match a pattern, such as `news.*` (`PSUBSCRIBE`).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(&self, patterns: impl Args) -> Result<Subscription, Error> {
        self.listen(Kind::Pattern, names(patterns), false).await
    }

    /// As [`subscribe`](Self::subscribe), to sharded channels (`SSUBSCRIBE`, since 7.0), whose messages stay on
    /// the nodes of a cluster that serve their slots. The channels may be in different slots; each is followed
    /// when its slot moves.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn ssubscribe(&self, channels: impl Args) -> Result<Subscription, Error> {
        self.listen(Kind::Shard, names(channels), false).await
    }

    /// Subscribes to notifications of what happens to keys, on every primary of a cluster. What a message says is
    /// read by [`Notification::read`](crate::pubsub::Notification::read).
    ///
    /// The servers have to be told to notify, by `notify-keyspace-events`. Of an `expired` key they do so when they
    /// delete it, which may be later than its time.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn notifications(
        &self,
        channels: impl IntoIterator<Item = KeyChannel>,
    ) -> Result<Subscription, Error> {
        let (patterns, channels): (Vec<_>, Vec<_>) = channels.into_iter().partition(KeyChannel::is_pattern);
        let names = |channels: Vec<KeyChannel>| channels.iter().map(|it| it.name().clone()).collect();
        let subscription = self.listen(Kind::Channel, Ok(names(channels)), true).await?;
        subscription.add(Kind::Pattern, Ok(names(patterns)), true).await?;
        Ok(subscription)
    }

    async fn listen(&self, kind: Kind, names: Names, everywhere: bool) -> Result<Subscription, Error> {
        let subscription = Subscription::new(Arc::clone(&self.shared), self.options);
        subscription.add(kind, names, everywhere).await?;
        Ok(subscription)
    }
}

/// Messages from channels and patterns: a [`Stream`] of [`Event`]s that ends when the client is closed.
///
/// Whatever happens to the connection, what is subscribed is subscribed again, and no message is missing without
/// an event before the next one: [`Event::Interrupted`] or [`Event::Lagged`]. Dropping it unsubscribes from what
/// nobody else is subscribed to.
pub struct Subscription {
    shared: Arc<Shared>,
    options: Options,
    id: SubscriptionId,
    queue: Arc<Queue>,
    /// Taken out of the queue.
    batch: Backlog,
    /// The first of them, made a few at a time: who takes one at once after it is made waits for it to be in memory.
    made: VecDeque<Event>,
}

/// Why [`Subscription::next_timeout`] has no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEvent {
    /// There was none in time. There may be one later.
    Timeout,
    /// The client is closed.
    Closed,
}

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no event came in time",
            Self::Closed => "the client is closed",
        })
    }
}

impl core::error::Error for NoEvent {}

type Names = Result<Vec<Bytes>, Error>;

impl Subscription {
    fn new(shared: Arc<Shared>, options: Options) -> Self {
        let mailbox = &shared.0;
        let (id, limit) = (SubscriptionId(mailbox.next_number()), mailbox.config().subscription_bytes);
        let queue = Arc::new(Queue::new(limit));
        let this = Self { shared, options, id, queue, batch: Backlog::default(), made: VecDeque::new() };
        this.wish(Wish::Open(id, Arc::clone(&this.queue)));
        this
    }

    fn mailbox(&self) -> &Mailbox {
        &self.shared.0
    }

    fn wish(&self, wish: Wish) {
        if !self.mailbox().wish(wish) {
            self.queue.end(&mut Vec::new());
        }
    }

    /// Adds channels (`SUBSCRIBE`). Returns once they are confirmed. Dropping the call takes it back.
    ///
    /// # Errors
    /// The server has refused one of them, or not confirmed all in time: then none of them is added, and what was
    /// subscribed before stays.
    pub async fn subscribe(&self, channels: impl Args) -> Result<(), Error> {
        self.add(Kind::Channel, names(channels), false).await
    }

    /// Adds patterns (`PSUBSCRIBE`).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(&self, patterns: impl Args) -> Result<(), Error> {
        self.add(Kind::Pattern, names(patterns), false).await
    }

    /// Adds sharded channels (`SSUBSCRIBE`).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn ssubscribe(&self, channels: impl Args) -> Result<(), Error> {
        self.add(Kind::Shard, names(channels), false).await
    }

    async fn add(&self, kind: Kind, names: Names, everywhere: bool) -> Result<(), Error> {
        let names =
            names.and_then(|names| self.check(names)).map_err(|it| it.with_command(kind.command(true)))?;
        let call = Call { subscription: self, number: self.mailbox().next_number() };
        self.queue.begin(call.number);
        self.wish(Wish::Intent(Intent::Subscribe {
            subscription: self.id,
            call: call.number,
            kind,
            names,
            everywhere,
            within: self.options.patience.within(self.mailbox().config()),
        }));
        let outcome = poll_fn(|cx| self.queue.poll_call(call.number, cx)).await;
        outcome.map_err(|error| error.with_command(kind.command(true)))
    }

    /// Refuses names that can never be sent.
    fn check(&self, names: Vec<Bytes>) -> Names {
        let most = self.mailbox().config().queue_bytes;
        if names.iter().any(|name| name.len() > most) {
            return Err(Error::new(ErrorKind::Limit(Limit::CommandBytes(most)), Delivery::NotSent));
        }
        Ok(names)
    }

    /// Ends the subscription to channels, or to all that are not sharded if none is given (`UNSUBSCRIBE`). It does
    /// not wait: what came before it was seen to can still be read.
    pub fn unsubscribe(&self, channels: impl Args) {
        self.remove(Kind::Channel, channels);
    }

    /// Ends the subscription to patterns, or to all of them if none is given (`PUNSUBSCRIBE`).
    pub fn punsubscribe(&self, patterns: impl Args) {
        self.remove(Kind::Pattern, patterns);
    }

    /// Ends the subscription to sharded channels, or to all of them if none is given (`SUNSUBSCRIBE`).
    pub fn sunsubscribe(&self, channels: impl Args) {
        self.remove(Kind::Shard, channels);
    }

    fn remove(&self, kind: Kind, channels: impl Args) {
        // Names that are too long are subscribed nowhere.
        let Ok(names) = names(channels) else { return };
        self.wish(Wish::Intent(Intent::Unsubscribe { subscription: self.id, kind, names }));
    }

    /// Waits for the next event. `None`: the client is closed.
    ///
    /// Dropping the call loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Waits for the next event, but not longer than `timeout`.
    ///
    /// # Errors
    /// There was none in time, or the client is closed.
    pub async fn next_timeout(&mut self, timeout: Duration) -> Result<Event, NoEvent> {
        if let Some(event) = self.try_next() {
            return Ok(event);
        }
        let mut limit = Client { shared: Arc::clone(&self.shared), options: self.options }.pause(timeout);
        match within(&mut limit, self.next()).await {
            Some(event) => event.ok_or(NoEvent::Closed),
            None => Err(NoEvent::Timeout),
        }
    }

    /// The next event if there is one now.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.poll_event(&mut Context::from_waker(core::task::Waker::noop())) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        }
    }

    #[inline]
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        match self.made.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None => self.poll_more(cx),
        }
    }

    #[inline(never)]
    fn poll_more(&mut self, cx: &Context<'_>) -> Poll<Option<Event>> {
        // It is empty; what is made lies in one piece if it begins where its memory does.
        self.made.clear();
        self.made.reserve(MADE);
        self.batch.make(&mut self.made);
        if self.made.is_empty() {
            ready!(self.queue.poll_batch(&mut self.batch, cx));
            self.batch.make(&mut self.made);
        }
        Poll::Ready(self.made.pop_front())
    }
}

impl Stream for Subscription {
    type Item = Event;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll_event(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.mailbox().wish(Wish::Intent(Intent::Close { subscription: self.id }));
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A call under way. Dropping it gives it up.
struct Call<'a> {
    subscription: &'a Subscription,
    number: u64,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let Self { subscription, number } = self;
        if subscription.queue.give_up(*number) {
            subscription.wish(Wish::Intent(Intent::GiveUp { call: *number }));
        }
    }
}

fn names(channels: impl Args) -> Names {
    let command = Command::<()>::new("SUBSCRIBE").args(channels);
    if command.packed().is_oversize() {
        let limit = Limit::ArgumentBytes(512 << 20);
        return Err(Error::new(ErrorKind::Limit(limit), Delivery::NotSent));
    }
    Ok(command.packed().args().skip(1).map(|name| Bytes::from(name.into_owned())).collect())
}
