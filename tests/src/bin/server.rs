//! Starts a private server for trying things by hand: `cargo run -p redstart-tests --bin server -- 8`.
//! It prints the URL and the process id on one line, and serves until standard input ends.

use redstart_tests::server::{Server, Version};

fn main() {
    let version = match std::env::args().nth(1).as_deref() {
        Some("7") => Version::V7,
        None | Some("8") => Version::V8,
        Some(other) => panic!("unknown version {other}: say 7 or 8"),
    };
    let server = Server::start(version);
    println!("{} {}", server.url(), server.pid());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("standard input can be read");
}
