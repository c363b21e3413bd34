//! Functions: code that is kept with the data, in libraries, and run as one atomic step.
//!
//! Unlike [scripts](super::ScriptingCommands) functions are saved and replicated, and called by their names. On a
//! cluster a library has to be at every primary; one that joins later does not have it.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{FunctionCommands, LibraryLoad};
//!
//! let code = "#!lua name=mylib\nredis.register_function('double', function(keys) \
//!             return 2 * redis.call('GET', keys[1]) end)";
//! let load = p.function_load(code, LibraryLoad::Replace);
//! let call = p.fcall::<i64>("double", "counter", ());
//! assert_eq!(call.packed().key_indexes().count(), 1);
//! ```

mod options;
mod replies;

use alloc::string::String;
use alloc::vec::Vec;

pub use options::{FunctionListOptions, FunctionRestore, LibraryLoad};
pub use replies::{FunctionEngine, FunctionInfo, FunctionLibrary, FunctionStats, RunningFunction};

use super::FlushMode;
use crate::command::{Arg, Args, Command, FromReply, Join, Route, Run};

/// Commands that run and manage functions. <https://redis.io/docs/latest/develop/programmability/functions-intro/>
///
/// A function must get every key that it touches among its keys, or a cluster cannot route it. What it returns is
/// converted by the server as that of a script is.
pub trait FunctionCommands: Run {
    /// Runs a function.
    ///
    /// `FCALL function numkeys [key ...] [arg ...]` · 7.0.0 · the function's own cost
    fn fcall<T: FromReply>(self, function: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        self.run(Command::new("FCALL").arg(function).counted_keys(keys).args(args).script())
    }

    /// Runs a function that is registered as one that does not write (`no-writes`).
    ///
    /// `FCALL_RO function numkeys [key ...] [arg ...]` · 7.0.0 · the function's own cost
    fn fcall_ro<T: FromReply>(self, function: impl Arg, keys: impl Args, args: impl Args) -> Self::Output<T> {
        let command = Command::new("FCALL_RO").arg(function).counted_keys(keys).args(args);
        self.run(command.read_only().script())
    }

    /// Removes a library with all its functions, at every primary of a cluster. Fails if there is none.
    ///
    /// `FUNCTION DELETE library-name` · 7.0.0 · O(1)
    fn function_delete(self, library: impl Arg) -> Self::Output<()> {
        let command = Command::new("FUNCTION DELETE").arg(library);
        self.run(command.route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Returns all libraries in a form that [`function_restore`](Self::function_restore) takes.
    ///
    /// `FUNCTION DUMP` · 7.0.0 · O(n) in the functions
    fn function_dump<T: FromReply>(self) -> Self::Output<T> {
        self.run(Command::new("FUNCTION DUMP").read_only())
    }

    /// Removes all libraries, at every primary of a cluster.
    ///
    /// `FUNCTION FLUSH [ASYNC | SYNC]` · 7.0.0 · O(n) in the functions
    fn function_flush(self, mode: FlushMode) -> Self::Output<()> {
        let command = Command::new("FUNCTION FLUSH").args(mode);
        self.run(command.route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Stops the function that is running, which must not have written yet: else `UNKILLABLE`.
    ///
    /// Fails with `NOTBUSY` when no function is running. On a cluster it goes to all primaries, and succeeds if it
    /// stops a function at one.
    ///
    /// `FUNCTION KILL` · 7.0.0 · O(1)
    fn function_kill(self) -> Self::Output<()> {
        self.run(Command::new("FUNCTION KILL").route(Route::AllPrimaries).join(Join::OneSucceeded))
    }

    /// Returns the libraries and their functions.
    ///
    /// `FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]` · 7.0.0 · O(n) in the functions
    fn function_list(self, options: FunctionListOptions) -> Self::Output<Vec<FunctionLibrary>> {
        self.run(Command::new("FUNCTION LIST").args(options).read_only())
    }

    /// Adds a library, at every primary of a cluster; returns its name. The code begins with its language and name:
    /// `#!lua name=mylib`.
    ///
    /// Fails if the code has an error, and if a function of its name is in another library.
    ///
    /// `FUNCTION LOAD [REPLACE] function-code` · 7.0.0 · O(n) in the bytes of the code
    fn function_load(self, code: impl Arg, load: LibraryLoad) -> Self::Output<String> {
        let command = Command::new("FUNCTION LOAD").args(load).arg(code);
        self.run(command.route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Adds the libraries that were [dumped](Self::function_dump), at every primary of a cluster.
    ///
    /// `FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]` · 7.0.0 · O(n) in the functions
    fn function_restore(self, dump: impl Arg, policy: FunctionRestore) -> Self::Output<()> {
        let command = Command::new("FUNCTION RESTORE").arg(dump).args(policy);
        self.run(command.route(Route::AllPrimaries).join(Join::AllSucceeded))
    }

    /// Returns which function is running at one node, and how many libraries and functions there are.
    ///
    /// `FUNCTION STATS` · 7.0.0 · O(1)
    fn function_stats(self) -> Self::Output<FunctionStats> {
        self.run(Command::new("FUNCTION STATS").read_only())
    }
}

impl<R: Run> FunctionCommands for R {}
