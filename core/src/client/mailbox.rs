//! Where handles and the driver meet: the only lock of the client.
//!
//! A caller encodes its command under the lock, straight into the bytes that the driver takes. The
//! driver takes all that has come, and leaves all replies that it has, in one visit per turn; it parses
//! and decides outside. Wakers are called when the lock is gone.
//!
//! The queue is bounded by commands and by bytes, counted from the caller until the engine lets go of
//! them. A caller that finds no room gets an error, or a place in a line of callers that are let in in
//! their order. Nothing of a waiting call is copied; the driver watches its deadline.

mod usual;
mod visit;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::task::{Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::alarms::Alarms;
use super::inbox::Aim;
pub(crate) use super::inbox::Inbox;
pub(super) use super::inbox::Parcel;
use super::monitor::Feeds;
use super::slots::{Left, Polled, Room, Slots};
use super::subscription::Wish;
use super::{Options, misuse};
use crate::command::{Batch, Flags, Packed, PackedBatch, Target, Undo};
use crate::config::{Config, Deployment, WhenFull};
use crate::connection::{ConnId, RequestId, ServerInfo};
use crate::engine::{Event, Patience, Taken};
use crate::error::{Delivery, Error, ErrorKind, Limit, Waiting};
use crate::time::Instant;

/// How far the client is.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// No connection was ready yet.
    Connecting,
    /// A connection is or was ready.
    Connected(ServerInfo),
    /// The first attempts to connect failed, the last one like this.
    Failed(Error),
    /// The driver has ended.
    Closed,
}

/// A call that waits for room.
#[derive(Debug)]
struct Queued {
    id: RequestId,
    patience: Patience,
    /// Set by the driver, which has the clock.
    deadline: Option<Instant>,
}

#[derive(Debug)]
struct State {
    inbox: Inbox,
    slots: Slots,
    line: VecDeque<Queued>,
    /// At most so many calls in line have been given up.
    forsaken: usize,
    /// `line_deadline <= deadline` for every call in line that has one.
    line_deadline: Instant,
    /// In the inbox, and reserved for calls that were let in.
    pending: Room,
    /// In the engine, when the driver was here last.
    engine: Room,
    /// The driver's waker while it sleeps.
    sleeping: Option<Waker>,
    status: Status,
    watchers: Vec<Waker>,
    feeds: Feeds,
    alarms: Alarms,
}

/// The meeting place. See the [module](self).
#[derive(Debug)]
pub(crate) struct Mailbox {
    config: Arc<Config>,
    /// Requests are routed by their keys.
    routes: bool,
    /// Requests are routed by the roles of nodes.
    by_role: bool,
    /// The last number that was given to a subscription, or to one of its calls.
    numbers: AtomicU64,
    state: Mutex<State>,
}

/// What a call finds when it is made or polled.
pub(super) enum Submitted {
    Sent(RequestId),
    InLine(RequestId),
    Refused(Error),
}

impl Mailbox {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        let state = State {
            inbox: Inbox::with_room(),
            slots: Slots::default(),
            line: VecDeque::new(),
            forsaken: 0,
            line_deadline: Instant::FAR,
            pending: Room::default(),
            engine: Room::default(),
            sleeping: None,
            status: Status::Connecting,
            watchers: Vec::new(),
            feeds: Feeds::default(),
            alarms: Alarms::default(),
        };
        let routes = matches!(config.deployment, Deployment::Cluster(_));
        let by_role = matches!(config.deployment, Deployment::Sentinel(_));
        Self { config, routes, by_role, numbers: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// Encodes a pipeline as this client sends it.
    pub(super) fn pack_pipeline(&self, batch: impl Batch, options: Options) -> PackedBatch {
        let mut packed = if self.routes && options.session.is_none() {
            PackedBatch::splitting()
        } else {
            PackedBatch::default()
        };
        batch.pack_into(&mut packed);
        packed
    }

    /// Encodes a transaction as this client sends it. It is for one slot, so nothing in it is split.
    pub(super) fn pack_transaction(&self, batch: impl Batch) -> PackedBatch {
        let mut packed = if self.routes { PackedBatch::routed() } else { PackedBatch::default() };
        batch.pack_into(&mut packed);
        packed
    }

    /// What this client sends instead of a command whose keys are in several slots.
    #[inline]
    pub(super) fn split(&self, command: &Packed, options: Options) -> Option<PackedBatch> {
        if !self.routes
            || options.session.is_some()
            || command.node().is_some()
            || !command.flags().has(Flags::SPLIT)
            || command.slot().is_ok()
        {
            return None;
        }
        let mut parts = PackedBatch::splitting();
        parts.push(command);
        Some(parts)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// A panic elsewhere leaves the state as it was between two statements; every one of them is sound.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a call: sends it, puts it in line, or refuses it.
    #[inline]
    pub(super) fn submit(&self, parcel: &Parcel<'_>, options: Options, waker: &Waker) -> Submitted {
        let room = parcel.room();
        if let Some(error) = self.refuse(parcel, room) {
            return Submitted::Refused(error);
        }
        let target = match self.target(parcel, options.session) {
            Ok(target) => target,
            Err(error) => return Submitted::Refused(error),
        };
        let mut state = self.lock();
        if state.is_closing() {
            return Submitted::Refused(Error::new(ErrorKind::Closed, Delivery::NotSent));
        }
        if state.line.is_empty() && state.fits(room, &self.config) {
            state.pending.add(room);
            let id = state.slots.begin(parcel.batch(), waker);
            state.inbox.put(id, parcel, target, self.aim(options), options.patience);
            leave(state);
            return Submitted::Sent(id);
        }
        if self.config.when_full == WhenFull::Fail {
            return Submitted::Refused(state.full(room, &self.config));
        }
        let id = state.slots.queue(room, waker);
        state.line.push_back(Queued { id, patience: options.patience, deadline: None });
        state.inbox.has_errands = true;
        leave(state);
        Submitted::InLine(id)
    }

    /// Refuses what can never be sent.
    fn refuse(&self, parcel: &Parcel<'_>, room: Room) -> Option<Error> {
        const ARGUMENT_MAX: usize = 512 << 20;
        let limit = if parcel.is_oversize() {
            Limit::ArgumentBytes(ARGUMENT_MAX)
        } else if room.bytes > self.config.queue_bytes || u32::try_from(room.bytes).is_err() {
            Limit::CommandBytes(self.config.queue_bytes.min(u32::MAX as usize))
        } else if room.commands > self.config.queue_commands {
            Limit::QueueCommands(self.config.queue_commands)
        } else {
            return None;
        };
        Some(Error::new(ErrorKind::Limit(limit), Delivery::NotSent))
    }

    /// Which node of a cluster a call is for; of a pipeline, only whether each command has one.
    ///
    /// # Errors
    /// The keys of a command, or of a transaction, are in different slots.
    #[inline]
    fn target(&self, parcel: &Parcel<'_>, session: Option<ConnId>) -> Result<Target, Error> {
        misuse::check(parcel, session.is_some())?;
        if !self.routes || session.is_some() {
            return Ok(Target::default());
        }
        match parcel {
            Parcel::Command(command) if command.node().is_some() => Ok(Target::default()),
            Parcel::Command(command) => command.target().map_err(cross_slot),
            Parcel::Pipeline(batch) => match batch.refused() {
                Some((slots, name)) => Err(cross_slot(slots).with_command(&name)),
                None => Ok(Target::default()),
            },
            Parcel::Transaction(batch) => batch.common_target().map_err(cross_slot),
            Parcel::Silent(_) => Ok(Target::default()),
            Parcel::Lease(target, _) => Ok(*target),
        }
    }

    /// How targets are changed by what the client and the call say of reads.
    #[inline]
    fn aim(&self, options: Options) -> Aim {
        Aim {
            by_role: self.by_role,
            from: options.read_from.unwrap_or(self.config.read_from),
            session: options.session,
        }
    }

    /// Looks whether a call has ended. If there is room for it now, it is sent; the result says that there was.
    #[inline]
    pub(super) fn poll(&self, id: RequestId, parcel: &Parcel<'_>, options: Options, waker: &Waker) -> Polled {
        let mut state = self.lock();
        match state.slots.poll(id, waker) {
            Polled::Admitted(deadline) => {
                let target = self.target(parcel, options.session).unwrap_or_default();
                // Its room stays in `pending`: it was reserved, now it is in the inbox.
                state.slots.start(id, parcel.batch(), waker);
                state.inbox.put(id, parcel, target, self.aim(options), Patience::Until(deadline));
                leave(state);
                Polled::Admitted(deadline)
            }
            other => other,
        }
    }

    /// The caller is gone: what waits for room or for a connection is not sent, and what has come already is undone
    /// if it has to be.
    pub(super) fn abandon(&self, id: RequestId, undo: Option<Undo>) {
        let mut state = self.lock();
        match state.slots.abandon(id) {
            Left::Nothing => return,
            Left::InLine => {
                state.forsaken += 1;
                state.inbox.has_errands = true;
            }
            Left::Reserved(room) => {
                state.pending.sub(room);
                state.inbox.has_errands = true;
            }
            Left::UnderWay => state.inbox.errands().cancelled.push(id),
            Left::Unseen(Ok(frame)) => match Taken::new(undo, frame) {
                Ok(taken) => state.inbox.errands().unclaimed.push(taken),
                Err(_) => return,
            },
            Left::Unseen(Err(_)) => return,
        }
        leave(state);
    }

    /// A number for a subscription or one of its calls, never given again.
    pub(super) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed) + 1
    }

    /// Leaves a wish of a subscription. Returns whether somebody will see to it.
    pub(super) fn wish(&self, wish: Wish) -> bool {
        let mut state = self.lock();
        if matches!(state.status, Status::Closed) {
            return false;
        }
        state.inbox.errands().wishes.push(wish);
        leave(state);
        true
    }

    /// Sends a command whose reply nobody waits for, if there is room: it is tried once.
    #[cold]
    pub(super) fn post(&self, command: &Packed, options: Options) {
        let parcel = Parcel::Command(command);
        let room = parcel.room();
        let Ok(target) = self.target(&parcel, options.session) else { return };
        let mut state = self.lock();
        if !state.is_closing() && state.fits(room, &self.config) {
            state.pending.add(room);
            state.inbox.put(RequestId::POSTED, &parcel, target, self.aim(options), options.patience);
            leave(state);
        }
    }

    /// Has `waker` called in a while. `None`: there is no driver any more.
    pub(super) fn add_alarm(&self, after: Duration, waker: &Waker) -> Option<u64> {
        let mut state = self.lock();
        if matches!(state.status, Status::Closed) {
            return None;
        }
        let number = state.alarms.add(after, waker);
        state.inbox.has_errands = true;
        leave(state);
        Some(number)
    }

    /// Whether the time of an alarm has come.
    pub(super) fn poll_alarm(&self, number: u64, waker: &Waker) -> Poll<()> {
        self.lock().alarms.poll(number, waker)
    }

    pub(super) fn remove_alarm(&self, number: u64) {
        self.lock().alarms.remove(number);
    }

    /// Does something with what monitors have yet to read.
    pub(super) fn feeds<T>(&self, act: impl FnOnce(&mut Feeds) -> T) -> T {
        act(&mut self.lock().feeds)
    }

    /// A session is over: its connection can be used by others.
    pub(super) fn release(&self, conn: ConnId) {
        let mut state = self.lock();
        state.inbox.errands().released.push(conn);
        leave(state);
    }

    /// Which node of a cluster a command is for.
    ///
    /// # Errors
    /// Its keys are in different slots.
    pub(super) fn target_of(&self, command: &Packed) -> Result<Target, Error> {
        if self.routes { command.target().map_err(cross_slot) } else { Ok(Target::default()) }
    }

    /// Asks the driver to end.
    pub(super) fn close(&self, patience: Duration) {
        let mut state = self.lock();
        state.inbox.errands().close.get_or_insert(patience);
        leave(state);
    }

    /// Asks `verdict` how far the client is. If that is not far enough, `waker` is called when it changes.
    pub(super) fn poll_status<T>(&self, waker: &Waker, verdict: impl FnOnce(&Status) -> Poll<T>) -> Poll<T> {
        let mut state = self.lock();
        let verdict = verdict(&state.status);
        if verdict.is_pending() && !state.watchers.iter().any(|watcher| watcher.will_wake(waker)) {
            state.watchers.push(waker.clone());
        }
        verdict
    }

    #[cfg(test)]
    pub(super) fn watchers(&self) -> usize {
        self.lock().watchers.len()
    }

    #[cfg(test)]
    pub(super) fn line_len(&self) -> usize {
        self.lock().line.len()
    }
}

#[cold]
fn cross_slot(slots: (u16, u16)) -> Error {
    Error::new(ErrorKind::CrossSlot { slots }, Delivery::NotSent)
}

/// Leaves with something new for the driver: wakes it, if it sleeps, once the lock is gone.
#[inline]
fn leave(mut state: MutexGuard<'_, State>) {
    let sleeping = state.sleeping.take();
    drop(state);
    if let Some(waker) = sleeping {
        waker.wake();
    }
}

impl State {
    /// Whether nothing new is taken.
    #[inline]
    fn is_closing(&self) -> bool {
        matches!(self.status, Status::Closed) || self.inbox.errands.close.is_some()
    }

    fn used(&self) -> Room {
        let mut used = self.engine;
        used.add(self.pending);
        used
    }

    #[inline]
    fn fits(&self, room: Room, config: &Config) -> bool {
        let used = self.used();
        used.commands + room.commands <= config.queue_commands
            && used.bytes + room.bytes <= config.queue_bytes
    }

    fn full(&self, room: Room, config: &Config) -> Error {
        let limit = if self.used().commands + room.commands > config.queue_commands {
            Limit::QueueCommands(config.queue_commands)
        } else {
            Limit::QueueBytes(config.queue_bytes)
        };
        Error::new(ErrorKind::Limit(limit), Delivery::NotSent)
    }

    #[inline]
    fn take_event(&mut self, event: Event, wake: &mut Vec<Waker>) {
        match event {
            Event::Reply { id, part, result } => {
                if let Some(waker) = self.slots.finish(id, part, result) {
                    wake.push(waker);
                }
            }
            Event::Replies { id, first, count, run } => {
                wake.extend(self.slots.finish_run(id, first, count, run));
            }
            Event::Taken { id, taken } if self.slots.is_awaited(id) => {
                wake.extend(self.slots.finish(id, 0, Ok(taken.into_frame())));
            }
            Event::Taken { taken, .. } => self.inbox.errands().unclaimed.push(taken),
            Event::Line { conn, line } => wake.extend(self.feeds.push(conn, line)),
            Event::SessionLost { conn, error } => wake.extend(self.feeds.end(conn, error)),
            Event::Connected(info) => self.set_status(Status::Connected(info), wake),
            Event::ConnectFailed(error) if !matches!(self.status, Status::Connected(_)) => {
                self.set_status(Status::Failed(error), wake);
            }
            Event::ConnectFailed(_) | Event::Disconnected(_) | Event::Push(_) => {}
        }
    }

    fn set_status(&mut self, status: Status, wake: &mut Vec<Waker>) {
        self.status = status;
        wake.extend(core::mem::take(&mut self.watchers));
    }

    /// Takes calls that were given up out of the line, once they are half of it: they must not fill it.
    fn tidy_line(&mut self) {
        if self.forsaken * 2 > self.line.len() {
            let slots = &mut self.slots;
            self.line.retain(|queued| slots.wanted(queued.id).is_some());
            self.forsaken = 0;
        }
    }

    /// Gives new calls in line their deadlines, and ends those whose deadline has come.
    fn watch_line(&mut self, now: Instant, config: &Config, wake: &mut Vec<Waker>) {
        for queued in self.line.iter_mut().rev() {
            if queued.deadline.is_some() {
                break;
            }
            let deadline = queued.patience.deadline(now, config);
            queued.deadline = Some(deadline);
            self.line_deadline = self.line_deadline.min(deadline);
        }
        if now < self.line_deadline {
            return;
        }
        self.line_deadline = Instant::FAR;
        let (slots, next) = (&mut self.slots, &mut self.line_deadline);
        self.line.retain(|queued| {
            let deadline = queued.deadline.unwrap_or(Instant::FAR);
            if deadline > now {
                *next = deadline.min(*next);
                return true;
            }
            let late = Error::new(ErrorKind::Timeout(Waiting::Queue), Delivery::NotSent);
            wake.extend(slots.finish(queued.id, 0, Err(late)));
            false
        });
    }

    /// Lets calls in, in their order, as far as there is room.
    fn let_in(&mut self, config: &Config, wake: &mut Vec<Waker>) {
        while let Some(first) = self.line.front() {
            let (id, deadline) = (first.id, first.deadline.unwrap_or(Instant::FAR));
            // A call that was given up may still be in line.
            if let Some(room) = self.slots.wanted(id) {
                if !self.fits(room, config) {
                    return;
                }
                self.pending.add(room);
                wake.extend(self.slots.admit(id, deadline));
            }
            self.line.pop_front();
        }
    }
}

impl Room {
    fn add(&mut self, other: Self) {
        self.commands += other.commands;
        self.bytes += other.bytes;
    }

    fn sub(&mut self, other: Self) {
        self.commands = self.commands.saturating_sub(other.commands);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}
