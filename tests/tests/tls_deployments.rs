//! TLS where there are several nodes: each that is learnt of is secured as the first was, or is not used.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use redstart_core::client::Options;
use redstart_core::command::slot;
use redstart_core::commands::*;
use redstart_core::config::{Config, Credentials, Endpoint, SentinelOptions, Tls};
use redstart_core::error::{CertificateError, ConnectionError, Delivery, SentinelFault, TlsError};
use redstart_core::{Error, ErrorKind};
use redstart_tests::clients::{AnyClient, Runtime, for_each_runtime};
use redstart_tests::load::Plan;
use redstart_tests::server::cluster::{Cluster, ClusterConfig};
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::pki::{Authority, Issue};
use redstart_tests::server::sentinel::{NAME, SentinelConfig};
use redstart_tests::server::{Server, ServerTls, Version};

/// Longer than a replacement takes, on a machine however busy.
const PATIENCE: Duration = Duration::from_secs(40);

fn trusting(ca: &Authority) -> Tls {
    Tls::new().ca_pem(&ca.pem())
}

fn server_tls(ca: &Authority) -> ServerTls {
    ServerTls::new(&ca.issue(&Issue::localhost()), ca)
}

fn tls_error(error: &Error) -> &TlsError {
    let ErrorKind::Connection(ConnectionError::Tls(error)) = error.kind() else { panic!("{error}") };
    error
}

/// The clients of this name that a server has, by the port that they are connected to.
fn ports_used(server: &Server, name: &str) -> Vec<u16> {
    let list = server.cli(&["CLIENT", "LIST"]);
    let own = list.lines().filter(|line| line.contains(&format!(" name={name} ")));
    own.map(|line| {
        let address = line.split(' ').find_map(|field| field.strip_prefix("laddr=")).expect("since 6.2");
        address.rsplit_once(':').expect("a port").1.parse().expect("a number")
    })
    .collect()
}

fn nodes(cluster: &Cluster) -> impl Iterator<Item = &Server> {
    (0..cluster.len()).map(|node| cluster.server(node))
}

/// Writes and reads keys of all nodes.
fn use_all(client: &AnyClient) {
    for number in 0..60 {
        let key = format!("key:{number}");
        assert_eq!(client.set(&key, number), Ok(()));
        assert_eq!(client.get::<u64>(&key), Ok(Some(number)));
    }
}

#[test]
fn a_cluster_through_redirects_and_failovers() {
    let ca = Authority::root("ca");
    let mut cluster = ClusterConfig::new(Version::V7).replicas(3).tls(&server_tls(&ca)).start();
    for_each_runtime(|runtime| {
        let name = format!("{runtime:?}");
        let seed = Endpoint::tcp("localhost", cluster.server(0).tls_port());
        let config =
            Config::cluster([seed]).tls(trusting(&ca)).client_name(&*name).response_timeout(PATIENCE);
        let client = runtime.connect(config).unwrap();
        use_all(&client);
        // One that waits has a connection of its own.
        client.rpush("{key:1}list", ["item"]).unwrap();
        let item: Option<(String, String)> = client.blpop(["{key:1}list"], PATIENCE).unwrap();
        assert!(item.is_some());
        // ASK, and MOVED once the move has ended.
        let slot = slot::of(b"key:0");
        let to = (cluster.primary_of(slot) + 1) % 3;
        client.del("key:0").unwrap();
        cluster.begin_move(slot, to);
        client.set("key:0", 1).unwrap();
        cluster.end_move(slot, to);
        use_all(&client);
        let ports: Vec<_> = nodes(&cluster).map(|node| ports_used(node, &name)).collect();
        assert!(ports.iter().map(Vec::len).sum::<usize>() > 3, "one for each primary, and one besides");
        for (node, ports) in nodes(&cluster).zip(ports) {
            assert!(ports.iter().all(|port| *port == node.tls_port()), "{ports:?}, not {}", node.tls_port());
        }
        client.close();
    });
    let config = Config::from_url(&cluster.tls_url()).unwrap().tls(trusting(&ca)).response_timeout(PATIENCE);
    let client = Runtime::Tokio.connect(config).unwrap();
    let load = Plan::new(8).deadline(PATIENCE).start(&client);
    load.wait_for(500);
    let primary = cluster.primary_of(0);
    let replica = cluster.replicas_of(primary)[0];
    cluster.kill(primary);
    cluster.await_primary(replica);
    load.wait_for(500);
    load.stop().judge(cluster.reader()).assert_true();
}

/// A node of a cluster, as the scripted server says it of all slots.
fn all_slots_at(port: u16) -> Fault {
    let host = "$9\r\nlocalhost\r\n";
    let id = "0123456789".repeat(4);
    Fault::Send(format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n{host}:{port}\r\n$40\r\n{id}\r\n").into_bytes())
}

fn hostile(ca: &Authority, issue: &Issue, script: Script) -> Hostile {
    script.tls(ca.issue(issue).server_config(Vec::new())).start()
}

/// A redirect, be it of one request or of all, leads to a connection with TLS and no other.
#[test]
fn nothing_that_a_server_says_makes_a_connection_without() {
    let ca = Authority::root("ca");
    for_each_runtime(|runtime| {
        for word in ["MOVED", "ASK", "CLUSTER SLOTS"] {
            let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = plain.local_addr().unwrap().port();
            let redirect = Fault::error(&format!("{word} {} localhost:{port}", slot::of(b"k")));
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let itself = all_slots_at(listener.local_addr().unwrap().port());
            let script = match word {
                "CLUSTER SLOTS" => Script::new().on("CLUSTER SLOTS", all_slots_at(port)),
                _ => Script::new().on("CLUSTER SLOTS", itself).on("GET", redirect),
            };
            let identity = ca.issue(&Issue::localhost());
            let seed = script.tls(identity.server_config(Vec::new())).start_on(listener);
            let config = Config::cluster([Endpoint::tcp("localhost", seed.port())]).tls(trusting(&ca));
            std::thread::scope(|scope| {
                let heard = scope.spawn(|| {
                    let mut first = [0; 3];
                    plain.accept().unwrap().0.read_exact(&mut first).unwrap();
                    first
                });
                let config = config.credentials(Credentials::password("secret"));
                if let Ok(client) = runtime.connect(config.connect_timeout(Duration::from_secs(2))) {
                    let hasty = client.with(Options::new().timeout(Duration::from_millis(300)));
                    hasty.get::<String>("k").expect_err("nobody is there");
                }
                assert_eq!(heard.join().unwrap(), [0x16, 3, 1], "{word}: a record of TLS");
            });
        }
    });
}

#[test]
fn a_node_that_is_learnt_of_needs_a_certificate_for_its_own_name() {
    let ca = Authority::root("ca");
    for_each_runtime(|runtime| {
        let other = hostile(&ca, &Issue::names(["other.example"]), Script::new());
        let seed =
            hostile(&ca, &Issue::localhost(), Script::new().on("CLUSTER SLOTS", all_slots_at(other.port())));
        let at = |tls| Config::cluster([Endpoint::tcp("localhost", seed.port())]).tls(tls);
        let client = runtime.connect(at(trusting(&ca))).unwrap();
        let error = client.set("k", 1).expect_err("the node is somebody else");
        assert_eq!(tls_error(&error), &TlsError::Certificate(CertificateError::WrongName));
        assert_eq!((error.delivery(), other.received().concat().len()), (Delivery::NotSent, 0));
        // What the node is to be called can be said.
        let named = at(trusting(&ca).dangerous().accept_any_name());
        runtime.connect(named).unwrap().set("k", 1).unwrap();
    });
}

#[test]
fn a_cluster_whose_seeds_nobody_trusts() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let seeds = [(); 2].map(|()| hostile(&other, &Issue::localhost(), Script::new()));
    for_each_runtime(|runtime| {
        let at = |seed: &Hostile| Endpoint::tcp("localhost", seed.port());
        let start = Instant::now();
        let error = runtime.connect(Config::cluster(seeds.iter().map(at)).tls(trusting(&ca))).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(3), "well before its time is over");
        assert_eq!(tls_error(&error), &TlsError::Certificate(CertificateError::UnknownIssuer));
    });
}

#[test]
fn a_service_that_sentinels_watch() {
    let (ca, theirs) = (Authority::root("ca"), Authority::root("theirs"));
    let sentinel_tls = ServerTls::new(&theirs.issue(&Issue::localhost()), &theirs).trust(&ca);
    let mut all = SentinelConfig::new(Version::V7).tls(&server_tls(&ca), &sentinel_tls).start();
    let port = |client: &AnyClient| client.info("server").unwrap().parse::<u16>("tcp_port").unwrap();
    for_each_runtime(|runtime| {
        // One set of settings for both.
        let both = Config::from_url(&all.tls_url()).unwrap().tls(trusting(&ca).ca_pem(&theirs.pem()));
        let client = runtime.connect(both).unwrap();
        client.set("k", 1).unwrap();
        assert_eq!(port(&client), all.servers()[0].port());
        // One for each.
        let at = |port| Endpoint::tcp("localhost", port);
        let sentinels = || all.sentinels().iter().map(|sentinel| at(sentinel.tls_port()));
        let options = SentinelOptions::new(NAME, sentinels()).tls(trusting(&theirs));
        let apart = Config::default().deployment(options).tls(trusting(&ca));
        runtime.connect(apart).unwrap().set("k", 2).unwrap();
        // None for sentinels.
        let plain = SentinelOptions::new(NAME, all.sentinels().iter().map(|sentinel| at(sentinel.port())));
        let mixed = Config::default().deployment(plain.tls(None)).tls(trusting(&ca));
        runtime.connect(mixed).unwrap().set("k", 3).unwrap();
        // Sentinels whom nobody trusts lead nowhere.
        let strangers = Config::sentinel(NAME, sentinels()).tls(trusting(&ca));
        let error = runtime.connect(strangers).unwrap_err();
        let ErrorKind::NoPrimary { sentinels } = error.kind() else { panic!("{error}") };
        for (_, fault) in sentinels {
            let SentinelFault::Failed(error) = fault else { panic!("{fault}") };
            assert_eq!(tls_error(error), &TlsError::Certificate(CertificateError::UnknownIssuer));
        }
    });
    let config = Config::from_url(&all.tls_url()).unwrap().tls(trusting(&ca).ca_pem(&theirs.pem()));
    let client = Runtime::Tokio.connect(config.response_timeout(PATIENCE)).unwrap();
    client.set("k", 1).unwrap();
    all.servers_mut()[0].kill9();
    all.await_primary(1);
    client.set("k", 2).unwrap();
    assert_eq!(port(&client), all.servers()[1].port());
}
