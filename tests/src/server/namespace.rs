//! A network of a server's own, to break it: a namespace joined to this machine by a pair of virtual devices.
//!
//! It takes root, `ip` (iproute2) and `nft` (nftables).

use std::net::Ipv4Addr;
use std::process::Command;

/// A network namespace, which goes with this value. Servers started in it end before.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    /// The end of the pair that is outside.
    device: String,
    host: Ipv4Addr,
}

impl Namespace {
    /// Makes one with an address of its own.
    ///
    /// # Panics
    /// If the programs are missing or this process may not.
    #[must_use]
    pub fn new() -> Self {
        let id = std::process::id();
        // Four addresses for each process; those that run side by side hardly share the last 14 bits of their ids.
        let address =
            |index| Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 77, 0, 0)) + (id % (1 << 14)) * 4 + index);
        let (near, host) = (address(1), address(2));
        let namespace = Self { name: format!("redstart{id}"), device: format!("rso{id}"), host };
        let (name, outer, inner) = (&namespace.name, &namespace.device, format!("rsi{id}"));
        run(&format!("ip netns add {name}"));
        run(&format!("ip link add {outer} type veth peer name {inner}"));
        run(&format!("ip link set {inner} netns {name}"));
        run(&format!("ip addr add {near}/30 dev {outer}"));
        run(&format!("ip link set {outer} up"));
        run(&format!("ip -n {name} addr add {host}/30 dev {inner}"));
        run(&format!("ip -n {name} link set {inner} up"));
        run(&format!("ip -n {name} link set lo up"));
        namespace
    }

    /// The address in it that is reached from outside.
    #[must_use]
    pub fn host(&self) -> Ipv4Addr {
        self.host
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Drops all that comes out of the namespace, while what goes in arrives: commands run and their replies are
    /// lost.
    ///
    /// # Panics
    /// If it is done already.
    #[must_use]
    pub fn lose_replies(&self) -> LostReplies<'_> {
        let name = &self.name;
        run(&format!("nft add table inet {name}"));
        let lost = LostReplies(name);
        run(&format!("nft add chain inet {name} input {{ type filter hook input priority 0 ; }}"));
        run(&format!("nft add rule inet {name} input ip saddr {} drop", self.host));
        lost
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // What is in the namespace goes with it, but not before this returns.
        quietly(&format!("ip link del {}", self.device));
        quietly(&format!("ip netns del {}", self.name));
    }
}

/// Replies are lost until this is dropped.
#[derive(Debug)]
pub struct LostReplies<'a>(&'a str);

impl Drop for LostReplies<'_> {
    fn drop(&mut self) {
        quietly(&format!("nft delete table inet {}", self.0));
    }
}

/// # Panics
/// If the program is missing or fails.
fn run(command: &str) {
    if let Err(error) = attempt(command) {
        panic!("{command}: {error}");
    }
}

/// For a `drop`, which must not panic.
fn quietly(command: &str) {
    if let Err(error) = attempt(command) {
        eprintln!("{command}: {error}");
    }
}

fn attempt(command: &str) -> Result<(), String> {
    let mut words = command.split(' ');
    let program = words.next().unwrap_or_default();
    let output = Command::new(program).args(words).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
