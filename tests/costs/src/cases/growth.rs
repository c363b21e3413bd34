//! How costs grow with the number of nodes and the size of values.

use bytes::Bytes;
use redstart_core::Client;
use redstart_core::commands::StringCommands;

use super::calls::{calls, gets, one_get};
use super::{Case, Outcome};
use crate::world::{Deployed, VALUE, World, bulk_reply, key, wire_len};

const SIZES: [(usize, &str); 5] =
    [(0, "0 B"), (1 << 10, "1 KiB"), (64 << 10, "64 KiB"), (1 << 20, "1 MiB"), (16 << 20, "16 MiB")];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [1, 16, 64].map(|nodes| gets(Deployed::Cluster(nodes), 64)).into();
    cases.extend([1, 3, 64].map(lone_gets));
    for (size, title) in SIZES {
        let passes = ((1 << 20) / (size + 1)).clamp(2, 100) as u64;
        cases.push(Case::new(format!("GET of {title}"), passes, move || {
            let world = World::alone(wire_len(&["GET", &key(0)]), bulk_reply(size));
            calls(world, 1, async move |client: &Client, key: &str| {
                let value: Option<Bytes> = client.get(key).await.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(value.map(|value| value.len()), Some(size));
            })
        }));
        cases.push(Case::new(format!("SET of {title}"), passes, move || sets(size)));
    }
    cases
}

/// One task that talks to one node, while there is a connection with every other node: they cost it nothing.
fn lone_gets(nodes: usize) -> Case {
    let deployed = Deployed::Cluster(nodes);
    Case::new(format!("{deployed}connected, GET, 1 task"), 2000, move || {
        let mut world = World::new(deployed, wire_len(&["GET", &key(0)]), bulk_reply(VALUE.len()));
        let client = world.client().clone();
        world.run([async move {
            for number in 0..nodes * 16 {
                one_get(&client, &key(number)).await;
            }
        }]);
        assert_eq!(world.connections(), nodes, "a connection with each");
        calls(world, 1, one_get)
    })
}

/// The value is shared with the client, which need not copy it.
fn sets(size: usize) -> impl FnMut(u64) -> Outcome {
    let value = Bytes::from(vec![b'v'; size]);
    let world = World::alone(wire_len(&["SET", &key(0), &"v".repeat(size)]), b"+OK\r\n".into());
    calls(world, 1, async move |client: &Client, key: &str| {
        client.set(key, value.clone()).await.unwrap_or_else(|error| panic!("{error}"));
    })
}
