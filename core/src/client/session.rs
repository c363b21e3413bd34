//! Sessions: a connection that one caller has to itself.
//!
//! ```no_run
//! use redstart_core::client::session::Sessions;
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{SessionCommands, StringCommands};
//!
//! # async fn example(client: redstart_core::Client) -> redstart_core::Result<()> {
//! let session = client.session().await?;
//! session.watch("stock").await?;
//! let left = session.get("stock").await?.unwrap_or(0);
//! // `None`: somebody has changed it meanwhile, and nothing was done.
//! let sold = session.transaction((p.set("stock", left - 1), p.incr("sold"))).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is set on a connection holds for what comes after on the same connection, so it needs one that nobody else uses
//! and that is not replaced behind one's back. A session has one of the
//! [side connections](crate::config::PoolOptions) until it is dropped. All commands run in it, also those that
//! [change it](crate::commands::SessionCommands).
//!
//! When its connection is lost, the session is over: what it has asked ends as on any connection, and every later call
//! with [`SessionLost`](crate::error::ConnectionError::SessionLost), not sent. Nothing is sent again on another
//! connection, and no redirect of a cluster is followed. A call that is dropped takes nothing with it, with one
//! exception: when a call is dropped that waits at the server, such as `BLPOP`, the session is over, and so is what else
//! waits in it. What it took is put back, unless [`select`](crate::commands::SessionCommands::select) or another command
//! that sets something that stays was sent before it.
//!
//! Dropping a session gives its connection back, if nothing about it has changed; otherwise closes it.

use core::fmt;
use core::future::{Future, poll_fn};

use super::leased::{Leased, SilentReply};
use super::optimistic::Attempts;
use super::{Client, Handle, Options, PipelineReply, Reply, TransactionReply, Wait};
use crate::command::{Arg, Args, Batch, Command, FromReply, OnSession, Run, Target};
use crate::config::{Deployment, Endpoint};
use crate::connection::ConnId;
use crate::error::Error;
use crate::time::Instant;

/// Sessions of clients of every runtime.
pub trait Sessions: Handle {
    /// Takes a connection to itself: with the server, or with the primary behind sentinels; of a cluster, with any
    /// primary.
    ///
    /// # Errors
    /// There is none within the time that a call may take, or too many wait for one.
    fn session(&self) -> Self::Outcome<impl Future<Output = Result<Session<Self>, Error>>> {
        self.complete(open(self, Target::default(), None))
    }

    /// As [`session`](Self::session), on a cluster with the node that serves `key`. What is watched, read and written
    /// there must be in its slot.
    ///
    /// # Errors
    /// As [`session`](Self::session).
    fn session_for(
        &self,
        key: impl Arg,
    ) -> Self::Outcome<impl Future<Output = Result<Session<Self>, Error>>> {
        let command = Command::<()>::new("").key(key);
        let target = command.packed().target().unwrap_or_default();
        self.complete(open(self, target, None))
    }

    /// As [`session`](Self::session), with the node at `endpoint`, be it a replica.
    ///
    /// # Errors
    /// As [`session`](Self::session); [`ErrorKind::Usage`](crate::ErrorKind::Usage) if there is no such node.
    fn session_at(
        &self,
        endpoint: &Endpoint,
    ) -> Self::Outcome<impl Future<Output = Result<Session<Self>, Error>>> {
        self.complete(open(self, Target::default(), Some(endpoint.clone())))
    }
}

impl<C: Handle> Sessions for C {}

/// A connection that its holder has to itself, from [`Sessions::session`]. See the [module](self).
///
/// Its calls are futures on async clients; on blocking ones they wait. It can be shared by tasks: what they send goes
/// out in the order of their calls.
pub struct Session<C: Handle = Client> {
    handle: C,
    /// Its options say that its calls are for this session.
    client: Client,
    conn: ConnId,
}

async fn open<C: Handle>(handle: &C, target: Target, node: Option<Endpoint>) -> Result<Session<C>, Error> {
    lease(handle, target, node, handle.client().options).await.map(|(session, _)| session)
}

/// Takes a connection. Returns the deadline of the call besides.
pub(super) async fn lease<C: Handle>(
    handle: &C,
    target: Target,
    node: Option<Endpoint>,
    options: Options,
) -> Result<(Session<C>, Instant), Error> {
    let client = handle.client();
    let (conn, deadline) = Leased::new(client.mailbox(), options, target, node.as_ref()).await?;
    let client = client.with(options.in_session(conn));
    Ok((Session { handle: handle.clone(), client, conn }, deadline))
}

impl<C: Handle> Session<C> {
    /// Sends several commands at once, and returns their replies in the same shape. They run in their order; nobody
    /// keeps others from running commands between them.
    ///
    /// # Errors
    /// The first error among the commands. All of them were sent, and those after it may have run:
    /// use [`try_pipeline`](Self::try_pipeline) to see each result.
    pub fn pipeline<B: Batch>(
        &self,
        batch: B,
    ) -> C::Outcome<impl Future<Output = Result<B::Replies, Error>>> {
        self.handle.complete(async { B::replies(self.inner_pipeline(batch).await) })
    }

    /// Sends several commands at once, and returns a result for each.
    pub fn try_pipeline<B: Batch>(&self, batch: B) -> C::Outcome<PipelineReply<'_, B>> {
        self.handle.complete(self.inner_pipeline(batch))
    }

    fn inner_pipeline<B: Batch>(&self, batch: B) -> PipelineReply<'_, B> {
        PipelineReply::new(self.client.mailbox(), self.client.options, batch)
    }

    /// Runs several commands as one transaction (`MULTI`, `EXEC`); `None` if a key was changed that is
    /// [watched](crate::commands::SessionCommands::watch): then none has run. Nothing is watched afterwards.
    ///
    /// # Errors
    /// [`ErrorKind::TransactionAborted`](crate::ErrorKind::TransactionAborted) if a command was refused before the
    /// transaction ran: then none has run. Otherwise the first error among the commands; the others have run all
    /// the same.
    pub fn transaction<B: Batch>(
        &self,
        batch: B,
    ) -> C::Outcome<impl Future<Output = Result<Option<B::Replies>, Error>>> {
        self.handle.complete(self.commit(batch))
    }

    pub(super) async fn commit<B: Batch>(&self, batch: B) -> Result<Option<B::Replies>, Error> {
        let mut reply = TransactionReply::new(self.client.mailbox(), self.client.options, batch);
        let results: Option<B::Results> = poll_fn(|cx| reply.poll_exec(cx)).await?;
        results.map(B::replies).transpose()
    }

    /// Has the server queue a command, between [`multi`](crate::commands::SessionCommands::multi) and
    /// [`exec`](crate::commands::SessionCommands::exec). Its reply comes with that of `EXEC`.
    ///
    /// # Errors
    /// The server refused it: then `EXEC` will fail.
    pub fn queue<T>(&self, command: Command<T>) -> C::Outcome<Reply<'_, ()>> {
        self.run_inside(command.reply_as())
    }

    /// Runs commands whose replies the server does not send at all (`CLIENT REPLY OFF`, `CLIENT REPLY ON`): it costs
    /// neither their bytes nor the work to read them. What becomes of the commands is not known.
    ///
    /// # Errors
    /// The connection failed, or it took too long. Then any of them may have run.
    pub fn without_replies<B: Batch>(&self, batch: B) -> C::Outcome<SilentReply<'_>> {
        self.handle.complete(SilentReply::new(self.client.mailbox(), self.client.options, batch))
    }

    fn run_inside<T: FromReply>(&self, command: Command<T>) -> C::Outcome<Reply<'_, T>> {
        self.handle.complete(self.client.run(command))
    }

    /// The same session, whose calls go by other options.
    pub(super) fn with_options(mut self, options: Options) -> Self {
        self.client.options = options.in_session(self.conn);
        self
    }

    pub(super) const fn conn(&self) -> ConnId {
        self.conn
    }

    /// Has the server tell what it does from here on.
    pub(super) async fn begin_monitor(&self) -> Result<(), Error> {
        let command = Command::<()>::new("MONITOR");
        Reply::streaming(self.client.mailbox(), self.client.options, command).await
    }

    /// The same session for the futures inside.
    pub(super) const fn inner(&self) -> &Client {
        &self.client
    }
}

impl<C: Handle> Drop for Session<C> {
    fn drop(&mut self) {
        self.client.mailbox().release(self.conn);
    }
}

impl<'a, C: Handle> Run for &'a Session<C> {
    type Output<T: FromReply> = C::Outcome<Reply<'a, T>>;

    fn run<T: FromReply>(self, command: Command<T>) -> Self::Output<T> {
        self.run_inside(command)
    }

    /// That of one server: a session is with one.
    fn deployed(&self) -> &Deployment {
        &Deployment::Single
    }
}

impl<C: Handle> OnSession for &Session<C> {}

impl<C: Handle> fmt::Debug for Session<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("conn", &self.conn).finish_non_exhaustive()
    }
}

impl Client {
    /// Changes keys by what is read of them, as if nobody else did meanwhile.
    ///
    /// `attempt` is given a [session] in which `keys` are watched. It reads there what it needs, and returns the
    /// commands that are to run: they run as one transaction, unless somebody has changed one of `keys` since. Then all
    /// of it is done again, up to [`max_conflicts`](crate::Config::max_conflicts) times and within the time that one
    /// call may take. Returns the replies, or `None` if `attempt` has returned `None` and nothing was done.
    ///
    /// ```
    /// use redstart_core::command::Prepare as p;
    /// use redstart_core::commands::StringCommands;
    ///
    /// # async fn example(client: redstart_core::Client) -> redstart_core::Result<()> {
    /// let sold = client
    ///     .optimistic("stock", async |session| {
    ///         let left = session.get("stock").await?.unwrap_or(0);
    ///         Ok((left > 0).then(|| (p.set("stock", left - 1), p.incr("sold"))))
    ///     })
    ///     .await?;
    /// assert!(sold.is_some(), "there was one left");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `attempt` may run several times, so it should do nothing but to read. On a cluster, `keys` and what is read and
    /// written are in one slot. A connection that is lost before the transaction was sent counts as a conflict.
    ///
    /// # Errors
    /// That of `attempt`; [`Limit::Conflicts`](crate::error::Limit::Conflicts) if others were faster each time; those of
    /// [`Session::transaction`]. If the connection is lost while the transaction is under way, it
    /// [may have run](crate::error::Delivery::MaybeExecuted) and is not tried again.
    ///
    /// [session]: Session
    pub async fn optimistic<B: Batch>(
        &self,
        keys: impl Args,
        mut attempt: impl AsyncFnMut(&Session) -> Result<Option<B>, Error>,
    ) -> Result<Option<B::Replies>, Error> {
        let mut attempts = Attempts::new(self, keys)?;
        loop {
            let session = attempts.begin().await?;
            let wanted = attempt(&session).await;
            if let Some(replies) = attempts.finish(session, wanted).await? {
                return Ok(replies);
            }
        }
    }
}

/// Optimistic transactions of blocking clients.
pub trait Optimistic: Wait {
    /// As [`optimistic`](Client::optimistic) of an async client: changes keys by what is read of them, as if nobody
    /// else did meanwhile.
    ///
    /// ```
    /// use redstart_core::client::session::Optimistic;
    /// use redstart_core::client::Wait;
    /// use redstart_core::command::Prepare as p;
    ///
    /// # use redstart_core::commands::StringCommands;
    /// # fn example<C: Wait>(client: C) -> redstart_core::Result<()>
    /// # where for<'a> &'a redstart_core::client::session::Session<C>:
    /// #     redstart_core::commands::Run<Output<Option<i64>> = redstart_core::Result<Option<i64>>> {
    /// let sold = client.optimistic("stock", |session| {
    ///     let left = session.get("stock")?.unwrap_or(0);
    ///     Ok((left > 0).then(|| (p.set("stock", left - 1), p.incr("sold"))))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As there.
    fn optimistic<B: Batch>(
        &self,
        keys: impl Args,
        mut attempt: impl FnMut(&Session<Self>) -> Result<Option<B>, Error>,
    ) -> Result<Option<B::Replies>, Error> {
        let mut attempts = Attempts::new(self, keys)?;
        loop {
            let session = self.wait(attempts.begin())?;
            let wanted = attempt(&session);
            if let Some(replies) = self.wait(attempts.finish(session, wanted))? {
                return Ok(replies);
            }
        }
    }
}

impl<C: Wait> Optimistic for C {}
