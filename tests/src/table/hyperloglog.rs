//! Rows of the HyperLogLog commands.

use redstart_core::command::Prepare as p;
use redstart_core::commands::HyperLogLogCommands;

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("pfadd", p.pfadd("k", ()));
    t.row("pfadd", p.pfadd("k", ["a", "b"]));
    t.row("pfcount", p.pfcount("k"));
    t.row("pfcount", p.pfcount(["k", "l"]));
    t.row("pfmerge", p.pfmerge("d", ()));
    t.row("pfmerge", p.pfmerge("d", ["k", "l"]));
}
