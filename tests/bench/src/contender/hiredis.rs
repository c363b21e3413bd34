//! hiredis, by a C program that does the same as the other contenders and tells what it has cost: see
//! `peers/hiredis.c`. Debian's version knows no RESP3, so it has no part in maps.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::{Endpoint, Suite};
use crate::alloc::Count;
use crate::measure::{Done, Lane, Result, Spent};
use crate::rows::decode::{OwnedReply, READ, Reply};
use crate::rows::encode;
use crate::rows::work::Work;

const NAME: &str = "hiredis";

pub fn register(suite: &mut Suite) {
    suite.blocking::<Hiredis>(NAME);
    suite.decoder_lane(NAME, decode_lane);
    suite.owned_lane(NAME, owned_lane);
    suite.encoder_lane(NAME, encode_lane);
}

struct Hiredis(SocketAddr);

impl Endpoint for Hiredis {
    fn connect(_: &Runtime, servers: &[SocketAddr]) -> Result<Self> {
        servers.first().map(|server| Self(*server)).ok_or_else(|| "no server".into())
    }

    fn takes(work: Work) -> bool {
        matches!(work, Work::Get { tasks: 1 } | Work::Pipeline { .. })
    }

    fn run(&self, _: &Runtime, work: Work, passes: u64) -> Result<Done> {
        let (host, port) = (self.0.ip().to_string(), self.0.port().to_string());
        let (depth, passes) = (work.depth().to_string(), passes.to_string());
        match work {
            Work::Pipeline { .. } => call(["pipeline", &host, &port, &depth, &passes]),
            _ => call(["get", &host, &port, &passes]),
        }
    }
}

/// What the program has found.
fn call<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Result<Done> {
    let output = Command::new(env!("HIREDIS")).args(args).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<u64>, _>>()?;
    let [operations, cpu, wall, allocations, bytes] = numbers[..] else {
        return Err(format!("hiredis said: {text}").into());
    };
    let (cpu, wall) = (Duration::from_nanos(cpu), Duration::from_nanos(wall));
    Ok(Done { operations, elsewhere: Some(Spent { cpu, wall, count: Some(Count { allocations, bytes }) }) })
}

fn decode_lane(name: &'static str, reply: Rc<Reply>, piece: usize) -> Result<Option<Lane>> {
    if reply.map {
        return Ok(None);
    }
    let path = std::env::temp_dir().join(format!("redstart-bench-{}-{}", std::process::id(), reply.values));
    std::fs::write(&path, &reply.bytes)?;
    let file = RemovedLater(path);
    Ok(Some(Lane::new(name, move |passes| {
        let path = file.0.to_string_lossy();
        let done = call(["decode", &*path, &piece.to_string(), &passes.to_string()])?;
        if done.operations != passes * reply.replies as u64 {
            return Err("hiredis found another number of replies".into());
        }
        Ok(Done { operations: passes * reply.values as u64, ..done })
    })))
}

/// What it makes of a reply is owned already.
fn owned_lane(name: &'static str, reply: Rc<OwnedReply>) -> Result<Option<Lane>> {
    decode_lane(name, reply.reply.clone(), READ)
}

fn encode_lane(name: &'static str, command: encode::Command) -> Result<Lane> {
    Ok(Lane::new(name, move |passes| call(["encode", command.name(), &passes.to_string()])))
}

struct RemovedLater(std::path::PathBuf);

impl Drop for RemovedLater {
    fn drop(&mut self) {
        // It is in a folder for what is temporary.
        let _ = std::fs::remove_file(&self.0);
    }
}
