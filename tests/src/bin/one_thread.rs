//! One thread that calls a server again and again by the blocking client, for whoever counts its system calls.
//!
//! `cargo run --bin one_thread redis://127.0.0.1/ 1000`

use redstart_blocking::{Client, commands::*};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().ok_or("the URL of a server is missing")?;
    let calls: i64 = args.next().ok_or("the number of calls is missing")?.parse()?;
    let client = Client::connect(url)?;
    for call in 1..=calls {
        assert_eq!(client.incr("calls")?, call);
    }
    Ok(())
}
