//! TLS in the simulation: the far end of it stands right behind the client's end of a connection, and what it has
//! decrypted goes on through the simulated network.
//!
//! ```text
//! Driver: rustls client <-- records, cut and delayed --> Guard: rustls server <-- plain bytes --> World
//! ```
//!
//! Keys and nonces are as random as ever, but no length depends on them, so a seed still decides what happens.

use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, BytesMut};
use fastrand::Rng;
use redstart_core::config::Tls;
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, ServerConnection};

use super::Sim;
use super::faults::Class;
use super::oracles::Violation;
use super::seeds::{Report, report};
use super::setup::Setup;
use super::world::{Event, World};
use crate::server::pki::{Authority, Identity, Issue};

/// The name that all servers have.
const NAME: &str = "sim.example";

/// The same for the whole process: making keys takes time.
static PKI: LazyLock<(Authority, Identity)> = LazyLock::new(|| {
    let ca = Authority::even_root("sim");
    let identity = ca.issue(&Issue::names([NAME]));
    (ca, identity)
});

/// The client's settings.
pub(super) fn client() -> Tls {
    Tls::new().ca_pem(&PKI.0.pem()).server_name(NAME)
}

/// The servers' settings. Each simulation has its own, since sessions are kept in them.
pub(super) fn server() -> Arc<ServerConfig> {
    let mut config = PKI.1.server_config(Vec::new());
    config.session_storage = ServerSessionMemoryCache::new(1024);
    Arc::new(config)
}

/// The far end of TLS on one connection.
pub(super) struct Guard {
    session: ServerConnection,
    /// Decrypted, and not yet taken by the network.
    plain: BytesMut,
    /// Records that the client has not read yet.
    sealed: Vec<u8>,
    /// The network has said that it is the end.
    ended: bool,
    /// The client waits for something to read.
    reader: Option<Waker>,
    /// Records come no earlier than that.
    not_before: u64,
    /// The client has records that it could not write yet.
    blocked: bool,
    /// How the handshake goes wrong, and after how many bytes of the server.
    mishap: Option<(Mishap, usize)>,
}

#[derive(Clone, Copy)]
enum Mishap {
    Hangs,
    Ends,
}

impl Guard {
    pub(super) fn new(config: &Arc<ServerConfig>, world: &mut World, id: usize) -> Self {
        let session = ServerConnection::new(Arc::clone(config)).expect("a configuration of use");
        let (plain, sealed) = (BytesMut::new(), Vec::new());
        let mut mishap = None;
        if world.faults.strikes(Class::Hanging, &mut world.rng, 8) {
            world.conns[id].blemish("shaking hands never ends, or ends too early");
            let kind = if world.rng.bool() { Mishap::Hangs } else { Mishap::Ends };
            mishap = Some((kind, world.rng.usize(..1500)));
        }
        Self { session, plain, sealed, ended: false, reader: None, not_before: 0, blocked: false, mishap }
    }

    /// The client writes records.
    pub(super) fn write(
        &mut self,
        world: &mut World,
        id: usize,
        from: &mut impl Buf,
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Err(error) = self.pass_on(world, id, cx) {
            return Poll::Ready(Err(error));
        }
        if !self.plain.is_empty() {
            self.blocked = true;
            world.conns[id].held_back = true;
            return Poll::Pending;
        }
        let mut count = from.chunk().len();
        if world.faults.strikes(Class::Cuts, &mut world.rng, 2) {
            count = world.rng.usize(1..=count);
        }
        let mut piece = from.copy_to_bytes(count);
        self.blocked = from.has_remaining();
        while piece.has_remaining() {
            let taken = self.session.read_tls(&mut (&mut piece).reader());
            if !taken.is_ok_and(|count| count > 0) || self.session.process_new_packets().is_err() {
                // The client says that it is the end, or something is wrong with what it says.
                break;
            }
            let mut plain = Vec::new();
            // It ends where nothing more is decrypted.
            let _ = self.session.reader().read_to_end(&mut plain);
            self.plain.extend_from_slice(&plain);
        }
        if self.session.wants_write() {
            self.reader.take().into_iter().for_each(Waker::wake);
        }
        Poll::Ready(self.pass_on(world, id, cx).map(|()| count))
    }

    /// Lets the network take what is decrypted, as far as there is room.
    fn pass_on(&mut self, world: &mut World, id: usize, cx: &Context<'_>) -> io::Result<()> {
        // What the client has written before it knew is no fault of its.
        while !self.plain.is_empty() && world.conns[id].poisoned.is_none() {
            match world.write(id, &mut self.plain, cx.waker()) {
                Poll::Pending => break,
                Poll::Ready(written) => written.map(drop)?,
            }
        }
        world.conns[id].held_back = self.blocked || !self.plain.is_empty();
        Ok(())
    }

    /// The client reads records.
    pub(super) fn read(
        &mut self,
        world: &mut World,
        id: usize,
        into: &mut BytesMut,
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let passed = self.pass_on(world, id, cx);
        loop {
            while self.session.wants_write() {
                self.session.write_tls(&mut self.sealed)?;
            }
            if !self.sealed.is_empty() {
                return self.give(world, id, into, cx);
            }
            if self.ended {
                return Poll::Ready(Ok(0));
            }
            let mut plain = BytesMut::with_capacity(4096);
            match world.read(id, &mut plain, cx.waker()) {
                Poll::Pending => {
                    passed?;
                    self.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => {
                    self.ended = true;
                    // Whoever dies does not say so.
                    if world.rng.bool() {
                        self.session.send_close_notify();
                    }
                }
                Poll::Ready(Ok(_)) => self.session.writer().write_all(&plain)?,
            }
        }
    }

    /// Gives the client records that there are, or some of them, or some of them later.
    fn give(
        &mut self,
        world: &mut World,
        id: usize,
        into: &mut BytesMut,
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        // What tells that a connection is beyond use is judged by when it comes.
        let may_delay = world.conns[id].poisoned.is_none();
        if may_delay && world.now >= self.not_before && world.faults.strikes(Class::Jitter, &mut world.rng, 8)
        {
            self.not_before = world.now + world.rng.u64(1..=world.latency);
        }
        if may_delay && world.now < self.not_before {
            world.conns[id].reader = Some(cx.waker().clone());
            world.schedule(self.not_before, Event::Nudge(id));
            return Poll::Pending;
        }
        let mut count = self.sealed.len().min(into.capacity() - into.len());
        if world.faults.strikes(Class::Cuts, &mut world.rng, 2) {
            count = world.rng.usize(1..=count);
        }
        if let Some((mishap, left)) = self.mishap.as_mut().filter(|_| self.session.is_handshaking()) {
            count = count.min(*left);
            *left -= count;
            match mishap {
                Mishap::Hangs if count == 0 => return Poll::Pending,
                Mishap::Ends if count == 0 => return Poll::Ready(Ok(0)),
                _ => {}
            }
        }
        into.extend_from_slice(&self.sealed[..count]);
        self.sealed.drain(..count);
        Poll::Ready(Ok(count))
    }
}

/// As [`run`](super::run), with TLS.
///
/// # Errors
/// The first promise that was not kept, and the trace as text.
pub fn run_secured(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    live(seed, |rng| Setup::draw(seed, rng, with_text))
}

/// As [`run_cluster`](super::run_cluster), with TLS.
///
/// # Errors
/// As [`run_secured`].
pub fn run_secured_cluster(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    live(seed, |rng| Setup::draw_cluster(seed, rng, with_text))
}

/// As [`run_service`](super::run_service), with TLS.
///
/// # Errors
/// As [`run_secured`].
pub fn run_secured_service(seed: u64, with_text: bool) -> Result<Report, (Violation, String)> {
    live(seed, |rng| Setup::draw_service(seed, rng, with_text))
}

fn live(seed: u64, draw: impl FnOnce(&mut Rng) -> Setup) -> Result<Report, (Violation, String)> {
    let mut rng = Rng::with_seed(seed);
    let setup = Setup { tls: true, ..draw(&mut rng) };
    let mut sim = Sim::new(setup);
    let verdict = sim.live(&mut rng);
    report(&sim, verdict)
}
