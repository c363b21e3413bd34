//! What calls for a search.

use crate::config::Endpoint;

/// What tells that the primary may be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trigger<'a> {
    /// The connection to this server was lost or could not be made, the server is silent, or it turned a
    /// request away because it is no primary (`READONLY`, `MASTERDOWN`).
    Suspect(&'a Endpoint),
    /// This sentinel announced a new primary (`+switch-master`). That is only a hint: it is asked, as the
    /// first.
    Switched(&'a Endpoint),
}
