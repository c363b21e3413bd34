//! Strings: one value per key.

use crate::command::{Arg, Command, FromReply, Run};

/// Commands on string values. <https://redis.io/docs/latest/commands/?group=string>
pub trait StringCommands: Run {
    /// Returns the value of `key`, or `None` if there is none.
    ///
    /// `GET key` · 1.0.0 · O(1)
    fn get<T: FromReply>(self, key: impl Arg) -> Self::Output<Option<T>> {
        self.run(Command::new("GET").key(key).cacheable())
    }

    /// Sets `key` to `value`, dropping any previous value and expiry.
    ///
    /// `SET key value` · 1.0.0 · O(1)
    fn set(self, key: impl Arg, value: impl Arg) -> Self::Output<()> {
        self.run(Command::new("SET").key(key).arg(value))
    }
}

impl<R: Run> StringCommands for R {}
