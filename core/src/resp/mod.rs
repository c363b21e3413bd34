//! RESP2 and RESP3: bytes to frames, arguments to bytes.
//!
//! [`Decoder`] takes bytes as they come and yields one [`Frame`] per reply. A frame is a slice of the
//! bytes read plus, for aggregates, a *tape*: a flat list of nodes in the order of the wire. Nothing
//! here recurses, whatever the depth. Reading a frame goes through [`Item`], a borrowed view.
//!
//! Specification: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

// Every byte that comes here is the peer's.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod decode;
mod encode;
mod error;
mod frame;
mod item;
mod length;
mod limits;
mod number;
mod scan;
mod short;

pub use decode::Decoder;
pub use encode::put_length;
pub use error::ProtocolError;
pub use frame::{Frame, Kind};
pub(crate) use frame::{Run, Small};
pub use item::{Item, Items};
pub use limits::Limits;
pub(crate) use number::{is_big_number, parse_f64, parse_i64};
pub(crate) use scan::{Alike, CRLF, Strings, narrow};

#[cfg(test)]
mod tests;
