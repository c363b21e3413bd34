//! What a client holds when it does nothing, after a burst, and for the sake of a value that is kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use redstart_core::Client;
use redstart_core::command::Prepare;
use redstart_core::commands::StringCommands;
use redstart_costs::measure::Allocator;
use redstart_costs::world::{VALUE, World, bulk_reply, key, wire_len};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

#[global_allocator]
static ALLOCATOR: &Allocator = &INSTRUMENTED_SYSTEM;

const KIB: isize = 1024;

/// Bounds, in bytes, a little above what is held.
const IDLE: isize = 4 * KIB;
const AFTER_A_BURST: isize = KIB / 2;
const KEPT_VALUE: isize = KIB / 4;

/// The allocator counts for the whole process, so one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes held by what `make` makes.
fn held<T>(make: impl FnOnce() -> T) -> (T, isize) {
    let region = Region::new(ALLOCATOR);
    let made = make();
    let change = region.change();
    (made, change.bytes_allocated as isize - change.bytes_deallocated as isize)
}

/// A server whose values are of so many bytes.
fn world(size: usize) -> World {
    World::alone(wire_len(&["GET", &key(0)]), bulk_reply(size))
}

async fn get(client: Client, number: usize) {
    let value: Option<Bytes> = client.get(key(number)).await.expect("the server answers");
    assert!(value.is_some());
}

#[test]
fn an_idle_connection_holds_little() {
    let _alone = alone();
    drop(used(64));
    let (_world, bytes) = held(|| used(64));
    println!("{bytes} bytes");
    assert!(bytes <= IDLE, "{bytes} bytes");
}

/// A world whose client was used, and then left alone. After the first one the thread has what it keeps: a buffer to
/// read into, and boxes for commands.
fn used(size: usize) -> World {
    let mut world = world(size);
    let client = world.client().clone();
    world.run((0..256).map(|number| get(client.clone(), number)));
    world.idle(Duration::from_secs(10));
    world
}

/// What is held 10 s after `burst` besides what was held before.
fn after(size: usize, burst: impl FnOnce(&mut World)) -> isize {
    let mut world = used(size);
    let ((), bytes) = held(|| {
        burst(&mut world);
        world.idle(Duration::from_secs(10));
    });
    bytes
}

fn calls(world: &mut World) {
    let client = world.client().clone();
    world.run((0..1024).map(|number| get(client.clone(), number)));
}

fn pipeline(world: &mut World) {
    let client = world.client().clone();
    world.run([async move {
        let commands: Vec<_> = (0..10_000).map(|number| Prepare.get::<Bytes>(key(number))).collect();
        assert_eq!(client.pipeline(commands).await.expect("the server answers").len(), 10_000);
    }]);
}

fn one_call(world: &mut World) {
    let client = world.client().clone();
    world.run([get(client, 0)]);
}

/// A call now and then, so that the client is never idle for long.
fn and_then_calls(world: &mut World) {
    calls(world);
    for _ in 0..100 {
        one_call(world);
        world.idle(Duration::from_millis(100));
    }
}

type Burst = fn(&mut World);

#[test]
fn ten_seconds_after_a_burst_no_more_is_held_than_before() {
    let _alone = alone();
    let bursts: [(&str, usize, Burst); 5] = [
        ("calls", 64, calls),
        ("calls of which some go on", 64, and_then_calls),
        ("a pipeline", 64, pipeline),
        ("large values", 64 << 10, calls),
        ("a huge value", 16 << 20, one_call),
    ];
    for (name, size, burst) in bursts {
        let bytes = after(size, burst);
        println!("{bytes} bytes after {name}");
        assert!(bytes <= AFTER_A_BURST, "{bytes} bytes after {name}");
    }
}

#[test]
fn a_small_value_that_is_kept_holds_little_else() {
    let _alone = alone();
    let (mut world, kept) = (world(VALUE.len()), std::rc::Rc::new(std::cell::RefCell::new(Vec::new())));
    let mut rounds = |count: usize| {
        for round in 0..count {
            let client = world.client().clone();
            world.run((0..64).map(|number| {
                let (client, kept) = (client.clone(), kept.clone());
                async move {
                    let value: Option<Bytes> = client.get(key(number)).await.unwrap();
                    if number == round % 64 {
                        kept.borrow_mut().extend(value);
                    }
                }
            }));
        }
    };
    rounds(20);
    let ((), bytes) = held(|| rounds(1000));
    let each = bytes / 1000;
    println!("{each} bytes");
    assert!(each <= KEPT_VALUE, "{each} bytes");
}
