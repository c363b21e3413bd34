//! Servers in memory, which answer every command alike: the least that a driver can be given to talk to.
//!
//! Nothing moves while a task can run: what was written is answered when all of them sleep, in one
//! [delivery](Network::deliver). So every run of the same work takes the same steps.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BufMut, BytesMut};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Socket};

/// Bytes that a socket takes, or has to give, between two deliveries.
const SOCKET_BUFFER: usize = 256 << 10;
/// Chunks that one write takes.
const SLICES: usize = 16;
/// How much later it is after each delivery, in nanoseconds.
const ROUND_TRIP: u64 = 1000;

/// How all servers of a [`Network`] answer.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The length on the wire of every command of the work.
    pub command: usize,
    /// The reply to each of them.
    pub reply: Vec<u8>,
    /// The replies to `CLUSTER SLOTS` and `CLUSTER INFO`, which are asked together.
    pub topology: Vec<u8>,
}

#[derive(Debug, Default)]
struct Conn {
    /// What a delivery makes readable: replies to the handshake, and the number of replies to commands.
    asked: (Vec<u8>, usize),
    /// The same, readable now.
    replies: (Vec<u8>, usize),
    /// How much of the next reply to a command was read.
    offset: usize,
    /// Bytes of a command of which more is still to be written.
    partial: usize,
    may_read: usize,
    may_write: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    conns: Vec<Conn>,
    /// Those that were read or written since the last delivery: what is not used must cost nothing here either.
    used: Vec<usize>,
    now: u64,
    /// When the clock is to wake somebody.
    alarm: Option<(u64, Waker)>,
    calls: u64,
}

/// The servers, the connections to them, and the clock.
#[derive(Clone, Debug)]
pub struct Network(Rc<RefCell<State>>);

impl Network {
    /// Servers at every address, which all answer by `script`.
    #[must_use]
    pub fn new(script: Script) -> Self {
        Self(Rc::new(RefCell::new(State { script, ..State::default() })))
    }

    /// Makes readable what was asked for, and wakes those who wait for it. Returns whether anything moved.
    pub fn deliver(&self) -> bool {
        let State { conns, used, now, .. } = &mut *self.0.borrow_mut();
        *now += ROUND_TRIP;
        let mut moved = false;
        used.sort_unstable();
        used.dedup();
        for index in used.drain(..) {
            let conn = &mut conns[index];
            let (handshake, commands) = std::mem::take(&mut conn.asked);
            conn.replies.0.extend(handshake);
            conn.replies.1 += commands;
            (conn.may_read, conn.may_write) = (SOCKET_BUFFER, SOCKET_BUFFER);
            let reader =
                if conn.replies.1 > 0 || !conn.replies.0.is_empty() { conn.reader.take() } else { None };
            for waker in [reader, conn.writer.take()].into_iter().flatten() {
                waker.wake();
                moved = true;
            }
        }
        moved
    }

    /// Moves the clock to the next alarm and rings it, unless that is later than `end`: then it moves there, and
    /// the answer is no.
    pub fn wait(&self, end: Instant) -> bool {
        let state = &mut *self.0.borrow_mut();
        let due = state.alarm.take_if(|(at, _)| *at <= end.as_nanos());
        state.now = due.as_ref().map_or(end.as_nanos(), |(at, _)| *at).max(state.now);
        due.into_iter().map(|(_, waker)| waker.wake()).count() > 0
    }

    /// Reads and writes that have moved bytes since the beginning.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.borrow().calls
    }

    /// Connections that were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.borrow().conns.len()
    }
}

impl Net for Network {
    type Socket = MemorySocket;
    type Connect = Ready<io::Result<MemorySocket>>;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.borrow().now)
    }

    fn connect(&mut self, _to: &Endpoint) -> Self::Connect {
        let conns = &mut self.0.borrow_mut().conns;
        conns.push(Conn { may_write: SOCKET_BUFFER, ..Conn::default() });
        ready(Ok(MemorySocket { network: self.clone(), index: conns.len() - 1 }))
    }

    /// Deadlines are reached only by [`wait`](Network::wait).
    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let state = &mut *self.0.borrow_mut();
        if state.now >= at.as_nanos() {
            return Poll::Ready(());
        }
        state.alarm = Some((at.as_nanos(), cx.waker().clone()));
        Poll::Pending
    }
}

/// The client's end of a connection.
#[derive(Debug)]
pub struct MemorySocket {
    network: Network,
    index: usize,
}

impl Socket for MemorySocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let state = &mut *self.network.0.borrow_mut();
        state.used.push(self.index);
        let conn = &mut state.conns[self.index];
        let count = conn.read(&state.script.reply, into);
        if count == 0 {
            conn.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.calls += 1;
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        let state = &mut *self.network.0.borrow_mut();
        state.used.push(self.index);
        let conn = &mut state.conns[self.index];
        if conn.may_write == 0 {
            conn.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = conn.write(&state.script, from);
        state.calls += 1;
        Poll::Ready(Ok(count))
    }
}

impl Conn {
    /// Moves as many bytes as are there and have room.
    fn read(&mut self, reply: &[u8], into: &mut BytesMut) -> usize {
        let room = into.capacity() - into.len();
        let (handshake, commands) = &mut self.replies;
        if !handshake.is_empty() {
            let count = room.min(handshake.len());
            into.extend_from_slice(&handshake[..count]);
            handshake.drain(..count);
            return count;
        }
        let mut left = room.min(self.may_read);
        let before = into.len();
        while *commands > 0 && left > 0 {
            let part = &reply[self.offset..];
            let count = part.len().min(left);
            into.put_slice(&part[..count]);
            left -= count;
            self.offset += count;
            if self.offset == reply.len() {
                self.offset = 0;
                *commands -= 1;
            }
        }
        let count = into.len() - before;
        self.may_read -= count;
        count
    }

    fn write(&mut self, script: &Script, from: &mut impl Buf) -> usize {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let used = from.chunks_vectored(&mut slices);
        let chunks = slices[..used].iter().map(|chunk| chunk.len()).sum::<usize>();
        let count = chunks.min(self.may_write);
        if let Some(reply) = answer(&slices[0], script) {
            self.asked.0.extend_from_slice(reply);
        } else {
            self.partial += count;
            self.asked.1 += self.partial / script.command;
            self.partial %= script.command;
        }
        self.may_write -= count;
        from.advance(count);
        count
    }
}

/// The reply to what a client says by itself; it says nothing else in the same write.
fn answer<'a>(write: &[u8], script: &'a Script) -> Option<&'a [u8]> {
    if write.starts_with(b"*2\r\n$5\r\nHELLO\r\n") {
        return Some(b"%1\r\n+proto\r\n:3\r\n");
    }
    if write == b"*1\r\n$4\r\nPING\r\n" {
        return Some(b"+PONG\r\n");
    }
    if write.starts_with(b"*2\r\n$9\r\nSUBSCRIBE\r\n$2\r\nc1\r\n") {
        return Some(b">3\r\n$9\r\nsubscribe\r\n$2\r\nc1\r\n:1\r\n");
    }
    if write.starts_with(b"*3\r\n$9\r\nSUBSCRIBE\r\n$2\r\nc1\r\n$2\r\nc2\r\n") {
        let told = b">3\r\n$9\r\nsubscribe\r\n$2\r\nc1\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$2\r\nc2\r\n:2\r\n";
        return Some(told);
    }
    let asks = write.starts_with(b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n");
    asks.then_some(&script.topology)
}
