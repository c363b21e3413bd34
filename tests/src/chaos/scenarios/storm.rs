//! Servers close all connections again and again.

use std::thread;
use std::time::Duration;

use redstart_core::command::{Command, Run};
use redstart_core::commands::ListCommands;

use super::cluster;
use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::server::Server;
use crate::wire::Wire;

/// How often.
const EVERY: Duration = Duration::from_millis(30);

/// A connection that ends soon counts as a failure, and the client would wait longer and longer: there would be no
/// storm.
const OPTION: &str = "backoff_cap=20ms";

pub(super) fn on_one(settings: &Settings) -> Report {
    let settings = &hurried(settings);
    let server = Server::start(settings.version);
    let stage = Stage::begin(settings, &server.url(), lists(settings.workers));
    let admin = Wire::connect(server.addr(), 3);
    let closed = close_all(settings, &[admin]);
    stage.go_on();
    let wire = Wire::connect(server.addr(), 3);
    let verdict = stage.end().judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    report(Report::new(settings, verdict), settings, closed)
}

pub(super) fn on_cluster(settings: &Settings) -> Report {
    let settings = &hurried(settings);
    let cluster = cluster(settings, settings.extent.node_timeout);
    let stage = Stage::begin(settings, &cluster.url(), lists(settings.workers));
    let admins = (0..cluster.len()).map(|node| cluster.wire(node)).collect::<Vec<_>>();
    let closed = close_all(settings, &admins);
    stage.go_on();
    let verdict = stage.end().judge(cluster.reader());
    report(Report::new(settings, verdict), settings, closed)
}

fn hurried(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.options.push(OPTION.to_owned());
    settings
}

/// Returns how many connections it closed.
fn close_all(settings: &Settings, admins: &[Wire]) -> usize {
    let mut closed = 0;
    for _ in 0..settings.extent.kills {
        thread::sleep(EVERY);
        for admin in admins {
            let kill = Command::<usize>::new("CLIENT KILL TYPE normal SKIPME yes");
            closed += admin.run(kill).expect("the server is up");
        }
    }
    closed
}

/// Each connection that is closed costs at most the calls that are on their way.
fn report(report: Report, settings: &Settings, closed: usize) -> Report {
    let report = report.errors_at_most(closed * settings.workers).lost_none();
    report.note(format!("{closed} connections closed")).gate(closed > 0, "no connection was closed")
}
