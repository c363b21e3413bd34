use alloc::format;
use alloc::string::String;

use super::*;
use crate::error::ServerError;

fn asked() -> Endpoint {
    Endpoint::tcp("10.0.0.1", 7000)
}

fn refused(text: &str) -> Error {
    Error::new(ErrorKind::Server(ServerError::new(text.as_bytes())), Delivery::Rejected)
}

fn send_to(host: &str, port: u16, slot: u16, asking: bool) -> Decision {
    Decision::SendTo { endpoint: Endpoint::tcp(host, port), slot, asking }
}

#[test]
fn redirects() {
    let long = format!("MOVED 1 {}:1", "x".repeat(256));
    let malformed = [
        ("MOVED", "a redirect without a slot and an address"),
        ("MOVED 1", "a redirect without a slot and an address"),
        ("MOVED 1 h:1 more", "a redirect without a slot and an address"),
        ("MOVED  1 h:1", "a redirect without a slot and an address"),
        ("MOVED 99999 :0", "a redirect for a slot that does not exist"),
        ("MOVED 16384 h:1", "a redirect for a slot that does not exist"),
        ("MOVED -1 h:1", "a redirect for a slot that does not exist"),
        ("MOVED x h:1", "a redirect for a slot that does not exist"),
        ("ASK 1 h", "a redirect without a port"),
        ("ASK 1 h:", "a redirect to a port that is none"),
        ("ASK 1 h:0", "a redirect to a port that is none"),
        ("ASK 1 h:65536", "a redirect to a port that is none"),
        ("ASK 1 h:-1", "a redirect to a port that is none"),
        ("ASK 1 a:b:1", "a redirect to a host that is none"),
        ("ASK 1 a/b:1", "a redirect to a host that is none"),
        ("ASK 1 [::1:1", "a redirect to a host that is none"),
        (&*long, "a redirect to a host that is none"),
        ("MOVEDX 1 h:1", "a redirect that is neither MOVED nor ASK"),
        ("", "a redirect that is neither MOVED nor ASK"),
    ];
    for (text, reason) in malformed {
        assert_eq!(Redirect::parse(text, Asked::new(&asked())), Err(reason), "{text:?}");
    }
    let good = [
        ("MOVED 3999 127.0.0.1:6381", false, 3999, Some("127.0.0.1:6381")),
        ("ASK 0 node.example:65535", true, 0, Some("node.example:65535")),
        ("MOVED 16383 ::1:6381", false, 16_383, Some("[::1]:6381")),
        ("MOVED 16383 [::1]:6381", false, 16_383, Some("[::1]:6381")),
        ("MOVED 1 :6381", false, 1, Some("10.0.0.1:6381")),
        ("MOVED 1 ?:6381", false, 1, None),
    ];
    for (text, ask, slot, to) in good {
        let redirect = Redirect::parse(text, Asked::new(&asked())).unwrap();
        let shown = redirect.to.map(|to| to.to_string());
        assert_eq!((redirect.ask, redirect.slot, shown.as_deref()), (ask, slot, to), "{text:?}");
    }
}

#[test]
fn decisions() {
    let table = [
        ("MOVED 7 10.0.0.2:7000", send_to("10.0.0.2", 7000, 7, false)),
        ("MOVED 7 10.0.0.1:7001", send_to("10.0.0.1", 7001, 7, false)),
        ("MOVED 7 :7001", send_to("10.0.0.1", 7001, 7, false)),
        ("MOVED 7 10.0.0.1:7000", Decision::Reconnect),
        ("MOVED 7 :7000", Decision::Reconnect),
        ("MOVED 7 ?:7000", Decision::RefreshThenRetry),
        ("MOVED 99999 :0", Decision::Malformed("a redirect for a slot that does not exist")),
        ("ASK 7 10.0.0.2:7000", send_to("10.0.0.2", 7000, 7, true)),
        ("ASK 7 10.0.0.1:7000", send_to("10.0.0.1", 7000, 7, true)),
        ("ASK 7", Decision::Malformed("a redirect without a slot and an address")),
        ("TRYAGAIN Multiple keys request during rehashing of slot", Decision::Later),
        ("CLUSTERDOWN The cluster is down", Decision::Later),
        ("CLUSTERDOWN Hash slot not served", Decision::Later),
        ("READONLY You can't write against a read only replica.", Decision::RefreshThenRetry),
        ("MASTERDOWN Link with MASTER is down", Decision::RefreshThenRetry),
        ("LOADING Redis is loading the dataset in memory", Decision::RefreshThenRetry),
        ("CROSSSLOT Keys in request don't hash to the same slot", Decision::Deliver),
        ("NOPERM no", Decision::Deliver),
        ("ERR MOVED 7 10.0.0.2:7000", Decision::Deliver),
        ("OOM command not allowed", Decision::Deliver),
    ];
    for (text, decision) in table {
        let sent = |hops| decide(&refused(text), Asked::new(&asked()), hops);
        assert_eq!(sent(0), decision, "{text:?}");
        assert_eq!(sent(Hops::MAX - 1), decision, "{text:?}");
        let redirected = text.starts_with("MOVED") || text.starts_with("ASK");
        let late = if redirected { Decision::TooManyRedirects } else { decision };
        assert_eq!(sent(Hops::MAX), late, "{text:?}, sent elsewhere too often");
    }
}

#[test]
fn what_may_have_run_is_the_callers() {
    for text in ["MOVED 7 10.0.0.2:7000", "ASK 7 10.0.0.2:7000", "TRYAGAIN x", "READONLY x", "MOVED x"] {
        let error = refused(text).with_delivery(Delivery::MaybeExecuted);
        assert_eq!(decide(&error, Asked::new(&asked()), 0), Decision::Deliver, "{text:?}");
    }
    let lost = Error::new(ErrorKind::Closed, Delivery::Rejected);
    assert_eq!(decide(&lost, Asked::new(&asked()), 0), Decision::Deliver);
}

#[test]
fn a_transaction_that_was_refused_follows_the_redirect_of_its_command() {
    let error = Error::new(ErrorKind::TransactionAborted { index: 1 }, Delivery::Rejected)
        .with_cause(Some(refused("MOVED 7 10.0.0.2:7000")));
    let decision = decide(&error, Asked::new(&asked()), 0);
    assert_eq!(decision, send_to("10.0.0.2", 7000, 7, false));
}

#[test]
fn a_loop_ends_and_its_error_names_the_nodes() {
    let nodes = [Endpoint::tcp("a", 1), Endpoint::tcp("b", 2)];
    let texts = ["MOVED 7 b:2", "MOVED 7 a:1"];
    let mut hops = Hops::default();
    assert!(hops.is_empty());
    for turn in 0.. {
        let (node, error) = (&nodes[turn % 2], refused(texts[turn % 2]));
        let decision = decide(&error, Asked::new(node), hops.len());
        hops.push(node.clone());
        if decision == Decision::TooManyRedirects {
            let error = hops.clone().into_error(error);
            let path: String = (0..16).map(|turn| format!("{} -> ", nodes[turn % 2])).collect();
            let text = format!("redirected too often: {path}a:1 (rejected); MOVED 7 b:2 (rejected)");
            assert_eq!(error.to_string(), text);
            break;
        }
        assert_eq!(decision, send_to(["b", "a"][turn % 2], [2, 1][turn % 2], 7, false));
    }
    assert_eq!(hops.len(), Hops::MAX + 1, "sent 17 times");
}
