//! The loop between the engine and a runtime's sockets, written once for all of them.
//!
//! ```text
//! sockets --bytes--> engine --events--> mailbox --wakers--> callers
//!    ^                  |
//!    `------bytes-------'   until nothing moves; then sleep until a socket, a caller or the clock wakes
//! ```
//!
//! The driver knows bytes, instants and connection ids, and no word of Redis.

mod ebb;
mod hold;
mod intake;
mod line;
mod lines;
mod net;
mod ready;
mod scratch;
mod sleep;
mod sleepers;
mod subscription;
mod suppliers;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod transport;
mod turn;
mod waiting;
mod wakes;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

pub use net::{Net, Socket, not_resolved, random_seed};
pub use sleep::{Loan, Poller, Sleep};
pub use subscription::Subscription;
pub use turn::Turn;
pub use waiting::Waiting;

use self::ebb::Ebb;
use self::hold::Hold;
use self::line::Line;
use self::lines::Lines;
use self::ready::DriverWaker;
use self::scratch::Scratch;
use self::suppliers::Suppliers;
use self::tls::Sessions;
use crate::client::{Client, Mailbox, Post};
use crate::config::Config;
use crate::connection::ConnId;
use crate::engine::{Action, Engine};
use crate::error::{ConfigError, ConnectionError};
use crate::seldom::Seldom;
use crate::time::Instant;

/// What a visit to the mailbox has told.
struct Visit {
    /// When a call in line has to be ended.
    line_deadline: Instant,
    /// There may be room again since.
    freed: bool,
    /// Callers were woken.
    woken: bool,
    /// Subscriptions were told something.
    told: bool,
}

/// What was moved since somebody began to count. It is not large: each client has one.
#[derive(Debug)]
struct Moved {
    /// As far as they can be counted, as the writes.
    requests: u8,
    writes: u8,
    /// Where was written last, if anything was.
    written: ConnId,
}

impl Moved {
    const NOTHING: Self = Self { requests: 0, writes: 0, written: ConnId(0) };

    fn note_requests(&mut self, count: usize) {
        self.requests = self.requests.saturating_add(count.min(2) as u8);
    }

    fn note_write(&mut self, conn: ConnId) {
        self.writes = self.writes.saturating_add(1);
        self.written = conn;
    }

    /// Where the one request was written that came.
    fn lone(&self) -> Option<ConnId> {
        ((self.requests, self.writes) == (1, 1)).then_some(self.written)
    }
}

/// How often the loop turns before it lets other tasks of its thread run.
const TURNS_PER_POLL: usize = 32;

/// Moves bytes between the engine and the sockets of `N`, and replies to callers.
///
/// It is a future that ends when the client is closed or its last handle is dropped, and has to be polled
/// for anything to happen: spawn it, or drive it by hand. Dropping it ends every call with an error.
pub struct Driver<N: Net> {
    net: N,
    sessions: Sessions,
    engine: Engine,
    mailbox: Arc<Mailbox>,
    lines: Lines<N>,
    waker: Arc<DriverWaker>,
    /// Who was woken last.
    registered: Option<Waker>,
    /// Connections for which there may be something to write.
    unwritten: Vec<ConnId>,
    suppliers: Suppliers,
    post: Post,
    /// There while the loop turns.
    scratch: Seldom<Scratch>,
    moved: Moved,
    /// Timers are somebody else's to see to.
    is_aside: bool,
    hold: Hold,
    ebb: Ebb,
    /// For when the clock is set.
    armed: Option<Instant>,
    /// When sockets were seen to last.
    seen_at: Instant,
    done: bool,
}

impl<N: Net> Driver<N> {
    /// A client and its driver. `seed` is the only source of randomness: of the pauses between attempts.
    ///
    /// # Errors
    /// The configuration cannot be used, or a file that it names.
    pub fn new(config: Config, net: N, seed: u64) -> Result<(Client, Self), ConfigError> {
        config.validate()?;
        let sessions = Sessions::new(&config)?;
        let config = Arc::new(config);
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&config)));
        let client = Client::new(Arc::clone(&mailbox));
        let engine = Engine::new(config, seed, net.now());
        let driver = Self {
            net,
            sessions,
            engine,
            mailbox,
            lines: Lines::default(),
            waker: Arc::default(),
            registered: None,
            unwritten: Vec::with_capacity(1),
            suppliers: Suppliers::default(),
            post: Post::default(),
            scratch: Seldom::new(),
            moved: Moved::NOTHING,
            is_aside: false,
            hold: Hold::default(),
            ebb: Ebb::default(),
            armed: None,
            seen_at: Instant::ORIGIN,
            done: false,
        };
        Ok((client, driver))
    }

    /// The runtime's part.
    pub fn net_mut(&mut self) -> &mut N {
        &mut self.net
    }

    /// Moves whatever can be moved. Ready once the client is closed.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_until(cx, self.net.now(), || false)
    }

    /// As [`poll`](Self::poll), at a time that is `now`. It stops early when callers were woken and there `is_enough`
    /// for whoever drives: all else is seen to when it is polled again.
    fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        is_enough: impl FnMut() -> bool,
    ) -> Poll<()> {
        if self.done {
            return Poll::Ready(());
        }
        if self.waker.register(cx.waker(), &mut self.registered) {
            self.lines.iter().for_each(Line::refresh);
            self.suppliers.refresh();
            self.armed = None;
        }
        Scratch::exchange(&mut self.scratch);
        self.engine.exchange_room(&mut self.scratch.events);
        let polled = self.turn(cx, now, is_enough);
        self.engine.exchange_room(&mut self.scratch.events);
        Scratch::exchange(&mut self.scratch);
        polled
    }

    fn turn(
        &mut self,
        cx: &mut Context<'_>,
        mut now: Instant,
        mut is_enough: impl FnMut() -> bool,
    ) -> Poll<()> {
        for _ in 0..TURNS_PER_POLL {
            self.seen_at = now;
            self.follow_actions();
            self.read(now);
            let Visit { line_deadline, freed, woken, told } = self.visit_mailbox(now);
            if woken && is_enough() {
                return Poll::Pending;
            }
            self.ask(now);
            let (deadline, fired) = self.fire_timers(now);
            if self.hold.is_worth_it() {
                break;
            }
            let failed = self.write(now);
            if self.engine.is_closed() {
                self.finish();
                return Poll::Ready(());
            }
            let busy = freed
                || fired
                || failed
                || self.engine.has_events()
                || self.engine.has_deliveries()
                || self.waker.is_any_ready();
            let busy = busy || self.suppliers.is_any_ready();
            let is_set = self.set_alarm(cx, now, deadline.min(line_deadline)) || self.is_aside;
            if !busy && is_set && self.mailbox.park(cx.waker()) {
                return Poll::Pending;
            }
            if told {
                // They read it before more comes.
                break;
            }
            now = self.net.now();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    #[inline]
    fn follow_actions(&mut self) {
        if self.engine.has_actions() {
            self.follow_all();
        }
    }

    #[cold]
    fn follow_all(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Connect(id, endpoint, tls) => {
                    let session = self.sessions.find(tls.as_ref(), &endpoint);
                    let connect = self.net.connect(&endpoint);
                    self.lines.insert(id, Line::new(id, connect, session, &self.waker));
                }
                Action::Close(id) => {
                    self.suppliers.forget(id);
                    self.lines.remove(id);
                }
            }
        }
    }

    /// Asks for credentials and hands out answers.
    fn ask(&mut self, now: Instant) {
        const ANSWERS_PER_TURN: usize = 16;
        for _ in 0..ANSWERS_PER_TURN {
            self.suppliers.follow(&mut self.engine, &self.waker);
            if !self.suppliers.poll(now, &mut self.engine) {
                return;
            }
            self.follow_actions();
        }
    }

    /// Connects and reads on every socket that is ready.
    fn read(&mut self, now: Instant) {
        let mut ready = core::mem::take(&mut self.scratch.ready);
        self.waker.take_ready(&mut ready);
        // A socket that had no room may have some now.
        self.unwritten.extend_from_slice(&ready);
        for id in ready.drain(..) {
            let Some(line) = self.lines.get_mut(id) else { continue };
            if let Err(reason) = line.poll_in(now, id, &mut self.engine) {
                self.fail(now, id, reason);
            }
            self.follow_actions();
        }
        self.scratch.ready = ready;
    }

    /// Writes on every socket what there is for it. Returns whether one of them failed, so that others may have more.
    fn write(&mut self, now: Instant) -> bool {
        let mut failed = false;
        let mut unwritten = core::mem::take(&mut self.unwritten);
        self.engine.drain_unwritten(&mut unwritten);
        if unwritten.len() > 1 {
            unwritten.sort_unstable();
            unwritten.dedup();
        }
        for id in unwritten.drain(..) {
            let Some(line) = self.lines.get_mut(id) else { continue };
            match line.poll_out(id, &mut self.engine) {
                Ok(false) => {}
                Ok(true) => self.moved.note_write(id),
                Err(reason) => {
                    let reason = self.read_out(now, id).unwrap_or(reason);
                    self.fail(now, id, reason);
                    failed = true;
                }
            }
        }
        self.unwritten = unwritten;
        failed
    }

    /// Reads what came before the end of a connection: it still counts. Returns why it ended, if that was found.
    fn read_out(&mut self, now: Instant, id: ConnId) -> Option<ConnectionError> {
        self.lines.get_mut(id)?.refresh();
        // Whoever goes on sending is not listened to for ever.
        for _ in 0..TURNS_PER_POLL {
            let line = self.lines.get_mut(id).filter(|line| line.is_ready())?;
            if let Err(reason) = line.poll_in(now, id, &mut self.engine) {
                return Some(reason);
            }
            self.follow_actions();
        }
        None
    }

    fn fail(&mut self, now: Instant, id: ConnId, reason: ConnectionError) {
        self.follow_actions();
        self.suppliers.forget(id);
        if self.lines.remove(id) {
            self.engine.handle_closed(now, id, reason);
            self.follow_actions();
        }
    }

    /// Leaves replies, takes requests.
    fn visit_mailbox(&mut self, now: Instant) -> Visit {
        let Self { engine, scratch, post, moved, hold, ebb, .. } = self;
        let Scratch { inbox, wake, .. } = &mut **scratch;
        let told = engine.has_deliveries();
        if told {
            post.deliver(engine, wake);
        }
        let (line_deadline, woken) = self.mailbox.exchange(now, engine, inbox, wake);
        moved.note_requests(inbox.requests.len());
        hold.note(woken, inbox.requests.len());
        ebb.take(inbox.requests.len());
        wake.drain(..).for_each(Waker::wake);
        let mut freed = false;
        if inbox.has_errands {
            freed = self.run_errands(now);
        } else {
            engine.handle_requests(now, &mut inbox.requests, &mut inbox.bytes);
            self.follow_actions();
        }
        Visit { line_deadline, freed, woken: woken > 0, told }
    }

    /// Takes requests, and all else that callers have left. Returns whether there may be room again.
    #[cold]
    fn run_errands(&mut self, now: Instant) -> bool {
        let Self { engine, scratch, post, .. } = self;
        let inbox = &mut scratch.inbox;
        let freed = !inbox.errands.cancelled.is_empty();
        inbox.errands.cancelled.sort_unstable();
        inbox.find_nodes(engine);
        inbox.errands.texts.drain(..).for_each(|(id, part, text)| engine.keep_text(id, part, text.0));
        if freed {
            // Given up before the engine has seen it: nothing is sent.
            inbox.drop_cancelled();
        }
        engine.handle_requests(now, &mut inbox.requests, &mut inbox.bytes);
        for taken in inbox.errands.unclaimed.drain(..) {
            engine.give_back(now, &taken);
        }
        if freed {
            engine.cancel(now, &mut inbox.errands.cancelled);
        }
        inbox.errands.released.drain(..).for_each(|conn| engine.release(now, conn));
        post.collect(now, engine, &mut inbox.errands.wishes);
        if let Some(patience) = inbox.errands.close {
            engine.close(now, patience);
        }
        inbox.clear_errands();
        self.follow_actions();
        freed
    }

    /// Lets the engine see to what is due. Returns when there will be more, and whether there was anything.
    fn fire_timers(&mut self, now: Instant) -> (Instant, bool) {
        let deadline = self.engine.poll_timeout().unwrap_or(Instant::FAR);
        let is_due = deadline <= now && !self.is_aside;
        if is_due {
            self.engine.handle_timeout(now);
            self.follow_actions();
        }
        if self.ebb.is_due(now) {
            self.shrink();
        }
        (deadline, is_due)
    }

    /// Gives back memory that nothing uses at the moment.
    #[cold]
    fn shrink(&mut self) {
        self.lines.shrink();
        self.engine.shrink();
        self.scratch.shrink_lists();
        self.mailbox.shrink();
        self.post.shrink();
        self.unwritten.shrink_to_fit();
    }

    /// Sets the clock for a deadline. Returns whether it lies ahead.
    ///
    /// An alarm that is set too early is left as it is: deadlines move on with every reply, and waking
    /// once for nothing is cheaper than setting the clock each time.
    fn set_alarm(&mut self, cx: &mut Context<'_>, now: Instant, deadline: Instant) -> bool {
        let Self { lines, ebb, engine, .. } = self;
        ebb.rest(now, || lines.iter().any(Line::is_large), || engine.load() == (0, 0));
        let deadline = deadline.min(self.ebb.poll_timeout());
        if deadline == Instant::FAR || self.armed.is_some_and(|armed| now < armed && armed <= deadline) {
            return true;
        }
        self.armed = Some(deadline);
        self.net.poll_deadline(cx, deadline).is_pending()
    }

    fn finish(&mut self) {
        self.done = true;
        self.follow_actions();
        self.lines.clear();
        let wake = &mut self.scratch.wake;
        self.post.deliver(&mut self.engine, wake);
        wake.drain(..).for_each(Waker::wake);
        self.post.end(self.mailbox.shut(&mut self.engine));
    }
}

impl<N: Net + Unpin> Future for Driver<N> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Self::poll(self.get_mut(), cx)
    }
}

impl<N: Net> Drop for Driver<N> {
    /// Ends every call: nothing may hang because the task that drove the client is gone.
    fn drop(&mut self) {
        if !self.done {
            self.follow_actions();
            let now = self.net.now();
            self.engine.close(now, core::time::Duration::ZERO);
            self.follow_actions();
            self.engine.handle_timeout(now);
            self.finish();
        }
    }
}

impl<N: Net> fmt::Debug for Driver<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("engine", &self.engine)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
