//! A network of this process, its threads and its children: the loopback device and nothing else.
//!
//! Machines differ in how TCP decides when to send. With BBR it goes by timers and by what it has made of each
//! connection so far: one and the same reply of 1 MiB then takes twice as long on one connection as on another, whoever
//! reads it. Here it sends as soon as the window lets it.

use std::fs;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

use crate::measure::Result;

/// Which of the algorithms is in use where this process is.
const CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
/// The one that every network may use.
const WITHOUT_TIMERS: &str = "reno";

/// Leaves the machine's network, if this process may: it takes root. To be called before there are threads.
pub fn isolate() -> Result<()> {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        eprintln!("in the machine's network, with {}: {error}", congestion_control());
        return Ok(());
    }
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if !status.success() {
        return Err("the network has no loopback device".into());
    }
    Ok(fs::write(CONTROL, WITHOUT_TIMERS)?)
}

/// How TCP decides when to send.
pub fn congestion_control() -> String {
    let found = fs::read_to_string(CONTROL).unwrap_or_default();
    found.trim().to_owned()
}
