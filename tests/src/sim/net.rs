//! The simulated network as the driver sees it: the fourth implementation of [`Net`].

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use redstart_core::Instant;
use redstart_core::config::Endpoint;
use redstart_core::drive::{Net, Socket};

use super::conn::Stage;
use super::world::World;

/// Sockets and a clock that exist only in a [`World`].
#[derive(Clone)]
pub(super) struct SimNet(pub(super) Rc<RefCell<World>>);

impl Net for SimNet {
    type Socket = SimSocket;
    type Connect = SimConnect;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.borrow().clock())
    }

    fn connect(&mut self, to: &Endpoint) -> SimConnect {
        let id = self.0.borrow_mut().connect_to(to);
        SimConnect(Some(SimSocket { world: Rc::clone(&self.0), id }))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        let mut world = self.0.borrow_mut();
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
}

impl Socket for SimSocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.world.borrow_mut().read(self.id, into, cx.waker())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        self.world.borrow_mut().write(self.id, from, cx.waker())
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
