//! What a client holds is bounded by what it was sent and by its limits, whatever is announced.
//!
//! One test in a file of its own, since the allocator counts for the whole process, the scripted server
//! included.

use std::time::Duration;

use peak_alloc::PeakAlloc;
use redstart_core::client::Options;
use redstart_core::commands::StringCommands;
use redstart_tests::clients::for_each_runtime;
use redstart_tests::server::hostile::{Fault, Script};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

/// What is sent once and then without end, and how many bytes a client may hold because of it.
const FLOODS: [(&str, &str, usize); 8] = [
    // A line has 64 KiB, a reply 1 MiB at the most.
    ("+", "x", MIB),
    ("$1000000\r\n", "x", 4 * MIB),
    ("*2000000000\r\n", ":1\r\n", 24 * MIB),
    ("*2000000000\r\n", "*1\r\n:1\r\n", 24 * MIB),
    ("", "*1\r\n", MIB),
    // None of these passes a limit, so the call ends by its deadline; what comes in one turn is held.
    ("", ">3\r\n$7\r\nmessage\r\n$5\r\nflood\r\n$1\r\nx\r\n", 16 * MIB),
    ("", ">1\r\n+invalidate\r\n", 16 * MIB),
    ("", "|1\r\n+k\r\n+v\r\n", 24 * MIB),
];

#[test]
fn floods_and_empty_promises_take_no_memory() {
    for_each_runtime(|runtime| {
        for announced in ["*2000000000\r\n", "$536870912\r\n", "%1000000000\r\n", "*1\r\n*2000000000\r\n"] {
            let held = held_by(runtime, Fault::Send(announced.into()));
            assert!(held < MIB, "{held} bytes for {announced:?}");
        }
        for (head, repeated, bound) in FLOODS {
            let flood = Fault::Endless { head: head.into(), repeated: repeated.into() };
            let held = held_by(runtime, flood);
            eprintln!("{held} bytes for {head:?}, {repeated:?}");
            assert!(held < bound, "{held} bytes for {head:?}, {repeated:?}");
        }
    });
}

/// The most that was held while the fault took the place of a reply.
fn held_by(runtime: redstart_tests::clients::Runtime, fault: Fault) -> usize {
    let server = Script::new().on("SET", fault).start();
    let client = runtime.connect(format!("{}?max_reply_bytes=1m", server.url()));
    let client = client.expect("the greeting is in order");
    let hasty = client.with(Options::new().timeout(Duration::from_millis(100)));
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    hasty.set("k", 1).expect_err("no reply comes whole");
    HEAP.peak_usage() - before
}
