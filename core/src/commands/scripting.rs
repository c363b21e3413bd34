//! Scripts: Lua that the server runs as one atomic step.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{Script, ScriptingCommands};
//!
//! let double = Script::new("return 2 * redis.call('GET', KEYS[1])");
//! // By its digest, and by its text where a server does not know that: alone, in a pipeline, in a transaction.
//! let either = p.run_script::<i64>(&double, "counter", ());
//! let by_text = p.eval::<i64>(double.text(), "counter", ());
//! assert_eq!(either.packed().slot(), by_text.packed().slot());
//! ```

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use sha1_smol::Sha1;

use super::FlushMode;
use crate::command::{Arg, Args, Command, FromReply, Join, Prepare, Route, Run};

/// Commands that run and manage scripts. <https://redis.io/docs/latest/commands/?group=scripting>
///
/// A script must get every key that it touches among its keys, or a cluster cannot route it. What the
/// script returns is converted by the server: a Lua table becomes an array up to its first nil, a
/// number loses its fraction, `false` becomes nil.
pub trait ScriptingCommands: Run {
    /// Runs a script given as its text.
    ///
    /// `EVAL script numkeys [key ...] [arg ...]` · 2.6.0 · the script's own cost
    fn eval<T: FromReply>(self, script: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(Command::new("EVAL").arg(script).counted_keys(keys).args(args).script())
    }

    /// Runs a script given as its text, which the server stops where it would write.
    ///
    /// `EVAL_RO script numkeys [key ...] [arg ...]` · 7.0.0 · the script's own cost
    fn eval_ro<T: FromReply>(self, script: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(Command::new("EVAL_RO").arg(script).counted_keys(keys).args(args).read_only().script())
    }

    /// Runs the script with this SHA1 digest, which the server must have seen before: else `NOSCRIPT`.
    ///
    /// Servers forget their scripts when they restart or fail over.
    ///
    /// `EVALSHA sha1 numkeys [key ...] [arg ...]` · 2.6.0 · the script's own cost
    fn evalsha<T: FromReply>(self, sha1: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(Command::new("EVALSHA").arg(sha1).counted_keys(keys).args(args).script())
    }

    /// Runs the script with this SHA1 digest, which the server stops where it would write; `NOSCRIPT` if it
    /// does not know the script.
    ///
    /// `EVALSHA_RO sha1 numkeys [key ...] [arg ...]` · 7.0.0 · the script's own cost
    fn evalsha_ro<T: FromReply>(self, sha1: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(Command::new("EVALSHA_RO").arg(sha1).counted_keys(keys).args(args).read_only().script())
    }

    /// Returns which of the scripts with these SHA1 digests the server knows, in their order; on a cluster,
    /// which of them every primary knows.
    ///
    /// `SCRIPT EXISTS sha1 [sha1 ...]` · 2.6.0 · O(1) each
    fn script_exists(self, sha1s: impl Args) -> Self::Output<Vec<bool>> {
        let command = Command::new("SCRIPT EXISTS").args(sha1s).read_only();
        self.run(command.route(Route::AllPrimaries).join(Join::And))
    }

    /// Makes the server forget all scripts, those of other clients too; on a cluster, all nodes.
    ///
    /// `SCRIPT FLUSH [ASYNC | SYNC]` · 2.6.0 · O(n) in the scripts
    fn script_flush(self, mode: FlushMode) -> Self::Output<()> {
        self.run(Command::new("SCRIPT FLUSH").args(mode).route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Stops the script that is running, which must not have written yet: else `UNKILLABLE`.
    ///
    /// Fails with `NOTBUSY` when no script is running. On a cluster it goes to all primaries, and succeeds if it
    /// stops a script at one.
    ///
    /// `SCRIPT KILL` · 2.6.0 · O(1)
    fn script_kill(self) -> Self::Output<()> {
        self.run(Command::new("SCRIPT KILL").route(Route::AllPrimaries).join(Join::OneSucceeded))
    }

    /// Runs a script by its digest, or by its text where the server does not know the digest, all within the deadline
    /// of one call: the text is sent once to each server, as a rule.
    ///
    /// It can stand in a pipeline or a transaction, where the first of several calls of one script always sends its
    /// text, so that they run in their order and none fails with `NOSCRIPT`. In a
    /// [session](crate::client::session::Session) the text is sent each time: what comes after it there was written for
    /// what it does, so it is not tried once more behind that. Scripts are forgotten by servers that
    /// restart, and do not always come along when a replica takes over.
    ///
    /// `EVALSHA sha1 numkeys [key ...] [arg ...]`, else `EVAL` · 2.6.0 · the script's own cost
    fn run_script<T: FromReply>(self, script: &Script, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(script.call(keys, args))
    }

    /// As [`run_script`](Self::run_script) for a script that writes nothing, which the server enforces: it may be sent
    /// again after a failure, and go to a replica.
    ///
    /// `EVALSHA_RO sha1 numkeys [key ...] [arg ...]`, else `EVAL_RO` · 7.0.0 · the script's own cost
    fn run_script_ro<T: FromReply>(
        self,
        script: &Script,
        keys: impl Args,
        args: impl Args,
    ) -> Self::Output<T> {
        self.run(script.call_ro(keys, args))
    }

    /// Makes the server learn a script without running it; returns its SHA1 digest. On a cluster all nodes learn
    /// it.
    ///
    /// `SCRIPT LOAD script` · 2.6.0 · O(n) in the script's bytes
    fn script_load(self, script: impl Arg) -> Self::Output<String> {
        self.run(Command::new("SCRIPT LOAD").arg(script).route(Route::AllNodes).join(Join::AllSucceeded))
    }
}

impl<R: Run> ScriptingCommands for R {}

/// A script's text and its SHA1 digest, computed here. Cloning it is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    text: Bytes,
    sha1: Arc<str>,
}

impl Script {
    /// Takes a script and computes its digest.
    #[must_use]
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let sha1 = Sha1::from(text).digest().to_string();
        Self { text: Bytes::copy_from_slice(text), sha1: sha1.into() }
    }

    /// The script.
    #[must_use]
    pub const fn text(&self) -> &Bytes {
        &self.text
    }

    /// The digest by which servers know the script: 40 hexadecimal digits in lower case.
    #[must_use]
    pub fn sha1(&self) -> &str {
        &self.sha1
    }

    /// The command that runs the script; see [`ScriptingCommands::run_script`].
    pub fn call<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        self.evalsha(keys, args).script_text(self.text.clone())
    }

    /// The command that runs the script and forbids it to write; see [`ScriptingCommands::run_script_ro`].
    pub fn call_ro<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        self.evalsha_ro(keys, args).script_text(self.text.clone())
    }

    /// The command that runs the script by its digest alone; see [`ScriptingCommands::evalsha`].
    pub fn evalsha<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        Prepare.evalsha(self.sha1(), keys, args)
    }

    /// The command that runs the script by its digest and forbids it to write; see
    /// [`ScriptingCommands::evalsha_ro`].
    pub fn evalsha_ro<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        Prepare.evalsha_ro(self.sha1(), keys, args)
    }

    /// The command that runs the script by its text; see [`ScriptingCommands::eval`].
    pub fn eval<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        Prepare.eval(&self.text, keys, args)
    }

    /// The command that runs the script by its text and forbids it to write; see
    /// [`ScriptingCommands::eval_ro`].
    pub fn eval_ro<T: FromReply>(&self, keys: impl Args, args: impl Args) -> Command<T> {
        Prepare.eval_ro(&self.text, keys, args)
    }

    /// The command that makes servers learn the script; see [`ScriptingCommands::script_load`].
    pub fn load(&self) -> Command<String> {
        Prepare.script_load(&self.text)
    }
}

impl fmt::Debug for Script {
    /// Shows the digest only: a script's text can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({})", self.sha1)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn digest_is_that_of_the_server() {
        // From SCRIPT LOAD of Redis 7.0.15.
        let script = Script::new("return 1");
        assert_eq!(script.sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
        assert_eq!(format!("{script:?}"), "Script(e0e1f9fabfc9d4800c877a703b823ac0578ff8db)");
        assert_eq!(Script::new(b"").sha1(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}
