//! What the loop fills and empties while it turns: lists of a thread, so that a client that does nothing holds none.
//!
//! ```text
//! thread's lists --exchange--> filled and emptied, turn by turn --exchange--> back, empty again
//! ```

use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem;
use core::task::Waker;

use crate::client::Inbox;
use crate::connection::ConnId;
use crate::engine::Events;
use crate::seldom::{Seldom, Vacant};

std::thread_local! {
    /// Nobody's at the moment.
    static FREE: RefCell<Seldom<Scratch>> = const { RefCell::new(Seldom::new()) };
}

/// Lists to use while the loop turns.
#[derive(Debug)]
pub(super) struct Scratch {
    /// Sockets that are ready, while they are seen to.
    pub(super) ready: Vec<ConnId>,
    pub(super) inbox: Inbox,
    /// Room for what the engine has to say.
    pub(super) events: Seldom<Events>,
    pub(super) wake: Vec<Waker>,
}

impl Scratch {
    const fn new() -> Self {
        Self { ready: Vec::new(), inbox: Inbox::new(), events: Seldom::new(), wake: Vec::new() }
    }

    /// Exchanges what a loop has, nothing before it turns, for what the thread has. There is none when the thread ends,
    /// or while another loop turns inside of which this one does; then one is made.
    #[inline]
    pub(super) fn exchange(mine: &mut Seldom<Self>) {
        if !mine.is_empty() {
            // What is left would be taken for another client's: it stays here.
            return;
        }
        let _ = FREE.try_with(|free| {
            if let Ok(mut free) = free.try_borrow_mut() {
                mem::swap(&mut *free, mine);
            }
        });
    }

    fn is_empty(&self) -> bool {
        let Self { ready, inbox, events, wake } = self;
        ready.is_empty()
            && inbox.is_empty()
            && inbox.bytes.held() == 0
            && events.is_empty()
            && wake.is_empty()
    }

    /// Gives back memory that is not used.
    pub(super) fn shrink_lists(&mut self) {
        self.ready.shrink_to_fit();
        self.inbox.shrink();
        if let Some(events) = self.events.made() {
            events.shrink();
        }
        self.wake.shrink_to_fit();
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Vacant for Scratch {
    const VACANT: &'static Self = &Self::new();
}
