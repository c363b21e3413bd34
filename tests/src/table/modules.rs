//! Rows of the commands about modules.

use redstart_core::command::Prepare as p;
use redstart_core::commands::ModuleCommands;

use super::Table;

pub(super) fn rows(t: &mut Table) {
    let none: [(&str, &str); 0] = [];
    t.row("module_list", p.module_list());
    t.row("module_load", p.module_load("/lib/m.so", ()));
    t.row("module_load", p.module_load("/lib/m.so", ["a", "b"]));
    t.row("module_loadex", p.module_loadex("/lib/m.so", none, ()));
    t.row("module_loadex", p.module_loadex("/lib/m.so", [("m.depth", 128), ("m.size", 2)], ("a", "b")));
    t.row("module_unload", p.module_unload("m"));
}
