//! The queue for room: mailbox and engine under virtual time, with a server that says nothing.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use super::mailbox::Inbox;
use super::*;
use crate::command::Command;
use crate::connection::RequestId;
use crate::engine::Engine;
use crate::error::{Limit, Waiting};
use crate::time::Instant;

/// A client and what drives it.
struct Bench {
    client: Client,
    mailbox: Arc<Mailbox>,
    engine: Engine,
    /// When a call in line has to be ended, as the last visit has found.
    due: Instant,
}

impl Bench {
    /// Its queue has room for one command.
    fn new() -> Self {
        Self::with(Config::default().queue_commands(1).response_timeout(Duration::from_secs(10)))
    }

    fn with(config: Config) -> Self {
        let mailbox = Arc::new(Mailbox::new(Arc::new(config.clone())));
        let engine = Engine::new(Arc::new(config), 1, Instant::ORIGIN);
        Self { client: Client::new(Arc::clone(&mailbox)), mailbox, engine, due: Instant::FAR }
    }

    /// What the driver does when it is woken. Returns the requests that it took.
    fn visit(&mut self, seconds: u64) -> Vec<RequestId> {
        let now = Instant::from_nanos(seconds * 1_000_000_000);
        while self.engine.poll_action().is_some() {}
        self.engine.handle_timeout(now);
        let (mut inbox, mut wake) = (Inbox::default(), Vec::new());
        (self.due, _) = self.mailbox.exchange(now, &mut self.engine, &mut inbox, &mut wake);
        let taken = inbox.requests.iter().map(|request| request.id).collect();
        for request in inbox.requests.drain(..) {
            self.engine.handle_request(now, request, &mut inbox.bytes);
        }
        self.engine.cancel(now, &mut inbox.errands.cancelled);
        taken
    }
}

fn ping(client: &Client) -> Reply<'_, ()> {
    client.run(Command::new("PING"))
}

fn poll<T>(reply: Pin<&mut Reply<'_, T>>) -> Poll<Result<T, Error>>
where
    T: FromReply,
{
    reply.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_call_that_waits_for_room_keeps_its_deadline() {
    let mut bench = Bench::new();
    let client = bench.client.clone();
    let hasty = client.with(Options::new().timeout(Duration::from_secs(6)));
    let mut first = pin!(ping(&hasty));
    let mut second = pin!(ping(&client));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(bench.visit(0).len(), 1, "there is room for one");
    assert!(bench.visit(6).is_empty());
    let Poll::Ready(Err(error)) = poll(first.as_mut()) else { panic!("the first has ended") };
    assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Connection));
    assert!(bench.visit(7).is_empty());
    assert!(poll(second.as_mut()).is_pending(), "it is let in, and leaves its command");
    assert_eq!(bench.visit(7).len(), 1);
    bench.visit(10);
    bench.visit(10);
    assert_eq!(bench.due, Instant::FAR, "nobody is in line, so nothing is due there");
    let Poll::Ready(Err(error)) = poll(second.as_mut()) else { panic!("its ten seconds are over") };
    assert_eq!(
        (error.kind(), error.delivery()),
        (&ErrorKind::Timeout(Waiting::Connection), Delivery::NotSent)
    );
}

#[test]
fn calls_given_up_in_line_leave_it() {
    let mut bench = Bench::new();
    let client = bench.client.clone();
    let mut first = pin!(ping(&client));
    let mut last = pin!(ping(&client));
    assert!(poll(first.as_mut()).is_pending());
    for _ in 0..1000 {
        assert!(poll(pin!(ping(&client))).is_pending());
        bench.visit(0);
        assert!(bench.mailbox.line_len() <= 2);
    }
    assert!(poll(last.as_mut()).is_pending());
    bench.visit(0);
    assert_eq!(bench.mailbox.line_len(), 1);
}

#[test]
fn a_full_queue_can_refuse_instead() {
    let config = Config::default().queue_commands(1).when_full(crate::config::WhenFull::Fail);
    let client = Client::new(Arc::new(Mailbox::new(Arc::new(config))));
    let mut first = pin!(ping(&client));
    assert!(poll(first.as_mut()).is_pending());
    let Poll::Ready(Err(error)) = poll(pin!(ping(&client))) else { panic!("there is no room") };
    assert_eq!(error.kind(), &ErrorKind::Limit(Limit::QueueCommands(1)));
    assert_eq!((error.delivery(), error.command()), (Delivery::NotSent, Some("PING")));
}

// Slots: foo 12182, bar 5061, hello 866.
#[test]
fn keys_in_several_slots_are_split_or_refused_in_a_cluster_alone() {
    use crate::commands::{KeyCommands, StringCommands};

    let cluster = Config::cluster([crate::config::Endpoint::tcp("127.0.0.1", 7000)]);
    for (config, parts) in [(cluster, 3), (Config::default(), 1)] {
        let mut bench = Bench::with(config);
        let client = bench.client.clone();
        let mut reply = pin!(client.mget::<String>(["foo", "bar", "{foo}x", "hello"]));
        assert!(poll(reply.as_mut()).is_pending());
        assert_eq!(bench.visit(0).len(), parts, "requests for one call");

        let refused = match poll(pin!(client.rename("foo", "bar"))) {
            Poll::Ready(Err(error)) => Some(error.to_string()),
            _ => None,
        };
        let text = "RENAME: the keys are in different slots, such as 12182 and 5061 (not sent)";
        assert_eq!(refused.as_deref(), (parts > 1).then_some(text));
    }
}

#[test]
fn whoever_need_not_wait_leaves_no_waker() {
    struct Another;
    impl alloc::task::Wake for Another {
        fn wake(self: Arc<Self>) {}
    }

    let mut bench = Bench::new();
    let client = bench.client.clone();
    let ask = || {
        let waker = Waker::from(Arc::new(Another));
        pin!(client.connected()).poll(&mut Context::from_waker(&waker)).is_ready()
    };
    assert!(!ask());
    assert_eq!(bench.mailbox.watchers(), 1);
    let error = crate::error::ConnectionError::Refused;
    let Some(crate::engine::Action::Connect(conn, ..)) = bench.engine.poll_action() else {
        panic!("it connects")
    };
    bench.engine.handle_closed(Instant::ORIGIN, conn, error);
    bench.visit(0);
    assert!(ask() && ask() && ask());
    assert_eq!(bench.mailbox.watchers(), 0);
}
