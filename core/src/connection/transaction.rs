//! The replies of a transaction: to `MULTI`, to each command, to `EXEC`.

use alloc::boxed::Box;

use crate::error::{Delivery, Error, ErrorKind, ServerCode, ServerError};
use crate::resp::{Frame, Kind};

/// What has been seen of the transaction at the head of the queue.
#[derive(Debug, Default)]
pub(super) struct Progress {
    seen: u32,
    /// `MULTI` itself was refused, so the commands ran, or not, each on its own.
    not_begun: Option<Box<ServerError>>,
    /// A command was run although `MULTI` was refused.
    ran_alone: bool,
    /// The first command that was refused, and why.
    refused: Option<(usize, Box<ServerError>)>,
}

impl Progress {
    /// Whether the next of `replies` replies is the last: that to `EXEC`, or to a command of its own.
    pub(super) const fn is_last_of(&self, replies: u32) -> bool {
        self.seen + 1 == replies
    }

    /// Takes one of `replies` replies; after the last, the transaction's outcome.
    ///
    /// # Errors
    /// The server does not keep to the protocol of transactions.
    pub(super) fn handle_reply(
        &mut self,
        replies: u32,
        frame: Frame,
    ) -> Result<Option<Result<Frame, Error>>, ErrorKind> {
        self.seen += 1;
        let error = (frame.kind() == Kind::Error)
            .then(|| Box::new(ServerError::new(&frame.item().text().unwrap_or_default())));
        if self.seen == replies {
            return Ok(Some(core::mem::take(self).outcome(frame, error)));
        }
        match (self.seen, error) {
            (1, Some(error)) => self.not_begun = Some(error),
            (seen, Some(error)) => {
                let index = seen as usize - 2;
                self.refused.get_or_insert((index, error));
            }
            (1, None) if frame.item().text().as_deref() == Some(b"OK") => {}
            (_, None) if self.not_begun.is_some() => self.ran_alone = true,
            (2.., None) if frame.item().text().as_deref() == Some(b"QUEUED") => {}
            _ => return Err(ErrorKind::Conversation("a transaction was answered without being queued")),
        }
        Ok(None)
    }

    fn outcome(self, exec: Frame, error: Option<Box<ServerError>>) -> Result<Frame, Error> {
        if let Some(error) = self.not_begun {
            let delivery = if self.ran_alone { Delivery::MaybeExecuted } else { Delivery::Rejected };
            return Err(Error::new(ErrorKind::Server(*error), delivery).with_command("MULTI"));
        }
        let Some(error) = error else { return Ok(exec) };
        let aborted = error.code() == ServerCode::ExecAbort;
        // What a node of a cluster says when the keys have left it since they were queued.
        let sent_elsewhere = matches!(
            error.code(),
            ServerCode::Moved | ServerCode::Ask | ServerCode::TryAgain | ServerCode::ClusterDown
        );
        let of_exec = Error::new(ErrorKind::Server(*error), Delivery::Rejected).with_command("EXEC");
        match self.refused {
            Some((index, cause)) if aborted => {
                let cause = Error::new(ErrorKind::Server(*cause), Delivery::Rejected);
                Err(Error::new(ErrorKind::TransactionAborted { index }, Delivery::Rejected)
                    .with_cause(Some(cause)))
            }
            _ if aborted || sent_elsewhere => Err(of_exec),
            _ => Err(of_exec.with_delivery(Delivery::MaybeExecuted)),
        }
    }
}
