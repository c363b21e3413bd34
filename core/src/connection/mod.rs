//! One socket's conversation: handshake, then requests and replies in order, and its health.
//!
//! ```text
//! Connecting --[securing]--connected--> Handshake --all answered--> Ready
//!      \___________________________________\__________ any fault ____\__> the owner closes it
//! ```
//!
//! Replies belong to requests by order alone, so any doubt about the order ends the connection: a reply
//! that nobody asked for, a handshake answered with the wrong shape, a health check answered with
//! something else than `PONG`, bytes that are no RESP, silence while replies are due.

mod handshake;
mod health;
mod heard;
mod in_flight;
mod outgoing;
#[cfg(test)]
mod tests;
mod transaction;
mod usual;

use alloc::boxed::Box;
use core::time::Duration;

use bytes::BytesMut;

pub use handshake::ServerInfo;
pub(crate) use handshake::{Handshake, Purpose, SWITCH_MASTER};
pub use heard::Kind as TopicKind;
pub(crate) use heard::{Heard, Layout, Told, confirmation, is_pong, is_told, message};
pub use in_flight::RequestId;
pub(crate) use in_flight::{ASKING, Entries, Entry};
pub use outgoing::Outgoing;
use transaction::Progress;
pub(crate) use usual::Usual;

use crate::command::{Command, Flags, Target, name_on_wire};
use crate::config::{Config, Credentials};
use crate::error::{ConnectionError, Delivery, Error, ErrorKind, ServerError};
use crate::resp::{Decoder, Frame, Kind, Limits, Strings};
use crate::time::Instant;

/// Names one connection, for as long as the client lives: it is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

#[derive(Debug)]
enum State {
    Connecting,
    /// The socket is open, and is being secured.
    Securing,
    /// The socket is open; it is not known who to be.
    Nameless,
    Handshake(Box<Handshake>),
    Ready,
}

/// What a reply turned out to be.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The handshake is over.
    Ready(ServerInfo),
    /// A request's reply: of a transaction that of `EXEC`, or why it was refused.
    Reply(Entry, Result<Frame, Error>),
    /// The server was told these credentials, and has taken or refused them.
    Renewed(Credentials, Result<(), Error>),
    /// Sent by the server unasked.
    Push(Frame),
    /// Sent by the server without end, since it was asked once.
    Line(Frame),
    /// Pushes of strings alone, which are still at the front of what was read, for whoever takes them off: most likely
    /// messages.
    Heard(Strings),
}

/// A connection. Its owner moves the bytes.
#[derive(Debug)]
pub(crate) struct Connection {
    state: State,
    purpose: Purpose,
    /// What comes when no reply is due are lines of `MONITOR`.
    has_lines: bool,
    /// The server is asked for the number by which other connections can name this one.
    wants_id: bool,
    /// The server is not told yet what the connection is for.
    purpose_due: bool,
    /// Who to be: `None` while that is asked for.
    credentials: Option<Credentials>,
    /// What the server was told to replace them by.
    telling: Option<Box<Credentials>>,
    decoder: Decoder,
    out: Outgoing,
    in_flight: Entries,
    /// So many of the first bytes in `out` are answered and wait to be released together.
    answered: usize,
    /// Replies seen of the transaction at the head of `in_flight`.
    progress: Progress,
    /// The `ASKING` that goes before the request at the head of `in_flight` is answered.
    has_asked: bool,
    opened_at: Instant,
    /// When the last byte of a reply came, or when replies began to be due if that was later. Pushes do not
    /// count: a server can go on with them although it has lost a reply.
    heard_at: Instant,
    /// When the request was sent that is answered next, if the server had nothing else to do.
    asked_at: Option<Instant>,
    latency: Option<Duration>,
    /// There are subscriptions, or were.
    listens: bool,
    /// What is spoken, once that is known.
    protocol: Option<u8>,
}

impl Connection {
    pub(crate) fn new(config: &Config, purpose: Purpose, now: Instant) -> Self {
        Self {
            state: State::Connecting,
            purpose,
            wants_id: false,
            has_lines: false,
            purpose_due: false,
            credentials: config.login.fixed().cloned(),
            telling: None,
            decoder: Decoder::new(config.reply_limits),
            out: Outgoing::default(),
            in_flight: Entries::with_room(),
            answered: 0,
            progress: Progress::default(),
            has_asked: false,
            opened_at: now,
            heard_at: now,
            asked_at: None,
            latency: None,
            listens: false,
            protocol: None,
        }
    }

    /// The version of RESP that is spoken, once that is known.
    pub(crate) const fn protocol(&self) -> Option<u8> {
        self.protocol
    }

    /// The same connection, to be named to the server from other ones.
    pub(crate) const fn wanting_id(mut self) -> Self {
        self.wants_id = true;
        self
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// The socket is open, and is being secured before it is used.
    pub(crate) fn handle_securing(&mut self) {
        self.state = State::Securing;
    }

    /// The socket is open: the handshake begins. It is over at once if there is nothing to say.
    pub(crate) fn handle_connected(&mut self, now: Instant, config: &Config) -> Option<ServerInfo> {
        if config.login.is_asked() && self.credentials.is_none() {
            self.state = State::Nameless;
            return None;
        }
        self.heard_at = now;
        let (purpose, credentials) = (self.purpose, self.credentials.clone());
        let mut handshake = Handshake::start(config, purpose, self.wants_id, credentials, &mut self.out);
        let over = handshake.take_info();
        self.protocol = over.as_ref().map(|info| info.protocol);
        self.state = if over.is_some() { State::Ready } else { State::Handshake(Box::new(handshake)) };
        over
    }

    /// It is known who to be, before the socket is open or after.
    pub(crate) fn handle_credentials(&mut self, now: Instant, config: &Config, credentials: Credentials) {
        self.credentials = Some(credentials);
        if matches!(self.state, State::Nameless) {
            // There is something to say, so the handshake is not over at once.
            self.handle_connected(now, config);
        }
    }

    /// Who it is on the server, if it is anybody in particular.
    pub(crate) const fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Says who it is from here on. The server must owe nothing, and nothing may be sent until it has answered: some
    /// servers drop their error reply otherwise.
    pub(crate) fn authenticate(&mut self, now: Instant, config: &Config, credentials: &Credentials) {
        let deadline = now + config.liveness_timeout;
        self.send_own(now, RequestId::AUTH, deadline, &handshake::auth(credentials));
        self.telling = Some(Box::new(credentials.clone()));
    }

    /// Whether it waits for the answer to that.
    pub(crate) fn is_authenticating(&self) -> bool {
        self.in_flight.front().is_some_and(|entry| entry.id == RequestId::AUTH)
    }

    /// Appends a request whose bytes are the first in `from`.
    #[inline]
    pub(crate) fn send(&mut self, now: Instant, entry: Entry, from: &mut Outgoing) {
        if self.in_flight.is_empty() {
            self.heard_at = now;
            self.asked_at = Some(now);
        }
        from.transfer(entry.wire_len as usize, &mut self.out);
        self.in_flight.push(entry);
    }

    /// Appends requests whose bytes are the first in `from`, one behind the other.
    pub(crate) fn send_all(
        &mut self,
        now: Instant,
        entries: impl Iterator<Item = Entry>,
        from: &mut Outgoing,
    ) {
        if self.in_flight.is_empty() {
            self.heard_at = now;
            self.asked_at = Some(now);
        }
        let len = self.in_flight.extend(entries);
        from.transfer(len, &mut self.out);
    }

    /// Takes the next reply off `read`. `None`: more bytes are needed.
    ///
    /// # Errors
    /// The connection is beyond use.
    pub(crate) fn next_answer(
        &mut self,
        now: Instant,
        config: &Config,
        read: &mut BytesMut,
    ) -> Result<Option<Answer>, Error> {
        loop {
            if self.listens
                && let Some(heard) = self.hear(read)
            {
                return Ok(Some(Answer::Heard(heard)));
            }
            let frame = match self.decoder.decode(read) {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    self.settle();
                    if self.begins_a_reply(read) {
                        if self.is_unasked(read) {
                            return Err(unasked());
                        }
                        self.heard_at = now;
                    }
                    return Ok(None);
                }
                Err(error) => return Err(fault(ErrorKind::Protocol(error))),
            };
            if frame.kind() == Kind::Push || (self.mark() == b'*' && is_told(&frame)) {
                return Ok(Some(Answer::Push(frame)));
            }
            self.heard_at = now;
            if let State::Handshake(handshake) = &mut self.state {
                if let Some(info) = handshake.handle_reply(&frame, config, &mut self.out)? {
                    self.state = State::Ready;
                    self.protocol = Some(info.protocol);
                    // No reply is as manifold as that to `HELLO` for long, nor is as much said at once.
                    self.decoder = Decoder::new(config.reply_limits);
                    self.out.shrink();
                    return Ok(Some(Answer::Ready(info)));
                }
                continue;
            }
            if self.has_lines && self.in_flight.is_empty() {
                return Ok(Some(Answer::Line(frame)));
            }
            self.measure(now);
            let answer = self.match_reply(frame)?;
            self.tell_purpose(now);
            if let Some(answer) = answer {
                return Ok(Some(answer));
            }
        }
    }

    /// The request that is sent next makes what follows its reply a stream, of lines that may be as long as any
    /// string. Nothing must be under way.
    pub(crate) fn expect_lines(&mut self, config: &Config) {
        let limits = config.reply_limits;
        self.has_lines = true;
        self.decoder = Decoder::new(Limits { line: limits.line.max(limits.bulk), ..limits });
    }

    /// Whether the reply that has begun to come answers nothing. The next request would be given it.
    fn is_unasked(&self, read: &[u8]) -> bool {
        match &self.state {
            State::Ready => !self.is_asked() && !self.has_lines,
            // An error may be the server's greeting.
            State::Handshake(handshake) => !handshake.is_asked(&self.out) && !read.starts_with(b"-"),
            State::Connecting | State::Securing | State::Nameless => true,
        }
    }

    /// Whether the request at the head of the queue is written, so that it can be answered.
    fn is_asked(&self) -> bool {
        self.in_flight.front().is_some_and(|entry| {
            // A transaction's commands are answered one by one, perhaps while its end is still to be written.
            let last = match entry.is_transaction() {
                true => self.progress.is_last_of(entry.part),
                false => !self.is_asking(entry),
            };
            self.out.in_flight() - self.answered >= if last { entry.wire_len as usize } else { 1 }
        })
    }

    /// Gives a reply to the request at the head of the queue. `None`: that request is not through yet.
    fn match_reply(&mut self, frame: Frame) -> Result<Option<Answer>, Error> {
        let Some(&entry) = self.in_flight.front() else {
            return Err(unasked());
        };
        let is_healthy =
            frame.item().text().as_deref() == Some(b"PONG") || (self.mark() == b'*' && is_pong(&frame));
        if entry.id == RequestId::HEALTH && !is_healthy {
            return Err(fault(ErrorKind::Connection(ConnectionError::Unhealthy)));
        }
        if !self.is_asked() {
            return Err(fault(ErrorKind::Conversation("an answer came before its question")));
        }
        if entry.id == RequestId::AUTH {
            self.finish_front();
            return self.renewed(&frame);
        }
        if entry.id == RequestId::SUBSCRIPTION && frame.kind() != Kind::Error {
            return Err(fault(ErrorKind::Conversation(
                "a reply came where subscriptions are to be confirmed",
            )));
        }
        if self.is_asking(&entry) {
            // Whatever is wrong with it, the command that follows is told.
            self.has_asked = true;
            return Ok(None);
        }
        if !entry.is_transaction() {
            return Ok(Some(Answer::Reply(entry, Ok(frame))));
        }
        let outcome = self.progress.handle_reply(entry.part, frame).map_err(fault)?;
        Ok(outcome.map(|outcome| Answer::Reply(entry, outcome)))
    }

    /// What the server says to other credentials.
    ///
    /// # Errors
    /// It says neither yes nor no.
    fn renewed(&mut self, answer: &Frame) -> Result<Option<Answer>, Error> {
        let text = answer.item().text().unwrap_or_default();
        let Some(told) = self.telling.take().map(|told| *told) else { return Err(unasked()) };
        if answer.kind() == Kind::Error {
            let refusal = Error::new(ErrorKind::Server(ServerError::new(&text)), Delivery::Rejected);
            return Ok(Some(Answer::Renewed(told, Err(refusal.with_command("AUTH")))));
        }
        if &*text != b"OK" {
            return Err(fault(ErrorKind::Conversation("AUTH was answered with something else than OK")));
        }
        self.credentials = Some(told.clone());
        Ok(Some(Answer::Renewed(told, Ok(()))))
    }

    /// The messages at the front of `read` that are alike, if there are any that are short and whole.
    #[inline]
    pub(crate) fn hear(&mut self, read: &[u8]) -> Option<Strings> {
        let strings = self.decoder.few_strings(self.mark(), read)?;
        (self.mark() == b'>' || Heard::new(&strings, read).is_some()).then_some(strings)
    }

    /// How what the server says unasked begins: by an array, where nothing else is awaited but what begins or ends
    /// subscriptions.
    const fn mark(&self) -> u8 {
        if matches!(self.purpose, Purpose::Subscriber) { b'*' } else { b'>' }
    }

    /// Whether the first bytes of something are those of a reply. A push is none, and a remark may be on a push.
    fn begins_a_reply(&self, read: &[u8]) -> bool {
        read.first().is_some_and(|kind| *kind != self.mark() && !b">|".contains(kind))
    }

    /// Subscriptions begin or end by a request whose bytes are the first in `from`.
    pub(crate) fn send_subscriptions(&mut self, now: Instant, entry: Entry, from: &mut Outgoing) {
        self.listens = true;
        self.send(now, entry, from);
    }

    /// Whether a request that begins or ends subscriptions is answered next, and is written.
    pub(crate) fn awaits_confirmations(&self) -> bool {
        self.in_flight.front().is_some_and(|entry| entry.id == RequestId::SUBSCRIPTION) && self.is_asked()
    }

    /// A subscription was confirmed; if that was the `last` that its request was to bring, the request is through.
    pub(crate) fn handle_confirmed(&mut self, now: Instant, last: bool) {
        self.heard_at = now;
        if last {
            self.finish_front();
        } else if let Some(front) = self.in_flight.front_mut() {
            front.part = front.part.saturating_sub(1);
        }
    }

    /// The same where nobody asks for subscriptions any more: what was asked before is still answered in its order.
    pub(crate) fn handle_late_confirmation(&mut self, now: Instant, (kind, on): (TopicKind, bool)) {
        if self.awaits_confirmations() {
            self.settle();
            let left = self.in_flight.front().map_or(0, |front| front.part);
            // A node ends subscriptions of its own accord, too.
            if name_on_wire(&self.out.peek(), 1).as_deref() == Some(kind.command(on)) {
                self.handle_confirmed(now, left <= 1);
            }
        }
    }

    /// Whether the next reply is that to the `ASKING` which goes before the request.
    const fn is_asking(&self, entry: &Entry) -> bool {
        entry.flags.has(Flags::ASKING) && !self.has_asked
    }

    /// Forgets the request that was just answered; its bytes are no longer kept.
    #[inline]
    pub(crate) fn finish_front(&mut self) {
        self.has_asked = false;
        if let Some(entry) = self.in_flight.pop() {
            self.answered += entry.wire_len as usize;
        }
    }

    /// Releases what is answered.
    fn settle(&mut self) {
        self.out.release(core::mem::take(&mut self.answered));
    }

    /// Moves the bytes of the request that was just answered to `to`, so that it can be sent again.
    pub(crate) fn take_front(&mut self, to: &mut Outgoing) {
        self.has_asked = false;
        self.settle();
        if let Some(entry) = self.in_flight.pop() {
            self.out.transfer(entry.wire_len as usize, to);
        }
    }

    /// The bytes to write.
    pub(crate) const fn outgoing(&mut self) -> &mut Outgoing {
        &mut self.out
    }

    /// How many more bytes are needed before the next reply can be complete.
    pub(crate) fn missing(&self, buffered: usize) -> usize {
        self.decoder.missing(buffered)
    }

    /// The requests and their bytes, for the owner to decide on after the connection is lost.
    pub(crate) fn into_requests(mut self) -> (Entries, Outgoing) {
        self.settle();
        (self.in_flight, self.out)
    }

    pub(crate) const fn in_flight(&mut self) -> &mut Entries {
        &mut self.in_flight
    }

    /// The request that is answered next.
    pub(crate) fn next(&self) -> Option<&Entry> {
        self.in_flight.front()
    }

    /// How many requests and bytes are kept.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.in_flight.len(), self.out.held())
    }

    /// Gives back memory that is not used.
    pub(crate) fn shrink(&mut self) {
        self.out.shrink();
        self.in_flight.shrink();
    }

    /// Whether there is a request under way like that.
    pub(crate) fn any(&self, like: impl Fn(&Entry) -> bool) -> bool {
        self.in_flight.any(like)
    }

    pub(crate) fn any_awaited(&self) -> bool {
        self.in_flight.any_awaited()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Tells the server what the connection is for from here on.
    pub(crate) fn change_purpose(&mut self, now: Instant, purpose: Purpose) {
        if core::mem::replace(&mut self.purpose, purpose) != purpose && self.is_ready() {
            self.purpose_due = true;
            self.tell_purpose(now);
        }
    }

    /// Tells the server what the connection is for, unless it is to be told nothing at the moment.
    fn tell_purpose(&mut self, now: Instant) {
        if !self.is_authenticating() && core::mem::take(&mut self.purpose_due) {
            let purpose = self.purpose;
            let name = if purpose == Purpose::ClusterReads { "READONLY" } else { "READWRITE" };
            self.send_own(now, RequestId::ABANDONED, Instant::FAR, &Command::new(name));
        }
    }

    fn send_own(&mut self, now: Instant, id: RequestId, deadline: Instant, command: &Command<()>) {
        let mut bytes = Outgoing::default();
        command.packed().write_to(&mut bytes);
        let entry = Entry {
            id,
            part: 0,
            wire_len: bytes.held() as u32,
            deadline,
            target: Target::default(),
            flags: Flags::READ_ONLY,
            name_words: 1,
            attempts: 0,
        };
        self.send(now, entry, &mut bytes);
    }
}

fn unasked() -> Error {
    fault(ErrorKind::Conversation("a reply came that nobody asked for"))
}

/// A fault of the connection itself; what it means for each request is for the owner to say.
fn fault(kind: ErrorKind) -> Error {
    Error::new(kind, Delivery::NotSent)
}
