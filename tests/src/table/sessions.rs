//! Rows of the commands of sessions.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{SessionCommands, Tracked, TrackingOptions};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    let tracking = TrackingOptions::new;
    t.row("watch", p.watch(["k", "l"]));
    t.row("unwatch", p.unwatch());
    t.row("multi", p.multi());
    t.row("exec", p.exec::<Vec<u8>>());
    t.row("discard", p.discard());
    t.row("select", p.select(3));
    t.row("auth", p.auth("ann", "password"));
    t.row("reset", p.reset());
    t.row("readonly", p.readonly());
    t.row("readwrite", p.readwrite());
    t.row("client_setname", p.client_setname("me"));
    t.row("client_no_evict", p.client_no_evict(true));
    t.row("client_no_touch", p.client_no_touch(false));
    t.row("client_tracking", p.client_tracking(7, tracking()));
    t.row("client_tracking", p.client_tracking(7, tracking().tracked(Tracked::OptIn)));
    t.row("client_tracking", p.client_tracking(7, tracking().tracked(Tracked::OptOut).no_loop()));
    t.row("client_tracking", p.client_tracking(7, tracking().tracked(Tracked::Broadcast)));
    t.row("client_tracking", p.client_tracking(7, tracking().prefix("a:").prefix("b:")));
    t.row("client_tracking_off", p.client_tracking_off());
    t.row("client_caching", p.client_caching(true));
    t.row("client_caching", p.client_caching(false));
}
