//! Pipelines and transactions of every shape, by the client of each runtime to every target.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bytes::Bytes;
use redstart_core::ErrorKind;
use redstart_core::command::{Command, Prepare as p};
use redstart_core::commands::{KeyCommands, ListCommands, StringCommands};
use redstart_core::error::{Delivery, ServerCode};
use redstart_tests::clients::{AnyClient, for_each_runtime};
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::wire::Wire;

/// Runs the test by each client to each target, on an empty server every time.
fn for_each_client(test: impl Fn(&AnyClient, &Target)) {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            assert_eq!(target.cli(&["FLUSHALL"]), "OK");
            test(&runtime.connect(target.url()).expect("the server is up"), target);
        });
    });
}

#[test]
fn replies_have_the_shape_and_the_types_of_the_commands() {
    for_each_client(|client, _| {
        let batch = || {
            (p.set("s", "text"), p.get::<String>("s"), p.get::<u64>("none"), p.incr("n"), p.del(["s", "n"]))
        };
        assert_eq!(client.pipeline(batch()), Ok(((), Some("text".into()), None, 1, 2)));
        assert_eq!(client.transaction(batch()), Ok(((), Some("text".into()), None, 1, 2)));
        assert_eq!(client.pipeline([p.incr("n"), p.incrby("n", 10)]), Ok([1, 11]));
        assert_eq!(client.transaction([p.incr("n"), p.incrby("n", 10)]), Ok([12, 22]));
        let pushes = || ["a", "b", "c"].map(|item| p.rpush("l", item)).into_iter().collect::<Vec<_>>();
        assert_eq!(client.pipeline(pushes()), Ok(vec![1, 2, 3]));
        assert_eq!(client.transaction(pushes()), Ok(vec![4, 5, 6]));
        assert_eq!(client.try_pipeline((p.llen("l"),)), (Ok(6),));
        let list = ["a", "b", "c", "a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(client.try_transaction((p.lrange::<String>("l", 0, -1),)), Ok((Ok(list),)));
    });
}

#[test]
fn empty_batches_send_nothing() {
    for_each_client(|client, target| {
        let processed = || {
            let stats = target.cli(&["INFO", "stats"]);
            let row = stats.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
            row.expect("a row of the statistics").trim().parse::<u64>().expect("a number")
        };
        let before = processed();
        assert_eq!(client.pipeline(Vec::<Command<u64>>::new()), Ok(Vec::new()));
        assert_eq!(client.try_pipeline(<[Command<u64>; 0]>::default()), []);
        assert_eq!(client.transaction(Vec::<Command<u64>>::new()), Ok(Vec::new()));
        assert_eq!(client.try_transaction(<[Command<u64>; 0]>::default()), Ok([]));
        assert_eq!(processed(), before + 1, "only the question itself");
    });
}

#[test]
fn an_error_in_the_middle_of_a_pipeline_is_its_own() {
    for_each_client(|client, _| {
        let batch = || (p.set("s", "text"), p.incr("s"), p.get::<u64>("s"), p.append("s", "!"));
        let (set, incr, get, append) = client.try_pipeline(batch());
        assert_eq!((set, append), (Ok(()), Ok(5)));
        let incr = incr.unwrap_err();
        assert_eq!((incr.code(), incr.command()), (Some(ServerCode::Err), Some("INCR")));
        assert_eq!(incr.delivery(), Delivery::Rejected);
        let get = get.unwrap_err();
        assert!(matches!(get.kind(), ErrorKind::Conversion(_)), "{get}");
        assert_eq!((get.command(), get.delivery()), (Some("GET"), Delivery::MaybeExecuted));
        assert_eq!(client.pipeline(batch()), Err(incr), "the first error counts");
        assert_eq!(client.get("s"), Ok(Some("text!".to_owned())), "what stands behind it was done");
    });
}

#[test]
fn an_error_inside_a_transaction_undoes_nothing() {
    for_each_client(|client, _| {
        let batch = || (p.set("s", "text"), p.incr("s"), p.get::<u64>("s"), p.append("s", "!"));
        let (set, incr, get, append) = client.try_transaction(batch()).unwrap();
        assert_eq!((set, append), (Ok(()), Ok(5)));
        let incr = incr.unwrap_err();
        assert_eq!((incr.code(), incr.command()), (Some(ServerCode::Err), Some("INCR")));
        assert_eq!(incr.delivery(), Delivery::MaybeExecuted, "the transaction has run");
        let get = get.unwrap_err();
        assert!(matches!(get.kind(), ErrorKind::Conversion(_)), "{get}");
        assert_eq!((get.command(), get.delivery()), (Some("GET"), Delivery::MaybeExecuted));
        assert_eq!(client.transaction(batch()), Err(incr));
        assert_eq!(client.get("s"), Ok(Some("text!".to_owned())));
    });
}

#[test]
fn a_transaction_that_is_refused_names_the_command_and_does_nothing() {
    for_each_client(|client, _| {
        let unknown = || Command::<()>::new("NO SUCH").arg("secret");
        let short = || Command::<()>::new("SET").key("k");
        for (bad, name, text) in [
            (unknown(), "NO SUCH", "ERR unknown command 'NO'"),
            (short(), "SET", "ERR wrong number of arguments for 'set' command"),
        ] {
            let error = client.transaction((p.set("k", 1), p.incr("k"), bad, p.incr("k"))).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::TransactionAborted { index: 2 });
            assert_eq!((error.command(), error.delivery()), (Some(name), Delivery::Rejected));
            assert_eq!(error.server().expect("its reason").text(), text);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            assert_eq!(client.exists("k"), Ok(0));
        }
        assert_eq!(client.transaction([p.incr("k")]), Ok([1]), "the connection is still good");
    });
}

#[test]
fn ten_thousand_commands() {
    for_each_client(|client, target| {
        let incrs = (0..10_000).map(|_| p.incr("n")).collect::<Vec<_>>();
        assert!(client.pipeline(incrs).unwrap().into_iter().eq(1..=10_000));
        let pushes = (0..10_000).map(|item| p.rpush("l", item)).collect::<Vec<_>>();
        assert!(client.transaction(pushes).unwrap().into_iter().eq(1..=10_000));
        assert!(client.lrange::<u64>("l", 0, -1).unwrap().into_iter().eq(0..10_000));
        assert_eq!(target.cli(&["GET", "n"]), "10000");
    });
}

#[test]
fn binary_and_large_values() {
    // Below, at and above what is shared instead of copied.
    let values = [0, 1, 100, 16_383, 16_384, 16_385, 3_000_001].map(|len| Bytes::from(noise(len)));
    for_each_client(|client, _| {
        let key = |nth: usize| [0, b'\r', b'\n', 255, nth as u8];
        let sets =
            || values.iter().enumerate().map(|(nth, value)| p.set(key(nth), value)).collect::<Vec<_>>();
        let gets = || (0..values.len()).map(|nth| p.get::<Bytes>(key(nth))).collect::<Vec<_>>();
        let expected = values.clone().map(Some).to_vec();
        client.pipeline(sets()).unwrap();
        assert!(client.transaction(gets()).unwrap() == expected);
        client.del((0..values.len()).map(key).collect::<Vec<_>>()).unwrap();
        client.transaction(sets()).unwrap();
        assert!(client.pipeline(gets()).unwrap() == expected);
    });
}

/// Bytes in which a piece that is missing, repeated or displaced shows.
fn noise(len: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(len as u64);
    std::iter::repeat_with(|| rng.u8(..)).take(len).collect()
}

#[test]
fn nobody_comes_between_the_commands_of_a_transaction() {
    for_each_client(|client, target| {
        client.set("n", 0).unwrap();
        let (stop, address) = (AtomicBool::new(false), target.addr());
        thread::scope(|scope| {
            // One neighbour on another connection, one on the same.
            scope.spawn(|| {
                let wire = Wire::connect(address, 2);
                while !stop.load(Ordering::Relaxed) {
                    wire.incr("n").expect("the server is up");
                }
            });
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    client.incr("n").expect("the server is up");
                }
            });
            for _ in 0..200 {
                let (first, second, third) =
                    client.transaction((p.incr("n"), p.incr("n"), p.get::<i64>("n"))).unwrap();
                assert_eq!((second, third), (first + 1, Some(first + 1)));
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}
