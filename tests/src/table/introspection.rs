//! Rows of the commands about commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{CommandFilter, IntrospectionCommands};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("command", p.command());
    t.row("command_count", p.command_count());
    t.row("command_docs", p.command_docs(()));
    t.row("command_docs", p.command_docs(["get", "config|get"]));
    t.row("command_getkeys", p.command_getkeys::<String>(["MSET", "a", "1", "b", "2"]));
    t.row("command_getkeysandflags", p.command_getkeysandflags::<String>(("GET", "a")));
    t.row("command_info", p.command_info(()));
    t.row("command_info", p.command_info(["get", "config|get"]));
    t.row("command_list", p.command_list(CommandFilter::All));
    t.row("command_list", p.command_list(CommandFilter::Module("vectorset".into())));
    t.row("command_list", p.command_list(CommandFilter::AclCategory("read".into())));
    t.row("command_list", p.command_list(CommandFilter::Pattern("h*".into())));
}
