//! From a call to its reply: handle, driver and engine, over sockets in memory.

use redstart_core::Client;
use redstart_core::command::Prepare;
use redstart_core::commands::{ListCommands, StringCommands};

use super::{Case, Outcome};
use crate::replies;
use crate::world::{Deployed, VALUE, World, bulk_reply, key, wire_len};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [1, 16, 64, 256, 1024].map(|tasks| gets(Deployed::Alone, tasks)).into();
    cases.push(Case::new("SET, 64 tasks", 20, || calls(World::alone(set(), b"+OK\r\n".into()), 64, one_set)));
    cases.push(Case::new("INCR, 64 tasks", 20, || {
        calls(World::alone(incr(), b":1\r\n".into()), 64, one_incr)
    }));
    cases.extend([pipelines(Deployed::Alone, 100, 20), pipelines(Deployed::Alone, 10_000, 2)]);
    cases.push(Case::new("LRANGE of 10,000 x 32 B", 2, || {
        let world = World::alone(wire_len(&["LRANGE", &key(0), "0", "-1"]), replies::array().bytes);
        calls(world, 1, one_lrange)
    }));
    cases.extend([gets(Deployed::Cluster(3), 64), pipelines(Deployed::Cluster(3), 100, 20)]);
    cases
}

fn set() -> usize {
    wire_len(&["SET", &key(0), VALUE])
}

fn incr() -> usize {
    wire_len(&["INCR", &key(0)])
}

/// So many tasks share a client, and each waits for its reply before it goes on.
pub(super) fn gets(deployed: Deployed, tasks: usize) -> Case {
    let plural = if tasks == 1 { "" } else { "s" };
    let title = format!("{deployed}GET, {tasks} task{plural}");
    let passes = (2000 / tasks).max(8) as u64;
    Case::new(title, passes, move || {
        calls(World::new(deployed, wire_len(&["GET", &key(0)]), bulk_reply(VALUE.len())), tasks, one_get)
    })
}

fn pipelines(deployed: Deployed, depth: usize, passes: u64) -> Case {
    Case::new(format!("{deployed}pipeline of {depth} GET"), passes, move || {
        let mut world = World::new(deployed, wire_len(&["GET", &key(0)]), bulk_reply(VALUE.len()));
        let keys: std::rc::Rc<[String]> = (0..depth).map(key).collect();
        move |passes| {
            let (client, keys) = (world.client().clone(), keys.clone());
            world.run([async move {
                for _ in 0..passes {
                    let commands: Vec<_> = keys.iter().map(|key| Prepare.get::<String>(key)).collect();
                    let values = client.pipeline(commands).await.unwrap_or_else(|error| panic!("{error}"));
                    assert_eq!(values.len(), keys.len());
                }
            }]);
            world.outcome(passes * depth as u64)
        }
    })
}

/// `call` again and again in so many tasks; it is given the task's key.
pub(super) fn calls(
    mut world: World,
    tasks: usize,
    call: impl AsyncFn(&Client, &str) + Clone + 'static,
) -> impl FnMut(u64) -> Outcome {
    let keys: Vec<std::rc::Rc<str>> = (0..tasks).map(|task| key(task).into()).collect();
    move |passes| {
        let client = world.client().clone();
        world.run(keys.iter().map(|key| {
            let (client, key, call) = (client.clone(), key.clone(), call.clone());
            async move {
                for _ in 0..passes {
                    call(&client, &key).await;
                }
            }
        }));
        world.outcome(passes * tasks as u64)
    }
}

pub(super) async fn one_get(client: &Client, key: &str) {
    let value: Option<String> = client.get(key).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(value.map(|value| value.len()), Some(VALUE.len()));
}

async fn one_set(client: &Client, key: &str) {
    client.set(key, VALUE).await.unwrap_or_else(|error| panic!("{error}"));
}

async fn one_incr(client: &Client, key: &str) {
    assert_eq!(client.incr(key).await, Ok(1));
}

async fn one_lrange(client: &Client, key: &str) {
    let values: Vec<String> = client.lrange(key, 0, -1).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(values.len(), 10_000);
}
