//! From what a server publishes to those who have subscribed to it.

use std::cell::RefCell;
use std::rc::Rc;

use redstart_core::client::Subscription;
use redstart_core::command::Args;
use redstart_core::commands::StringCommands;
use redstart_core::pubsub::Event;

use super::{Case, Outcome};
use crate::replies::bulk;
use crate::world::{VALUE, World, key, wire_len};

/// Messages that come at once.
const BURST: usize = 1000;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("messages of 64 B", 20, || messages(1, ["c1"])),
        Case::new("messages of 64 B, 4 subscriptions", 20, || messages(4, ["c1"])),
        Case::new("messages of 64 B, 2 channels in turn", 20, || messages(1, ["c1", "c2"])),
    ]
}

/// So many subscriptions to the same channels receive what is published there in turn, whenever somebody sets a key.
fn messages<const N: usize>(subscriptions: usize, channels: [&'static str; N]) -> impl FnMut(u64) -> Outcome
where
    [&'static str; N]: Args,
{
    let mut reply = Vec::new();
    for channel in channels.iter().cycle().take(BURST) {
        reply.extend_from_slice(b">3\r\n");
        [&b"message"[..], channel.as_bytes(), VALUE.as_bytes()]
            .iter()
            .for_each(|text| bulk(&mut reply, text));
    }
    reply.extend_from_slice(b"+OK\r\n");
    let mut world = World::alone(wire_len(&["SET", &key(0), VALUE]), reply);
    let all = Rc::new(RefCell::new(Vec::<Subscription>::new()));
    for _ in 0..subscriptions {
        let (client, all) = (world.client().clone(), all.clone());
        world.run([async move {
            let subscription = client.subscribe(channels).await.unwrap_or_else(|error| panic!("{error}"));
            all.borrow_mut().push(subscription);
        }]);
    }
    move |passes| {
        let (client, key) = (world.client().clone(), key(0));
        let readers = all.take();
        let read = |mut subscription: Subscription, all: Rc<RefCell<Vec<Subscription>>>| async move {
            for _ in 0..passes as usize * BURST {
                match subscription.next().await {
                    Some(Event::Message(message)) => assert_eq!(message.payload().len(), VALUE.len()),
                    other => panic!("{other:?}"),
                }
            }
            all.borrow_mut().push(subscription);
        };
        let publish = async move {
            for _ in 0..passes {
                client.set(&key, VALUE).await.unwrap_or_else(|error| panic!("{error}"));
            }
        };
        let jobs = readers.into_iter().map(|it| boxed(read(it, all.clone()))).chain([boxed(publish)]);
        world.run(jobs.collect::<Vec<_>>());
        world.outcome(passes * (BURST * subscriptions) as u64)
    }
}

type Job = std::pin::Pin<Box<dyn Future<Output = ()>>>;

fn boxed(job: impl Future<Output = ()> + 'static) -> Job {
    Box::pin(job)
}
