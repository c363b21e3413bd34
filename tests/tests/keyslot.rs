//! The slot of a key is the one that real servers compute.

use redstart_core::command::{Command, Run, slot};
use redstart_tests::server::{ServerConfig, Version};
use redstart_tests::wire::Wire;

const KEYS: usize = 10_000;
const SEED: u64 = 0x5107;

#[test]
fn slots_are_those_of_the_servers() {
    for version in Version::ALL {
        let server = ServerConfig::new(version).arg("cluster-enabled", "yes").start();
        let wire = Wire::connect(server.addr(), 3);
        let mut rng = fastrand::Rng::with_seed(SEED);
        let edges: [&[u8]; 8] = [b"", b"{", b"}", b"{}", b"{}x", b"}{", b"{a}{b}", b"\0\r\n\xff"];
        let generated = std::iter::repeat_with(|| key(&mut rng));
        let mut tagged = 0;
        for key in edges.map(Vec::from).into_iter().chain(generated).take(KEYS) {
            let theirs: u16 = wire.run(Command::new("CLUSTER KEYSLOT").arg(&key)).expect("a slot");
            assert_eq!(slot::of(&key), theirs, "{}: {}", version.number(), key.escape_ascii());
            tagged += usize::from(has_tag(&key));
        }
        println!("{}: {KEYS} keys, {tagged} of them with a hash tag", version.number());
        assert!((KEYS / 10..KEYS).contains(&tagged), "keys with and without hash tags");
    }
}

/// Up to 40 bytes: any, or mostly braces and letters, so that there are hash tags of every kind.
fn key(rng: &mut fastrand::Rng) -> Vec<u8> {
    let len = rng.usize(..40);
    let from_braces = rng.bool();
    let mut byte = || if from_braces { b"{{}}ab0:"[rng.usize(..8)] } else { rng.u8(..) };
    (0..len).map(|_| byte()).collect()
}

fn has_tag(key: &[u8]) -> bool {
    let mut from_brace = key.iter().skip_while(|&&byte| byte != b'{').skip(1);
    from_brace.position(|&byte| byte == b'}').is_some_and(|len| len > 0)
}
