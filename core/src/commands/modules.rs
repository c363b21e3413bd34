//! Modules: what extends a server.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::ModuleCommands;
//!
//! let command = p.module_loadex("/usr/lib/redis/rejson.so", [("json.depth", 128)], ());
//! assert_eq!(command.packed().name(), "MODULE LOADEX");
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{Arg, ArgSink, Args, Command, FromReply, Pairs, Run, expect_text, pairs, unexpected};
use crate::error::ConversionError;
use crate::resp::Item;

/// Commands about the modules of one node. <https://redis.io/docs/latest/commands/module-load/>
///
/// All but [`module_list`](Self::module_list) fail where the setting `enable-module-command` does not allow them,
/// which is the default.
pub trait ModuleCommands: Run {
    /// Returns the modules that are loaded.
    ///
    /// `MODULE LIST` · 4.0.0 · O(n) in the modules
    fn module_list(self) -> Self::Output<Vec<ModuleInfo>> {
        self.run(Command::new("MODULE LIST").read_only())
    }

    /// Loads a module from a file of the server's, with arguments of its own.
    ///
    /// `MODULE LOAD path [arg [arg ...]]` · 4.0.0 · O(1)
    fn module_load(self, path: impl Arg, args: impl Args) -> Self::Output<()> {
        self.run(Command::new("MODULE LOAD").arg(path).args(args))
    }

    /// Loads a module from a file of the server's, with settings and arguments of its own.
    ///
    /// `MODULE LOADEX path [CONFIG name value [CONFIG name value ...]] [ARGS arg [arg ...]]` · 7.0.0 · O(1)
    fn module_loadex(self, path: impl Arg, settings: impl Pairs, args: impl Args) -> Self::Output<()> {
        let command = Command::new("MODULE LOADEX").arg(path).args(Settings(settings));
        let words = (args.count() > 0).then_some("ARGS");
        self.run(command.args(words).args(args))
    }

    /// Unloads a module. Fails if it has types of data of its own.
    ///
    /// `MODULE UNLOAD name` · 4.0.0 · O(1)
    fn module_unload(self, name: impl Arg) -> Self::Output<()> {
        self.run(Command::new("MODULE UNLOAD").arg(name))
    }
}

impl<R: Run> ModuleCommands for R {}

struct Settings<P>(P);

impl<P: Pairs> Args for Settings<P> {
    fn write_to(&self, out: &mut ArgSink<'_>) {
        self.0.for_each(&mut |name, value| _ = out.arg("CONFIG").arg(name).arg(value));
    }
}

/// A module that is loaded.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// Its name.
    pub name: String,
    /// Its version, in a numbering of its own.
    pub version: i64,
    /// The file that it was loaded from, if it is not part of the server; since 7.0.
    pub path: Option<String>,
    /// The arguments that it was loaded with; since 7.0.
    pub args: Vec<String>,
}

impl FromReply for ModuleInfo {
    fn from_reply(item: Item<'_>) -> Result<Self, ConversionError> {
        let (mut module, mut name) = (Self::default(), None);
        for pair in pairs(item)? {
            let (field, value) = pair?;
            match &*expect_text("a field's name", field)? {
                b"name" => name = FromReply::from_reply(value)?,
                b"ver" => module.version = FromReply::from_reply(value)?,
                b"path" => module.path = Some(String::from_reply(value)?).filter(|path| !path.is_empty()),
                b"args" => module.args = FromReply::from_reply(value)?,
                _ => {}
            }
        }
        module.name = name.ok_or_else(|| unexpected("a module", item))?;
        Ok(module)
    }
}
