//! What must hold of side connections, and of what is taken by commands that wait.

use super::super::conn::Conn;
use super::super::oracles::{Verdict, demand};
use super::super::request::Request;
use super::server::{Store, User};

/// A2: a connection that comes to another user is as new: nothing is set on it, and nothing is unanswered.
pub(super) fn a2_a_lease_begins_clean(
    conn: usize,
    before: Option<User>,
    user: User,
    is_changed: bool,
    unanswered: usize,
) -> Verdict {
    demand(!is_changed && unanswered == 0, "a2_a_lease_begins_clean", || {
        format!(
            "connection {} comes from {before:?} to {user:?} with {unanswered} replies due, changed: {is_changed}",
            conn + 1
        )
    })
}

/// A3: the server is told to end a wait only if its caller is gone: nobody's reply is an end that another wanted.
pub(super) fn a3_only_what_was_given_up_is_ended(conn: usize, call: usize, is_over: bool) -> Verdict {
    demand(is_over, "a3_only_what_was_given_up_is_ended", || {
        format!("the wait of call {call} on connection {} was ended although it is waited for", conn + 1)
    })
}

/// B6: nothing is sent behind a command that waits.
pub(super) fn b6_nothing_is_sent_behind_a_wait(conn: usize, request: &Request, waits: bool) -> Verdict {
    demand(!waits, "b6_nothing_is_sent_behind_a_wait", || {
        let name = request.name().escape_ascii();
        format!("{name} is sent on connection {} behind a command that waits", conn + 1)
    })
}

/// A2: whatever is given up, each item is in its list or came to one caller. What was on a connection that failed may
/// be lost, or be there twice.
pub(super) fn a2_no_item_is_eaten(store: &Store, conns: &[Conn]) -> Verdict {
    let wrong = (0..store.items).find(|&item| store.count(item) != 1 && !store.was_in_danger(item, conns));
    demand(wrong.is_none(), "a2_no_item_is_eaten", || {
        let count = wrong.map(|item| store.count(item));
        format!("item {wrong:?} is there {count:?} times")
    })
}

/// H1: there are no more connections than the pool may have, and the one that all share.
pub(super) fn h1_connections_are_bounded(open: usize, most: usize) -> Verdict {
    demand(open <= most, "h1_connections_are_bounded", || format!("{open} connections, not {most}"))
}

/// H3: when all is well again, as many sessions can be had at once as there may be.
pub(super) fn h3_no_lease_is_lost(leased: usize, max: usize) -> Verdict {
    demand(leased == max, "h3_no_lease_is_lost", || format!("{leased} sessions of {max} could be had"))
}
