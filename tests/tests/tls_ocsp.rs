//! Responses of OCSP that servers send with their certificates: which count, and what is said of others.

use std::time::{Duration, Instant};

use redstart_core::commands::StringCommands;
use redstart_core::config::{Config, Endpoint, Ocsp, Tls};
use redstart_core::error::{CertificateError, ConnectionError, TlsError};
use redstart_core::{ErrorKind, Result};
use redstart_tests::clients::{Runtime, for_each_runtime};
use redstart_tests::server::hostile::{Fault, Hostile, Script};
use redstart_tests::server::ocsp::{Staple, Status, refusal};
use redstart_tests::server::pki::{Authority, Identity, Issue};
use redstart_tests::server::poll_until;

/// A server that sends this response with its certificate.
fn stapling(identity: &Identity, response: Vec<u8>) -> Hostile {
    let quit = Fault::CloseAfter(Vec::new());
    Script::new().on("SET quit", quit).tls(identity.server_config(response)).start()
}

/// What a client says that trusts this authority.
#[track_caller]
fn connect(runtime: Runtime, server: &Hostile, root: &Authority, ocsp: Ocsp) -> Option<CertificateError> {
    let tls = Tls::new().ca_pem(&root.pem()).ocsp(ocsp);
    let start = Instant::now();
    let config = Config::new(Endpoint::tcp("localhost", server.port())).tls(tls);
    let connected: Result<()> = runtime.connect(config).and_then(|client| client.set("k", 1));
    assert!(start.elapsed() < Duration::from_secs(3), "well before its time is over");
    let error = connected.err()?;
    let ErrorKind::Connection(ConnectionError::Tls(TlsError::Certificate(reason))) = error.kind() else {
        panic!("{error}");
    };
    Some(*reason)
}

#[test]
fn good_revoked_stale_by_a_stranger_and_missing() {
    let (ca, other) = (Authority::root("ca"), Authority::root("other"));
    let server = ca.issue(&Issue::localhost());
    let table = [
        (Staple::new(&ca, &server).signed(), None),
        (Staple::new(&ca, &server).status(Status::Revoked).signed(), Some(CertificateError::Revoked)),
        (Staple::new(&ca, &server).minutes(-120, Some(-60)).signed(), Some(CertificateError::OcspStale)),
        (Staple::new(&other, &server).signed(), Some(CertificateError::OcspSigner)),
    ];
    for_each_runtime(|runtime| {
        for (response, expected) in &table {
            let server = stapling(&server, response.clone());
            for ocsp in [Ocsp::IfStapled, Ocsp::Required] {
                assert_eq!(connect(runtime, &server, &ca, ocsp), *expected, "{ocsp:?}");
            }
            assert_eq!(connect(runtime, &server, &ca, Ocsp::Ignored), None);
        }
        let silent = stapling(&server, Vec::new());
        assert_eq!(connect(runtime, &silent, &ca, Ocsp::Required), Some(CertificateError::OcspMissing));
        assert_eq!(connect(runtime, &silent, &ca, Ocsp::IfStapled), None);
    });
}

#[test]
fn who_may_sign_and_what_must_be_right() {
    let (root, other) = (Authority::root("root"), Authority::root("other"));
    let ca = root.intermediate("ca");
    let server = ca.issue(&Issue::localhost());
    let ours = || Staple::new(&ca, &server);
    let responder = Issue::names(["responder"]).for_ocsp();
    let delegate = ca.issue(&responder);
    let old = ca.issue(&responder.clone().valid(2020, 2021));
    let strangers = other.issue(&responder);
    // The root has not issued the certificate itself.
    let of_the_root = root.issue(&responder);
    let [stale, signer, invalid] =
        [CertificateError::OcspStale, CertificateError::OcspSigner, CertificateError::OcspInvalid];
    let table = [
        ("the issuer, by its key", ours().signed(), None),
        ("the issuer, by its name", ours().by_name().signed(), None),
        ("SHA-256", ours().sha256().signed(), None),
        ("a delegate, by its key", ours().signed_by(&delegate), None),
        ("a delegate, by its name", ours().by_name().signed_by(&delegate), None),
        ("a delegate whose time is over", ours().signed_by(&old), Some(signer)),
        ("somebody else's delegate", ours().signed_by(&strangers), Some(signer)),
        ("the root's delegate", ours().signed_by(&of_the_root), Some(signer)),
        ("one that is no delegate", ours().signed_by(&server), Some(signer)),
        ("changed afterwards", ours().tampered().signed(), Some(signer)),
        ("of another certificate", ours().about(&delegate).signed(), Some(invalid)),
        ("unknown", ours().status(Status::Unknown).signed(), Some(invalid)),
        (
            "revoked, by a delegate",
            ours().status(Status::Revoked).signed_by(&delegate),
            Some(CertificateError::Revoked),
        ),
        ("an extension that must be understood", ours().critical().signed(), Some(invalid)),
        ("a little from the future", ours().minutes(3, Some(60)).signed(), None),
        ("from the future", ours().minutes(10, Some(60)).signed(), Some(stale)),
        ("over for a little", ours().minutes(-60, Some(-3)).signed(), None),
        ("over", ours().minutes(-60, Some(-10)).signed(), Some(stale)),
        ("fresh, without an end", ours().minutes(-60, None).signed(), None),
        ("old, without an end", ours().minutes(-60 * 25, None).signed(), Some(stale)),
        ("a refusal", refusal(), Some(invalid)),
        ("noise", b"\x30\x03\x0a\x01\x00".to_vec(), Some(invalid)),
        ("half of one", ours().signed()[..100].to_vec(), Some(invalid)),
        ("one and more", [ours().signed(), vec![0]].concat(), Some(invalid)),
    ];
    for (what, response, expected) in table {
        let server = stapling(&server, response);
        assert_eq!(connect(Runtime::Background, &server, &root, Ocsp::Required), expected, "{what}");
    }
}

/// What has been accepted once is not taken for granted the next time.
#[test]
fn no_session_is_resumed_where_a_response_is_required() {
    let ca = Authority::root("ca");
    let identity = ca.issue(&Issue::localhost());
    let good = Staple::new(&ca, &identity).signed();
    for (ocsp, expected) in [(Ocsp::Required, 0), (Ocsp::IfStapled, 2)] {
        let server = stapling(&identity, good.clone());
        let tls = Tls::new().ca_pem(&ca.pem()).ocsp(ocsp);
        let config = Config::new(Endpoint::tcp("localhost", server.port())).tls(tls);
        let client = Runtime::Tokio.connect(config).unwrap();
        for _ in 0..2 {
            client.set("quit", 1).unwrap_err();
            client.set("k", 1).unwrap();
        }
        client.close();
        poll_until("the connections to end", || (server.open() == 0).then_some(()));
        assert_eq!((server.resumed(), server.received().len()), (expected, 3), "{ocsp:?}");
    }
}
