//! A peer's nesting does not exhaust the stack.

use std::hint::black_box;
use std::thread;

use bytes::BytesMut;
use redstart_core::command::{FromReply, Value};
use redstart_core::resp::{Decoder, Frame, Kind, Limits};
use redstart_tests::resp::write;

/// Runs `test` on a stack of `kib` KiB; a stack that overflows ends the process.
fn with_stack(kib: usize, test: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(kib << 10).spawn(test).expect("a thread can be had");
    thread.join().expect("the test of the thread passes");
}

/// One level of each kind after the other, `levels` deep, each holding the next; the last holds a nil.
fn nested(levels: u16) -> Vec<u8> {
    let kinds: [&[u8]; 4] = [b"*1\r\n", b"%1\r\n+key\r\n", b"~1\r\n", b"*1\r\n|1\r\n+a\r\n+b\r\n"];
    kinds.iter().cycle().take(levels.into()).copied().chain([&b"_\r\n"[..]]).flatten().copied().collect()
}

fn decode(limits: Limits, wire: &[u8]) -> Frame {
    let frame = Decoder::new(limits).decode(&mut BytesMut::from(wire));
    frame.expect("a legal reply").expect("a whole reply")
}

/// Nothing recurses over a frame.
#[test]
fn a_frame_at_the_greatest_depth_lives_and_dies_on_64_kib() {
    with_stack(64, || {
        let mut limits = Limits::default();
        limits.depth = Limits::DEPTH_MAX;
        // The attribute in the innermost array is a level too.
        let wire = nested(Limits::DEPTH_MAX - 1);
        let frame = decode(limits, &wire);
        let copy = black_box(frame.clone());
        assert_eq!(copy, frame);
        assert!(format!("{frame:?} {:?}", frame.item()).starts_with("Frame(array of 1"));
        let mut levels = 0;
        let mut item = frame.item();
        while let Some(inner) = item.items().last() {
            (item, levels) = (inner, levels + 1);
        }
        assert_eq!((item.kind(), levels), (Kind::Null, Limits::DEPTH_MAX - 1));
        drop((copy, frame));
        // A decoder that is dropped, or fails, in the middle of it.
        let mut decoder = Decoder::new(limits);
        assert_eq!(decoder.decode(&mut BytesMut::from(&wire[..wire.len() - 1])), Ok(None));
        drop(decoder);
        assert!(Decoder::new(limits).decode(&mut BytesMut::from(&nested(10_000)[..])).is_err());
    });
}

/// Values do nest in memory, so their depth is bounded. Half of what Rust gives a thread is 1 MiB; a build
/// with optimisation needs an eighth of that.
#[test]
fn a_value_at_the_greatest_depth_lives_and_dies_on_half_a_thread() {
    with_stack(1024, || {
        let mut limits = Limits::default();
        limits.depth = Limits::DEPTH_MAX;
        let wire = nested(127);
        let value = Value::from_reply(decode(limits, &wire).item()).expect("128 levels are allowed");
        let copy = black_box(value.clone());
        assert_eq!(copy, value);
        assert!(format!("{value:?}").starts_with("Array([Map(["));
        let mut again = Vec::new();
        write::write(&value, &mut again);
        assert_eq!(Value::from_reply(decode(limits, &again).item()), Ok(value));
        let refused = Value::from_reply(decode(limits, &nested(129)).item()).expect_err("too deep");
        assert_eq!(refused.to_string(), "expected at most 128 levels, got array of 1 elements");
    });
}
