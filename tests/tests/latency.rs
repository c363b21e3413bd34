//! The commands about latency and the slow log against real servers.

use std::time::Duration;

use redstart_core::command::{Command, Run};
use redstart_core::commands::{LatencyCommands, ServerCommands, SlowlogCommands, StringCommands};
use redstart_core::error::ServerCode;
use redstart_tests::wire::{Wire, for_each_wire};

const MINUTE: Duration = Duration::from_secs(60);

/// Makes the server wait for some milliseconds.
fn sleep(c: &Wire) {
    c.run::<()>(Command::new("DEBUG").arg("SLEEP").arg("0.005")).expect("a reply");
}

#[test]
fn events_are_noted() {
    for_each_wire(|c, _| {
        assert!(c.latency_latest().unwrap().is_empty());
        assert!(c.latency_history("command").unwrap().is_empty());
        assert_eq!(c.latency_graph("command").unwrap_err().code(), Some(ServerCode::Err));
        c.config_set([("latency-monitor-threshold", "3")]).unwrap();
        let before = c.time().unwrap().seconds * 1000;
        sleep(c);
        let latest = c.latency_latest().unwrap();
        let event = latest.iter().find(|event| event.event == "command").unwrap();
        assert!(event.time.as_millis() >= before, "{event:?}");
        assert!(event.latest >= Duration::from_millis(5) && event.latest < MINUTE, "{event:?}");
        assert!(event.max >= event.latest, "{event:?}");
        let history = c.latency_history("command").unwrap();
        assert_eq!((history.len(), history[0].time, history[0].latency), (1, event.time, event.latest));
        assert!(c.latency_graph("command").unwrap().contains("command"));
        assert!(c.latency_doctor().unwrap().contains("command"));
        c.config_set([("latency-monitor-threshold", "0")]).unwrap();
        assert_eq!(c.latency_reset(["command", "none"]).unwrap(), 1);
        assert!(c.latency_history("command").unwrap().is_empty());
        c.latency_reset(()).unwrap();
        assert!(c.latency_latest().unwrap().is_empty());
        assert!(c.latency_doctor().unwrap().contains("disabled"));
    });
}

#[test]
fn how_long_commands_take() {
    for_each_wire(|c, _| {
        for _ in 0..3 {
            c.set("k", "v").unwrap();
        }
        c.config_get("maxmemory").unwrap();
        let histograms = c.latency_histogram(["set", "config|get", "get"]).unwrap();
        assert_eq!(histograms.keys().map(String::as_str).collect::<Vec<_>>(), ["config|get", "set"]);
        let set = &histograms["set"];
        let (longest, calls) = *set.buckets.last().unwrap();
        assert_eq!((set.calls, calls), (3, 3));
        assert!(longest > Duration::ZERO && longest < MINUTE && set.buckets.is_sorted(), "{set:?}");
        assert!(c.latency_histogram(()).unwrap().len() >= 3);
    });
}

#[test]
fn slow_commands_are_logged() {
    for_each_wire(|c, _| {
        c.slowlog_reset().unwrap();
        c.config_set([("slowlog-log-slower-than", "0")]).unwrap();
        let before = c.time().unwrap().seconds * 1000;
        c.set("k", "v").unwrap();
        c.run::<()>(Command::new("CLIENT SETNAME").arg("tester")).unwrap();
        c.set("k", "v".repeat(1000)).unwrap();
        c.config_set([("slowlog-log-slower-than", "1000000")]).unwrap();

        let log = c.slowlog_get(None).unwrap();
        assert_eq!(c.slowlog_len().unwrap(), log.len() as u64);
        let sets: Vec<_> = log.iter().filter(|entry| entry.command[0] == "SET").collect();
        let (second, first) = (sets[0], sets[1]);
        assert_eq!(first.command, ["SET", "k", "v"]);
        assert!(second.command[2].ends_with(b"... (872 more bytes)"), "{:?}", second.command);
        assert!(first.id < second.id && first.time.as_millis() >= before && first.duration < MINUTE);
        assert_eq!((&first.client_name, second.client_name.as_deref()), (&None, Some("tester")));
        assert!(first.client_addr.as_ref().unwrap().starts_with("127.0.0.1:"));
        assert_eq!(c.slowlog_get(Some(2)).unwrap().len(), 2);
        c.slowlog_reset().unwrap();
        assert_eq!((c.slowlog_len().unwrap(), c.slowlog_get(None).unwrap().len()), (0, 0));
    });
}
