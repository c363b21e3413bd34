//! Batches on the wire, their results, and commands that are cut in them.

use alloc::borrow::ToOwned;
use alloc::string::ToString;
use alloc::{format, vec};

use bytes::BytesMut;

use super::*;
use crate::command::{Join, Outcomes};
use crate::resp::{Decoder, Limits};

fn get(key: &str) -> Command<String> {
    Command::new("GET").key(key).read_only()
}

fn incr() -> Command<u64> {
    Command::new("INCR").key("k")
}

/// The batch on the wire.
fn wire(batch: &PackedBatch) -> Vec<u8> {
    let mut wire = Vec::new();
    batch.encode(&mut wire);
    wire
}

#[test]
fn commands_stand_one_behind_the_other() {
    let large = Bytes::from(vec![b'x'; 20_000]);
    let set = Command::<()>::new("SET").key("k").arg(&large).arg(&large);
    let config = Command::<()>::new("CONFIG SET").arg("a").arg("b").timeout(Duration::from_secs(3));
    let ping = Command::<()>::new("PING").timeout(Duration::from_secs(2));
    let batch = (get("a"), set.clone(), config.clone(), ping.clone()).pack();
    let commands = [get("a").into_packed(), set.into_packed(), config.into_packed(), ping.into_packed()];
    let mut expected = Vec::new();
    commands.iter().for_each(|command| command.encode(&mut expected));
    assert!(wire(&batch) == expected, "the same bytes as one by one");
    assert_eq!(batch.wire_len(), expected.len());
    assert!(batch.entries().iter().map(BatchEntry::wire_len).eq(commands.iter().map(Packed::wire_len)));
    let names: Vec<_> = (0..4).filter_map(|index| batch.name(index)).collect();
    assert_eq!((names, batch.name(4)), (["GET", "SET", "CONFIG SET", "PING"].map(String::from).into(), None));
    assert_eq!(batch.own_timeout(), Some(Duration::from_secs(3)));
    assert!(
        batch.entries()[0].flags().has(Flags::READ_ONLY) && !batch.entries()[1].flags().has(Flags::READ_ONLY)
    );
    assert_eq!(format!("{batch:?}"), "PackedBatch(4 commands)");
}

#[test]
fn lists_of_commands_are_batches() {
    let each = Each(["a", "b"].into_iter().map(get));
    for batch in [
        vec![get("a"), get("b")].pack(),
        [get("a"), get("b")].pack(),
        (get("a"), get("b")).pack(),
        each.pack(),
    ] {
        assert_eq!(wire(&batch), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
        assert_eq!((batch.entries().len(), batch.own_timeout(), batch.is_oversize()), (2, None, false));
    }
    assert_eq!(results(Each([incr(), incr()]), ":1\r\n:2\r\n"), [Ok(1), Ok(2)]);
    let none = Vec::<Command<()>>::new().pack();
    assert_eq!((none.entries().len(), none.wire_len(), wire(&none).len()), (0, 0, 0));
}

#[test]
fn names_are_left_when_the_arguments_are_forgotten() {
    let large = Bytes::from(vec![b'x'; 20_000]);
    let config = Command::<()>::new("CONFIG SET").arg("a").arg(vec![b'y'; 5000]);
    let set = Command::<()>::new("SET").key("k").arg(&large);
    let mut batch = (get("a"), config, set, get("b")).pack();
    batch.forget_arguments();
    let names: Vec<_> = (0..4).filter_map(|index| batch.name(index)).collect();
    assert_eq!(names, ["GET", "CONFIG SET", "SET", "GET"]);
    assert_eq!((batch.shared.len(), batch.entries().len()), (0, 4));
    assert!(batch.bytes.len() < 100, "{} bytes are left", batch.bytes.len());
    batch.forget_arguments();
    assert_eq!(batch.name(1).as_deref(), Some("CONFIG SET"));
}

#[test]
fn one_oversize_argument_makes_the_batch_oversize() {
    let large = Bytes::from(vec![0; (512 << 20) + 1]);
    assert!((get("a"), Command::<()>::new("SET").key("k").arg(large)).pack().is_oversize());
}

fn frames(wire: &str) -> Vec<Frame> {
    let mut read = BytesMut::from(wire);
    let mut decoder = Decoder::new(Limits::default());
    core::iter::from_fn(|| decoder.decode(&mut read).expect("legal replies")).collect()
}

/// What becomes of the commands whose replies are in `wire`.
fn results<B: Batch>(commands: B, wire: &str) -> B::Results {
    let outcomes = Outcomes::from(frames(wire).into_iter().map(|frame| Some(Ok(frame))).collect::<Vec<_>>());
    let batch = commands.pack();
    B::results(&mut outcomes.results(&batch))
}

// Slots: foo 12182, bar 5061, hello 866.
fn mget() -> Command<Vec<Option<String>>> {
    Command::new("MGET").keys(["foo", "bar", "{foo}x", "hello"]).split(Join::Merge)
}

#[test]
fn commands_over_several_slots_are_cut_and_gathered() {
    let del = || Command::<u64>::new("DEL").keys(["foo", "bar"]).split(Join::Sum);
    let mut batch = PackedBatch::splitting();
    (get("foo"), mget(), del(), get("bar")).pack_into(&mut batch);
    let names: Vec<_> = (0..5).map(|index| batch.name(index)).collect();
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(names, [name("GET"), name("MGET"), name("DEL"), name("GET"), None]);
    assert_eq!((batch.len(), batch.entries().len(), batch.is_empty()), (4, 7, false));
    let targets = batch.entries().iter().map(BatchEntry::target);
    let slots = [12_182, 12_182, 5_061, 866, 12_182, 5_061, 5_061];
    assert!(targets.eq(slots.map(|slot| Ok(Target::Slot(slot)))));
    assert_eq!(batch.refused(), None);

    let replies = "+x\r\n*2\r\n+a\r\n+c\r\n*1\r\n+b\r\n*1\r\n_\r\n:1\r\n:2\r\n+y\r\n";
    let outcomes = || frames(replies).into_iter().map(|frame| Some(Ok(frame))).collect::<Vec<_>>();
    let wires = |outcomes: Vec<Option<Result<Frame, Error>>>| {
        let text = |outcome: Option<Result<Frame, Error>>| match outcome.expect("each has ended") {
            Ok(frame) => String::from_utf8_lossy(frame.wire()).into_owned(),
            Err(error) => error.to_string(),
        };
        outcomes.into_iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(
        wires(batch.gather(outcomes())),
        ["+x\r\n", "*4\r\n+a\r\n+b\r\n+c\r\n_\r\n", ":3\r\n", "+y\r\n"]
    );
    let mut lost = outcomes();
    lost[4] = None;
    assert_eq!(wires(batch.gather(lost))[2], "protocol error: a reply is missing (may have run)");
}

#[test]
fn what_cannot_be_cut_is_refused_by_name() {
    let rename = || Command::<()>::new("RENAME").key("foo").key("bar");
    let refused = |mut batch: PackedBatch| {
        (get("foo"), mget(), rename()).pack_into(&mut batch);
        batch.refused()
    };
    assert_eq!(refused(PackedBatch::splitting()), Some(((12_182, 5_061), "RENAME".to_owned())));
    assert_eq!(refused(PackedBatch::routed()), Some(((12_182, 5_061), "MGET".to_owned())));
    assert_eq!(refused(PackedBatch::default()), None, "one server has all slots");
}

#[test]
fn results_have_the_shape_of_the_batch() {
    type Pair = (Command<String>, Command<u64>);
    let (name, count) = results((get("a"), incr()), "+a\r\n:1\r\n");
    assert_eq!((name.as_deref(), count.as_ref()), (Ok("a"), Ok(&1)));
    assert_eq!(Pair::replies((name, count)), Ok(("a".to_owned(), 1)));
    let list = results(vec![incr(), incr(), incr()], ":1\r\n:2\r\n:3\r\n");
    assert_eq!(Vec::<Command<u64>>::replies(list), Ok(vec![1, 2, 3]));
    let array = results([incr(), incr()], ":1\r\n:2\r\n");
    assert_eq!(<[Command<u64>; 2]>::replies(array), Ok([1, 2]));
}

#[test]
fn one_error_leaves_the_other_results() {
    type Three = [Command<u64>; 3];
    let results = results([incr(), incr(), incr()], ":1\r\n+a\r\n:3\r\n");
    assert_eq!((results[0].as_ref(), results[2].as_ref()), (Ok(&1), Ok(&3)));
    let error = results[1].clone().expect_err("no integer");
    assert!(error.may_have_run());
    assert_eq!(error.to_string(), "INCR: expected an integer, got simple string of 1 bytes (may have run)");
    assert_eq!(Three::replies(results), Err(error));
}

#[test]
fn a_missing_reply_is_an_error() {
    let (first, second) = results((incr(), incr()), ":1\r\n");
    assert_eq!(first, Ok(1));
    let error = second.expect_err("there is none");
    assert_eq!(error.to_string(), "INCR: protocol error: a reply is missing (may have run)");
    let array = results([incr(), incr()], ":1\r\n");
    assert_eq!(array, [Ok(1), Err(error)]);
}
