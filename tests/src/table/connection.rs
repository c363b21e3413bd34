//! Rows of the commands about connections.

use std::time::Duration;

use redstart_core::command::Prepare as p;
use redstart_core::commands::{
    ClientFilter, ClientKillFilter, ClientKind, ConnectionCommands, PauseMode, UnblockMode,
};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    let kill = ClientKillFilter::new;
    t.row("client_id", p.client_id());
    t.row("client_info", p.client_info());
    t.row("client_getname", p.client_getname());
    t.row("client_getredir", p.client_getredir());
    t.row("client_trackinginfo", p.client_trackinginfo());
    t.row("client_list", p.client_list(ClientFilter::All));
    t.row("client_list", p.client_list(ClientFilter::Kind(ClientKind::Normal)));
    t.row("client_list", p.client_list(ClientFilter::Kind(ClientKind::Primary)));
    t.row("client_list", p.client_list(ClientFilter::Kind(ClientKind::Replica)));
    t.row("client_list", p.client_list(ClientFilter::Kind(ClientKind::PubSub)));
    t.row("client_list", p.client_list(ClientFilter::Ids(vec![1, 2])));
    t.row("client_kill", p.client_kill(kill().id(7)));
    t.row("client_kill", p.client_kill(kill().kind(ClientKind::PubSub)));
    t.row("client_kill", p.client_kill(kill().user("guest")));
    t.row("client_kill", p.client_kill(kill().addr("127.0.0.1:50000")));
    t.row("client_kill", p.client_kill(kill().laddr("127.0.0.1:6379")));
    t.row("client_kill", p.client_kill(kill().kind(ClientKind::Normal).skip_me(true)));
    t.row("client_kill", p.client_kill(kill().kind(ClientKind::Normal).skip_me(false)));
    t.row("client_kill", p.client_kill(kill().max_age(Duration::from_millis(1500))));
    let all = kill().id(7).kind(ClientKind::Normal).user("guest").addr("a:1").laddr("b:2").skip_me(true);
    t.row("client_kill", p.client_kill(all.max_age(Duration::from_secs(60))));
    t.row("client_pause", p.client_pause(Duration::from_micros(1500), PauseMode::All));
    t.row("client_pause", p.client_pause(Duration::from_secs(1), PauseMode::Writes));
    t.row("client_unpause", p.client_unpause());
    t.row("client_unblock", p.client_unblock(7, UnblockMode::Timeout));
    t.row("client_unblock", p.client_unblock(7, UnblockMode::Error));
    t.row("echo", p.echo::<String>("hello"));
    t.row("ping", p.ping());
    t.row("ping_with", p.ping_with::<String>("hello"));
}
