//! Driving by those who wait, step by step and on one thread: what other threads do happens while that one sleeps.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Ready, poll_fn, ready};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use redstart_core::client::Options;
use redstart_core::commands::StringCommands;
use redstart_core::config::{Config, Endpoint, Protocol};
use redstart_core::drive::{self, Driver, Net, Sleep, Socket, Turn, Waiting};
use redstart_core::error::Waiting as For;
use redstart_core::pubsub::{Event, Message};
use redstart_core::resp::{Decoder, Limits};
use redstart_core::{ErrorKind, Instant};

/// Ends the sleep in the poller, if somebody sleeps there and nobody drives.
#[derive(Default)]
struct Signal {
    raised: AtomicBool,
    asleep: AtomicBool,
    /// How many sleeps it has ended.
    ended: AtomicUsize,
}

impl Signal {
    fn end_sleep(&self) {
        self.ended.fetch_add(usize::from(self.asleep.swap(false, SeqCst)), SeqCst);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raised.store(true, SeqCst);
        self.end_sleep();
    }
}

/// What happens while a thread sleeps.
type Step = Box<dyn FnOnce()>;

#[derive(Default)]
struct State {
    now: u64,
    alarm: Option<Instant>,
    sleeps_until: Option<Instant>,
    polled: bool,
    lent: bool,
    sent: BytesMut,
    to_read: BytesMut,
    reader: Option<Waker>,
    steps: VecDeque<Step>,
    /// What was written, and where a thread slept.
    log: Vec<String>,
}

/// A server, one connection with it, a clock, and what happens in which sleep.
#[derive(Clone, Default)]
struct World(Rc<RefCell<State>>, Arc<Signal>);

impl World {
    /// The server says this.
    fn say(&self, text: &str) {
        let mut state = self.0.borrow_mut();
        state.to_read.put_slice(text.as_bytes());
        // While a thread sleeps where it is found, nobody else finds it.
        let is_found = state.lent || state.polled;
        drop(state);
        if !is_found {
            self.wake_reader();
        }
    }

    /// There is something to read, if there is, for who drives.
    fn wake_reader(&self) {
        let mut state = self.0.borrow_mut();
        let is_ready = !state.lent && !state.to_read.is_empty();
        let reader = if is_ready { state.reader.take() } else { None };
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }

    /// In the next sleep for which nothing is planned yet this happens.
    fn then(&self, step: impl FnOnce() + 'static) {
        self.0.borrow_mut().steps.push_back(Box::new(step));
    }

    /// And in that the server says this.
    fn then_say(&self, text: &'static str) {
        let server = self.clone();
        self.then(move || server.say(text));
    }

    fn sleep(&self, place: &str) {
        let mut state = self.0.borrow_mut();
        state.log.push(place.to_owned());
        let step = state.steps.pop_front();
        drop(state);
        step.unwrap_or_else(|| panic!("nothing ends the sleep in the {place}"))();
    }

    /// It is so much later.
    fn pass(&self, time: Duration) {
        self.0.borrow_mut().now += time.as_nanos() as u64;
    }

    /// What has happened since this was asked last.
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().log)
    }

    /// How many sleeps in the poller were ended by the waker.
    fn ended(&self) -> usize {
        self.1.ended.load(SeqCst)
    }

    /// Takes what was written, and answers what the client says by itself.
    fn hear(&self, written: &[u8]) {
        let mut state = self.0.borrow_mut();
        state.sent.put_slice(written);
        let mut answers = String::new();
        while let Some(frame) = Decoder::new(Limits::default()).decode(&mut state.sent).expect("legal") {
            let words: Vec<String> = frame
                .item()
                .items()
                .map(|word| String::from_utf8_lossy(&word.text().unwrap_or_default()).into_owned())
                .collect();
            match &*words[0] {
                "HELLO" => answers.push_str("%1\r\n+proto\r\n:3\r\n"),
                "PING" => answers.push_str("+PONG\r\n"),
                "SUBSCRIBE" => answers.push_str(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"),
                _ => state.log.push(words.join(" ")),
            }
        }
        drop(state);
        self.say(&answers);
    }
}

/// Where a thread sleeps: a poller, or a loan and what it has read.
struct Place(World, &'static str, BytesMut);

impl drive::Poller for Place {
    fn sleep(&mut self) {
        self.0.sleep(self.1);
    }
}

impl drive::Loan for Place {
    fn sleep(&mut self) {
        self.0.sleep(self.1);
        self.2 = self.0.0.borrow_mut().to_read.split();
    }
}

impl Sleep for World {
    type Poller = Place;
    type Loan = Place;

    fn waker(&self) -> Waker {
        Arc::clone(&self.1).into()
    }

    fn clear(&self) {
        self.1.raised.store(false, SeqCst);
    }

    fn is_woken(&self) -> bool {
        self.1.raised.load(SeqCst)
    }

    fn take_over(&self) {
        self.1.asleep.store(false, SeqCst);
    }

    fn let_go(&self) {
        let state = self.0.borrow();
        self.1.asleep.store(state.polled, SeqCst);
        if self.is_woken() || state.alarm < state.sleeps_until {
            self.1.end_sleep();
        }
    }

    fn attend(&mut self) {}

    fn lie_down(&mut self, _: Instant, alone: bool) -> Option<Place> {
        if self.is_woken() {
            return None;
        }
        let mut state = self.0.borrow_mut();
        assert!(!state.polled, "two threads sleep in the poller");
        (state.polled, state.sleeps_until) = (true, state.alarm);
        drop(state);
        Some(Place(self.clone(), if alone { "poller, alone" } else { "poller" }, BytesMut::new()))
    }

    fn get_up(&mut self, _: Place) {
        self.0.borrow_mut().polled = false;
        self.wake_reader();
    }

    fn lend(&mut self, _: &Line, _: Instant, _: Instant) -> Option<Place> {
        let mut state = self.0.borrow_mut();
        assert!(state.polled && !state.lent, "nobody watches, or somebody has it");
        state.lent = true;
        drop(state);
        Some(Place(self.clone(), "loan", BytesMut::new()))
    }

    fn take_back(&mut self, loan: Place) -> bool {
        let mut state = self.0.borrow_mut();
        state.lent = false;
        let read = !loan.2.is_empty();
        state.to_read.unsplit(loan.2);
        drop(state);
        self.wake_reader();
        read
    }
}

impl Net for World {
    type Socket = Line;
    type Connect = Ready<io::Result<Line>>;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.borrow().now)
    }

    fn connect(&mut self, _: &Endpoint) -> Self::Connect {
        ready(Ok(Line(self.clone())))
    }

    fn poll_deadline(&mut self, _: &mut Context<'_>, at: Instant) -> Poll<()> {
        self.0.borrow_mut().alarm = Some(at);
        if at <= self.now() { Poll::Ready(()) } else { Poll::Pending }
    }
}

struct Line(World);

impl Socket for Line {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut state = self.0.0.borrow_mut();
        if state.lent || state.to_read.is_empty() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = state.to_read.len().min(into.capacity() - into.len());
        into.put(state.to_read.split_to(count));
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, from: &mut impl Buf) -> Poll<io::Result<usize>> {
        let written = from.copy_to_bytes(from.remaining());
        self.0.hear(&written);
        Poll::Ready(Ok(written.len()))
    }
}

type Client = Rc<Waiting<World>>;

/// A client that is connected and knows of a deadline: a call beside who watches has none before that.
fn client() -> (World, Client) {
    let world = World::default();
    let config = Config::default().protocol(Protocol::Resp3).library_name(None).library_version(None);
    let (client, driver) = Driver::new(config, world.clone(), 1).expect("it can be used");
    let client = Rc::new(Waiting::new(client, Turn::new(driver)));
    client.connected().expect("a server that answers");
    world.then_say("$1\r\n0\r\n");
    assert_eq!(get(&client, "first"), "0");
    assert_eq!(world.log(), ["GET first", "poller, alone"]);
    assert_eq!(world.ended(), 0);
    (world, client)
}

fn get(client: &Client, key: &str) -> String {
    client.get(key).expect("a reply").expect("a value")
}

/// Watches, while another thread does this.
fn watch(world: &World, client: &Client, meanwhile: impl FnOnce() + 'static) {
    let told = Rc::new(RefCell::new((false, None::<Waker>)));
    let enough = Rc::clone(&told);
    world.then(move || {
        meanwhile();
        let waker = {
            let mut told = enough.borrow_mut();
            told.0 = true;
            told.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    });
    client.wait(poll_fn(|cx| {
        let mut told = told.borrow_mut();
        told.1 = Some(cx.waker().clone());
        if told.0 { Poll::Ready(()) } else { Poll::Pending }
    }));
}

#[test]
fn a_call_beside_who_watches_writes_and_reads_by_itself_and_wakes_nobody() {
    let (world, client) = client();
    let (here, caller) = (world.clone(), Rc::clone(&client));
    watch(&world, &client, move || {
        for (reply, value) in [("$1\r\n1\r\n", "1"), ("$1\r\n2\r\n", "2")] {
            here.then_say(reply);
            assert_eq!(get(&caller, "a"), value);
        }
        assert_eq!(here.ended(), 0);
    });
    assert_eq!(world.log(), ["poller, alone", "GET a", "loan", "GET a", "loan"]);
    assert_eq!(world.ended(), 1, "the end is told to who watches");
}

#[test]
fn who_has_read_a_part_reads_on() {
    let (world, client) = client();
    let (here, caller) = (world.clone(), Rc::clone(&client));
    watch(&world, &client, move || {
        here.then_say("$1\r\n");
        here.then_say("1\r\n");
        assert_eq!(get(&caller, "a"), "1");
        assert_eq!(here.ended(), 0);
    });
    assert_eq!(world.log(), ["poller, alone", "GET a", "loan", "loan"]);
}

#[test]
fn what_another_thread_reads_for_who_watches_ends_the_sleep() {
    let (world, client) = client();
    let mut messages = client.subscribe("c").unwrap();
    let (here, caller) = (world.clone(), Rc::clone(&client));
    world.then(move || {
        for part in [">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n$1\r\n", "1\r\n"] {
            here.then_say(part);
        }
        assert_eq!(get(&caller, "a"), "1");
        assert!(here.ended() > 0);
    });
    assert_eq!(messages.next(), Some(Event::Message(Message::new("c", "hi"))));
    assert_eq!(world.log(), ["poller, alone", "GET a", "loan", "loan"]);
}

#[test]
fn an_earlier_deadline_is_told_to_who_watches() {
    let (world, client) = client();
    let here = world.clone();
    let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
    watch(&world, &client, move || {
        let server = here.clone();
        here.then(move || {
            server.pass(Duration::from_millis(50));
            server.say("$1\r\n1\r\n");
        });
        // Its time is up, but what it waits for is there.
        assert_eq!(hasty.get("a"), Ok(Some("1".to_owned())));
        assert!(here.ended() > 0);
    });
    assert_eq!(world.log(), ["poller, alone", "GET a", "loan"]);
}

#[test]
fn time_is_up_for_who_watches_alone() {
    let (world, client) = client();
    let here = world.clone();
    world.then(move || here.pass(Duration::from_millis(50)));
    let hasty = client.with(Options::new().timeout(Duration::from_millis(50)));
    let error = hasty.get::<String>("a").unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout(For::Reply));
    assert_eq!((world.log(), world.ended()), (vec!["GET a".into(), "poller, alone".into()], 0));
}
