//! The wire form: what a server reads from it, its length, its keys.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use bytes::BytesMut;

use super::*;
use crate::command::Command;
use crate::resp::{Decoder, Kind, Limits};

/// The arguments that a server reads from the wire form; also asserts its length.
fn read_back(packed: &Packed) -> Vec<Vec<u8>> {
    let mut wire = Vec::new();
    packed.encode(&mut wire);
    assert_eq!(wire.len(), packed.wire_len(), "the length that was foretold");
    let mut read = BytesMut::from(&wire[..]);
    let frame = Decoder::new(Limits::default()).decode(&mut read);
    let frame = frame.expect("a command is legal").expect("a command is whole");
    assert!(read.is_empty(), "bytes are left over");
    assert_eq!((frame.kind(), frame.item().len()), (Kind::Array, packed.argc()));
    let args = frame.item().items().map(|arg| {
        assert_eq!(arg.kind(), Kind::BulkString);
        arg.payload().to_vec()
    });
    args.collect()
}

/// Asserts that a server reads `args`, and that the command itself does.
fn check(args: &[Vec<u8>], shared: bool) {
    let start = Command::<()>::new("CMD");
    let command = args.iter().fold(start, |command, arg| {
        if shared { command.arg(Bytes::copy_from_slice(arg)) } else { command.arg(arg) }
    });
    let expected: Vec<_> = [b"CMD".to_vec()].into_iter().chain(args.iter().cloned()).collect();
    assert!(command.packed().args().eq(expected.iter().map(|arg| &arg[..])), "as the command has them");
    assert!(read_back(command.packed()) == expected, "as a server reads them");
}

#[test]
fn any_bytes_are_one_argument() {
    let awkward: [&[u8]; 7] = [b"", b"\r\n", b"\0", b"$3\r\nabc\r\n", b"*1\r\n", b"\r", b"\n"];
    check(&awkward.map(<[u8]>::to_vec), false);
    check(&awkward.map(<[u8]>::to_vec), true);
    let each: Vec<_> = (0..=255).map(|byte| vec![byte]).collect();
    check(&each, false);
    check(&[each.concat()], true);
    check(&[vec![b'\r'; 10 << 20], b"after".to_vec()], false);
    check(&[vec![b'\n'; 10 << 20], b"after".to_vec()], true);
}

#[test]
fn any_sizes_are_read_back() {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..300 {
        let sizes = [0, 1, 9, 10, 99, 100, 112, 999, SHARED_MIN - 1, SHARED_MIN, SHARED_MIN + 1, 40_000];
        let arg = |random: &mut fastrand::Rng| vec![random.u8(..); random.choice(sizes).unwrap_or_default()];
        let args: Vec<_> = (0..random.usize(..8)).map(|_| arg(&mut random)).collect();
        check(&args, round % 2 == 0);
    }
    for count in [7, 8, 9, 10, 98, 99, 100, 999, 1000] {
        check(&vec![b"x".to_vec(); count], false);
    }
}

/// Remembers what was copied and what was handed over.
#[derive(Default)]
struct Pieces(Vec<(bool, usize)>);

impl WireSink for Pieces {
    fn copied(&mut self, bytes: &[u8]) {
        self.0.push((false, bytes.len()));
    }

    fn shared(&mut self, value: &Bytes) {
        self.0.push((true, value.len()));
    }
}

#[test]
fn large_shared_values_are_not_copied() {
    let pieces = |command: Command<()>| {
        let mut pieces = Pieces::default();
        command.packed().write_to(&mut pieces);
        pieces.0.into_iter().filter_map(|(shared, len)| shared.then_some(len)).collect::<Vec<_>>()
    };
    let (large, small) = (Bytes::from(vec![0; SHARED_MIN]), Bytes::from(vec![0; SHARED_MIN - 1]));
    let command = || Command::<()>::new("SET").key("k");
    assert_eq!(pieces(command().arg(&large).arg("x").arg(&large)), [SHARED_MIN, SHARED_MIN]);
    assert_eq!(pieces(command().arg(&small)), [0; 0]);
    assert_eq!(pieces(command().arg(large.to_vec())), [0; 0]);
    // A key stays in the command, where its slot is computed.
    assert_eq!(pieces(Command::new("GET").key(&large)), [0; 0]);
    assert_eq!(pieces(Command::new("MSET").key_values([(&large, &large)])), [SHARED_MIN]);
}

fn key_indexes<T>(command: &Command<T>) -> Vec<usize> {
    command.packed().key_indexes().collect()
}

#[test]
fn keys_are_found_wherever_they_stand() {
    let command = || Command::<()>::new("CMD");
    assert_eq!(key_indexes(&command().arg("x")), [0; 0]);
    assert_eq!(key_indexes(&command().key("a")), [1]);
    assert_eq!(key_indexes(&command().keys(["a", "b", "c"])), [1, 2, 3]);
    assert_eq!(key_indexes(&command().keys(Vec::<&str>::new()).arg("x")), [0; 0]);
    assert_eq!(key_indexes(&command().key_values([("a", 1), ("b", 2), ("c", 3)])), [1, 3, 5]);
    assert_eq!(key_indexes(&command().arg("script").counted_keys(["a", "b"]).arg("x")), [3, 4]);
    assert_eq!(key_indexes(&command().key("dest").counted_keys(["a", "b"]).arg("WEIGHTS")), [1, 3, 4]);
    assert_eq!(key_indexes(&command().key("a").arg("x").key("b").key("c").arg("y").key("d")), [1, 3, 4, 6]);
    let mut packed = command().into_packed();
    crate::command::ArgSink::new(&mut packed).arg("STREAMS").key("a").key("b").args(["0", "0"]);
    assert_eq!(packed.key_indexes().collect::<Vec<_>>(), [2, 3]);
}

#[test]
fn random_key_places_are_kept() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..500 {
        let places: Vec<bool> = (0..random.usize(..12)).map(|_| random.bool()).collect();
        let start = Command::<()>::new("CMD");
        let add = |command: Command<()>, key: &bool| if *key { command.key("k") } else { command.arg("a") };
        let command = places.iter().fold(start, add);
        let expected = places.iter().zip(1..).filter_map(|(key, index)| key.then_some(index));
        assert_eq!(key_indexes(&command), expected.collect::<Vec<_>>(), "{places:?}");
    }
}

#[test]
fn slots_agree_or_are_named() {
    let slot = |command: Command<()>| command.packed().slot();
    let command = || Command::<()>::new("CMD");
    let (foo, bar) = (slot::of(b"foo"), slot::of(b"bar"));
    assert_eq!(slot(command().arg("foo")), Ok(None));
    assert_eq!(slot(command().key("foo")), Ok(Some(foo)));
    assert_eq!(slot(command().key_values([("{foo}1", "bar"), ("{foo}2", "baz")])), Ok(Some(foo)));
    assert_eq!(slot(command().keys(["foo", "bar"])), Err((foo, bar)));
    assert_eq!(slot(command().arg("bar").counted_keys(["{bar}x", "foo"])), Err((bar, foo)));
    let value = Bytes::from(vec![b'x'; SHARED_MIN]);
    assert_eq!(slot(command().key("foo").arg(value).key("{foo}")), Ok(Some(foo)));
}

#[test]
fn names_and_debug_show_no_argument() {
    let command = Command::<()>::new("CONFIG SET").arg("requirepass").arg("hunter2");
    assert_eq!(command.packed().name(), "CONFIG SET");
    assert_eq!((command.packed().argc(), command.packed().name_words()), (4, 2));
    assert_eq!(format!("{command:?}"), "Command(CONFIG SET with 2 arguments)");
    assert_eq!(Command::<()>::new("GET").packed().name(), "GET");
    assert_eq!(Command::<()>::new(&"A ".repeat(400)).packed().name_words(), u8::MAX);
}

#[test]
fn an_argument_that_no_server_takes_is_seen() {
    let command = |len| Command::<()>::new("SET").key("k").arg(Bytes::from(vec![0; len])).into_packed();
    assert!(!command(ARGUMENT_MAX).is_oversize());
    assert!(command(ARGUMENT_MAX + 1).is_oversize());
    assert_eq!(command(ARGUMENT_MAX).wire_len(), 4 + 9 + 7 + 12 + ARGUMENT_MAX + 2);
    assert_eq!(ARGUMENT_MAX.to_string().len(), 9);
}

#[test]
fn the_name_is_left_when_the_arguments_are_forgotten() {
    let large = Bytes::from(vec![b'x'; 20_000]);
    let commands = [
        Command::<()>::new("CONFIG SET").arg("a").arg("b"),
        Command::<()>::new("CONFIG SET").arg("a").arg(vec![b'y'; 5000]),
        Command::<()>::new("CONFIG SET").arg("a").arg(&large),
    ];
    for command in commands {
        let mut packed = command.into_packed();
        packed.forget_arguments();
        assert_eq!(packed.name(), "CONFIG SET");
        assert!(packed.shared().is_empty() && matches!(packed.bytes, Buffer::Inline { .. }));
    }
}

#[test]
fn a_long_argument_is_given_the_room_that_it_needs() {
    for len in [999, 1000, 10_000, 100_000] {
        let packed = Command::<()>::new("SET").key("k").arg(vec![b'x'; len]).into_packed();
        let Buffer::Heap(bytes) = &packed.bytes else { panic!("{len} bytes have no room in the command") };
        assert!(bytes.capacity() < bytes.len() + 16, "{} bytes for {}", bytes.capacity(), bytes.len());
    }
}
