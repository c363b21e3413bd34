use alloc::format;
use alloc::string::String;
use alloc::vec;
use core::time::Duration;

use super::*;
use crate::Error;
use crate::error::ConfigError;

/// In every secret of these tests, and to be found nowhere else.
pub(super) const CANARY: &str = "hunter2";

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn refusal(url: &str) -> (String, &'static str) {
    let error = Config::from_url(url).expect_err(url);
    (error.option, error.reason)
}

/// What an error says, and what is shown of settings that were taken after all.
pub(super) fn shown(url: &str) -> String {
    match Config::from_url(url) {
        Ok(config) => format!("{config:?} {config:#?} {:?}", config.peers()),
        Err(error) => format!("{error} {error:?} {0} {0:?}", Error::from(error.clone())),
    }
}

#[test]
fn settings_are_validated_without_a_url_too() {
    let endpoints = [
        ("host", Endpoint::tcp("", 1)),
        ("host", Endpoint::tcp("[::1]", 1)),
        ("host", Endpoint::tcp("h/0", 1)),
        ("port", Endpoint::tcp("h", 0)),
        ("path", Endpoint::unix("")),
    ];
    for (option, endpoint) in endpoints {
        let refused = Config::new(endpoint).into_config().map_err(|error| error.option);
        assert_eq!(refused, Err(option.into()));
    }
    assert_eq!(Config::default().validate(), Ok(()));
    assert_eq!(
        Config::default().client_name("a b").validate().map_err(|error| error.option),
        Err("client_name".into())
    );
}

#[test]
fn deployments_are_validated() {
    let host = |host: &str| Endpoint::tcp(host, 7000);
    let cluster = || Config::cluster([host("a"), host("b")]);
    let refresh = |change: fn(&mut RefreshOptions)| {
        let mut refresh = RefreshOptions::default();
        change(&mut refresh);
        Config::default().deployment(ClusterOptions::new([host("a")]).refresh(refresh))
    };
    let sentinel = |change: fn(SentinelOptions) -> SentinelOptions| {
        Config::default().deployment(change(SentinelOptions::new("main", [host("a")])))
    };
    let zero = Duration::ZERO;
    let unix = "a Unix socket, which leads to no other node";
    let long = "z".repeat(256);
    let no_zone = "empty, or longer than 255 bytes";
    let no_name = "not printable ASCII without spaces";
    let table = [
        (Config::cluster([]), "host", "missing"),
        (Config::cluster([host("a"), host("")]), "host", "neither a host name nor an address"),
        (Config::cluster([host("a"), Endpoint::tcp("b", 0)]), "port", "zero"),
        (Config::cluster([host("a"), Endpoint::unix("/s")]), "host", unix),
        (Config::cluster([host("a"), host("b"), host("a")]), "host", "given more than once"),
        (cluster().database(1), "db", "a cluster has no other than 0"),
        (refresh(|it| it.interval = Duration::ZERO), "refresh_interval", "zero"),
        (refresh(|it| it.period = Some(Duration::ZERO)), "refresh_period", "zero"),
        (refresh(|it| it.deadline = Duration::ZERO), "refresh_deadline", "zero"),
        (refresh(|it| it.asks = 0), "refresh_asks", "zero"),
        (refresh(|it| it.timeouts = 0), "refresh_timeouts", "zero"),
        (Config::sentinel("main", []), "host", "missing"),
        (Config::sentinel("main", [Endpoint::unix("/s")]), "host", unix),
        (Config::sentinel("main", [host("a"), host("a")]), "host", "given more than once"),
        (Config::sentinel("", [host("a")]), "service", "missing"),
        (Config::sentinel("a b", [host("a")]), "service", no_name),
        (Config::sentinel("a\r\nb", [host("a")]), "service", no_name),
        (sentinel(|it| it.poll_interval(Duration::ZERO)), "poll_interval", "zero"),
        (sentinel(|it| it.ask_timeout(Duration::ZERO)), "ask_timeout", "zero"),
        (cluster().suspect_after(zero), "suspect_after", "zero"),
        (cluster().zone(""), "zone", no_zone),
        (cluster().zone(&*long), "zone", no_zone),
        (cluster().read_from(ReadFrom::SameZone), "zone", "missing"),
        (cluster().zones([(host("a"), "x"), (host("b"), "")]), "zones", no_zone),
        (cluster().retries(1).queue_bytes(0), "queue_bytes", "zero"),
        (cluster().subscription_bytes(0), "subscription_bytes", "zero"),
    ];
    for (config, option, reason) in table {
        assert_eq!(config.validate(), Err(ConfigError { option: option.into(), reason }), "{config:?}");
    }
    let good = [
        cluster(),
        cluster().zones([(host("a"), "x")]).read_from(ReadFrom::SameZone).zone(&long[1..]),
        refresh(|it| (it.period, it.patience, it.linger) = (None, Duration::ZERO, Duration::ZERO)),
        Config::sentinel("my-service.1_A", [host("a"), host("::1")]).database(3),
        Config::cluster([]).endpoint(host("a")),
    ];
    for config in good {
        assert_eq!(config.validate(), Ok(()), "{config:?}");
    }
}

#[test]
fn who_is_connected_to_first() {
    let [a, b] = [Endpoint::tcp("a", 1), Endpoint::tcp("b", 2)];
    let table = [
        (Config::new(a.clone()), vec![a.clone()]),
        (Config::cluster([a.clone(), b.clone()]), vec![a.clone(), b.clone()]),
        (Config::sentinel("main", [b.clone()]), vec![b.clone()]),
    ];
    for (config, expected) in table {
        assert_eq!(config.peers(), expected);
    }
    assert_eq!(Config::sentinel("main", [b.clone()]).endpoint(a.clone()), Config::new(a));
    assert_eq!(Config::cluster([b]).deployment(Deployment::Single), Config::default());
}

#[test]
fn connect_takes_a_config_or_a_url() {
    let expected = Config::default().endpoint(Endpoint::tcp("h", 1)).connect_timeout(secs(1));
    let url = String::from("redis://h:1?connect_timeout=1");
    assert_eq!(url.as_str().into_config().as_ref(), Ok(&expected));
    assert_eq!((&url).into_config().as_ref(), Ok(&expected));
    assert_eq!(Config::try_from(url.as_str()).as_ref(), Ok(&expected));
    assert_eq!(url.parse().as_ref(), Ok(&expected));
    assert_eq!(url.into_config().as_ref(), Ok(&expected));
    assert_eq!(expected.clone().into_config().as_ref(), Ok(&expected));
    assert_eq!(expected.deployed(), &Deployment::Single);
    assert_eq!(expected.connects_within(), secs(1));
    assert_eq!(expected.probes_after(), Some(secs(30)));
}

#[test]
fn a_secret_is_never_shown() {
    let credentials = Credentials::new("ann", CANARY);
    let secret = credentials.password.clone();
    assert_eq!(secret.expose(), CANARY);
    assert_eq!(format!("{secret} {secret:?} {secret:#?} {secret:20}"), "*** *** *** ***");
    let config =
        Config::from_url(&format!("redis-sentinel://ann:{CANARY}@h/main/3?sentinel_password={CANARY}"))
            .expect("a good URL");
    assert_eq!(config.login.fixed(), Some(&credentials));
    let shown = format!("{config:?} {config:#?} {credentials:?} {:?}", config.peers());
    assert!(!shown.contains(CANARY), "{shown}");
    let settings = [
        "deployment",
        "sentinels",
        "endpoint",
        "login",
        "ann",
        "***",
        "database",
        "protocol",
        "client_name",
        "library_name",
        "library_version",
        "connect_timeout",
        "response_timeout",
        "liveness_timeout",
        "health_interval",
        "close_timeout",
        "tcp_keepalive",
        "backoff",
        "retries",
        "suspect_after",
        "read_from",
        "zone",
        "zones",
        "queue_commands",
        "queue_bytes",
        "when_full",
        "reply_limits",
        "subscription_bytes",
    ];
    for setting in settings {
        assert!(shown.contains(setting), "{setting} is missing: {shown}");
    }
}
