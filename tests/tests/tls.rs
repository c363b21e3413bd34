//! TLS with real servers, on all runtimes: who is accepted, and what is said of who is not.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use redstart_core::commands::*;
use redstart_core::config::{Config, Endpoint, Tls, TlsVersion};
use redstart_core::error::{CertificateError, ConnectionError, Delivery, TlsAlert, TlsError, Waiting};
use redstart_core::{Error, ErrorKind};
use redstart_tests::clients::{Runtime, for_each_runtime, tokio};
use redstart_tests::server::hostile::{Fault, Script};
use redstart_tests::server::pki::{Authority, Issue};
use redstart_tests::server::{Server, ServerConfig, ServerTls, Version};
use redstart_tokio::Client;

#[expect(unreachable_pub, reason = "what is shown on a page is a program of its own")]
mod guide {
    include!("../../core/src/guide/tls.rs");
}

/// What a loaded machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_millis(500);

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn server(tls: &ServerTls) -> Server {
    ServerConfig::new(Version::V7).tls(tls).start()
}

/// Settings that trust nobody else.
fn trusting(authority: &Authority) -> Tls {
    Tls::new().ca_pem(&authority.pem())
}

fn config(host: &str, port: u16, tls: Tls) -> Config {
    Config::new(Endpoint::tcp(host, port)).tls(tls).connect_timeout(TIMEOUT)
}

/// `connect` fails, before its time is over.
#[track_caller]
fn refused(runtime: Runtime, config: Config) -> TlsError {
    let start = Instant::now();
    let error = runtime.connect(config.connect_timeout(Duration::from_secs(10))).expect_err("no trust");
    assert!(start.elapsed() < SLACK, "{error} after {:?}", start.elapsed());
    assert_eq!(error.delivery(), Delivery::NotSent);
    tls_error(&error)
}

#[track_caller]
fn tls_error(error: &Error) -> TlsError {
    let ErrorKind::Connection(ConnectionError::Tls(error)) = error.kind() else { panic!("{error}") };
    error.clone()
}

#[test]
fn a_good_certificate_is_accepted_by_its_name_and_by_its_address() {
    let ca = Authority::root("ca");
    let server = server(&ServerTls::new(&ca.issue(&Issue::localhost()), &ca));
    for_each_runtime(|runtime| {
        for host in ["localhost", "127.0.0.1"] {
            for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
                let tls = trusting(&ca).min_version(version);
                let client = runtime.connect(config(host, server.tls_port(), tls)).unwrap();
                client.set("k", host).unwrap();
                assert_eq!(client.get::<String>("k").unwrap().as_deref(), Some(host));
            }
        }
        let (port, file) = (server.tls_port(), ca.file());
        let url = format!("rediss://localhost:{port}?tls_ca_file={}&protocol=2", text(&file));
        runtime.connect(url).unwrap().set("k", 1).unwrap();
    });
}

#[test]
fn certificates_that_are_refused() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let table = [
        (ca.issue(&Issue::names(["other.example", "127.0.0.2"])), CertificateError::WrongName),
        (ca.issue(&Issue::localhost().valid(2020, 2021)), CertificateError::Expired),
        (ca.issue(&Issue::localhost().valid(2090, 2100)), CertificateError::NotYetValid),
        (other.issue(&Issue::localhost()), CertificateError::UnknownIssuer),
        (ca.issue(&Issue::localhost().for_ocsp()), CertificateError::Invalid),
    ];
    for (identity, expected) in table {
        let server = server(&ServerTls::new(&identity, &ca));
        for_each_runtime(|runtime| {
            for host in ["localhost", "127.0.0.1"] {
                let error = refused(runtime, config(host, server.tls_port(), trusting(&ca)));
                assert_eq!(error, TlsError::Certificate(expected), "{host}");
            }
        });
    }
}

#[test]
fn a_certificate_for_a_name_is_not_one_for_its_address() {
    let ca = Authority::root("ca");
    let server = server(&ServerTls::new(&ca.issue(&Issue::names(["localhost"])), &ca));
    let port = server.tls_port();
    for_each_runtime(|runtime| {
        runtime.connect(config("localhost", port, trusting(&ca))).unwrap();
        let error = refused(runtime, config("127.0.0.1", port, trusting(&ca)));
        assert_eq!(error, TlsError::Certificate(CertificateError::WrongName));
        // Unless it is said what name to look for.
        runtime.connect(config("127.0.0.1", port, trusting(&ca).server_name("localhost"))).unwrap();
    });
}

#[test]
fn checks_are_turned_off_by_what_is_named_dangerous() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let wrong_name = server(&ServerTls::new(&ca.issue(&Issue::names(["other.example"])), &ca));
    let unknown = server(&ServerTls::new(&other.issue(&Issue::names(["other.example"])), &ca));
    let at = |server: &Server, tls| config("localhost", server.tls_port(), tls);
    for_each_runtime(|runtime| {
        runtime.connect(at(&wrong_name, trusting(&ca).dangerous().accept_any_name())).unwrap();
        let error = refused(runtime, at(&unknown, trusting(&ca).dangerous().accept_any_name()));
        assert_eq!(error, TlsError::Certificate(CertificateError::UnknownIssuer));
        runtime.connect(at(&unknown, Tls::new().dangerous().accept_any_certificate())).unwrap();
        let url = format!("rediss://localhost:{}?tls_dangerously_accept=any_certificate", unknown.tls_port());
        runtime.connect(url).unwrap();
    });
}

#[test]
fn chains_and_several_authorities() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let middle = ca.intermediate("middle");
    let server = server(&ServerTls::new(&middle.issue(&Issue::localhost()), &ca));
    for_each_runtime(|runtime| {
        let at = |tls| config("localhost", server.tls_port(), tls);
        runtime.connect(at(trusting(&ca))).unwrap();
        runtime.connect(at(trusting(&other).ca_pem(&ca.pem()))).unwrap();
        runtime.connect(at(Tls::new().ca_pem(&(other.pem() + &ca.pem())).system_roots(true))).unwrap();
        // The system trusts neither.
        for tls in [trusting(&other), trusting(&other).system_roots(true)] {
            assert_eq!(refused(runtime, at(tls)), TlsError::Certificate(CertificateError::UnknownIssuer));
        }
    });
}

#[test]
fn clients_show_the_certificate_that_they_are_asked_for() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let client = |authority: &Authority, issue| authority.issue(&issue);
    let client_issue = || Issue::names(["client"]);
    let good = client(&ca, client_issue());
    let strangers = client(&other, client_issue());
    let old = client(&ca, client_issue().valid(2020, 2021));
    let both = ServerTls::new(&ca.issue(&Issue::localhost()), &ca).ask_clients();
    for versions in ["TLSv1.2", "TLSv1.3"] {
        let server = server(&both.clone().versions(versions));
        let at = |tls| config("localhost", server.tls_port(), tls);
        let missing = if versions == "TLSv1.3" { TlsAlert::CERTIFICATE_REQUIRED } else { TlsAlert(40) };
        for_each_runtime(|runtime| {
            let files = trusting(&ca).identity_files(text(good.chain_file()), text(good.key_file()));
            runtime.connect(at(files)).unwrap().set("k", 1).unwrap();
            runtime.connect(at(trusting(&ca).identity_pem(&good.chain, &*good.key))).unwrap();
            assert_eq!(refused(runtime, at(trusting(&ca))), TlsError::Refused(missing), "{versions}");
            let table = [(&strangers, TlsAlert::UNKNOWN_CA), (&old, TlsAlert::CERTIFICATE_EXPIRED)];
            for (identity, alert) in table {
                let tls = trusting(&ca).identity_pem(&identity.chain, &*identity.key);
                assert_eq!(refused(runtime, at(tls)), TlsError::Refused(alert), "{versions}");
            }
        });
    }
}

#[test]
fn versions_that_have_nothing_in_common() {
    let ca = Authority::root("ca");
    let tls = ServerTls::new(&ca.issue(&Issue::localhost()), &ca);
    let old = ServerConfig::new(Version::V7)
        .tls(&tls.clone().versions("TLSv1.1"))
        .arg("tls-ciphers", "DEFAULT:@SECLEVEL=0")
        .start();
    let middle = server(&tls.versions("TLSv1.2"));
    for_each_runtime(|runtime| {
        let error = refused(runtime, config("localhost", old.tls_port(), trusting(&ca)));
        assert_eq!(error, TlsError::Refused(TlsAlert::PROTOCOL_VERSION));
        let newest = trusting(&ca).min_version(TlsVersion::V1_3);
        let error = refused(runtime, config("localhost", middle.tls_port(), newest));
        assert_eq!(error, TlsError::Refused(TlsAlert::PROTOCOL_VERSION));
    });
}

/// It fails when the time to connect is over, and says what was missing.
#[track_caller]
fn unanswered(runtime: Runtime, port: u16, tls: Tls) {
    let start = Instant::now();
    let error = runtime.connect(config("localhost", port, tls)).expect_err("nobody answers");
    assert!(start.elapsed() < TIMEOUT + SLACK, "{error} after {:?}", start.elapsed());
    assert_eq!(error.kind(), &ErrorKind::Timeout(Waiting::Connection));
    assert_eq!(tls_error(error.cause().expect("what was missing")), TlsError::Unanswered);
}

#[test]
fn a_port_without_tls() {
    let ca = Authority::root("ca");
    let redis = Server::start(Version::V8);
    let talkative = Script::new().at_accept(Fault::CloseAfter(b"220 welcome\r\n".to_vec())).start();
    for_each_runtime(|runtime| {
        // Redis takes what it hears for a line without an end.
        unanswered(runtime, redis.port(), trusting(&ca));
        let error = refused(runtime, config("localhost", talkative.port(), trusting(&ca)));
        assert_eq!(error, TlsError::NotTls);
    });
}

#[test]
fn a_server_that_hangs_in_the_handshake() {
    let ca = Authority::root("ca");
    let deaf = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let frozen = server(&ServerTls::new(&ca.issue(&Issue::localhost()), &ca));
    frozen.stop_signal();
    for_each_runtime(|runtime| {
        unanswered(runtime, deaf.local_addr().unwrap().port(), trusting(&ca));
        unanswered(runtime, frozen.tls_port(), trusting(&ca));
    });
}

/// The server's own records, cut off anywhere.
#[test]
fn a_handshake_that_is_cut_off() {
    let hello = [
        // A server's greeting of 122 bytes, of which the first are there.
        b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03".as_slice(),
        b"\x16\x03",
        b"",
    ];
    let ca = Authority::root("ca");
    for bytes in hello {
        let server = Script::new().at_accept(Fault::CloseAfter(bytes.to_vec())).start();
        for_each_runtime(|runtime| {
            let error = refused(runtime, config("localhost", server.port(), trusting(&ca)));
            assert_eq!(error, TlsError::Truncated);
        });
    }
}

/// What is wrong with the configuration, told before anything is tried.
#[track_caller]
fn unusable(tls: Tls) -> (String, &'static str) {
    let error = Runtime::Tokio.connect(config("localhost", 1, tls)).expect_err("it cannot be used");
    let ErrorKind::Config(refused) = error.kind() else { panic!("{error}") };
    (refused.option.clone(), refused.reason)
}

#[test]
fn files_that_cannot_be_used() {
    let ca = Authority::root("ca");
    let [one, other] = [(); 2].map(|()| ca.issue(&Issue::names(["client"])));
    let secret = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let of = |chain: &str, key: &str| trusting(&ca).identity_pem(chain, key);
    let key_file = text(one.key_file());
    let table = [
        (Tls::new().ca_file("/nowhere/ca.pem"), "tls_ca_file", "the file cannot be read"),
        (Tls::new().ca_file(key_file), "tls_ca_file", "no certificate in it"),
        (Tls::new().ca_pem("what is this"), "tls_ca_file", "no certificate in it"),
        (Tls::new().ca_pem(&broken[..50]), "tls_ca_file", "not in the form of PEM"),
        (Tls::new().ca_pem(broken), "tls_ca_file", "a certificate that is none"),
        (trusting(&ca).identity_files("/nowhere/c", key_file), "tls_cert_file", "the file cannot be read"),
        (of(&one.key, &one.key), "tls_cert_file", "no certificate in it"),
        (of(&one.chain, &other.key), "tls_key_file", "not the key of the certificate"),
        (of(&one.chain, &one.chain), "tls_key_file", "no key in it that is not encrypted"),
        (of(&one.chain, secret), "tls_key_file", "no key in it that is not encrypted"),
    ];
    for (tls, option, reason) in table {
        assert_eq!(unusable(tls), (option.into(), reason));
    }
}

#[test]
fn the_guide_does_what_it_says() {
    let ca = Authority::root("ca");
    let (own, client) = (ca.issue(&Issue::localhost()), ca.issue(&Issue::names(["client"])));
    let server = ServerConfig::new(Version::V7).tls(&ServerTls::new(&own, &ca).ask_clients()).start();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("ca.pem", &ca.pem()), ("client.pem", &client.chain), ("client.key", &client.key)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let folder = folder.path().to_str().unwrap();
    tokio().block_on(async {
        let connect = async |host, port| {
            let by_setters = Client::connect(guide::config(host, port, folder)).await.map(drop);
            assert_eq!(by_setters, Client::connect(guide::url(host, port, folder)).await.map(drop));
            by_setters
        };
        assert_eq!(connect("localhost", server.tls_port()).await, Ok(()));
        let error = connect("127.0.0.2", server.tls_port()).await.unwrap_err();
        assert_eq!(guide::advice(&error), "it is not TLS that failed", "nobody listens there");
        let config = guide::config("localhost", server.tls_port(), folder).tls(Tls::new().ca_pem(&ca.pem()));
        let error = Client::connect(config).await.unwrap_err();
        assert_eq!(guide::advice(&error), "give a certificate with identity_files");
    });
}
