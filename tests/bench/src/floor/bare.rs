//! floor-loop: one loop over one socket. Commands are encoded beforehand and replies only counted.

use std::cell::RefCell;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::encode;
use super::scan::Scan;
use crate::contender::Endpoint;
use crate::measure::Result;
use crate::rows::e2e::{KEYS, VALUE, Work};

pub struct Bare(RefCell<TcpStream>);

/// As many commands as the work has under way at once.
fn batch(work: Work) -> Vec<u8> {
    let mut out = Vec::new();
    for key in KEYS.iter().cycle().take(work.depth()) {
        match work {
            Work::Set { .. } => {
                encode::command(&mut out, [b"SET", key.as_bytes(), VALUE.as_bytes()].into_iter());
            }
            _ => encode::command(&mut out, [b"GET", key.as_bytes()].into_iter()),
        }
    }
    out
}

impl Endpoint for Bare {
    fn connect(runtime: &Runtime, address: SocketAddr) -> Result<Self> {
        let stream = runtime.block_on(TcpStream::connect(address))?;
        stream.set_nodelay(true)?;
        Ok(Self(RefCell::new(stream)))
    }

    fn run(&self, runtime: &Runtime, work: Work, passes: u64) -> Result<u64> {
        let (out, depth) = (batch(work), work.depth());
        let stream = &mut *self.0.borrow_mut();
        runtime.block_on(async {
            let mut input = vec![0; 64 * 1024];
            for _ in 0..passes {
                stream.write_all(&out).await?;
                let (mut replies, mut filled, mut scan) = (0, 0, Scan::default());
                while replies < depth {
                    filled += stream.read(&mut input[filled..]).await?;
                    while scan.next(&input[..filled], &mut ()) {
                        replies += 1;
                    }
                }
            }
            Ok(passes * depth as u64)
        })
    }
}
