//! Every input that the fuzzer ever found worth keeping, through the check that it is for.

use std::fs;
use std::path::{Path, PathBuf};

use redstart_tests::fuzz::{redirect, replies, topology, url};
use redstart_tests::resp::split;

/// Runs `check` on every file of the corpus of `target`, in the order of their names.
fn replay(target: &str, at_least: usize, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "the corpus of {target} has {} files only", files.len());
    for file in files {
        eprintln!("{}", file.display());
        check(&fs::read(&file).expect("a readable file"));
    }
}

#[test]
fn decode_split() {
    replay("decode_split", 100, split::check_input);
}

#[test]
fn redirect_line() {
    replay("redirect_line", 50, redirect::check_input);
}

#[test]
fn replies_of_their_own_types() {
    replay("replies", 80, replies::check_input);
}

#[test]
fn topologies() {
    replay("topology", 50, topology::check_input);
}

#[test]
fn urls() {
    replay("url", 50, url::check_input);
}
