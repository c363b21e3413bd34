//! Sessions, and transactions that are tried until nobody has come between, on every runtime.

use std::thread;
use std::time::Duration;

use redstart_core::client::Options;
use redstart_core::client::session::{Optimistic, Session, Sessions};
use redstart_core::command::{Command, Prepare as p, Run};
use redstart_core::commands::{
    ConnectionCommands, KeyCommands, ListCommands, ReplicationCommands, SessionCommands, StringCommands,
    Tracked, TrackingOptions, TrackingRedirect,
};
use redstart_core::error::{ConnectionError, Delivery, Limit, ServerCode, Waiting};
use redstart_core::{Error, ErrorKind, Result};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime, tokio};
use redstart_tests::live::for_each_target;
use redstart_tests::server::cluster::ClusterConfig;
use redstart_tests::server::{Server, Version, poll_until};

const LONG: Duration = Duration::from_secs(60);

fn is_usage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Usage(_)) && error.delivery() == Delivery::NotSent
}

fn is_lost(error: &Error) -> bool {
    error.kind() == &ErrorKind::Connection(ConnectionError::SessionLost)
        && error.delivery() == Delivery::NotSent
}

#[test]
fn what_is_set_holds_for_the_session_alone() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(format!("{}&pool_max=1", target.url())).unwrap();
            target.cli(&["FLUSHALL"]);
            client.set("k", "zero").unwrap();
            let session = client.session().unwrap();
            let id = session.client_id().unwrap();
            assert_eq!(session.client_id(), Ok(id));
            assert_ne!(client.client_id(), Ok(id));
            session.select(3).unwrap();
            session.client_setname("mine").unwrap();
            session.client_no_evict(true).unwrap();
            assert_eq!(session.get::<String>("k"), Ok(None));
            assert_eq!(session.client_getname(), Ok(Some("mine".into())));
            assert_eq!(client.get("k"), Ok(Some("zero".to_owned())));
            let (set, left) = session.pipeline((p.set("k", "three"), p.get::<String>("k"))).unwrap();
            assert_eq!(((), Some("three".to_owned())), (set, left));
            drop(session);
            let session = client.session().unwrap();
            assert_ne!(session.client_id(), Ok(id), "it was closed");
            assert_eq!(session.get("k"), Ok(Some("zero".to_owned())));
            let id = session.client_id().unwrap();
            drop(session);
            let session = client.session().unwrap();
            assert_eq!(session.client_id(), Ok(id), "it is used again");
            drop(session);
            client.close();
        });
    });
}

#[test]
fn transactions_by_hand_and_watched_keys() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let session = client.session().unwrap();
            client.set("k", 1).unwrap();
            session.multi().unwrap();
            session.queue(p.incr("k")).unwrap();
            session.queue(p.get::<u32>("k")).unwrap();
            assert_eq!(session.exec(), Ok(Some((2, 2))));

            session.watch(["k", "l"]).unwrap();
            client.set("l", 1).unwrap();
            session.multi().unwrap();
            session.queue(p.incr("k")).unwrap();
            assert_eq!(session.exec::<Vec<u32>>(), Ok(None), "somebody came between");
            session.watch("k").unwrap();
            session.unwatch().unwrap();
            client.set("k", 5).unwrap();
            assert_eq!(session.transaction((p.incr("k"), p.incr("k"))), Ok(Some((6, 7))));
            session.watch("k").unwrap();
            client.set("k", 5).unwrap();
            assert_eq!(session.transaction([p.incr("k")]), Ok(None));
            session.multi().unwrap();
            session.discard().unwrap();
            assert_eq!(session.exec::<Vec<u32>>().unwrap_err().code(), Some(ServerCode::Err));

            let wrong = session.transaction((p.incr("k"), p.lpush("k", 1))).unwrap_err();
            assert_eq!(
                (wrong.code(), wrong.delivery()),
                (Some(ServerCode::WrongType), Delivery::MaybeExecuted)
            );
            session.without_replies((p.set("quiet", 1), p.incr("quiet"))).unwrap();
            assert_eq!(session.get("quiet"), Ok(Some(2)));
            drop(session);
            client.close();
        });
    });
}

#[test]
fn what_changes_a_connection_is_refused_where_it_is_shared() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*server.url()).unwrap();
        let run = |name: &str| client.run(Command::<()>::new(name).arg("x"));
        for name in ["WATCH", "MULTI", "select", "Auth", "HELLO", "MONITOR", "SUBSCRIBE", "CLIENT REPLY"] {
            assert!(is_usage(&run(name).unwrap_err()), "{name}");
        }
        let tracking = Command::<()>::new("CLIENT").arg("tracking").arg("on");
        assert!(is_usage(&client.run(tracking).unwrap_err()));
        assert!(is_usage(&client.pipeline((p.watch("k"), p.get::<u8>("k"))).unwrap_err()));
        assert!(is_usage(&client.transaction([p.select(1)]).unwrap_err()));
        assert!(client.run(Command::<String>::new("client").arg("id")).is_ok());

        let session = client.session().unwrap();
        for name in ["MONITOR", "subscribe", "CLIENT REPLY", "PSYNC"] {
            let refused = session.run(Command::<()>::new(name).arg("x")).unwrap_err();
            assert!(is_usage(&refused), "{name}");
        }
        assert_eq!(session.wait(0, LONG), Ok(0));
        assert!(session.auth("nobody", "wrong").unwrap_err().is_auth());
        assert_eq!(
            session.pipeline((p.set("k", 1), p.blpop::<u8, u8>("none", Duration::from_millis(1)))),
            Ok(((), None))
        );
    });
}

#[test]
fn what_a_session_can_set() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let (session, listener) = (client.session().unwrap(), client.session().unwrap());
            let to = listener.client_id().unwrap();
            session.client_tracking(to, TrackingOptions::new().tracked(Tracked::OptIn).no_loop()).unwrap();
            session.client_caching(true).unwrap();
            assert_eq!(session.client_getredir(), Ok(TrackingRedirect::To(to)));
            session.client_tracking_off().unwrap();
            session.client_tracking(to, TrackingOptions::new().prefix("a:").prefix("b:")).unwrap();
            session.client_tracking_off().unwrap();
            session.client_tracking(to, TrackingOptions::new().tracked(Tracked::OptOut)).unwrap();
            session.client_caching(false).unwrap();
            if target.version() == Version::V8 {
                session.client_no_touch(true).unwrap();
            }
            session.reset().unwrap();
            assert_eq!(session.client_getredir(), Ok(TrackingRedirect::NotTracking));
            assert_eq!(session.readonly().unwrap_err().code(), Some(ServerCode::Err), "it is no cluster");
            assert_eq!(session.readwrite().unwrap_err().code(), Some(ServerCode::Err));
            drop((session, listener));
            client.close();
        });
    });
}

#[test]
fn a_session_whose_connection_is_lost_is_over() {
    for_each_target(|target| {
        for_each_runtime(|runtime| {
            let client = runtime.connect(target.url()).unwrap();
            let session = client.session().unwrap();
            let id = session.client_id().unwrap();
            session.watch("k").unwrap();
            assert_eq!(target.cli(&["CLIENT", "KILL", "ID", &id.to_string()]), "1");
            let error = poll_until("the session to end", || session.set("k", 1).err());
            assert!(error.is_connection(), "{error}");
            assert!(is_lost(&session.get::<u8>("k").unwrap_err()));
            assert_eq!(client.get::<u8>("k"), Ok(None));
            assert_eq!(client.session().unwrap().get::<u8>("k"), Ok(None));
            client.close();
        });
    });
}

#[test]
fn sessions_are_bounded_in_number() {
    let server = Server::start(Version::V7);
    for_each_runtime(|runtime| {
        let client = runtime.connect(format!("{}?pool_max=2", server.url())).unwrap();
        let hasty = client.with(Options::new().timeout(Duration::from_millis(30)));
        let first = client.session().unwrap();
        let second = client.session().unwrap();
        let error = hasty.session().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::SideConnection));
        let id = first.client_id().unwrap();
        drop(first);
        assert_eq!(client.session().unwrap().client_id(), Ok(id));
        second.watch("k").unwrap();
        drop(second);
        drop((client.session().unwrap(), client.session().unwrap()));
        client.close();
    });
}

#[test]
fn writes_that_replicas_have() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*server.url()).unwrap();
        let session = client.session().unwrap();
        let (set, replicas) =
            session.pipeline((p.set("k", 1), p.wait(1, Duration::from_millis(20)))).unwrap();
        assert_eq!((set, replicas), ((), 0), "there is none");
    });
}

/// Adds one to `k`, in as many attempts as it takes.
fn increment(client: &AnyClient) -> Result<Option<((), i64)>> {
    client.optimistic("k", |session: &Session<AnyClient>| {
        let value: i64 = session.get("k")?.unwrap_or(0);
        Ok(Some((p.set("k", value + 1), p.incr("done"))))
    })
}

#[test]
fn sixteen_writers_end_exact() {
    const WRITERS: usize = 16;
    const EACH: usize = 25;
    for version in Version::ALL {
        let server = Server::start(version);
        for_each_runtime(|runtime| {
            server.cli(&["FLUSHALL"]);
            let client = runtime.connect(&*server.url()).unwrap();
            let write = |_| {
                let client = client.clone();
                thread::spawn(move || (0..EACH).for_each(|_| assert!(increment(&client).unwrap().is_some())))
            };
            let writers: Vec<_> = (0..WRITERS).map(write).collect();
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            let total = (WRITERS * EACH) as i64;
            assert_eq!(client.mget(["k", "done"]), Ok(vec![Some(total), Some(total)]));
            client.close();
        });
    }
}

#[test]
fn sixteen_writers_end_exact_while_their_connections_are_killed() {
    let server = Server::start(Version::V8);
    let client = Runtime::Tokio.connect(&*server.url()).unwrap();
    let write = |_| {
        let client = client.clone();
        // What may have run is counted as if it had: then the result may be less, and is never more.
        thread::spawn(move || (0..25).filter(|_| increment(&client).is_ok()).count() as i64)
    };
    let writers: Vec<_> = (0..16).map(write).collect();
    while !writers.iter().all(thread::JoinHandle::is_finished) {
        server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        thread::sleep(Duration::from_millis(20));
    }
    let sure: i64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let counted: [i64; 2] = client
        .mget(["k", "done"])
        .unwrap()
        .try_into()
        .map(|both: [Option<i64>; 2]| both.map(Option::unwrap_or_default))
        .unwrap();
    assert_eq!(counted[0], counted[1], "both or none");
    assert!((sure..=400).contains(&counted[0]), "{sure} for sure, {} counted", counted[0]);
}

#[test]
fn attempts_end() {
    let server = Server::start(Version::V8);
    for_each_runtime(|runtime| {
        server.cli(&["FLUSHALL"]);
        let client = runtime.connect(format!("{}?max_conflicts=3&pool_max=1", server.url())).unwrap();
        let mut tries = 0;
        let conflict = client.optimistic("k", |session: &Session<AnyClient>| {
            tries += 1;
            session.get::<u32>("k")?;
            client.incr("k")?;
            Ok(Some([p.set("k", 0)]))
        });
        let error = conflict.unwrap_err();
        assert_eq!((tries, error.kind()), (3, &ErrorKind::Limit(Limit::Conflicts(3))));
        assert_eq!((error.delivery(), client.get("k")), (Delivery::Rejected, Ok(Some(3))));
        let given_up = client.optimistic("k", |_: &Session<AnyClient>| Ok(None::<[Command<()>; 1]>));
        assert_eq!(given_up, Ok(None));
        let failed = client.optimistic("k", |session: &Session<AnyClient>| {
            session.lpush("k", 1)?;
            Ok(Some([p.set("k", 0)]))
        });
        assert_eq!(failed.unwrap_err().code(), Some(ServerCode::WrongType));
        assert_eq!(
            client.optimistic("k", |_: &Session<AnyClient>| Ok(Some([p.set("k", 7)]))),
            Ok(Some([()]))
        );
        let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
        let late = hasty.optimistic("k", |session: &Session<AnyClient>| {
            thread::sleep(Duration::from_millis(60));
            session.get::<u32>("k")?;
            Ok(Some([p.set("k", 8)]))
        });
        assert!(late.unwrap_err().is_timeout());
        assert_eq!(client.get("k"), Ok(Some(7)));
        client.close();
    });
}

#[test]
fn async_closures_read_and_write() {
    let server = Server::start(Version::V8);
    let client = tokio().block_on(redstart_tokio::Client::connect(&*server.url())).unwrap();
    let task = tokio().spawn(async move {
        client.set("stock", 3).await?;
        let mut sold = 0;
        loop {
            let done = client
                .optimistic("stock", async |session| {
                    let left: i64 = session.get("stock").await?.unwrap_or(0);
                    Ok((left > 0).then(|| (p.set("stock", left - 1), p.incr("sold"))))
                })
                .await?;
            match done {
                Some(((), total)) => sold = total,
                None => return Ok::<i64, Error>(sold),
            }
        }
    });
    assert_eq!(tokio().block_on(task).unwrap(), Ok(3));
}

#[test]
fn sessions_of_a_cluster_are_with_one_node() {
    let cluster = ClusterConfig::new(Version::V8).start();
    for_each_runtime(|runtime| {
        let client = runtime.connect(&*cluster.url()).unwrap();
        for key in ["foo", "bar", "hello"] {
            let session = client.session_for(key).unwrap();
            session.readonly().unwrap();
            session.readwrite().unwrap();
            session.watch(key).unwrap();
            assert_eq!(session.transaction((p.set(key, 1), p.get(key))), Ok(Some(((), Some(1)))));
            assert_eq!(
                client.optimistic(key, |_: &Session<AnyClient>| Ok(Some([p.incr(key)]))),
                Ok(Some([2]))
            );
        }
        let session = client.session_for("foo").unwrap();
        let moved = session.get::<u8>("bar").unwrap_err();
        assert_eq!((moved.code(), moved.delivery()), (Some(ServerCode::Moved), Delivery::Rejected));
        let crossed = client.optimistic(["foo", "bar"], |_: &Session<AnyClient>| Ok(Some([p.incr("foo")])));
        assert!(matches!(crossed.unwrap_err().kind(), ErrorKind::CrossSlot { .. }));
        assert_eq!(client.del(["foo", "bar", "hello"]), Ok(3));
        drop(session);
        client.close();
    });
}
