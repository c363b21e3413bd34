//! floor-mux: the least that a client shared by many tasks can do. One mutex over the outgoing bytes and a
//! slab of reply slots, one driver task, one owned `Vec` per reply. No errors, timeouts, reconnects or
//! cancellation: a dropped future would leave its slot behind.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use bytes::Bytes;

use super::encode;
use super::input::Input;
use super::scan::Sink;
use crate::contender::Client;
use crate::measure::Result;

#[derive(Clone)]
pub struct Mux(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    /// What the driver is to write.
    out: Vec<u8>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// Slots in the order of their replies.
    flight: VecDeque<usize>,
    /// Set while the driver sleeps.
    driver: Option<Waker>,
}

/// A request, or a pipeline of `missing` requests, that waits for its replies.
#[derive(Default)]
struct Slot {
    missing: usize,
    waker: Option<Waker>,
    one: Reply,
    many: Vec<Vec<u8>>,
}

/// A reply as its user keeps it.
#[derive(Default)]
enum Reply {
    #[default]
    None,
    Value(Vec<u8>),
    List(Vec<String>),
}

impl Sink for Reply {
    fn open(&mut self, len: usize) {
        *self = Self::List(Vec::with_capacity(len));
    }

    fn value(&mut self, bytes: &[u8]) {
        match self {
            Self::List(list) => list.push(String::from_utf8(bytes.to_vec()).unwrap_or_default()),
            _ => *self = Self::Value(bytes.to_vec()),
        }
    }
}

impl Reply {
    fn into_value(self) -> Vec<u8> {
        if let Self::Value(value) = self { value } else { Vec::new() }
    }

    fn into_list(self) -> Vec<String> {
        if let Self::List(list) = self { list } else { Vec::new() }
    }
}

impl Shared {
    fn enqueue(&mut self, replies: usize, waker: &Waker) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        self.slots[slot].missing = replies;
        self.slots[slot].waker = Some(waker.clone());
        self.flight.push_back(slot);
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
        slot
    }

    fn reply(&mut self, reply: Reply) {
        let Some(&index) = self.flight.front() else { return };
        let slot = &mut self.slots[index];
        slot.missing -= 1;
        if slot.many.capacity() == 0 {
            slot.one = reply;
        } else {
            slot.many.push(reply.into_value());
        }
        if slot.missing == 0 {
            self.flight.pop_front();
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Mux {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends on the first poll what `write` encodes, waits for `replies` and hands the slot to `take`.
    fn run<T>(
        &self,
        replies: usize,
        write: impl Fn(&mut Vec<u8>),
        take: impl Fn(&mut Slot) -> T,
    ) -> impl Future<Output = T> {
        let mut index = None;
        poll_fn(move |cx| {
            let mut shared = self.lock();
            let Some(index) = index else {
                write(&mut shared.out);
                let slot = shared.enqueue(replies, cx.waker());
                if replies > 1 {
                    shared.slots[slot].many.reserve_exact(replies);
                }
                index = Some(slot);
                return Poll::Pending;
            };
            if shared.slots[index].missing > 0 {
                return Poll::Pending;
            }
            let value = take(&mut shared.slots[index]);
            shared.free.push(index);
            Poll::Ready(value)
        })
    }

    async fn single<const N: usize>(&self, args: [&[u8]; N]) -> Reply {
        let write = |out: &mut Vec<u8>| encode::command(out, args.into_iter());
        self.run(1, write, |slot| mem::take(&mut slot.one)).await
    }
}

impl Client for Mux {
    type Value = Vec<u8>;

    async fn connect(servers: &[SocketAddr]) -> Result<Self> {
        let stream = TcpStream::connect(servers).await?;
        stream.set_nodelay(true)?;
        let mux = Self(Arc::default());
        tokio::spawn(Driver::new(stream, mux.clone()));
        Ok(mux)
    }

    async fn get(&mut self, key: &str) -> Result<Vec<u8>> {
        Ok(self.single([b"GET", key.as_bytes()]).await.into_value())
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<()> {
        self.single([b"SET", key.as_bytes(), value.as_bytes()]).await;
        Ok(())
    }

    async fn pipeline(&mut self, keys: &[String]) -> Result<Vec<Vec<u8>>> {
        let write = |out: &mut Vec<u8>| {
            for key in keys {
                encode::command(out, [b"GET", key.as_bytes()].into_iter());
            }
        };
        Ok(self.run(keys.len(), write, |slot| mem::take(&mut slot.many)).await)
    }

    async fn list(&mut self, key: &str) -> Result<Vec<String>> {
        Ok(self.single([b"LRANGE", key.as_bytes(), b"0", b"-1"]).await.into_list())
    }

    async fn load(&mut self, key: &str) -> Result<usize> {
        Ok(self.single([b"GET", key.as_bytes()]).await.into_value().len())
    }

    async fn store(&mut self, key: &str, value: &Bytes) -> Result<()> {
        self.single([b"SET", key.as_bytes(), value]).await;
        Ok(())
    }
}

/// The task that owns the socket. It ends when the server closes the connection.
struct Driver {
    stream: TcpStream,
    mux: Mux,
    out: Vec<u8>,
    written: usize,
    input: Input,
    /// What has come of the next reply.
    reply: Reply,
}

impl Driver {
    fn new(stream: TcpStream, mux: Mux) -> Self {
        Self { stream, mux, out: Vec::new(), written: 0, input: Input::default(), reply: Reply::None }
    }

    /// Writes until nothing is left or the socket takes no more.
    fn write(&mut self, cx: &mut Context<'_>) -> std::io::Result<()> {
        loop {
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                let mut shared = self.mux.lock();
                mem::swap(&mut shared.out, &mut self.out);
                if self.out.is_empty() {
                    shared.driver = Some(cx.waker().clone());
                    return Ok(());
                }
            }
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(count) => self.written += count?,
                Poll::Pending => return Ok(()),
            }
        }
    }

    /// Hands out every reply that has arrived.
    fn deliver(&mut self) {
        let mut shared = self.mux.lock();
        while self.input.next(&mut self.reply) {
            shared.reply(mem::take(&mut self.reply));
        }
    }
}

impl Future for Driver {
    type Output = std::io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            this.write(cx)?;
            match poll_read(&mut this.stream, cx, &mut this.input)? {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(0) => return Poll::Ready(Ok(())),
                Poll::Ready(_) => this.deliver(),
            }
        }
    }
}

fn poll_read(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    input: &mut Input,
) -> std::io::Result<Poll<usize>> {
    let mut free = ReadBuf::new(input.room());
    if Pin::new(stream).poll_read(cx, &mut free)?.is_pending() {
        return Ok(Poll::Pending);
    }
    let count = free.filled().len();
    input.fill(count);
    Ok(Poll::Ready(count))
}
