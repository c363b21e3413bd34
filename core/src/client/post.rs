//! The driver's part of subscriptions: their wishes go to the engine, what it has to tell to their queues.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use super::queue::Queue;
use super::subscription::Wish;
use crate::engine::Engine;
use crate::pubsub::{Intent, SubscriptionId};
use crate::time::Instant;

/// The queues of all subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Post {
    queues: BTreeMap<SubscriptionId, Arc<Queue>>,
}

impl Post {
    /// Takes to the engine what handles wish.
    pub(crate) fn collect(&mut self, now: Instant, engine: &mut Engine, wishes: &mut Vec<Wish>) {
        for wish in wishes.drain(..) {
            match wish {
                Wish::Open(id, queue) => drop(self.queues.insert(id, queue)),
                Wish::Intent(intent) => {
                    if let Intent::Close { subscription } = intent {
                        self.queues.remove(&subscription);
                    }
                    engine.handle_intent(now, intent);
                }
            }
        }
    }

    /// Leaves what the engine has to tell, a batch for each subscription. Adds whom to wake.
    pub(crate) fn deliver(&self, engine: &mut Engine, wake: &mut Vec<Waker>) {
        while let Some((id, delivery)) = engine.poll_delivery() {
            match self.queues.get(&id) {
                Some(queue) => queue.deliver(delivery, wake),
                None => delivery.clear(),
            }
        }
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&self) {
        self.queues.values().for_each(|queue| queue.shrink());
    }

    /// The driver has ended, and has not seen these wishes.
    pub(crate) fn end(&mut self, wishes: Vec<Wish>) {
        let mut wake = Vec::new();
        for wish in wishes {
            if let Wish::Open(id, queue) = wish {
                self.queues.insert(id, queue);
            }
        }
        self.queues.values().for_each(|queue| queue.end(&mut wake));
        self.queues.clear();
        wake.into_iter().for_each(Waker::wake);
    }
}
