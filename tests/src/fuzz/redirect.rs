//! A line that sends a request elsewhere names a slot and a place, or is refused.

use redstart_core::command::slot::SLOTS;
use redstart_core::config::Endpoint;
use redstart_core::topology::cluster::{Asked, Redirect};

/// Reads the input as the text of an error, by a node with an address and by one behind a Unix socket.
///
/// # Panics
/// A redirect is taken that leads nowhere, or that reads otherwise when it is written again.
pub fn check_input(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for asked in [Endpoint::tcp("front.example", 7801), Endpoint::unix("/run/redis.sock")] {
        let asked = Asked::new(&asked);
        let Ok(redirect) = Redirect::parse(&text, asked) else { continue };
        assert!(redirect.slot < SLOTS);
        assert_eq!(redirect.ask, text.starts_with("ASK "));
        let Some(to) = &redirect.to else { continue };
        assert!(super::is_place(to), "{to:?}");
        let Endpoint::Tcp { host, port } = to else { unreachable!("it is a place") };
        let again = format!("{} {} {host}:{port}", if redirect.ask { "ASK" } else { "MOVED" }, redirect.slot);
        assert_eq!(Redirect::parse(&again, asked).as_ref(), Ok(&redirect), "{again}");
    }
}
