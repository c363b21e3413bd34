//! Rows of the commands about functions.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    FlushMode, FunctionCommands, FunctionListOptions, FunctionRestore, LibraryLoad,
};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("fcall", p.fcall::<i64>("f", (), ()));
    t.row("fcall", p.fcall::<i64>("f", ["{k}1", "{k}2"], ("a", 1)));
    t.row("fcall_ro", p.fcall_ro::<i64>("f", "k", "a"));
    t.row("function_delete", p.function_delete("lib"));
    t.row("function_dump", p.function_dump::<Vec<u8>>());
    t.row("function_flush", p.function_flush(FlushMode::Configured));
    t.row("function_flush", p.function_flush(FlushMode::Async));
    t.row("function_flush", p.function_flush(FlushMode::Sync));
    t.row("function_kill", p.function_kill());
    t.row("function_list", p.function_list(FunctionListOptions::new()));
    t.row("function_list", p.function_list(FunctionListOptions::new().matching("my*").with_code()));
    t.row("function_load", p.function_load("#!lua name=lib", LibraryLoad::New));
    t.row("function_load", p.function_load("#!lua name=lib", LibraryLoad::Replace));
    t.row("function_restore", p.function_restore("dump", FunctionRestore::Append));
    t.row("function_restore", p.function_restore("dump", FunctionRestore::Replace));
    t.row("function_restore", p.function_restore("dump", FunctionRestore::Flush));
    t.row("function_stats", p.function_stats());
}
