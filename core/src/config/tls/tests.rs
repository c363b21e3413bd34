use alloc::format;

use super::*;
use crate::config::tests::{CANARY, refusal};
use crate::config::{Config, Endpoint, SentinelOptions};

fn secured(tls: Tls) -> Config {
    Config::new(Endpoint::tcp("h", 6379)).tls(tls)
}

#[test]
fn it_is_refused_where_it_is_not_built_in() {
    let plain_sentinels = SentinelOptions::new("main", [Endpoint::tcp("h", 26379)]);
    let table = [secured(Tls::new()), Config::default().deployment(plain_sentinels.tls(Tls::new()))];
    for config in table {
        let refused = config.validate().map_err(|error| (error.option, error.reason));
        match cfg!(feature = "tls") {
            true => assert_eq!(refused, Ok(())),
            false => assert_eq!(refused, Err(("tls".into(), "not built in: TLS needs the feature `tls`"))),
        }
    }
    if cfg!(not(feature = "tls")) {
        for url in ["rediss://h", "rediss-cluster://h", "REDISS-sentinel://h/main"] {
            assert_eq!(refusal(url), ("tls".into(), "not built in: TLS needs the feature `tls`"), "{url}");
        }
    }
}

#[test]
fn other_urls_have_none_of_its_options() {
    let only = "only URLs with rediss have it";
    let sentinel = "only rediss-sentinel:// has it";
    let table = [
        ("redis://h?tls_ca_file=/ca", "tls_ca_file", only),
        ("unix:///run/s?tls_ocsp=required", "tls_ocsp", only),
        ("redis-cluster://h?tls_min_version=1.3", "tls_min_version", only),
        ("redis-sentinel://h/main?tls_dangerously_accept=any_name", "tls_dangerously_accept", only),
        ("redis-sentinel://h/main?sentinel_tls=no", "sentinel_tls", only),
        ("rediss://h?sentinel_tls=no", "sentinel_tls", sentinel),
        ("rediss-cluster://h?sentinel_tls=no", "sentinel_tls", sentinel),
    ];
    for (url, option, reason) in table {
        assert_eq!(refusal(url), (option.into(), reason), "{url}");
    }
}

#[test]
fn keys_are_never_shown() {
    let tls = Tls::new().ca_pem(CANARY).identity_pem(CANARY, CANARY);
    let shown = format!("{tls:?} {tls:#?} {:?}", secured(tls.clone()));
    assert!(!shown.contains(CANARY), "{shown}");
    for setting in ["roots", "chain", "key", "server_name", "min_version", "ocsp", "accepted", "***"] {
        assert!(shown.contains(setting), "{setting} is missing: {shown}");
    }
}

#[cfg(feature = "tls")]
mod built_in {
    use super::*;
    use crate::config::ClusterOptions;

    #[test]
    fn every_option_sets_its_setting() {
        let table = [
            ("", Tls::new()),
            ("tls_ca_file=/etc/my%20ca.pem", Tls::new().ca_file("/etc/my ca.pem")),
            ("tls_ca_file=/ca&tls_system_roots=yes", Tls::new().ca_file("/ca").system_roots(true)),
            ("tls_cert_file=/c&tls_key_file=/k", Tls::new().identity_files("/c", "/k")),
            ("tls_server_name=cache.example", Tls::new().server_name("cache.example")),
            ("tls_min_version=1.2", Tls::new()),
            ("tls_min_version=1.3", Tls::new().min_version(TlsVersion::V1_3)),
            ("tls_resumption=yes", Tls::new()),
            ("tls_resumption=no", Tls::new().resumption(false)),
            ("tls_ocsp=ignored", Tls::new()),
            ("tls_ocsp=if_stapled", Tls::new().ocsp(Ocsp::IfStapled)),
            ("tls_ocsp=required", Tls::new().ocsp(Ocsp::Required)),
            ("tls_dangerously_accept=any_name", Tls::new().dangerous().accept_any_name()),
            ("tls_dangerously_accept=any_certificate", Tls::new().dangerous().accept_any_certificate()),
        ];
        let seed = || Endpoint::tcp("h", 6379);
        let watched = || SentinelOptions::new("main", [Endpoint::tcp("h", 26379)]);
        for (query, tls) in table {
            let schemes = [
                ("rediss://h", Config::new(seed())),
                ("Rediss-Cluster://h", Config::default().deployment(ClusterOptions::new([seed()]))),
                ("rediss-sentinel://h/main", Config::default().deployment(watched())),
            ];
            for (base, config) in schemes {
                let url = format!("{base}?{query}");
                assert_eq!(Config::from_url(&url), Ok(config.tls(tls.clone())), "{url}");
            }
        }
        let plain = Config::default().deployment(watched().tls(None)).tls(Tls::new());
        assert_eq!(Config::from_url("rediss-sentinel://h/main?sentinel_tls=no"), Ok(plain));
        let same = Config::default().deployment(watched()).tls(Tls::new());
        assert_eq!(Config::from_url("rediss-sentinel://h/main?sentinel_tls=yes"), Ok(same));
    }

    #[test]
    fn settings_refused() {
        let host = "neither a host name nor an address";
        let table = [
            ("tls_ocsp=perhaps", "tls_ocsp", "none of ignored, if_stapled, required"),
            ("tls_min_version=1.1", "tls_min_version", "neither 1.2 nor 1.3"),
            ("tls_resumption=maybe", "tls_resumption", "neither yes nor no"),
            ("tls_dangerously_accept=all", "tls_dangerously_accept", "neither any_name nor any_certificate"),
            ("tls_system_roots=no", "tls_system_roots", "there are no other roots"),
            ("tls_cert_file=/c", "tls_key_file", "missing"),
            ("tls_key_file=/k", "tls_cert_file", "missing"),
            ("tls_server_name=a%20b", "tls_server_name", host),
            ("tls_ca_file=/a&tls_ca_file=/b", "tls_ca_file", "given more than once"),
        ];
        for (query, option, reason) in table {
            let url = format!("rediss://h?{query}");
            assert_eq!(refusal(&url), (option.into(), reason), "{url}");
        }
        let unix = Config::new(Endpoint::unix("/run/s")).tls(Tls::new());
        assert_eq!(unix.validate().map_err(|error| error.reason), Err("a Unix socket has none"));
    }

    #[test]
    fn dangers_are_known() {
        assert!(!Tls::new().is_dangerous());
        assert!(Tls::new().dangerous().accept_any_name().is_dangerous());
        assert!(Tls::new().dangerous().accept_any_certificate().is_dangerous());
    }
}
