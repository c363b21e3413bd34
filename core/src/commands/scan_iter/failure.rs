//! What fails on a walk, and whether the walk can go on.

use alloc::string::String;

use crate::error::{ConversionError, Delivery, Error, ErrorKind, Limit};

/// So often in a row a walk is begun anew without getting any further, before the caller is told.
pub(super) const RESTARTS_MAX: usize = 16;

/// Whether the same may succeed later.
pub(in crate::commands) fn may_pass(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Timeout(_) | ErrorKind::TooManyRedirects { .. } => true,
        ErrorKind::Limit(limit) => matches!(limit, Limit::QueueCommands(_) | Limit::QueueBytes(_)),
        _ => error.is_connection(),
    }
}

/// The walk does not get any further.
pub(super) fn restarted(cause: Option<Error>) -> Error {
    let limit = ErrorKind::Limit(Limit::Restarts(RESTARTS_MAX));
    Error::new(limit, Delivery::Rejected).with_command("SCAN").with_cause(cause)
}

/// The answer is of another shape than what was asked for.
pub(in crate::commands) fn wrong(expected: &'static str) -> Error {
    let error =
        ConversionError::Unexpected { expected: expected.into(), got: String::from("something else") };
    Error::new(ErrorKind::Conversion(error), Delivery::MaybeExecuted)
}
