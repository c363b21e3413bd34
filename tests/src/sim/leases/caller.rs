//! A task that waits for items and takes connections to itself, and gives up at any time.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use fastrand::Rng;
use futures_lite::future::or;
use redstart_core::Error;
use redstart_core::client::session::{Session, Sessions};
use redstart_core::client::{Client, Options};
use redstart_core::command::Prepare as p;
use redstart_core::command::{Run, Value};
use redstart_core::commands::{ConnectionCommands, ListCommands, SessionCommands};
use redstart_core::error::{ConnectionError, ErrorKind};

use super::super::oracles::{Verdict, Violation, demand};
use super::super::setup::ms;
use super::super::trace::Note;
use super::super::world::{Event, MS, World};
use super::server::{LISTS, OWN_DATABASES, list};

type Shared = Rc<RefCell<World>>;

/// How the client and the callers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Calls are given up.
    pub(super) gives_up: bool,
    /// Nothing goes wrong but that calls are given up.
    pub(super) is_tame: bool,
    /// Replies can fail to come for ever, so nobody waits for ever.
    pub(super) is_lossy: bool,
}

/// What a caller is for.
pub(super) struct Caller {
    pub(super) world: Shared,
    pub(super) client: Client,
    pub(super) rng: Rng,
    pub(super) manner: Manner,
}

/// Time passes.
struct Pause {
    world: Shared,
    until: u64,
    bell: Option<usize>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = Rc::clone(&self.world);
        let world = &mut *shared.borrow_mut();
        if world.now >= self.until {
            return Poll::Ready(());
        }
        let bells = &mut world.store().bells;
        let is_new = self.bell.is_none();
        let bell = *self.bell.get_or_insert(bells.len());
        bells.resize(bells.len().max(bell + 1), None);
        bells[bell] = Some(cx.waker().clone());
        if is_new {
            world.schedule(self.until, Event::Bell(bell));
        }
        Poll::Pending
    }
}

/// What a session has come to.
#[derive(Default)]
struct State {
    /// A call that waits was given up.
    is_over: bool,
    watches: bool,
    /// It is in another database.
    is_elsewhere: bool,
}

/// A call that takes an item. Dropping it gives it up.
struct Taking {
    world: Shared,
    call: usize,
}

impl Drop for Taking {
    fn drop(&mut self) {
        let mut world = self.world.borrow_mut();
        world.note(&Note::Client(&format!("wait:{} is left", self.call)));
        let now = world.now;
        world.store().calls[self.call].over_at = Some(now);
    }
}

impl Caller {
    fn pause(&self, length: u64) -> Pause {
        let until = self.world.borrow().now + length;
        Pause { world: Rc::clone(&self.world), until, bell: None }
    }

    /// As [`perhaps`](Self::perhaps), of a call in a session.
    async fn perhaps_in<T>(&mut self, lease: Option<usize>, call: impl Future<Output = T>) -> Option<T> {
        let ended = self.perhaps(call).await;
        if ended.is_none() {
            self.world.borrow_mut().store().unclear.extend(lease);
        }
        ended
    }

    /// Waits for `call`, perhaps not for long. `None` if it was given up.
    async fn perhaps<T>(&mut self, call: impl Future<Output = T>) -> Option<T> {
        if !self.manner.gives_up || self.rng.bool() {
            return Some(call.await);
        }
        let length = match self.rng.u8(..4) {
            0 => 0,
            1 => self.rng.u64(..2 * MS),
            _ => self.rng.u64(..40 * MS),
        };
        let pause = self.pause(length);
        or(async { Some(call.await) }, async {
            pause.await;
            None
        })
        .await
    }

    fn judge(&self, verdict: Verdict) {
        self.world.borrow_mut().judge(verdict);
    }

    /// Nothing goes wrong, so nothing fails but by what callers did themselves.
    fn judge_error(&self, error: &Error, is_expected: bool) {
        let allowed = match error.kind() {
            ErrorKind::Timeout(_) | ErrorKind::Limit(_) | ErrorKind::Closed => true,
            ErrorKind::Connection(ConnectionError::SessionLost) => is_expected,
            _ => false,
        };
        self.judge(demand(allowed || !self.manner.is_tame, "a3_dropped_calls_disturb_nobody", || {
            format!("a call of a lease failed: {error}")
        }));
    }

    /// Takes an item, by the session `lease` if it is one's. Returns whether it was waited for to its end.
    async fn take<'a, C>(&mut self, client: &'a C, lease: Option<usize>, patience: Duration) -> bool
    where
        &'a C: Run,
        for<'b> <&'a C as Run>::Output<Option<(String, usize)>>:
            Future<Output = Result<Option<(String, usize)>, Error>>,
    {
        let (from, first) = (self.rng.usize(..LISTS), self.rng.bool());
        let time =
            if self.rng.bool() && !self.manner.is_lossy { Duration::ZERO } else { ms(self.rng.u64(10..150)) };
        let taking = {
            let mut world = self.world.borrow_mut();
            let least = if time.is_zero() { patience } else { time.min(patience) };
            let patient_until = world.now.saturating_add(least.as_nanos().try_into().unwrap_or(u64::MAX));
            let call = world.store().begin(lease, patient_until);
            Taking { world: Rc::clone(&self.world), call }
        };
        let keys = [list(from), format!("wait:{}", taking.call)];
        let ended = if first {
            self.perhaps_in(lease, client.blpop::<String, usize>(keys, time)).await
        } else {
            self.perhaps_in(lease, client.brpop::<String, usize>(keys, time)).await
        };
        let Some(outcome) = ended else { return false };
        self.world.borrow_mut().note(&Note::Client(&format!("wait:{} ended: {outcome:?}", taking.call)));
        match outcome {
            Ok(taken) => self.deliver(taking.call, taken),
            // An earlier call of the session was given up.
            Err(error) => self.judge_error(&error, lease.is_some()),
        }
        true
    }

    /// A1: what came is what the server has said to this call.
    fn deliver(&self, call: usize, taken: Option<(String, usize)>) {
        let bulk = |text: String| Value::Bulk(text.into());
        let reply = match &taken {
            Some((list, item)) => Value::Array(vec![bulk(list.clone()), bulk(item.to_string())]),
            None => Value::Nil,
        };
        let mut world = self.world.borrow_mut();
        let store = world.store();
        let said = store.calls[call].replies.contains(&reply);
        if let Some((_, item)) = taken {
            *store.delivered.entry(item).or_default() += 1;
        }
        let verdict = demand(said, "a1_replies_are_ones_own", || format!("call {call} got {reply:?}"));
        world.judge(verdict);
    }

    /// Does this and that in a session. Some of it is given up.
    async fn lease(&mut self) {
        let lease = self.world.borrow_mut().store().begin_lease();
        let client = self.client.clone();
        let session = match self.perhaps(client.session()).await {
            None => return,
            Some(Ok(session)) => session,
            Some(Err(error)) => return self.judge_error(&error, false),
        };
        let mut state = State::default();
        for step in 0..self.rng.usize(..5) {
            let said = format!("lease {lease} {step}");
            let outcome = self.step(&session, lease, &said, &mut state).await;
            if let Err(error) = outcome {
                self.world.borrow_mut().store().unclear.insert(lease);
                self.judge_error(&error, state.is_over);
            }
        }
        if self.rng.bool() {
            let length = self.rng.u64(..20 * MS);
            self.pause(length).await;
        }
    }

    async fn step(
        &mut self,
        session: &Session,
        lease: usize,
        said: &str,
        state: &mut State,
    ) -> Result<(), Error> {
        let done = match self.rng.u8(..8) {
            0..3 => {
                let Some(echoed) = self.perhaps_in(Some(lease), session.echo::<String>(said)).await else {
                    return Ok(());
                };
                return self.check(echoed? == said, said);
            }
            3 => {
                state.is_elsewhere = true;
                self.perhaps_in(Some(lease), session.select((OWN_DATABASES + lease) as u32)).await
            }
            // `UNWATCH` does not say whose it is, so the session has done so before.
            4 | 5 if std::mem::take(&mut state.watches) => {
                self.perhaps_in(Some(lease), session.unwatch()).await
            }
            4 | 5 => {
                let watched = self.perhaps_in(Some(lease), session.watch(format!("lease {lease}"))).await;
                state.watches = watched == Some(Ok(()));
                watched
            }
            6 => {
                let batch = (p.echo::<String>(said), p.echo::<String>(said));
                let Some(echoed) = self.perhaps_in(Some(lease), session.transaction(batch)).await else {
                    return Ok(());
                };
                let echoed = echoed?;
                return self
                    .check(echoed.is_none_or(|(first, second)| first == said && second == said), said);
            }
            // What is taken in another database cannot be put back from outside.
            _ if state.is_elsewhere => return Ok(()),
            _ => {
                state.is_over |= !self.take(session, Some(lease), Duration::MAX).await;
                return Ok(());
            }
        };
        done.unwrap_or(Ok(()))
    }

    fn check(&self, is_right: bool, said: &str) -> Result<(), Error> {
        self.judge(demand(is_right, "a1_replies_are_ones_own", || format!("{said} was answered otherwise")));
        Ok(())
    }

    /// Calls until no more calls are to be made.
    pub(super) async fn run(mut self) {
        loop {
            let length = self.rng.u64(..40 * MS);
            self.pause(length).await;
            if self.world.borrow_mut().store().rests {
                return;
            }
            if self.rng.u8(..5) < 2 {
                self.lease().await;
                continue;
            }
            let (client, patience) = match self.rng.u8(..4) {
                0 if self.manner.gives_up => {
                    let patience = ms(self.rng.u64(..60));
                    (self.client.with(Options::new().timeout(patience)), patience)
                }
                _ => (self.client.clone(), Duration::MAX),
            };
            self.take(&client, None, patience).await;
        }
    }
}

/// Has one of all the sessions that there may be. It is kept in `kept`.
pub(super) async fn hold(client: Client, number: usize, kept: Rc<RefCell<Vec<Session>>>) -> Verdict {
    let failed =
        |error: Error| Violation { oracle: "h3_no_lease_is_lost", what: format!("{number}: {error}") };
    let session = client.session().await.map_err(failed)?;
    let said = format!("probe {number}");
    let echoed: String = session.echo(&said).await.map_err(failed)?;
    kept.borrow_mut().push(session);
    demand(echoed == said, "a1_replies_are_ones_own", || format!("{said} was answered with {echoed}"))
}
