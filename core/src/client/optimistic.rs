//! Transactions that are tried until nobody has come between: what is common to async and blocking clients.

use super::session::{Session, lease};
use super::{Handle, Options};
use crate::command::{Args, Batch, Command, Run, Target};
use crate::error::{Delivery, Error, ErrorKind, Limit};
use crate::time::Instant;

/// The attempts at one transaction.
pub(super) struct Attempts<'a, C: Handle> {
    handle: &'a C,
    watch: Command<()>,
    target: Target,
    options: Options,
    left: u32,
    /// One that can be used again, and until when.
    session: Option<Session<C>>,
    deadline: Option<Instant>,
}

impl<'a, C: Handle> Attempts<'a, C> {
    /// # Errors
    /// The keys are in different slots of a cluster.
    pub(super) fn new(handle: &'a C, keys: impl Args) -> Result<Self, Error> {
        let client = handle.client();
        let watch = Command::<()>::new("WATCH").keys(keys);
        let target = client.mailbox().target_of(watch.packed())?;
        let (options, left) = (client.options, client.config().max_conflicts);
        Ok(Self { handle, watch, target, options, left, session: None, deadline: None })
    }

    /// A session in which the keys are watched.
    ///
    /// # Errors
    /// There is none in time, or there were too many conflicts.
    pub(super) async fn begin(&mut self) -> Result<Session<C>, Error> {
        loop {
            self.left = self.left.checked_sub(1).ok_or_else(|| self.too_many())?;
            let session = match self.session.take() {
                Some(session) => session,
                None => self.lease().await?,
            };
            match session.inner().run(self.watch.clone()).await {
                Ok(()) => return Ok(session),
                Err(error) if error.is_connection() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// What `attempt` wanted is done, if nobody has come between. `None`: it has to be tried again.
    ///
    /// # Errors
    /// That of `attempt`, or of the transaction.
    pub(super) async fn finish<B: Batch>(
        &mut self,
        session: Session<C>,
        wanted: Result<Option<B>, Error>,
    ) -> Result<Option<Option<B::Replies>>, Error> {
        let batch = match wanted {
            Ok(Some(batch)) => batch,
            // Nothing was sent that would do anything.
            Err(error) if error.is_connection() => return Ok(None),
            nothing => {
                // If that fails, the connection is not used again.
                let _ = session.inner().run(Command::<()>::new("UNWATCH")).await;
                return nothing.map(|_| Some(None));
            }
        };
        match session.commit(batch).await {
            Ok(Some(replies)) => Ok(Some(Some(replies))),
            Ok(None) => {
                self.session = Some(session);
                Ok(None)
            }
            Err(error) if error.is_connection() && error.delivery() == Delivery::NotSent => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn lease(&mut self) -> Result<Session<C>, Error> {
        let (session, deadline) = lease(self.handle, self.target, None, self.options).await?;
        let deadline = *self.deadline.get_or_insert(deadline);
        self.options = self.options.until(deadline);
        Ok(session.with_options(self.options))
    }

    fn too_many(&self) -> Error {
        let limit = Limit::Conflicts(self.handle.client().config().max_conflicts);
        Error::new(ErrorKind::Limit(limit), Delivery::Rejected)
    }
}
