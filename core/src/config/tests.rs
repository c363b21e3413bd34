use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::Error;
use crate::error::ConfigError;

/// In every secret of these tests, and to be found nowhere else.
const CANARY: &str = "hunter2";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limits(change: impl Fn(&mut Limits)) -> Config {
    let mut limits = Limits::default();
    change(&mut limits);
    Config::default().reply_limits(limits)
}

fn refusal(url: &str) -> (String, &'static str) {
    let error = Config::from_url(url).expect_err(url);
    (error.option, error.reason)
}

#[test]
fn places_of_a_url() {
    let at = |host: &str, port| Config::new(Endpoint::tcp(host, port));
    let socket = || Config::new(Endpoint::unix("/run/redis.sock"));
    let table = [
        ("redis://localhost", at("localhost", 6379)),
        ("redis://localhost/", at("localhost", 6379)),
        ("redis://localhost?", at("localhost", 6379)),
        ("ReDiS://localhost:1/3", at("localhost", 1).database(3)),
        ("redis://10.0.0.1:65535?db=4&", at("10.0.0.1", 65535).database(4)),
        ("redis://localhost/4?db=4", at("localhost", 6379).database(4)),
        ("redis://[::1]", at("::1", 6379)),
        ("redis://[::1]:7000/1", at("::1", 7000).database(1)),
        ("redis://[fe80::1%25eth0]:7000", at("fe80::1%eth0", 7000)),
        ("redis://%6cocalhost", at("localhost", 6379)),
        ("redis://ann:pw@h", at("h", 6379).credentials(Credentials::new("ann", "pw"))),
        ("redis://ann:pw@[::1]:7", at("::1", 7).credentials(Credentials::new("ann", "pw"))),
        ("redis://:pw@h", at("h", 6379).credentials(Credentials::password("pw"))),
        ("redis://ann@h", at("h", 6379).credentials(Credentials::new("ann", ""))),
        ("redis://ann:@h", at("h", 6379).credentials(Credentials::new("ann", ""))),
        ("redis://ann@h?password=pw", at("h", 6379).credentials(Credentials::new("ann", "pw"))),
        (
            "redis://ann:pw@h?password=pw&username=ann",
            at("h", 6379).credentials(Credentials::new("ann", "pw")),
        ),
        ("redis://:@h", at("h", 6379)),
        ("redis://@h?username=&password=", at("h", 6379)),
        ("redis://h?password=a%26b+c", at("h", 6379).credentials(Credentials::password("a&b+c"))),
        ("redis://a%3Ab:c:d@e@h", at("h", 6379).credentials(Credentials::new("a:b", "c:d@e"))),
        // Decoded once, not twice.
        ("redis://:%2540%2F%C3%A9@h", at("h", 6379).credentials(Credentials::password("%40/é"))),
        ("unix:///run/redis.sock", socket()),
        ("UNIX:///run/redis%2Esock?db=2", socket().database(2)),
        ("unix://ann:pw@/run/redis.sock", socket().credentials(Credentials::new("ann", "pw"))),
        ("unix:///run/redis.sock?password=p@w", socket().credentials(Credentials::password("p@w"))),
        ("unix:///tmp/a@b%3F", Config::new(Endpoint::unix("/tmp/a@b?"))),
    ];
    for (url, expected) in table {
        assert_eq!(Config::from_url(url), Ok(expected), "{url}");
    }
}

/// Each option with a value that is not the default, and the setter that it stands for.
fn option_table() -> Vec<(&'static str, &'static str, Config)> {
    let with = Config::default;
    let backoff = Backoff::default;
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
        ("max_reply_bytes", "4294967295", limits(|it| it.reply = u32::MAX)),
        ("max_bulk_bytes", "1G", limits(|it| it.bulk = 1 << 30)),
        ("max_elements", "1000000", limits(|it| it.elements = 1_000_000)),
        ("max_line_bytes", "1k", limits(|it| it.line = 1024)),
        ("max_depth", "1024", limits(|it| it.depth = Limits::DEPTH_MAX)),
    ])
}

#[test]
fn every_option_sets_its_setting() {
    for (option, value, expected) in option_table() {
        assert_ne!(expected, Config::default(), "the row of {option} tells nothing");
        let url = format!("redis://127.0.0.1?{option}={value}");
        assert_eq!(Config::from_url(&url), Ok(expected), "{url}");
    }
}

#[test]
fn options_stand_together_and_each_has_a_row() {
    let table = option_table();
    for (option, _) in options::OPTIONS {
        assert!(table.iter().any(|&(name, ..)| name == option), "{option} has no row");
    }
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
        .when_full(WhenFull::Fail);
    expected.reply_limits =
        Limits { depth: 1024, bulk: 1 << 30, elements: 1_000_000, line: 1024, reply: u32::MAX };
    assert_eq!(Config::from_url(&format!("redis://127.0.0.1?{query}")), Ok(expected));
}

#[test]
fn explicit_defaults_are_the_defaults() {
    let url = "redis://127.0.0.1:6379/0?protocol=auto&client_name=none&library_name=redstart\
               &connect_timeout=5s&response_timeout=5&liveness_timeout=10s&health_interval=30s&close_timeout=5s\
               &tcp_keepalive=30s&backoff_base=10ms&backoff_cap=2s&retries=16&queue_commands=65536\
               &queue_bytes=64m&when_full=wait&max_reply_bytes=1g&max_bulk_bytes=512M\
               &max_elements=2147483647&max_line_bytes=64K&max_depth=128";
    assert_eq!(Config::from_url(url), Ok(Config::default()));
}

#[test]
fn places_refused() {
    let table = [
        ("", "url", "has no scheme://"),
        ("localhost:6379", "url", "has no scheme://"),
        ("redis:/localhost", "url", "has no scheme://"),
        (" redis://h", "url", "has a space or a control character, which must be percent-encoded"),
        ("redis://h\n", "url", "has a space or a control character, which must be percent-encoded"),
        ("redis://h/0#x", "url", "has a #, which must be written %23"),
        ("http://h", "scheme", "unknown scheme"),
        ("://h", "scheme", "unknown scheme"),
        ("rediss://h", "scheme", "rediss is not supported: TLS is not built in yet"),
        ("REDIS-CLUSTER://h", "scheme", "redis-cluster is not supported yet"),
        ("redis-sentinel://h", "scheme", "redis-sentinel is not supported yet"),
        ("redis://", "host", "missing"),
        ("redis:///0", "host", "missing"),
        ("redis://:6379", "host", "missing"),
        ("redis://ann:pw@", "host", "missing"),
        ("redis://::1", "host", "an IPv6 address must stand in brackets"),
        ("redis://[::1", "host", "a ] is missing"),
        ("redis://[localhost]", "host", "only an IPv6 address stands in brackets"),
        ("redis://[::1]6379", "port", "no : before it"),
        ("redis://[::1::2]", "host", "neither a host name nor an address"),
        ("redis://a%3Ab", "host", "neither a host name nor an address"),
        ("redis://a%20b", "host", "neither a host name nor an address"),
        ("redis://a%zzb", "host", "a % without two hexadecimal digits; a % itself is written %25"),
        ("redis://:100%@h", "password", "a % without two hexadecimal digits; a % itself is written %25"),
        ("redis://:%ff@h", "password", "not UTF-8 once decoded"),
        ("redis://%ff@h", "username", "not UTF-8 once decoded"),
        ("redis://h:", "port", "not a number from 1 to 65535"),
        ("redis://h:+1", "port", "not a number from 1 to 65535"),
        ("redis://h:65536", "port", "not a number from 1 to 65535"),
        ("redis://h:0", "port", "zero"),
        ("redis://h/one", "db", "not a whole number"),
        ("redis://h/0/", "db", "not a whole number"),
        ("redis://h/4294967296", "db", "too large"),
        ("redis://h/1?db=2", "db", "given twice, with different values"),
        ("redis://ann@h?username=bob", "username", "given twice, with different values"),
        ("redis://:a@h?password=b", "password", "given twice, with different values"),
        ("redis://:a/b@h", "url", "has an @ after the host; in it write @ as %40, / as %2F, ? as %3F"),
        ("redis://u:1?b@h", "url", "has an @ after the host; in it write @ as %40, / as %2F, ? as %3F"),
        ("unix://", "path", "missing"),
        ("unix:///?db=1", "path", "missing"),
        ("unix:///a%00b", "path", "empty, or holds a NUL"),
        ("unix://run/redis.sock", "host", "a Unix socket has none: the path starts with a third /"),
        ("unix://ann:pw@h/redis.sock", "host", "a Unix socket has none: the path starts with a third /"),
    ];
    for (url, option, reason) in table {
        assert_eq!(refusal(url), (option.into(), reason), "{url}");
    }
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
    assert!(refusal("redis://h?max_depth=1025").1.ends_with(&Limits::DEPTH_MAX.to_string()));
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
        (cluster().read_from(ReadFrom::Zone("".into())), "read_from", no_zone),
        (cluster().read_from(ReadFrom::Zone(long.as_str().into())), "read_from", no_zone),
        (cluster().zones([(host("a"), "x"), (host("b"), "")]), "zones", no_zone),
        (cluster().retries(1).queue_bytes(0), "queue_bytes", "zero"),
    ];
    for (config, option, reason) in table {
        assert_eq!(config.validate(), Err(ConfigError { option: option.into(), reason }), "{config:?}");
    }
    let good = [
        cluster(),
        cluster().zones([(host("a"), "x")]).read_from(ReadFrom::Zone(long[1..].into())),
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
    let config = Config::from_url(&format!("redis://ann:{CANARY}@h/3")).expect("a good URL");
    assert_eq!(config.credentials, Some(credentials.clone()));
    let shown = format!("{config:?} {config:#?} {credentials:?} {:?} {}", config.endpoint, config.endpoint);
    assert!(!shown.contains(CANARY), "{shown}");
    let settings = [
        "endpoint",
        "credentials",
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
        "queue_commands",
        "queue_bytes",
        "when_full",
        "reply_limits",
    ];
    for setting in settings {
        assert!(shown.contains(setting), "{setting} is missing: {shown}");
    }
}

/// What an error says, and what is shown of settings that were taken after all.
fn shown(url: &str) -> String {
    match Config::from_url(url) {
        Ok(config) => format!("{config:?} {}", config.endpoint),
        Err(error) => format!("{error} {error:?} {0} {0:?}", Error::from(error.clone())),
    }
}

#[test]
fn a_malformed_url_never_shows_its_password() {
    // Each URL is malformed already, and has each password in it, some of which end a part too early.
    let passwords = "@ x/@ @/x 1?@ 1?@=1 1?x=1&@=1 1#@ x@@ x:@ %@ @% [@ @] a\x7f@ 1/@";
    let urls = "
        redis://ann:$@h:port redis://:$@h:0 redis://$@h:port redis://ann:$@h:1:2 redis://ann:$@
        redis://ann:$@h/db redis://ann:$@h/1?db=2 redis://ann:$@h?unknown=1 redis://ann:$@[h redis://:$
        redis://:$:6379/0 redis:ann:$@h ann:$@h rediss://ann:$@h redis-cluster://:$@h $://h
        unix://ann:$@h/path unix://ann:$@/path?db=x unix://ann:$@ unix:///path?password=$&password=$
        redis://h:x?password=$ redis://h?password=$&db=x redis://ann:x@h?password=$ redis://h?password=%$
        redis://h?password=x&$ redis://h?password=x&$=1 redis://h?password=x&$=";
    for url in urls.split_whitespace() {
        assert!(Config::from_url(&url.replace('$', CANARY)).is_err(), "{url} is meant to be refused");
        for password in passwords.split_whitespace() {
            let url = url.replace('$', &password.replacen('@', CANARY, 1));
            assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
        }
    }
}

#[test]
fn a_refused_value_is_never_shown() {
    for (option, ..) in option_table() {
        let url = format!("redis://ann:pw@h/1?{option}=%20{CANARY}%ff");
        assert!(Config::from_url(&url).is_err(), "{url} is meant to be refused");
        assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
    }
    for url in ["redis://h/$", "redis://$%20", "redis://[$", "unix://$/path", "unix:///$%00", "$"] {
        let url = url.replace('$', CANARY);
        assert!(Config::from_url(&url).is_err(), "{url} is meant to be refused");
        assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
    }
}
