//! Rows of the string commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::StringCommands;

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("get", p.get::<String>("k"));
    t.row("set", p.set("k", "v"));
}
