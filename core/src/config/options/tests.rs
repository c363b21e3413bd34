use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::{CLUSTER, OF_ALL, SENTINEL, SEVERAL};
use crate::config::tests::{CANARY, refusal, secs, shown};
use crate::config::{
    Backoff, ClusterOptions, Config, Credentials, Deployment, Endpoint, PoolOptions, Protocol, ReadFrom,
    RefreshOptions, SentinelOptions, WhenFull,
};
use crate::resp::Limits;

fn limits(change: impl Fn(&mut Limits)) -> Config {
    let mut limits = Limits::default();
    change(&mut limits);
    Config::default().reply_limits(limits)
}

/// Each option with a value that is not the default, and the setter that it stands for.
fn option_table() -> Vec<(&'static str, &'static str, Config)> {
    let with = Config::default;
    let backoff = Backoff::default;
    let pool = |options| with().pool(options);
    Vec::from([
        ("db", "7", with().database(7)),
        ("username", "ann", with().credentials(Credentials::new("ann", ""))),
        ("password", "pw", with().credentials(Credentials::password("pw"))),
        ("protocol", "2", with().protocol(Protocol::Resp2)),
        ("protocol", "3", with().protocol(Protocol::Resp3)),
        ("client_name", "worker-1", with().client_name("worker-1")),
        ("library_name", "mine(v1)", with().library_name("mine(v1)")),
        ("library_name", "none", with().library_name(None)),
        ("library_version", "9.9", with().library_version("9.9")),
        ("library_version", "none", with().library_version(None)),
        ("connect_timeout", "500ms", with().connect_timeout(Duration::from_millis(500))),
        ("response_timeout", "2m", with().response_timeout(secs(120))),
        ("response_timeout", "none", with().response_timeout(None)),
        ("liveness_timeout", "0.25", with().liveness_timeout(Duration::from_millis(250))),
        ("health_interval", "1.5m", with().health_interval(secs(90))),
        ("health_interval", "none", with().health_interval(None)),
        ("close_timeout", "0", with().close_timeout(secs(0))),
        ("tcp_keepalive", "60s", with().tcp_keepalive(secs(60))),
        ("tcp_keepalive", "none", with().tcp_keepalive(None)),
        ("backoff_base", "7ms", with().backoff(Backoff { base: Duration::from_millis(7), ..backoff() })),
        ("backoff_cap", "86400", with().backoff(Backoff { cap: secs(86_400), ..backoff() })),
        ("retries", "0", with().retries(0)),
        ("queue_commands", "12", with().queue_commands(12)),
        ("queue_bytes", "16m", with().queue_bytes(16 << 20)),
        ("when_full", "fail", with().when_full(WhenFull::Fail)),
        ("subscription_bytes", "64k", with().subscription_bytes(64 << 10)),
        ("pool_max", "9", pool(PoolOptions::new().max(9))),
        ("pool_min_idle", "2", pool(PoolOptions::new().min_idle(2))),
        ("pool_queue", "0", pool(PoolOptions::new().queue(0))),
        ("pool_idle_timeout", "5s", pool(PoolOptions::new().idle_timeout(secs(5)))),
        ("pool_idle_timeout", "none", pool(PoolOptions::new().idle_timeout(None))),
        ("pool_max_lifetime", "60m", pool(PoolOptions::new().max_lifetime(secs(3_600)))),
        ("max_conflicts", "3", with().max_conflicts(3)),
        ("max_reply_bytes", "4294967295", limits(|it| it.reply = u32::MAX)),
        ("max_bulk_bytes", "1G", limits(|it| it.bulk = 1 << 30)),
        ("max_elements", "1000000", limits(|it| it.elements = 1_000_000)),
        ("max_line_bytes", "1k", limits(|it| it.line = 1024)),
        ("max_depth", "1024", limits(|it| it.depth = Limits::DEPTH_MAX)),
    ])
}

/// The same for options where there are several nodes.
fn several_table() -> Vec<(&'static str, &'static str, Config)> {
    let with = Config::default;
    let read_from = |read_from| with().read_from(read_from);
    Vec::from([
        ("suspect_after", "250ms", with().suspect_after(Duration::from_millis(250))),
        ("read_from", "prefer_replica", read_from(ReadFrom::PreferReplica)),
        ("read_from", "replica", read_from(ReadFrom::Replica)),
        ("read_from", "round_robin", read_from(ReadFrom::RoundRobin)),
        ("read_from", "lowest_latency", read_from(ReadFrom::LowestLatency)),
        ("zone", "eu-1a", with().zone("eu-1a")),
        ("zone", "%26:", with().zone("&:")),
    ])
}

fn seed() -> Endpoint {
    Endpoint::tcp("h", 6379)
}

/// The same for options of clusters.
fn cluster_table() -> Vec<(&'static str, &'static str, Config)> {
    let with = |change: fn(&mut RefreshOptions)| {
        let mut refresh = RefreshOptions::default();
        change(&mut refresh);
        Config::default().deployment(ClusterOptions::new([seed()]).refresh(refresh))
    };
    Vec::from([
        ("refresh_interval", "100ms", with(|it| it.interval = Duration::from_millis(100))),
        ("refresh_period", "5m", with(|it| it.period = Some(secs(300)))),
        ("refresh_period", "none", with(|it| it.period = None)),
        ("refresh_deadline", "2", with(|it| it.deadline = secs(2))),
        ("refresh_asks", "5", with(|it| it.asks = 5)),
        ("refresh_patience", "0", with(|it| it.patience = secs(0))),
        ("refresh_linger", "0.5", with(|it| it.linger = Duration::from_millis(500))),
        ("refresh_timeouts", "1", with(|it| it.timeouts = 1)),
    ])
}

fn watched() -> SentinelOptions {
    SentinelOptions::new("main", [Endpoint::tcp("h", 26379)])
}

/// The same for options of sentinels.
fn sentinel_table() -> Vec<(&'static str, &'static str, Config)> {
    let with =
        |change: fn(SentinelOptions) -> SentinelOptions| Config::default().deployment(change(watched()));
    Vec::from([
        ("sentinel_username", "ann", with(|it| it.credentials(Credentials::new("ann", "")))),
        ("sentinel_password", "pw", with(|it| it.credentials(Credentials::password("pw")))),
        ("min_other_sentinels", "2", with(|it| it.min_other_sentinels(2))),
        ("poll_interval", "10s", with(|it| it.poll_interval(secs(10)))),
        ("ask_timeout", "50ms", with(|it| it.ask_timeout(Duration::from_millis(50)))),
    ])
}

#[test]
fn every_option_sets_its_setting() {
    let cluster: Deployment = ClusterOptions::new([seed()]).into();
    let sentinel: Deployment = watched().into();
    let schemes = [
        ("redis://127.0.0.1", Deployment::Single),
        ("redis-cluster://h", cluster.clone()),
        ("redis-sentinel://h/main", sentinel.clone()),
    ];
    for (base, deployment) in &schemes {
        let in_place = |config: Config| config.deployment(deployment.clone());
        let of_several = several_table().into_iter().filter(|_| *deployment != Deployment::Single);
        for (option, value, expected) in option_table().into_iter().chain(of_several) {
            if option != "db" || *deployment != cluster {
                sets(base, option, value, in_place(expected), &in_place(Config::default()));
            }
        }
    }
    for (option, value, expected) in cluster_table() {
        sets("redis-cluster://h", option, value, expected, &Config::default().deployment(cluster.clone()));
    }
    for (option, value, expected) in sentinel_table() {
        let default = Config::default().deployment(sentinel.clone());
        sets("redis-sentinel://h/main", option, value, expected, &default);
    }
}

fn sets(base: &str, option: &str, value: &str, expected: Config, default: &Config) {
    assert_ne!(expected, *default, "the row of {option} tells nothing");
    let url = format!("{base}?{option}={value}");
    assert_eq!(Config::from_url(&url), Ok(expected), "{url}");
}

#[test]
fn every_option_has_a_row() {
    let tables = [
        (option_table(), &OF_ALL[..]),
        (several_table(), &SEVERAL[..]),
        (cluster_table(), &CLUSTER[..]),
        (sentinel_table(), &SENTINEL[..]),
    ];
    for (table, options) in tables {
        for (option, _) in options {
            assert!(table.iter().any(|(name, ..)| name == option), "{option} has no row");
        }
    }
}

#[test]
fn schemes_have_their_own_options() {
    let several = "only redis-cluster:// and redis-sentinel:// have it";
    let [cluster, sentinel] = ["only redis-cluster:// has it", "only redis-sentinel:// has it"];
    let table = [
        ("redis://h", several_table(), several),
        ("unix:///run/s", several_table(), several),
        ("redis://h", cluster_table(), cluster),
        ("unix:///run/s", cluster_table(), cluster),
        ("redis-sentinel://h/main", cluster_table(), cluster),
        ("redis://h", sentinel_table(), sentinel),
        ("unix:///run/s", sentinel_table(), sentinel),
        ("redis-cluster://h", sentinel_table(), sentinel),
    ];
    for (base, options, reason) in table {
        for (option, value, _) in options {
            let url = format!("{base}?{option}={value}");
            assert_eq!(refusal(&url), (option.into(), reason), "{url}");
        }
    }
}

#[test]
fn options_stand_together() {
    let table = option_table();
    let mut rows = table.iter().map(|(name, value, _)| (*name, *value)).collect::<Vec<_>>();
    rows.dedup_by_key(|(name, _)| *name);
    let query = rows.iter().map(|(name, value)| format!("&{name}={value}")).collect::<String>();
    let mut expected = Config::default()
        .credentials(Credentials::new("ann", "pw"))
        .database(7)
        .protocol(Protocol::Resp2)
        .client_name("worker-1")
        .library_name("mine(v1)")
        .library_version("9.9")
        .connect_timeout(Duration::from_millis(500))
        .response_timeout(secs(120))
        .liveness_timeout(Duration::from_millis(250))
        .health_interval(secs(90))
        .close_timeout(secs(0))
        .tcp_keepalive(secs(60))
        .backoff(Backoff { base: Duration::from_millis(7), cap: secs(86_400) })
        .retries(0)
        .queue_commands(12)
        .queue_bytes(16 << 20)
        .when_full(WhenFull::Fail)
        .subscription_bytes(64 << 10)
        .max_conflicts(3)
        .pool(PoolOptions::new().max(9).min_idle(2).queue(0).idle_timeout(secs(5)).max_lifetime(secs(3_600)));
    expected.reply_limits =
        Limits { depth: 1024, bulk: 1 << 30, elements: 1_000_000, line: 1024, reply: u32::MAX };
    assert_eq!(Config::from_url(&format!("redis://127.0.0.1?{query}")), Ok(expected));
}

#[test]
fn explicit_defaults_are_the_defaults() {
    let url = "redis://127.0.0.1:6379/0?protocol=auto&client_name=none&library_name=redstart\
               &connect_timeout=5s&response_timeout=5&liveness_timeout=10s&health_interval=30s&close_timeout=5s\
               &tcp_keepalive=30s&backoff_base=10ms&backoff_cap=2s&retries=16&queue_commands=65536\
               &queue_bytes=64m&when_full=wait&subscription_bytes=8m&pool_max=50&pool_min_idle=0&pool_queue=8192&pool_idle_timeout=60s\
               &pool_max_lifetime=none&max_conflicts=1024&max_reply_bytes=1g&max_bulk_bytes=512M\
               &max_elements=2147483647&max_line_bytes=64K&max_depth=128";
    assert_eq!(Config::from_url(url), Ok(Config::default()));
    let url = "redis-cluster://h?suspect_after=0.5&read_from=primary&refresh_interval=250ms&refresh_period=1m\
               &refresh_deadline=5&refresh_asks=3&refresh_patience=500ms&refresh_linger=100ms&refresh_timeouts=3";
    assert_eq!(Config::from_url(url), Ok(Config::cluster([seed()])));
    let url = "redis-sentinel://h/main?suspect_after=500ms&read_from=primary&sentinel_username=\
               &sentinel_password=&min_other_sentinels=0&poll_interval=1&ask_timeout=500ms";
    assert_eq!(Config::from_url(url), Ok(Config::default().deployment(watched())));
}

#[test]
fn options_refused() {
    const NO_NUMBER: &str = "not a whole number";
    const NO_SIZE: &str = "not a size such as 65536, 64k, 16m or 1g";
    const NO_TIME: &str = "not a duration such as 500ms, 0.5, 5s or 2m";
    const NO_NAME: &str = "not printable ASCII without spaces";
    let table = [
        ("db=", "db", NO_NUMBER),
        ("db=-1", "db", NO_NUMBER),
        ("db=1&db=1", "db", "given more than once"),
        ("retries=1&retries=2", "retries", "given more than once"),
        ("protocol=4", "protocol", "none of auto, 2, 3"),
        ("when_full=panic", "when_full", "neither wait nor fail"),
        ("client_name=", "client_name", NO_NAME),
        ("client_name=a%20b", "client_name", NO_NAME),
        ("library_name=a%0Ab", "library_name", NO_NAME),
        ("library_version=%C3%A9", "library_version", NO_NAME),
        ("connect_timeout=", "connect_timeout", NO_TIME),
        ("connect_timeout=s", "connect_timeout", NO_TIME),
        ("connect_timeout=.", "connect_timeout", NO_TIME),
        ("connect_timeout=1.2.3", "connect_timeout", NO_TIME),
        ("connect_timeout=-1", "connect_timeout", NO_TIME),
        ("connect_timeout=1e3", "connect_timeout", NO_TIME),
        ("connect_timeout=inf", "connect_timeout", NO_TIME),
        ("connect_timeout=5h", "connect_timeout", NO_TIME),
        ("connect_timeout=none", "connect_timeout", NO_TIME),
        ("connect_timeout=99999999999999999999", "connect_timeout", "too large"),
        ("connect_timeout=0", "connect_timeout", "zero"),
        ("response_timeout=0s", "response_timeout", "zero"),
        ("liveness_timeout=0", "liveness_timeout", "zero"),
        ("health_interval=0ms", "health_interval", "zero"),
        ("tcp_keepalive=999ms", "tcp_keepalive", "less than a second"),
        ("backoff_base=0", "backoff_base", "zero"),
        ("backoff_base=3s", "backoff_cap", "less than backoff_base"),
        ("retries=4294967296", "retries", "too large"),
        ("queue_commands=0", "queue_commands", "zero"),
        ("queue_commands=1k", "queue_commands", NO_NUMBER),
        ("queue_bytes=0k", "queue_bytes", "zero"),
        ("queue_bytes=k", "queue_bytes", NO_SIZE),
        ("queue_bytes=1.5m", "queue_bytes", NO_SIZE),
        ("queue_bytes=1é", "queue_bytes", NO_SIZE),
        ("queue_bytes=18446744073709551615g", "queue_bytes", "too large"),
        ("pool_max=0", "pool_max", "zero"),
        ("pool_max=3&pool_min_idle=4", "pool_min_idle", "more than pool_max"),
        ("pool_idle_timeout=0", "pool_idle_timeout", "zero"),
        ("pool_max_lifetime=0", "pool_max_lifetime", "zero"),
        ("max_conflicts=0", "max_conflicts", "zero"),
        ("max_reply_bytes=4g", "max_reply_bytes", "too large"),
        ("max_reply_bytes=0", "max_reply_bytes", "zero"),
        ("max_bulk_bytes=0", "max_bulk_bytes", "zero"),
        ("max_elements=0", "max_elements", "zero"),
        ("max_line_bytes=0", "max_line_bytes", "zero"),
        ("max_depth=0", "max_depth", "zero"),
        ("max_depth=1025", "max_depth", "more than 1024"),
        ("max_depth=65536", "max_depth", "too large"),
        ("socket_timeout=1", "socket_timeout", "unknown option"),
        ("DB=1", "DB", "unknown option"),
        ("=1", "query", "an option has a malformed name"),
        ("%64b=1", "query", "an option has a malformed name"),
        ("db", "query", "an option has no value"),
    ];
    for (query, option, reason) in table {
        assert_eq!(refusal(&format!("redis://h?{query}")), (option.into(), reason), "{query}");
    }
    let no_place = "none of primary, prefer_replica, replica, round_robin, lowest_latency, same_zone";
    let no_zone = "empty, or longer than 255 bytes";
    let table = [
        ("redis-cluster://h?suspect_after=0", "suspect_after", "zero"),
        ("redis-cluster://h?suspect_after=none", "suspect_after", NO_TIME),
        ("redis-cluster://h?read_from=Replica", "read_from", no_place),
        ("redis-cluster://h?read_from=", "read_from", no_place),
        ("redis-cluster://h?read_from=zone", "read_from", no_place),
        ("redis-cluster://h?zone=", "zone", no_zone),
        ("redis-cluster://h?refresh_interval=0", "refresh_interval", "zero"),
        ("redis-cluster://h?refresh_interval=none", "refresh_interval", NO_TIME),
        ("redis-cluster://h?refresh_period=0", "refresh_period", "zero"),
        ("redis-cluster://h?refresh_deadline=0", "refresh_deadline", "zero"),
        ("redis-cluster://h?refresh_asks=0", "refresh_asks", "zero"),
        ("redis-cluster://h?refresh_asks=-1", "refresh_asks", NO_NUMBER),
        ("redis-cluster://h?refresh_timeouts=0", "refresh_timeouts", "zero"),
        ("redis-cluster://h?refresh_timeouts=4294967296", "refresh_timeouts", "too large"),
        ("redis-cluster://h?refresh=1s", "refresh", "unknown option"),
        ("redis-sentinel://h/main?min_other_sentinels=x", "min_other_sentinels", NO_NUMBER),
        ("redis-sentinel://h/main?poll_interval=0", "poll_interval", "zero"),
        ("redis-sentinel://h/main?ask_timeout=0", "ask_timeout", "zero"),
        ("redis-sentinel://h/main?service=x", "service", "unknown option"),
        ("redis-sentinel://h/main?ask_timeout=1&ask_timeout=1", "ask_timeout", "given more than once"),
        (
            "redis-sentinel://h/main?sentinel_password=a&b=c",
            "query",
            "an unknown option after password; an & in a value is written %26",
        ),
    ];
    for (url, option, reason) in table {
        assert_eq!(refusal(url), (option.into(), reason), "{url}");
    }
    assert!(refusal("redis://h?max_depth=1025").1.ends_with(&Limits::DEPTH_MAX.to_string()));
}

#[test]
fn a_refused_value_is_never_shown() {
    let bases = ["redis://ann:pw@h/1", "redis-cluster://ann:pw@h", "redis-sentinel://ann:pw@h/main/1"];
    let options = [option_table(), several_table(), cluster_table(), sentinel_table()].concat();
    for (base, (option, ..)) in bases.iter().flat_map(|base| options.iter().map(move |row| (base, row))) {
        let url = format!("{base}?{option}=%20{CANARY}%ff");
        assert!(Config::from_url(&url).is_err(), "{url} is meant to be refused");
        assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
    }
    for url in [
        "redis://h/$",
        "redis://$%20",
        "redis://[$",
        "unix://$/path",
        "unix:///$%00",
        "$",
        "redis-cluster://a,$%20",
        "redis-cluster://$,$",
        "redis-cluster://h/$",
        "redis-sentinel://$",
        "redis-sentinel://h/$%20",
        "redis-sentinel://h/main/$",
    ] {
        let url = url.replace('$', CANARY);
        assert!(Config::from_url(&url).is_err(), "{url} is meant to be refused");
        assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
    }
}
