//! HyperLogLogs: how many different elements were seen, in 12 KiB and to 0.81 %.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::HyperLogLogCommands;
//!
//! let command = p.pfadd("visitors", ["ada", "grace"]);
//! assert_eq!(command.packed().name(), "PFADD");
//! ```

use crate::command::{Arg, Args, Command, Run};

/// Commands on HyperLogLogs. <https://redis.io/docs/latest/commands/?group=hyperloglog>
pub trait HyperLogLogCommands: Run {
    /// Adds elements; returns whether the estimate has changed, or a key was made.
    ///
    /// Without elements (`()`) it makes an empty HyperLogLog.
    ///
    /// `PFADD key [element [element ...]]` · 2.8.9 · O(n)
    fn pfadd(self, key: impl Arg, elements: impl Args) -> Self::Output<bool> {
        self.run(Command::new("PFADD").key(key).args(elements))
    }

    /// Returns about how many different elements were added to any of `keys`.
    ///
    /// `PFCOUNT key [key ...]` · 2.8.9 · O(1) for one key, else O(n) and slow
    fn pfcount(self, keys: impl Args) -> Self::Output<u64> {
        self.run(Command::new("PFCOUNT").keys(keys).read_only())
    }

    /// Adds to `destination` what was added to any of `sources`.
    ///
    /// `PFMERGE destkey [sourcekey [sourcekey ...]]` · 2.8.9 · O(n)
    fn pfmerge(self, destination: impl Arg, sources: impl Args) -> Self::Output<()> {
        self.run(Command::new("PFMERGE").key(destination).keys(sources))
    }
}

impl<R: Run> HyperLogLogCommands for R {}
