//! The network loses what a server sends, while the server does what it is told: the sharpest test that nothing is
//! sent again that may have been done.

use std::thread;
use std::time::Duration;

use redstart_core::command::{Command, Run};
use redstart_core::commands::ListCommands;

use crate::chaos::stage::{Stage, lists};
use crate::chaos::{Report, Settings};
use crate::server::namespace::Namespace;
use crate::server::{ServerConfig, poll_until};
use crate::wire::Wire;

/// For how long. The system's retransmissions bring the replies of the first in time, those of the last too late.
const SECONDS: [u64; 3] = [1, 3, 7];

pub(super) fn lose_replies(settings: &Settings) -> Report {
    let namespace = Namespace::new();
    let server = ServerConfig::new(settings.version).inside(&namespace).start();
    let stage = Stage::begin(settings, &server.url(), lists(settings.workers));
    for seconds in SECONDS {
        let lost = namespace.lose_replies();
        thread::sleep(Duration::from_secs(seconds));
        drop(lost);
        stage.go_on();
    }
    let logs = stage.end();
    let wire = Wire::connect(server.addr(), 3);
    // What the system still had to send for a connection that the client had closed is done before the judgement.
    poll_until("the client's connections to end", || {
        let clients: String = (&wire).run(Command::new("CLIENT LIST")).expect("the server is up");
        (clients.lines().count() == 1).then_some(())
    });
    let verdict = logs.judge(|list| wire.lrange(list, 0, -1).expect("a list of strings"));
    let applied = verdict.applied;
    let report = Report::new(settings, verdict).lost_none().only_ambiguous();
    report.gate(applied > 0, "nothing was done whose reply was lost")
}
