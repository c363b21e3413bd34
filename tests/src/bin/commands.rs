//! Prints the implemented commands, one per line: `NAME<TAB>method<TAB>flags`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use redstart_tests::table::{Row, Table};

fn main() -> io::Result<()> {
    let line = |row: Row| format!("{}\t{}\t{}\n", row.command.name(), row.method, row.command.flags());
    let lines: BTreeSet<String> = Table::families().flat_map(|(_, table)| table.rows).map(line).collect();
    match io::stdout().write_all(lines.into_iter().collect::<String>().as_bytes()) {
        // Whoever reads them has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
