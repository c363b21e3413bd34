//! Everything outside the client: the clock, the network, the server. One seed decides all of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::task::Waker;

use fastrand::Rng;
use redstart_core::config::Endpoint;

use super::cluster::{self, Cluster, Step};
use super::conn::{CAPACITY, Conn, Stage};
use super::faults::{Class, Faults};
use super::leases::Store;
use super::ledger::Ledger;
use super::oracles::{self, Verdict, Violation};
use super::pubsub::{Channel, Published};
use super::sentinel::{self, Watch};
use super::server::{Server, TOO_MANY};
use super::trace::{Note, Trace};

/// One millisecond in the nanoseconds of the virtual clock.
pub(super) const MS: u64 = 1_000_000;

/// What the client's clock shows at the beginning.
const ORIGIN: u64 = 3_600_000 * MS;

/// What happens at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// An attempt to connect ends.
    Opened(usize),
    /// Bytes of a connection arrive at the server, up to this place.
    ToServer(usize, u64),
    /// The next segment arrives at the client.
    ToClient(usize),
    Unmute(usize),
    /// Records of TLS can be read.
    Nudge(usize),
    Break(usize),
    Alarm(u64),
    Strike(Class),
    /// What struck a server ends.
    Calm(Class, usize),
    /// Something happens in the cluster.
    Cluster(Step),
    /// Something happens in the service that sentinels watch.
    Service(sentinel::Step),
    /// A task that was to be polled late is polled.
    Poll(usize),
    /// A caller makes its next call.
    Call(usize),
    /// A caller drops its call.
    Cancel(usize),
    /// Something is published.
    Publish(Channel),
    /// An item comes into a list.
    Produce(usize),
    /// A call has waited for an item for as long as it was to.
    WaitOver(usize, usize),
    /// The server sees that the client has closed a connection.
    HungUp(usize),
    /// A task goes on that has rested.
    Bell(usize),
}

/// What the model has to know of the client's configuration to judge it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) queue_commands: usize,
    pub(super) queue_bytes: usize,
    pub(super) database: u32,
    pub(super) connect_timeout: u64,
    /// There are subscriptions.
    pub(super) readers: bool,
    /// How many side connections there may be, if there are some.
    pub(super) pool: Option<usize>,
    /// Side connections are closed for their age.
    pub(super) sides_age: bool,
}

/// Everything outside the client.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: u64,
    /// How far the client's clock was set back.
    pub(super) behind: u64,
    /// How far it has leapt forward.
    ahead: u64,
    next: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    pub(super) rng: Rng,
    pub(super) faults: Faults,
    pub(super) latency: u64,
    /// How many bytes a socket takes.
    pub(super) capacity: u64,
    pub(super) expected: Expected,
    pub(super) conns: Vec<Conn>,
    pub(super) servers: Vec<Server>,
    /// What the servers are to each other, if they form a cluster.
    pub(super) cluster: Option<Box<Cluster>>,
    /// What the servers are to each other, if sentinels watch them.
    pub(super) service: Option<Box<Watch>>,
    /// What was published.
    pub(super) published: Published,
    pub(super) ledger: Ledger,
    /// The lists out of which calls that wait take, if there are such calls.
    pub(super) store: Option<Box<Store>>,
    pub(super) trace: Trace,
    alarm: Option<(u64, Waker)>,
    /// The client is being closed, so that it may close healthy connections.
    pub(super) closing: bool,
    /// The first oracle that was not satisfied.
    pub(super) violation: Option<Violation>,
}

impl World {
    pub(super) fn new(
        rng: Rng,
        faults: Faults,
        expected: Expected,
        servers: Vec<Server>,
        trace: Trace,
    ) -> Self {
        Self {
            now: 0,
            behind: 0,
            ahead: 0,
            next: 0,
            queue: BinaryHeap::new(),
            rng,
            faults,
            latency: MS,
            capacity: CAPACITY,
            expected,
            conns: Vec::new(),
            servers,
            cluster: None,
            service: None,
            published: Published::default(),
            ledger: Ledger::default(),
            store: None,
            trace,
            alarm: None,
            closing: false,
            violation: None,
        }
    }

    /// Lets `event` happen at `at`, behind everything that happens then already.
    pub(super) fn schedule(&mut self, at: u64, event: Event) {
        self.next += 1;
        self.queue.push(Reverse((at.max(self.now), self.next, event)));
    }

    /// When something happens next.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.queue.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Moves the clock on to what happens next.
    pub(super) fn pop(&mut self) -> Option<Event> {
        let Reverse((at, _, event)) = self.queue.pop()?;
        self.now = at;
        Some(event)
    }

    /// Lets time pass in which nothing happens.
    pub(super) fn sleep_until(&mut self, at: u64) {
        self.now = self.now.max(at);
    }

    pub(super) fn note(&mut self, note: &Note<'_>) {
        self.trace.note(self.now, note);
    }

    /// Keeps the first violation.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        if let Err(violation) = verdict {
            self.violation.get_or_insert(violation);
        }
    }

    /// What happens outside the client.
    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Opened(id) => self.handle_opened(id),
            Event::ToServer(id, upto) => self.handle_arrival(id, upto),
            Event::ToClient(id) => self.handle_segment(id),
            Event::Unmute(id) => self.unmute(id),
            Event::Nudge(id) => self.conns[id].reader.take().into_iter().for_each(Waker::wake),
            Event::Break(id) => self.break_conn(id),
            Event::Alarm(at) => self.ring(at),
            Event::Strike(class) => self.strike(class),
            Event::Calm(class, server) => self.calm(class, server),
            Event::Cluster(step) => self.handle_step(step),
            Event::Service(step) => self.handle_service_step(step),
            Event::Publish(channel) => self.publish(channel),
            Event::Produce(list) => self.produce(list),
            Event::WaitOver(id, call) => self.end_wait(id, call),
            Event::HungUp(id) => self.hang_up(id),
            Event::Bell(bell) => self.ring_bell(bell),
            Event::Poll(_) | Event::Call(_) | Event::Cancel(_) => {}
        }
    }

    /// The client's clock.
    pub(super) const fn clock(&self) -> u64 {
        ORIGIN + self.now + self.ahead - self.behind
    }

    /// The client's clock is set back, and what waits for it waits longer.
    pub(super) fn set_back(&mut self, by: u64) {
        self.behind += by;
        self.reset_alarm();
    }

    /// The client's clock leaps forward, as it may when a machine was asleep.
    pub(super) fn leap(&mut self, by: u64) {
        self.ahead += by;
        self.conns.iter_mut().for_each(|conn| conn.blemish("silent while the clock leapt"));
        self.reset_alarm();
    }

    fn reset_alarm(&mut self) {
        if let Some((time, waker)) = self.alarm.take() {
            self.set_alarm(time, &waker);
        }
    }

    /// Wakes `waker` when the client's clock is at `time`, instead of whom and when it was told before.
    pub(super) fn set_alarm(&mut self, time: u64, waker: &Waker) {
        self.alarm = Some((time, waker.clone()));
        let late = if self.faults.has(Class::LateTimers) { self.rng.u64(..MS) } else { 0 };
        let at = (time + self.behind).saturating_sub(ORIGIN + self.ahead);
        self.schedule(at.saturating_add(late), Event::Alarm(time));
    }

    fn ring(&mut self, time: u64) {
        let is_due = self.clock() >= time;
        if let Some((_, waker)) = self.alarm.take_if(|(set, _)| *set == time && is_due) {
            waker.wake();
        }
    }

    /// The client begins to connect to an endpoint; the connection's number.
    pub(super) fn connect_to(&mut self, endpoint: &Endpoint) -> usize {
        let server =
            if self.service.is_some() { self.find_in_service(endpoint) } else { self.find(endpoint) };
        let id = self.connect(server);
        if self.cluster.is_some() || self.service.is_some() {
            self.note(&Note::Leads(id, &endpoint.to_string()));
        }
        id
    }

    /// The client begins to connect to a server; the connection's number.
    pub(super) fn connect(&mut self, server: usize) -> usize {
        let id = self.conns.len();
        let small = self.faults.has(Class::SmallBuffers);
        let capacity = if small { self.rng.u64(40..400) } else { self.capacity };
        let mut conn = Conn::new(server, self.now, capacity);
        if self.servers[server].is_troubled() {
            conn.blemish("made in troubled times");
        } else if small && self.faults.has(Class::Impatience) {
            conn.blemish("slower than callers wait");
        }
        let mut opens_at = Some(self.now + 2 * self.latency);
        if self.faults.strikes(Class::Refused, &mut self.rng, 4) {
            conn.refused = true;
        } else if self.faults.strikes(Class::Hanging, &mut self.rng, 8) {
            conn.blemish("connecting never ends");
            opens_at = None;
        } else if self.faults.strikes(Class::SlowConnect, &mut self.rng, 4) {
            conn.blemish("connecting takes long");
            opens_at = Some(self.now + self.rng.u64(..2 * self.expected.connect_timeout));
        }
        conn.session.number = id + 1;
        self.conns.push(conn);
        self.judge_number_of_connections();
        self.note(&Note::Connect(id));
        if let Some(at) = opens_at {
            self.schedule(at, Event::Opened(id));
        }
        id
    }

    fn handle_opened(&mut self, id: usize) {
        let conn = &mut self.conns[id];
        let Server { down, full, absent, .. } = self.servers[conn.server];
        if conn.stage != Stage::Opening {
            return;
        }
        conn.connector.take().into_iter().for_each(Waker::wake);
        if conn.refused || down || absent {
            conn.stage = Stage::Failed(io::ErrorKind::ConnectionRefused);
            conn.blemish("refused");
            return self.note(&Note::Fault(id, "refused"));
        }
        conn.stage = Stage::Open;
        self.note(&Note::Opened(id));
        if full {
            let text = format!("-{TOO_MANY}\r\n");
            self.conns[id].blemish("one too many");
            if self.faults.has(Class::Jitter) && self.rng.bool() {
                self.send_down(id, text.as_bytes());
            } else {
                // It often comes together with the connection itself.
                self.conns[id].down.received.extend_from_slice(text.as_bytes());
            }
            self.finish(id);
        }
    }

    /// The client has dropped its end, or gives up connecting.
    pub(super) fn close(&mut self, id: usize) {
        let abrupt = self.rng.bool();
        let (now, closing) = (self.now, self.closing);
        let conn = &mut self.conns[id];
        if conn.stage == Stage::Closed {
            return;
        }
        conn.stage = Stage::Closed;
        conn.closed_at = Some(now);
        // Closing with unread bytes resets the connection: what is still under way is lost.
        conn.served &= !abrupt;
        // One that has nothing but subscriptions, as there are with RESP2, is closed with the last of them.
        let closing = closing || (self.expected.readers && !conn.session.resp3);
        let closing = closing || self.conns[id].blemish.is_some() || self.is_spent(id);
        let conn = &self.conns[id];
        let verdict = match self.cluster.is_some() || self.service.is_some() {
            false => oracles::healthy_connections_are_kept(id, conn.blemish, closing),
            true if closing || conn.blemish.is_some() => Ok(()),
            true => cluster::oracles::c13_busy_connections_are_kept(id, conn.in_flight()),
        };
        self.judge(verdict);
        self.note(&Note::Closed(id));
        if self.store.is_some() {
            let at = self.travel(self.conns[id].up.last);
            self.schedule(at, Event::HungUp(id));
        }
    }
}
