//! The examples do what they say: the tour is one text for all three adapters and prints the same on each; the
//! machines can be driven by hand.

use std::path::Path;
use std::process::Command;

use redstart_tests::server::{Server, Version};

const TOKIO: &str = include_str!("../../runtime-tokio/examples/quickstart.rs");
const ASYNC_STD: &str = include_str!("../../runtime-async-std/examples/quickstart.rs");
const BLOCKING: &str = include_str!("../../runtime-blocking/examples/quickstart.rs");

/// What follows after `main`, without what makes it wait and without what the formatter put where.
fn tour(source: &str) -> String {
    let (_, tour) = source.split_once("/// The keys of this tour").expect("the tour follows after main");
    let plain = tour.replace(".await", "").replace("async ", "");
    plain.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn the_tours_differ_by_await_alone() {
    assert_eq!(tour(TOKIO), tour(ASYNC_STD));
    assert_eq!(tour(TOKIO), tour(BLOCKING));
    assert!(!BLOCKING.contains("await"));
}

/// Set `REDSTART_BLESS=1` to write the snapshot anew; review the difference before committing it.
#[test]
fn the_tours_print_the_same() {
    let server = Server::start(Version::V7);
    let [tokio, async_std, blocking] = ["tokio", "async-std", "blocking"]
        .map(|adapter| run(&format!("redstart-{adapter}"), &format!("quickstart-{adapter}"), &server));
    assert_eq!(tokio, async_std);
    assert_eq!(tokio, blocking);
    assert_eq!(server.cli(&["DBSIZE"]), "0", "the tours leave nothing behind");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/quickstart.txt");
    if std::env::var_os("REDSTART_BLESS").is_some() {
        std::fs::write(&path, &tokio).expect("the snapshot can be written");
    }
    assert_eq!(tokio, std::fs::read_to_string(&path).expect("the snapshot exists"));
}

#[test]
fn the_loop_by_hand_gets_its_replies() {
    let server = Server::start(Version::V8);
    let printed = run("redstart-core", "by_hand", &server);
    assert_eq!(printed, "SET: Status(\"OK\")\nINCR: Integer(42)\nDEL: Integer(1)\n");
}

/// What an example prints, with the server's address made independent of this run.
fn run(package: &str, example: &str, server: &Server) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", package, "--example", example])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("REDIS_URL", server.url())
        .output()
        .expect("cargo runs");
    let (printed, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{example}: {}\n{printed}{complaint}", output.status);
    printed.replace(&server.addr().to_string(), "HOST:PORT")
}
