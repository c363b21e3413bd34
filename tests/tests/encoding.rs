//! Every command goes on the wire as the reviewed tables say.

use std::path::Path;

use redstart_tests::table::Table;

/// Set `REDSTART_BLESS=1` to write the tables anew; review the difference before committing it.
#[test]
fn commands_are_encoded_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/commands");
    for (family, table) in Table::families() {
        let path = folder.join(family).with_extension("txt");
        let actual = table.render();
        if std::env::var_os("REDSTART_BLESS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder can be made");
            std::fs::write(&path, &actual).expect("the snapshot can be written");
        }
        let expected = std::fs::read_to_string(&path).expect("the snapshot exists");
        for (line, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
            assert_eq!(actual, expected, "{family}.txt, line {}", line + 1);
        }
        assert_eq!(actual.lines().count(), expected.lines().count(), "{family}: rows are missing or new");
    }
}
