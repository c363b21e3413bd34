//! What a command can be given to.

use super::Command;
use super::reply::FromReply;
use crate::config::Deployment;

/// Anything that a command can be given to.
///
/// The families of commands in [`commands`](crate::commands) are written once, for every `Run`: a client
/// of any runtime sends the command, [`Prepare`] hands it back.
pub trait Run: Sized {
    /// What running a command gives: a future, a result, the command itself.
    type Output<T: FromReply>;

    /// Runs `command`.
    fn run<T: FromReply>(self, command: Command<T>) -> Self::Output<T>;

    /// How the servers that run the commands are deployed. What takes several commands may differ by it, as do
    /// [walks](crate::commands::ScanIterators).
    fn deployed(&self) -> &Deployment;
}

/// A [`Run`] whose commands go to a connection that nobody else uses, so that they may change it.
pub trait OnSession: Run {}

impl OnSession for Prepare {}
impl OnSession for &Prepare {}

/// Hands commands back instead of sending them: for pipelines, transactions and tests.
///
/// ```
/// use redstart_core::command::Prepare as p;
/// use redstart_core::commands::StringCommands;
///
/// let command = p.get::<String>("name");
/// assert_eq!(command.packed().name(), "GET");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Prepare;

impl Run for Prepare {
    type Output<T: FromReply> = Command<T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Command<T> {
        command
    }

    /// That of one server, since it is not known.
    fn deployed(&self) -> &Deployment {
        &Deployment::Single
    }
}

impl Run for &Prepare {
    type Output<T: FromReply> = Command<T>;

    #[inline]
    fn run<T: FromReply>(self, command: Command<T>) -> Command<T> {
        command
    }

    fn deployed(&self) -> &Deployment {
        &Deployment::Single
    }
}
