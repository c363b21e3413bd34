//! The simulated network as the driver sees it: the fourth implementation of [`Net`].

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Socket};
use rustls::ServerConfig;

use super::conn::Stage;
use super::tls::Guard;
use super::world::World;

/// Sockets and a clock that exist only in a [`World`].
pub(super) struct SimNet {
    pub(super) world: Rc<RefCell<World>>,
    /// The servers speak TLS.
    pub(super) tls: Option<Arc<ServerConfig>>,
}

impl Net for SimNet {
    type Socket = SimSocket;
    type Connect = SimConnect;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.world.borrow().clock())
    }

    fn connect(&mut self, to: &Endpoint) -> SimConnect {
        let world = &mut *self.world.borrow_mut();
        let id = world.connect_to(to);
        let guard = self.tls.as_ref().map(|tls| Guard::new(tls, world, id));
        SimConnect(Some(SimSocket { world: Rc::clone(&self.world), id, guard }))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let mut world = self.world.borrow_mut();
        if world.clock() >= at.as_nanos() {
            return Poll::Ready(());
        }
        world.set_alarm(at.as_nanos(), cx.waker());
        Poll::Pending
    }
}

/// A connection that is being opened. Dropping it gives it up.
pub(super) struct SimConnect(Option<SimSocket>);

impl Future for SimConnect {
    type Output = io::Result<SimSocket>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(socket) = self.0.take() else {
            panic!("a connection was polled after it had opened");
        };
        let stage = {
            let mut world = socket.world.borrow_mut();
            let conn = &mut world.conns[socket.id];
            conn.connector = Some(cx.waker().clone());
            conn.stage
        };
        match stage {
            Stage::Opening => {
                self.0 = Some(socket);
                Poll::Pending
            }
            Stage::Failed(kind) => Poll::Ready(Err(kind.into())),
            Stage::Open | Stage::Closed => Poll::Ready(Ok(socket)),
        }
    }
}

/// The client's end of a connection. Dropping it closes it.
pub(super) struct SimSocket {
    world: Rc<RefCell<World>>,
    id: usize,
    guard: Option<Guard>,
}

impl Socket for SimSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let world = &mut *self.world.borrow_mut();
        match &mut self.guard {
            None => world.read(self.id, into, cx.waker()),
            Some(guard) => guard.read(world, self.id, into, cx),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        let world = &mut *self.world.borrow_mut();
        match &mut self.guard {
            None => world.write(self.id, from, cx.waker()),
            Some(guard) => guard.write(world, self.id, from, cx),
        }
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.world.borrow_mut().close(self.id);
    }
}

impl fmt::Debug for SimSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimSocket({})", self.id)
    }
}
