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

/// Bounds, in bytes, a little above what is held. The aim is 4 KiB for each: whoever comes closer lowers them.
const IDLE: isize = 17 * KIB;
const AFTER_CALLS: isize = 640 * KIB;
const AFTER_PIPELINE: isize = 1300 * KIB;
const AFTER_LARGE_VALUE: isize = 4200 * KIB;
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
    let (_world, bytes) = held(|| {
        let mut world = world(64);
        let client = world.client().clone();
        world.run([get(client, 0)]);
        world.idle(Duration::from_secs(60));
        world
    });
    println!("{bytes} bytes");
    assert!(bytes <= IDLE, "{bytes} bytes");
}

/// What is held 10 s after `work`, which may be a lot of it.
fn after_a_burst(size: usize, work: impl FnOnce(&mut World)) -> isize {
    let (_world, bytes) = held(|| {
        let mut world = world(size);
        work(&mut world);
        world.idle(Duration::from_secs(10));
        world
    });
    bytes
}

#[test]
fn ten_seconds_after_a_burst_no_more_is_held_than_before() {
    let _alone = alone();
    let calls = after_a_burst(64, |world| {
        let client = world.client().clone();
        world.run((0..1024).map(|number| get(client.clone(), number)));
    });
    let pipeline = after_a_burst(64, |world| {
        let client = world.client().clone();
        world.run([async move {
            let commands: Vec<_> = (0..10_000).map(|number| Prepare.get::<Bytes>(key(number))).collect();
            assert_eq!(client.pipeline(commands).await.unwrap().len(), 10_000);
        }]);
    });
    let large = after_a_burst(1 << 20, |world| {
        let client = world.client().clone();
        world.run([get(client, 0)]);
    });
    println!("calls {calls}, pipeline {pipeline}, large {large} bytes");
    assert!(calls <= AFTER_CALLS, "{calls} bytes after calls");
    assert!(pipeline <= AFTER_PIPELINE, "{pipeline} bytes after a pipeline");
    assert!(large <= AFTER_LARGE_VALUE, "{large} bytes after a large value");
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
