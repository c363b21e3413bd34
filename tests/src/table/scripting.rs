//! Rows of the scripting commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{FlushMode, Script, ScriptingCommands};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("eval", p.eval::<i64>("return 1", (), ()));
    t.row("eval", p.eval::<i64>("return KEYS[1]", "k", ()));
    t.row("eval", p.eval::<i64>("return KEYS[2]", ["{k}1", "{k}2"], ("a", 1)));
    t.row("eval_ro", p.eval_ro::<i64>("return 1", ["{k}1", "{k}2"], ["a", "b"]));
    t.row("evalsha", p.evalsha::<i64>("e0e1f9fabfc9d4800c877a703b823ac0578ff8db", ["{k}1", "{k}2"], "a"));
    t.row("evalsha_ro", p.evalsha_ro::<i64>("e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "k", ()));
    t.row("script_exists", p.script_exists(["e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"]));
    t.row("script_flush", p.script_flush(FlushMode::Configured));
    t.row("script_flush", p.script_flush(FlushMode::Async));
    t.row("script_flush", p.script_flush(FlushMode::Sync));
    t.row("script_kill", p.script_kill());
    t.row("script_load", p.script_load("return 1"));

    let script = Script::new("return 1");
    t.row("run_script", p.run_script::<i64>(&script, "k", "a"));
    t.row("run_script_ro", p.run_script_ro::<i64>(&script, "k", "a"));
    t.row("Script::call", script.call::<i64>("k", "a"));
    t.row("Script::call_ro", script.call_ro::<i64>("k", "a"));
    t.row("Script::evalsha", script.evalsha::<i64>("k", "a"));
    t.row("Script::evalsha_ro", script.evalsha_ro::<i64>("k", "a"));
    t.row("Script::eval", script.eval::<i64>("k", "a"));
    t.row("Script::eval_ro", script.eval_ro::<i64>("k", "a"));
    t.row("Script::load", script.load());
}
