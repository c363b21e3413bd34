//! Builds the C peer, which is a program of its own.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=peers/hiredis.c");
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    let program = Path::new(&out).join("hiredis");
    let built = Command::new("cc")
        .args(["-O2", "-Wall", "-Wextra", "-o"])
        .arg(&program)
        .args(["peers/hiredis.c", "-lhiredis"])
        .status();
    assert!(built.is_ok_and(|status| status.success()), "tests/bench/run.sh installs what this needs");
    println!("cargo::rustc-env=HIREDIS={}", program.display());
}
