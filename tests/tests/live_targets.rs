//! A test that runs for each target meets every combination of version and protocol, each with an empty server.

use redstart_tests::live::{Protocol, for_each_protocol, for_each_target};
use redstart_tests::server::{Module, ServerConfig, Version};

#[test]
fn each_version_comes_with_each_protocol_and_an_empty_server() {
    let mut seen = Vec::new();
    for_each_target(|target| {
        assert_eq!(target.cli(&["DBSIZE"]), "0");
        assert_eq!(target.cli(&["SET", "left", "behind"]), "OK");
        assert_eq!(target.cli(&["CONFIG", "GET", "maxclients"]), "maxclients\n10000");
        assert_eq!(target.cli(&["CONFIG", "SET", "maxclients", "7"]), "OK");
        let info = target.cli(&["INFO", "server"]);
        assert!(info.contains(&format!("redis_version:{}\r\n", target.version().number())), "{info}");
        let number = target.protocol().number();
        assert_eq!(target.url(), format!("redis://127.0.0.1:{}/?protocol={number}", target.port()));
        seen.push((target.version(), target.protocol()));
    });
    let all = Version::ALL.into_iter().flat_map(|version| Protocol::ALL.map(|protocol| (version, protocol)));
    assert!(seen.into_iter().eq(all));
}

#[test]
fn a_configuration_comes_with_each_protocol() {
    let config = ServerConfig::new(Version::V8).module(Module::Json).requirepass("sesame");
    let mut seen = Vec::new();
    for_each_protocol(&config, |target| {
        assert_eq!(target.cli(&["JSON.SET", "doc", "$", "1"]), "OK");
        assert!(target.url().starts_with("redis://:sesame@127.0.0.1:"), "{}", target.url());
        seen.push(target.protocol());
    });
    assert_eq!(seen, Protocol::ALL);
}
