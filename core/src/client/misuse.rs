//! Calls that cannot be made as they are, told before anything is sent.

use super::inbox::Parcel;
use crate::command::{Change, Flags, Packed};
use crate::error::{Delivery, Error, ErrorKind};

/// Refuses what would harm others on a connection that is shared, and what no connection can do.
///
/// # Errors
/// What is wrong with the call.
#[inline]
pub(super) fn check(parcel: &Parcel<'_>, in_session: bool) -> Result<(), Error> {
    match parcel {
        Parcel::Command(command) => {
            let flags = command.flags();
            if flags.has(Flags::BLOCKING) || flags.has(Flags::CHANGES) {
                return check_command(command, in_session);
            }
            Ok(())
        }
        Parcel::Pipeline(batch) | Parcel::Transaction(batch) | Parcel::Silent(batch) => {
            if batch.has_chosen_node() {
                return misused("a node can be chosen for a single command only");
            }
            let is_pipeline = matches!(parcel, Parcel::Pipeline(_));
            if batch.has_changes() && !(in_session && is_pipeline) {
                return misused(
                    "a command that changes its connection cannot be there: run it alone, in a session",
                );
            }
            if batch.has_blocking() && is_pipeline && !in_session {
                return misused("a command that waits at the server cannot be in a pipeline");
            }
            Ok(())
        }
        Parcel::Lease(..) => Ok(()),
    }
}

#[cold]
fn check_command(command: &Packed, in_session: bool) -> Result<(), Error> {
    match command.change() {
        Some(Change::Stream) => {
            return misused("it makes the connection a stream: there are methods of the client for that");
        }
        Some(_) if !in_session => {
            return misused("it changes its connection, and this one is shared: run it in a session");
        }
        _ => {}
    }
    if !in_session && matches!(command.name().to_ascii_uppercase().as_str(), "WAIT" | "WAITAOF") {
        return misused("it waits for the writes of its own connection: run both in a session");
    }
    Ok(())
}

fn misused(reason: &'static str) -> Result<(), Error> {
    Err(Error::new(ErrorKind::Usage(reason), Delivery::NotSent))
}
