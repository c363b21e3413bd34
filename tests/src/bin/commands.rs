//! Prints the implemented commands, one per line: `NAME<TAB>method<TAB>flags`.

use std::collections::BTreeSet;

use redstart_tests::table::{Row, Table};

fn main() {
    let line = |row: Row| format!("{}\t{}\t{}", row.command.name(), row.method, row.command.flags());
    let lines: BTreeSet<String> = Table::families().flat_map(|(_, table)| table.rows).map(line).collect();
    for line in lines {
        println!("{line}");
    }
}
