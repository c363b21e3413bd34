//! Scripts by their digest, and by their text where the server does not know them.

use super::Client;
use crate::command::{Args, FromReply, Run};
use crate::commands::Script;
use crate::error::{Error, ServerCode};

impl Client {
    /// Runs a script by its digest, so that its text is sent only if the server does not know it.
    ///
    /// Servers forget their scripts when they restart or fail over; that is answered with `NOSCRIPT`
    /// before anything is run, so sending the text then runs the script once. Each of the two calls has
    /// the client's response timeout.
    ///
    /// # Errors
    /// As any command. What a script did before it failed stays done, so its errors most often are
    /// [`MaybeExecuted`](crate::error::Delivery::MaybeExecuted).
    pub async fn run_script<T: FromReply>(
        &self,
        script: &Script,
        keys: impl Args,
        args: impl Args,
    ) -> Result<T, Error> {
        match self.run(script.evalsha(&keys, &args)).await {
            Err(error) if error.code() == Some(ServerCode::NoScript) => {
                self.run(script.eval(&keys, &args)).await
            }
            outcome => outcome,
        }
    }

    /// As [`run_script`](Self::run_script) for a script that writes nothing, which the server enforces
    /// (7.0.0): it may be sent again after a failure.
    ///
    /// # Errors
    /// As any command.
    pub async fn run_script_ro<T: FromReply>(
        &self,
        script: &Script,
        keys: impl Args,
        args: impl Args,
    ) -> Result<T, Error> {
        match self.run(script.evalsha_ro(&keys, &args)).await {
            Err(error) if error.code() == Some(ServerCode::NoScript) => {
                self.run(script.eval_ro(&keys, &args)).await
            }
            outcome => outcome,
        }
    }
}
