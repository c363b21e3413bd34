//! The model server's part: lists, who waits for an item, what is set on a connection, and where items have been.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::task::Waker;

use redstart_core::command::Value;

use super::super::conn::{Conn, Due, Stage};
use super::super::request::Request;
use super::super::server::{error, ok};
use super::super::trace::Note;
use super::super::world::{Event, World};
use super::oracles;

/// How many lists there are.
pub(super) const LISTS: usize = 2;

/// Databases from here on are those of sessions: that of the lease 3 is this and 3.
pub(super) const OWN_DATABASES: usize = 8;

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum User {
    /// A call of its own.
    Call(usize),
    /// A session.
    Lease(usize),
}

/// What the client has made of one connection.
#[derive(Debug, Default)]
pub(in super::super) struct Use {
    pub(super) user: Option<User>,
    /// Something is set that stays.
    pub(super) is_changed: bool,
    pub(super) watches: bool,
    /// The server was asked to end a wait on it.
    is_recalled: bool,
    /// What is queued between `MULTI` and `EXEC`.
    echoes: Vec<Value>,
}

/// A connection on which the server waits.
#[derive(Debug)]
struct Wait {
    conn: usize,
    call: usize,
    request: Request,
}

/// A call that takes an item.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) lease: Option<usize>,
    /// From when on nobody may wait for it any more.
    pub(super) patient_until: u64,
    /// When its caller has gone.
    pub(super) over_at: Option<u64>,
    /// What the server has said to it.
    pub(super) replies: Vec<Value>,
}

/// Lists and those who take out of them.
#[derive(Debug, Default)]
pub(in super::super) struct Store {
    lists: [VecDeque<usize>; LISTS],
    /// How many items there were.
    pub(super) items: usize,
    /// In the order in which they came.
    waits: Vec<Wait>,
    pub(super) calls: Vec<Call>,
    /// How many sessions were begun.
    pub(super) leases: usize,
    /// Those in which something was given up.
    pub(super) unclear: BTreeSet<usize>,
    /// Those that are known by what they have sent.
    seen: BTreeSet<usize>,
    /// How often an item came to a caller.
    pub(super) delivered: BTreeMap<usize, usize>,
    /// The connections that an item went over.
    carriers: BTreeMap<usize, BTreeSet<usize>>,
    pub(super) unblocked: usize,
    pub(super) given_back: usize,
    /// No more calls are to be made.
    pub(super) rests: bool,
    pub(super) bells: Vec<Option<Waker>>,
}

pub(super) fn list(number: usize) -> String {
    format!("jobs:{number}")
}

/// Whether a request that could be one of a handshake is not.
pub(in super::super) fn is_no_handshake(request: &Request) -> bool {
    match request.name() {
        b"CLIENT" => request.arg(1) == b"UNBLOCK",
        b"SELECT" => number(request.arg(1), "").is_some_and(|database| database >= OWN_DATABASES),
        _ => false,
    }
}

/// The number behind a word such as `wait:17`.
fn number(word: &[u8], prefix: &str) -> Option<usize> {
    let digits = std::str::from_utf8(word).ok()?.strip_prefix(prefix)?;
    digits.split(' ').next()?.parse().ok()
}

impl Use {
    /// Whether a session or a call of its own has had the connection.
    pub(in super::super) const fn was_had(&self) -> bool {
        self.user.is_some()
    }
}

impl Store {
    /// A call is made that takes an item.
    pub(super) fn begin(&mut self, lease: Option<usize>, patient_until: u64) -> usize {
        self.calls.push(Call { lease, patient_until, over_at: None, replies: Vec::new() });
        self.calls.len() - 1
    }

    /// A session is begun.
    pub(super) const fn begin_lease(&mut self) -> usize {
        self.leases += 1;
        self.leases - 1
    }

    /// The call that a request is.
    fn call_of(request: &Request) -> Option<usize> {
        matches!(request.name(), b"BLPOP" | b"BRPOP").then(|| number(request.arg(2), "wait:"))?
    }

    /// Takes out of the list that a request names.
    fn take(&mut self, request: &Request) -> Option<(usize, Value)> {
        let list = number(request.arg(1), "jobs:").filter(|list| *list < LISTS)?;
        let items = &mut self.lists[list];
        let item = if request.name() == b"BLPOP" { items.pop_front() } else { items.pop_back() }?;
        let bulk = |text: String| Value::Bulk(text.into());
        Some((item, Value::Array(vec![bulk(self::list(list)), bulk(item.to_string())])))
    }

    /// How often an item is in a list or came to a caller.
    pub(super) fn count(&self, item: usize) -> usize {
        let left = self.lists.iter().flatten().filter(|other| **other == item).count();
        left + self.delivered.get(&item).copied().unwrap_or(0)
    }

    /// Whether something was wrong with a connection that an item went over.
    pub(super) fn was_in_danger(&self, item: usize, conns: &[Conn]) -> bool {
        self.carriers.get(&item).into_iter().flatten().any(|&conn| conns[conn].blemish.is_some())
    }

    pub(super) fn is_awaited(&self) -> bool {
        !self.waits.is_empty()
    }
}

impl World {
    /// The lists.
    ///
    /// # Panics
    /// There are none.
    pub(super) fn store(&mut self) -> &mut Store {
        self.store.as_mut().expect("a world with lists")
    }

    /// The client has written a request: what its reply is due for, if it is one of those here.
    pub(in super::super) fn follow_lease(&mut self, id: usize, request: &Request) -> Option<Due> {
        let Self { store: Some(store), conns, .. } = self else { return None };
        let conn = &mut conns[id];
        // `MULTI` does not say whose it is, but what follows it; a PING is nobody's.
        let is_somebodys = |due: Due| !matches!(due, Due::Part | Due::Own);
        let unanswered = conn.down.dues.iter().filter(|(due, _)| is_somebodys(*due)).count();
        let waits = conn.down.dues.iter().any(|(due, _)| *due == Due::Wait);
        let part = if conn.up.transaction.is_some() { Due::Part } else { Due::Whole };
        let used = &mut conn.used;
        let before = (used.user, used.is_changed || used.watches);
        let (user, due) = match (request.name(), request.arg(1)) {
            (b"CLIENT", b"UNBLOCK") => (None, Some(Due::Own)),
            (b"LPUSH" | b"RPUSH", key) if number(key, "jobs:").is_some() => {
                let items = request.args.iter().skip(2).filter_map(|item| number(item, ""));
                for item in items {
                    store.carriers.entry(item).or_default().insert(id);
                }
                (None, Some(Due::Own))
            }
            (b"SELECT", database) => {
                match number(database, "").and_then(|it| it.checked_sub(OWN_DATABASES)) {
                    None => (None, None),
                    Some(lease) => {
                        used.is_changed = true;
                        (Some(User::Lease(lease)), Some(Due::Whole))
                    }
                }
            }
            (b"WATCH", key) => {
                used.watches = true;
                (number(key, "lease ").map(User::Lease), Some(Due::Whole))
            }
            (b"UNWATCH", _) => {
                used.watches = false;
                (None, Some(Due::Whole))
            }
            (b"EXEC", _) => {
                used.watches = false;
                (None, None)
            }
            (b"ECHO", text) => (number(text, "lease ").map(User::Lease), Some(part)),
            _ => match Store::call_of(request) {
                None => (None, None),
                Some(call) => {
                    let lease = store.calls[call].lease.map(User::Lease);
                    (Some(lease.unwrap_or(User::Call(call))), Some(Due::Wait))
                }
            },
        };
        // A session may ask on behind a call that it has given up.
        let is_nameless = matches!(request.name(), b"MULTI" | b"UNWATCH" | b"EXEC");
        let is_own = matches!(before.0, Some(User::Lease(_))) && (user == before.0 || is_nameless);
        self.judge(oracles::b6_nothing_is_sent_behind_a_wait(id, request, waits && !is_own));
        if let Some(user) = user
            && before.0 != Some(user)
        {
            // One that was greeted with an error has taken that for an answer.
            if self.conns[id].served {
                self.judge(oracles::a2_a_lease_begins_clean(id, before.0, user, before.1, unanswered));
            }
            let used = &mut self.conns[id].used;
            (used.user, used.is_recalled) = (Some(user), false);
            if let User::Lease(lease) = user {
                self.store().seen.insert(lease);
            }
        }
        due
    }

    /// A request waits at the server, and is answered later.
    pub(in super::super) fn begin_to_wait(&mut self, id: usize, request: &Request) -> bool {
        let (Some(call), Some(store)) = (Store::call_of(request), &mut self.store) else { return false };
        let conn = &self.conns[id];
        let server = &self.servers[conn.server];
        let is_empty = number(request.arg(1), "jobs:").is_some_and(|list| store.lists[list].is_empty());
        let is_refused = server.refusal.is_some_and(|refusal| refusal.refuses(true));
        if !server.allows(&conn.session) || is_refused || !is_empty {
            return false;
        }
        let millis = std::str::from_utf8(request.arg(3)).ok().and_then(|text| text.parse::<f64>().ok());
        store.waits.push(Wait { conn: id, call, request: request.clone() });
        match millis {
            Some(seconds) if seconds > 0.0 => {
                let at = self.now + (seconds * 1e9) as u64;
                self.schedule(at, Event::WaitOver(id, call));
            }
            _ => {}
        }
        true
    }

    /// Whether the server waits in a request of a connection, and answers nothing on it.
    pub(in super::super) fn waits(&self, id: usize) -> bool {
        self.store.as_ref().is_some_and(|store| store.waits.iter().any(|wait| wait.conn == id))
    }

    /// Nothing has come in time.
    pub(in super::super) fn end_wait(&mut self, id: usize, call: usize) {
        let is_up = self.servers[self.conns[id].server].is_up();
        let Some(store) = &mut self.store else { return };
        let Some(at) = store.waits.iter().position(|wait| wait.conn == id && wait.call == call) else {
            return;
        };
        if is_up {
            let wait = store.waits.remove(at);
            self.answer_wait(wait, Value::Nil);
        } else {
            self.schedule(self.now + 1_000_000, Event::WaitOver(id, call));
        }
    }

    /// A task goes on that has rested.
    pub(in super::super) fn ring_bell(&mut self, bell: usize) {
        self.store().bells[bell].take().into_iter().for_each(Waker::wake);
    }

    /// The server sees that a connection is gone.
    pub(in super::super) fn hang_up(&mut self, id: usize) {
        if let Some(store) = &mut self.store {
            store.waits.retain(|wait| wait.conn != id);
        }
    }

    fn answer_wait(&mut self, wait: Wait, reply: Value) {
        let mut out = Vec::new();
        self.note_reply(wait.call, wait.conn, &reply);
        self.reply(wait.conn, &wait.request, &reply, &mut out);
        self.send_down(wait.conn, &out);
        self.serve(wait.conn);
    }

    fn note_reply(&mut self, call: usize, conn: usize, reply: &Value) {
        let store = self.store();
        store.calls[call].replies.push(reply.clone());
        if let Value::Array(parts) = reply
            && let Some(Value::Bulk(item)) = parts.get(1)
            && let Some(item) = number(item, "")
        {
            store.carriers.entry(item).or_default().insert(conn);
        }
    }

    /// A new item comes into a list.
    pub(in super::super) fn produce(&mut self, list: usize) {
        if !self.servers[0].is_up() {
            return;
        }
        let store = self.store();
        let item = store.items;
        store.items += 1;
        store.lists[list].push_back(item);
        self.note(&Note::Server(&format!("item {item} comes into {}", self::list(list))));
        self.serve_waits();
    }

    /// Those who wait get what there is, in their order.
    fn serve_waits(&mut self) {
        let mut at = 0;
        while let Some(wait) = self.store().waits.get(at) {
            let request = wait.request.clone();
            match self.store().take(&request) {
                None => at += 1,
                Some((_, reply)) => {
                    let wait = self.store().waits.remove(at);
                    self.answer_wait(wait, reply);
                    at = 0;
                }
            }
        }
    }

    /// What the server says to a request that is one of those here.
    pub(in super::super) fn answer_lease(&mut self, id: usize, request: &Request) -> Option<Value> {
        let conn = &mut self.conns[id];
        let server = &self.servers[conn.server];
        if self.store.is_none() || !server.allows(&conn.session) {
            return None;
        }
        let refused = server.refusal.filter(|refusal| refusal.refuses(true)).map(|_| server.refuse());
        Some(match (request.name(), request.arg(1)) {
            (b"CLIENT", b"ID") => Value::Integer(id as i64 + 1),
            (b"CLIENT", b"UNBLOCK") => self.unblock(number(request.arg(2), "")?),
            (b"WATCH" | b"UNWATCH", _) => ok(),
            (b"ECHO", text) => {
                let text = Value::Bulk(text.to_vec().into());
                if conn.session.multi.is_some() {
                    conn.used.echoes.push(text);
                    return Some(Value::Status("QUEUED".into()));
                }
                text
            }
            (b"EXEC", _) if conn.session.multi.is_none() => {
                conn.blemish("transactions are refused");
                return None;
            }
            (b"EXEC", _) if !conn.used.echoes.is_empty() => {
                let echoes = std::mem::take(&mut conn.used.echoes);
                conn.session
                    .multi
                    .take()
                    .map_or_else(|| error("ERR EXEC without MULTI"), |_| Value::Array(echoes))
            }
            (name @ (b"LPUSH" | b"RPUSH"), key) if number(key, "jobs:").is_some() => {
                refused.unwrap_or_else(|| self.put_back(name == b"LPUSH", request))
            }
            _ => {
                let call = Store::call_of(request)?;
                let reply = match refused {
                    Some(refused) => refused,
                    None => self.store().take(request)?.1,
                };
                self.note_reply(call, id, &reply);
                reply
            }
        })
    }

    fn put_back(&mut self, first: bool, request: &Request) -> Value {
        let store = self.store();
        let list = number(request.arg(1), "jobs:").unwrap_or_default();
        for item in request.args.iter().skip(2).filter_map(|item| number(item, "")) {
            store.given_back += 1;
            if first { store.lists[list].push_front(item) } else { store.lists[list].push_back(item) }
        }
        let len = store.lists[list].len();
        self.serve_waits();
        Value::Integer(len as i64)
    }

    /// Ends the wait on the connection with this number at the server.
    fn unblock(&mut self, number: usize) -> Value {
        let (now, closing) = (self.now, self.closing);
        if let Some(conn) = self.conns.get_mut(number - 1) {
            conn.used.is_recalled = true;
        }
        // What turns writes away is a replica, at which nothing is waited for.
        let is_troubled = self.conns.get(number - 1).is_some_and(|conn| conn.blemish.is_some());
        let store = self.store();
        let Some(at) = store.waits.iter().position(|wait| wait.conn + 1 == number) else {
            return Value::Integer(0);
        };
        let wait = store.waits.remove(at);
        store.unblocked += 1;
        let call = &store.calls[wait.call];
        // A session in which such a call was given up is over.
        let is_unclear = call.lease.is_some_and(|lease| store.unclear.contains(&lease));
        let is_over =
            closing || is_troubled || is_unclear || call.over_at.is_some() || now >= call.patient_until;
        self.judge(oracles::a3_only_what_was_given_up_is_ended(wait.conn, wait.call, is_over));
        self.answer_wait(wait, error("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
        Value::Integer(1)
    }

    /// The client may close this side connection although nothing is wrong with it.
    pub(in super::super) fn is_spent(&mut self, id: usize) -> bool {
        let (Some(store), conn) = (&mut self.store, &self.conns[id]) else { return false };
        let is_trouble = self.conns.iter().any(|conn| conn.blemish.is_some());
        let used = &conn.used;
        let is_aside = used.user.is_some() || !conn.was_shared;
        // It may have been about to change the connection.
        let gave_up = matches!(used.user, Some(User::Lease(lease)) if store.unclear.contains(&lease));
        // The server was to be asked to end a wait, on another connection that has failed, or is so slow that the question
        // has not come in the time that it may take.
        let longest = self.expected.connect_timeout;
        let is_late = |over_at| !used.is_recalled && self.now >= over_at + longest;
        let over_at = match used.user {
            Some(User::Call(call)) => store.calls[call].over_at,
            _ => None,
        };
        let is_asked = over_at.is_some_and(|over_at| is_trouble || is_late(over_at));
        let is_unclear = used.is_changed || used.watches || gave_up || is_asked;
        if !is_aside || self.expected.sides_age || is_unclear {
            return is_aside;
        }
        // It was that of a session which has sent nothing of what it had begun to.
        let unseen = store.unclear.iter().find(|lease| !store.seen.contains(lease)).copied();
        unseen.is_some_and(|lease| store.seen.insert(lease))
    }

    /// H1: there are no more connections than there may be.
    pub(in super::super) fn judge_number_of_connections(&mut self) {
        let Some(most) = self.expected.pool else { return };
        let open =
            self.conns.iter().filter(|conn| matches!(conn.stage, Stage::Opening | Stage::Open)).count();
        self.judge(oracles::h1_connections_are_bounded(open, most + 1));
    }
}
