//! The test kit of Redstart.
//!
//! - [`chaos`]: long runs against real servers that fail, whose figures are held against gates.
//! - [`clients`]: one test on the client of each runtime.
//! - [`fuzz`]: what must hold of any input.
//! - [`left_out`]: the commands that Redstart does not offer, with the reasons.
//! - [`live`]: one test against each version of the server and each protocol.
//! - [`load`]: a load whose outcome can be judged exactly.
//! - [`resp`]: bytes that a server may send, and how they must be taken.
//! - [`server`]: private real servers, and a scripted hostile one.
//! - [`sim`]: the whole client in a simulated world, with everything left to chance decided by a seed.
//! - [`table`]: every command as it goes on the wire.
//! - [`wire`]: the plainest executor, a socket and the decoder, to test what commands reply.

pub mod chaos;
pub mod clients;
pub mod fuzz;
pub mod left_out;
pub mod live;
pub mod load;
pub mod resp;
pub mod server;
pub mod sim;
pub mod table;
pub mod wire;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
