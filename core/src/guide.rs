//! A guide: one page for each thing that takes more than a command.
//!
//! The examples are run against real servers by the tests. They take a [`Client`](crate::Client), which is what the
//! clients of `redstart-tokio` and `redstart-async-std` dereference to; with `redstart-blocking` they are the same
//! without `async` and `.await`, unless a page says otherwise.

/// Who to be on the servers.
///
#[doc = include_str!("guide/credentials.md")]
///
/// ```
#[doc = include_str!("guide/credentials.rs")]
/// ```
pub mod credentials {}

/// One at a time, over many processes.
///
#[doc = include_str!("guide/locks.md")]
///
/// ```
#[doc = include_str!("guide/locks.rs")]
/// ```
pub mod locks {}

/// Lua that the server runs as one step.
///
#[doc = include_str!("guide/scripts.md")]
///
/// ```
#[doc = include_str!("guide/scripts.rs")]
/// ```
pub mod scripts {}
