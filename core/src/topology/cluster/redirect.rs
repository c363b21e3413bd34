//! What becomes of a request that a node turned away: `MOVED`, `ASK`, and the errors that pass.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::asked::{Asked, NoHost};
use crate::command::slot::SLOTS;
use crate::config::Endpoint;
use crate::error::{Delivery, Error, ErrorKind, ServerCode};
use crate::retry::passes_by_itself;

/// A node's word that another one serves a slot: `MOVED slot host:port` or `ASK slot host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirect {
    /// Whether it holds for this one request only (`ASK`): the slot is on its way to the other node.
    pub ask: bool,
    /// The slot.
    pub slot: u16,
    /// The other node; `None` if the one that answers does not know its name (`?`).
    pub to: Option<Endpoint>,
}

impl Redirect {
    /// Reads the text of an error.
    ///
    /// # Errors
    /// What is wrong with it, as a reason for [`ErrorKind::Conversation`]: no node writes such a thing.
    pub fn parse(text: &str, asked: Asked<'_>) -> Result<Self, &'static str> {
        let mut words = text.split(' ');
        let ask = match words.next() {
            Some("MOVED") => false,
            Some("ASK") => true,
            _ => return Err("a redirect that is neither MOVED nor ASK"),
        };
        let (Some(slot), Some(address), None) = (words.next(), words.next(), words.next()) else {
            return Err("a redirect without a slot and an address");
        };
        let slot = slot.parse().ok().filter(|&slot| slot < SLOTS);
        let slot = slot.ok_or("a redirect for a slot that does not exist")?;
        let (host, port) = address.rsplit_once(':').ok_or("a redirect without a port")?;
        let port = port.parse().ok().filter(|&port| port != 0).ok_or("a redirect to a port that is none")?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let to = asked.locate(bare.as_bytes(), port).map_err(|NoHost| "a redirect to a host that is none")?;
        Ok(Self { ask, slot, to })
    }
}

/// What to do with a request that a node turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// The caller gets the error.
    Deliver,
    /// It goes to another node, at once.
    SendTo {
        /// The node.
        endpoint: Endpoint,
        /// The slot in question.
        slot: u16,
        /// Right behind `ASKING`, and the map stays as it is. Else this is a `MOVED`, which
        /// [`SlotMap::handle_moved`](super::SlotMap::handle_moved) is to be told of.
        asking: bool,
    },
    /// The node that was asked is said to be elsewhere by the same name: connect to it anew, resolving the
    /// name again, then send again.
    Reconnect,
    /// The node is not what it was taken for: it waits for the cluster to be looked at again.
    RefreshThenRetry,
    /// The reason passes by itself: the same slot again, a little later.
    Later,
    /// It was sent elsewhere too often: the caller gets [`Hops::into_error`].
    TooManyRedirects,
    /// The redirect makes no sense: the node's connection is to be closed for this reason, which is one of
    /// [`ErrorKind::Conversation`].
    Malformed(&'static str),
}

/// Decides about a request that the node `asked` answered with `error`, after it was sent elsewhere `hops`
/// times.
///
/// Only what certainly did not run is sent again, so an error of another [`Delivery`] than
/// [`Rejected`](Delivery::Rejected) is the caller's. Whatever waits, waits until the request's deadline;
/// [`SendTo`](Decision::SendTo) and [`Reconnect`](Decision::Reconnect) alone count as hops.
#[must_use]
pub fn decide(error: &Error, asked: Asked<'_>, hops: usize) -> Decision {
    let Some(refusal) = error.server().filter(|_| error.delivery() == Delivery::Rejected) else {
        return Decision::Deliver;
    };
    match refusal.code() {
        ServerCode::Moved | ServerCode::Ask if hops >= Hops::MAX => Decision::TooManyRedirects,
        ServerCode::Moved | ServerCode::Ask => match Redirect::parse(refusal.text(), asked) {
            Ok(Redirect { to: None, .. }) => Decision::RefreshThenRetry,
            Ok(Redirect { ask: false, to: Some(to), .. }) if to == *asked.endpoint() => Decision::Reconnect,
            Ok(Redirect { ask, slot, to: Some(endpoint) }) => {
                Decision::SendTo { endpoint, slot, asking: ask }
            }
            Err(reason) => Decision::Malformed(reason),
        },
        ServerCode::ReadOnly | ServerCode::MasterDown | ServerCode::Loading => Decision::RefreshThenRetry,
        code if passes_by_itself(code) => Decision::Later,
        _ => Decision::Deliver,
    }
}

/// The way of one request from node to node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hops(Vec<Endpoint>);

impl Hops {
    /// How often one request is sent elsewhere at most.
    pub const MAX: usize = 16;

    /// The node at `endpoint` has sent the request elsewhere.
    pub fn push(&mut self, endpoint: Endpoint) {
        self.0.push(endpoint);
    }

    /// How often the request was sent elsewhere.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it never was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The error of a request that goes from node to node, with the `last` redirect as its cause.
    #[must_use]
    pub fn into_error(self, last: Error) -> Error {
        let path = self.0.iter().map(ToString::to_string).collect();
        Error::new(ErrorKind::TooManyRedirects { path }, Delivery::Rejected).with_cause(Some(last))
    }
}

#[cfg(test)]
mod tests;
