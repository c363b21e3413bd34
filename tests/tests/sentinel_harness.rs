//! The harness for real sentinels does what the tests that use it rely on.

use std::time::Duration;

use redstart_core::commands::SentinelCommands;
use redstart_tests::server::Version;
use redstart_tests::server::sentinel::{NAME, SentinelConfig, Sentinels};

fn named_port(sentinels: &Sentinels, sentinel: usize) -> u16 {
    let address = sentinels.wire(sentinel).sentinel_get_master_addr_by_name(NAME).expect("an answer");
    address.expect("a primary").1
}

#[test]
fn a_replica_takes_the_place_of_a_primary_that_was_killed() {
    for version in Version::ALL {
        let mut sentinels = SentinelConfig::new(version).down_after(Duration::from_secs(1)).start();
        assert_eq!((sentinels.servers().len(), sentinels.sentinels().len()), (2, 3));
        assert_eq!(sentinels.sentinels()[0].version(), version);
        assert_eq!(named_port(&sentinels, 2), sentinels.servers()[0].port());

        sentinels.servers_mut()[0].kill9();
        sentinels.await_primary(1);
        assert_eq!(named_port(&sentinels, 0), sentinels.servers()[1].port());
        assert_eq!(sentinels.servers()[1].cli(&["SET", "k", "v"]), "OK");

        sentinels.servers_mut()[0].restart();
        sentinels.await_primary(1);
        assert_eq!(sentinels.servers()[0].cli(&["GET", "k"]), "v");
    }
}

#[test]
fn a_sentinel_that_is_started_again_knows_what_it_knew() {
    for version in Version::ALL {
        let config = SentinelConfig::new(version).replicas(2).sentinels(2);
        let mut sentinels = config.arg("sentinel resolve-hostnames", "yes").start();
        assert_eq!(sentinels.wire(0).sentinel_config_get("resolve-*").unwrap()["resolve-hostnames"], "yes");
        let id = sentinels.wire(1).sentinel_myid().unwrap();
        sentinels.sentinels_mut()[1].restart();
        assert_eq!(sentinels.wire(1).sentinel_myid().unwrap(), id);
        assert_eq!(sentinels.wire(1).sentinel_replicas(NAME).unwrap().len(), 2);
        sentinels.await_primary(0);
    }
}
