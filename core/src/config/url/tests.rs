use core::time::Duration;

use crate::config::tests::{CANARY, refusal, shown};
use crate::config::{Config, Credentials, Endpoint, ReadFrom, SentinelOptions};

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

#[test]
fn clusters_and_sentinels() {
    let at = |host: &str, port| Endpoint::tcp(host, port);
    let cluster =
        |seeds: &[(&'static str, u16)]| Config::cluster(seeds.iter().map(|&(host, port)| at(host, port)));
    let sentinel = |service, sentinels: &[(&'static str, u16)]| {
        Config::sentinel(service, sentinels.iter().map(|&(host, port)| at(host, port)))
    };
    let ann = || Credentials::new("ann", "pw");
    let watched = || SentinelOptions::new("main", [at("s", 26379)]);
    let table = [
        ("redis-cluster://h", cluster(&[("h", 6379)])),
        (
            "Redis-Cluster://a,b:7000,[::1]:7001,[::2]",
            cluster(&[("a", 6379), ("b", 7000), ("::1", 7001), ("::2", 6379)]),
        ),
        ("redis-cluster://ann:pw@a,b/", cluster(&[("a", 6379), ("b", 6379)]).credentials(ann())),
        ("redis-cluster://ann:p@w@h", cluster(&[("h", 6379)]).credentials(Credentials::new("ann", "p@w"))),
        ("redis-cluster://a,b:p,w@h", cluster(&[("h", 6379)]).credentials(Credentials::new("a,b", "p,w"))),
        ("redis-cluster://h/0?db=0", cluster(&[("h", 6379)])),
        (
            "redis-cluster://h?read_from=same_zone&zone=a%20b&suspect_after=1s",
            cluster(&[("h", 6379)])
                .read_from(ReadFrom::SameZone)
                .zone("a b")
                .suspect_after(Duration::from_secs(1)),
        ),
        ("redis-sentinel://s/main", sentinel("main", &[("s", 26379)])),
        (
            "REDIS-SENTINEL://s:5000,[fe80::1%25e]/main/3",
            sentinel("main", &[("s", 5000), ("fe80::1%e", 26379)]).database(3),
        ),
        ("redis-sentinel://s/main/?db=3", sentinel("main", &[("s", 26379)]).database(3)),
        ("redis-sentinel://s/0/1", sentinel("0", &[("s", 26379)]).database(1)),
        ("redis-sentinel://ann:pw@s/my%2Dmain", sentinel("my-main", &[("s", 26379)]).credentials(ann())),
        (
            "redis-sentinel://s/main?sentinel_username=ann&sentinel_password=pw",
            Config::default().deployment(watched().credentials(ann())),
        ),
        (
            "redis-sentinel://:x@s/main?sentinel_password=p%26w",
            Config::default()
                .credentials(Credentials::password("x"))
                .deployment(watched().credentials(Credentials::password("p&w"))),
        ),
    ];
    for (url, expected) in table {
        assert_eq!(Config::from_url(url), Ok(expected), "{url}");
    }
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
        ("redisss://h", "scheme", "unknown scheme"),
        ("rediss-clusters://h", "scheme", "unknown scheme"),
        ("unixs:///run/s", "scheme", "unknown scheme"),
        ("redis-clusters://h", "scheme", "unknown scheme"),
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
fn lists_refused() {
    let two_users = "has an @ after the first host, or one in the user that is to be %40";
    let late = "has an @ after the host; in it write @ as %40, / as %2F, ? as %3F";
    let table = [
        ("redis://a,b", "host", "a list, as only redis-cluster:// and redis-sentinel:// have"),
        ("redis-cluster://", "host", "missing"),
        ("redis-cluster:///0", "host", "missing"),
        ("redis-cluster://,", "host", "missing"),
        ("redis-cluster://a,", "host", "missing"),
        ("redis-cluster://a,,b", "host", "missing"),
        ("redis-cluster://a,:7000", "host", "missing"),
        ("redis-cluster://ann:pw@,a", "host", "missing"),
        ("redis-cluster://a,b,a", "host", "given more than once"),
        ("redis-cluster://a,a:6379", "host", "given more than once"),
        ("redis-cluster://[::1],[::1]:6379", "host", "given more than once"),
        ("redis-cluster://a,b:", "port", "not a number from 1 to 65535"),
        ("redis-cluster://a:1:2,b", "host", "an IPv6 address must stand in brackets"),
        ("redis-cluster://a:x,b", "port", "not a number from 1 to 65535"),
        ("redis-cluster://a,b:65536", "port", "not a number from 1 to 65535"),
        ("redis-cluster://a,b:0", "port", "zero"),
        ("redis-cluster://a,[::1", "host", "a ] is missing"),
        ("redis-cluster://[a,b]", "host", "a ] is missing"),
        ("redis-cluster://a,b c", "url", "has a space or a control character, which must be percent-encoded"),
        ("redis-cluster://a,%zz", "host", "a % without two hexadecimal digits; a % itself is written %25"),
        ("redis-cluster://ann:pw@a,ann:pw@b", "url", two_users),
        ("redis-cluster://:p@w,x@a", "url", two_users),
        ("redis-cluster://:p/w@a", "url", late),
        ("redis-cluster://h/2", "db", "a cluster has no other than 0"),
        ("redis-cluster://h?db=2", "db", "a cluster has no other than 0"),
        ("redis-cluster://h/0?db=2", "db", "given twice, with different values"),
        ("redis-cluster://h/main", "db", "not a whole number"),
        ("redis-sentinel://s", "service", "missing"),
        ("redis-sentinel://s/", "service", "missing"),
        ("redis-sentinel://s//1", "service", "missing"),
        ("redis-sentinel://s/a%20b", "service", "not printable ASCII without spaces"),
        ("redis-sentinel://s/%ff", "service", "not UTF-8 once decoded"),
        ("redis-sentinel://s/main/x", "db", "not a whole number"),
        ("redis-sentinel://s/main/1/", "db", "not a whole number"),
        ("redis-sentinel://s/main/1?db=2", "db", "given twice, with different values"),
        ("redis-sentinel:///main", "host", "missing"),
        ("redis-sentinel://s,s:26379/main", "host", "given more than once"),
    ];
    for (url, option, reason) in table {
        assert_eq!(refusal(url), (option.into(), reason), "{url}");
    }
}

#[test]
fn a_malformed_url_never_shows_its_password() {
    // Each URL is malformed already, and has each password in it, some of which end a part too early.
    let passwords = "@ x/@ @/x 1?@ 1?@=1 1?x=1&@=1 1#@ x@@ x:@ %@ @% [@ @] a\x7f@ 1/@";
    let urls = "
        redis://ann:$@h:port redis://:$@h:0 redis://$@h:port redis://ann:$@h:1:2 redis://ann:$@
        redis://ann:$@h/db redis://ann:$@h/1?db=2 redis://ann:$@h?unknown=1 redis://ann:$@[h redis://:$
        redis://:$:6379/0 redis:ann:$@h ann:$@h redisss://ann:$@h redis-clusters://:$@h $://h
        unix://ann:$@h/path unix://ann:$@/path?db=x unix://ann:$@ unix:///path?password=$&password=$
        redis://h:x?password=$ redis://h?password=$&db=x redis://ann:x@h?password=$ redis://h?password=%$
        redis://h?password=x&$ redis://h?password=x&$=1 redis://h?password=x&$=
        redis-cluster://ann:$@a,b:x redis-cluster://:$@a,:1 redis-cluster://:$@a,a redis-cluster://ann:$@h/1
        redis-cluster://ann:$@a,ann:$@b redis-cluster://:$@h?sentinel_password=$
        redis-sentinel://:$@s redis-sentinel://:$@s/%20 redis-sentinel://:$@s/main/db
        redis-sentinel://s/main?sentinel_password=$&db=x redis-sentinel://s/main?sentinel_password=x&$=1
        redis-sentinel://s/main/1?sentinel_password=$&sentinel_password=$";
    for url in urls.split_whitespace() {
        assert!(Config::from_url(&url.replace('$', CANARY)).is_err(), "{url} is meant to be refused");
        for password in passwords.split_whitespace() {
            let url = url.replace('$', &password.replacen('@', CANARY, 1));
            assert!(!shown(&url).contains(CANARY), "{url}: {}", shown(&url));
        }
    }
}
