//! floor-mux for messages: one task reads and finds where they are, under one mutex another takes a buffer of them at
//! a time. Nothing is copied, no channel is looked up, no connection is made anew.

use std::future::poll_fn;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::bare;
use super::scan::{Last, Scan};
use crate::contender::Subscriber;
use crate::measure::Result;

/// Messages as they lie in what was read.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Start and end of each payload.
    payloads: Vec<(usize, usize)>,
}

#[derive(Default)]
struct Shared {
    batch: Batch,
    reader: Option<Waker>,
}

pub struct Floor {
    shared: Arc<Mutex<Shared>>,
    batch: Batch,
    next: usize,
}

impl Subscriber for Floor {
    async fn subscribe(server: SocketAddr, channel: &str) -> Result<Self> {
        let stream = bare::subscribe(server, channel).await?;
        let shared = Arc::<Mutex<Shared>>::default();
        tokio::spawn(read(stream, shared.clone()));
        Ok(Self { shared, batch: Batch::default(), next: 0 })
    }

    async fn next(&mut self) -> Result<usize> {
        poll_fn(|cx| {
            if self.next == self.batch.payloads.len() {
                self.batch.bytes.clear();
                self.batch.payloads.clear();
                self.next = 0;
                let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
                mem::swap(&mut shared.batch, &mut self.batch);
                if self.batch.payloads.is_empty() {
                    shared.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
            let (start, end) = self.batch.payloads[self.next];
            self.next += 1;
            Poll::Ready(Ok(self.batch.bytes[start..end].len()))
        })
        .await
    }
}

async fn read(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> std::io::Result<()> {
    let (mut input, mut filled, mut scan) = (vec![0; 64 * 1024], 0, Scan::default());
    loop {
        filled += match stream.read(&mut input[filled..]).await? {
            0 => return Ok(()),
            count => count,
        };
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let base = shared.batch.bytes.len();
        let mut last = Last::default();
        while scan.next(&input[..filled], &mut last) {
            let end = base + scan.end() - 2;
            shared.batch.payloads.push((end - last.0, end));
        }
        let passed = scan.end();
        shared.batch.bytes.extend_from_slice(&input[..passed]);
        let reader = shared.reader.take();
        drop(shared);
        input.copy_within(passed..filled, 0);
        filled -= passed;
        scan.shift(passed);
        reader.into_iter().for_each(Waker::wake);
    }
}
