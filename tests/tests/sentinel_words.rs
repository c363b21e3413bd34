//! What real sentinels answer about a service, and what becomes of it when it is mutilated.

use bytes::BytesMut;
use redstart_core::command::{Command, Run, Value};
use redstart_core::config::{Endpoint, SentinelOptions};
use redstart_core::error::{Delivery, SentinelFault};
use redstart_core::resp::{Decoder, Frame, Limits};
use redstart_core::topology::sentinel::{QUESTIONS, Questions, Word};
use redstart_core::{Error, ErrorKind};
use redstart_tests::resp::write::{random, write};
use redstart_tests::server::sentinel::{NAME, SentinelConfig};
use redstart_tests::server::{Server, Version};
use redstart_tests::wire::Wire;

type Replies = [Value; QUESTIONS];

/// The replies of a sentinel to all questions about a service.
fn ask(sentinel: &Server, resp: u8, service: &str) -> Replies {
    let wire = Wire::connect(sentinel.addr(), resp);
    Questions::new(&SentinelOptions::new(service, [])).commands().map(|packed| {
        match wire.run(Command::<Value>::new(&packed.name()).arg(service)) {
            Ok(reply) => reply,
            Err(error) => Value::Error(error.server().expect("an error of the sentinel").clone()),
        }
    })
}

/// A reply as the engine has it: an error of the sentinel is an `Err`.
fn reply(value: &Value) -> Option<Result<Frame, Error>> {
    if let Value::Error(error) = value {
        return Some(Err(Error::new(ErrorKind::Server(error.clone()), Delivery::Rejected)));
    }
    let mut wire = Vec::new();
    write(value, &mut wire);
    Decoder::new(Limits::default()).decode(&mut BytesMut::from(&*wire)).ok()?.map(Ok)
}

fn read(replies: &Replies, options: &SentinelOptions) -> Option<Result<Word, SentinelFault>> {
    let [a, b, c, d] = replies.each_ref().map(reply);
    Some(Questions::new(options).read(&[a?, b?, c?, d?]))
}

fn at(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.port())
}

fn sorted(endpoints: impl IntoIterator<Item = Endpoint>) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = endpoints.into_iter().collect();
    endpoints.sort();
    endpoints
}

/// What a sentinel says by each protocol.
fn words(sentinel: &Server, service: &str, options: &SentinelOptions) -> [Result<Word, SentinelFault>; 2] {
    [2, 3].map(|resp| read(&ask(sentinel, resp, service), options).expect("whole replies"))
}

/// The number of the vote that has chosen the primary, as a sentinel tells it in text.
fn config_epoch(sentinel: &Server) -> u64 {
    let text = sentinel.cli(&["SENTINEL", "MASTER", NAME]);
    let epoch = text.lines().skip_while(|line| *line != "config-epoch").nth(1);
    epoch.and_then(|epoch| epoch.parse().ok()).expect("a sentinel tells it")
}

#[test]
fn words_of_real_sentinels() {
    for version in Version::ALL {
        let mut all = SentinelConfig::new(version).start();
        let options = SentinelOptions::new(NAME, []).min_other_sentinels(2);
        for word in words(&all.sentinels()[0], NAME, &options) {
            let word = word.expect("a word");
            assert_eq!((&word.primary, word.epoch), (&at(&all.servers()[0]), Some(0)));
            assert_eq!(word.replicas, [at(&all.servers()[1])]);
            assert_eq!(sorted(word.peers), sorted(all.sentinels()[1..].iter().map(at)));
        }
        let stricter = options.clone().min_other_sentinels(3);
        let few = SentinelFault::TooFewSentinels { known: 2, wanted: 3 };
        assert_eq!(words(&all.sentinels()[0], NAME, &stricter), [Err(few.clone()), Err(few)]);
        let unknown = Err(SentinelFault::UnknownService);
        assert_eq!(words(&all.sentinels()[0], "other", &options), [unknown.clone(), unknown]);
        for answer in words(&all.servers()[0], NAME, &options) {
            let fault = answer.expect_err("a data server is no sentinel");
            assert!(matches!(&fault, SentinelFault::Failed(error) if error.server().is_some()), "{fault}");
        }

        all.servers_mut()[0].kill9();
        all.await_primary(1);
        let epoch = config_epoch(&all.sentinels()[2]);
        for word in words(&all.sentinels()[2], NAME, &options) {
            let word = word.expect("a word");
            // Each vote has its number, and the first may have chosen nobody.
            assert!(epoch > 0);
            assert_eq!((&word.primary, word.epoch), (&at(&all.servers()[1]), Some(epoch)));
            assert!(word.replicas.is_empty(), "the one that is down cannot be read from");
        }
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| size(key) + size(value)).sum(),
        _ => 0,
    }
}

/// Changes one place of a reply: which one is counted down in `place`, in the order of the wire.
fn mutilate(value: &mut Value, place: &mut usize, rng: &mut fastrand::Rng) {
    const WORDS: [&[u8]; 12] =
        [b"", b"?", b"\0", b"\xff", b"a b", b"::1", b"[::1]", b"0", b"-1", b"65536", b"s_down", b"flags"];
    if *place == 0 {
        match (rng.u8(0..5), &mut *value) {
            (0 | 1, Value::Array(elements)) if !elements.is_empty() => {
                let other = rng.usize(0..elements.len());
                if rng.bool() { drop(elements.remove(other)) } else { elements.push(elements[other].clone()) }
            }
            (0 | 1, Value::Map(pairs)) if !pairs.is_empty() => {
                let other = rng.usize(0..pairs.len());
                if rng.bool() { drop(pairs.remove(other)) } else { pairs.push(pairs[other].clone()) }
            }
            (2, _) => *value = random(rng, 3),
            (3, _) => *value = Value::Nil,
            _ => *value = Value::Bulk(rng.choice(WORDS).expect("some").to_vec().into()),
        }
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| mutilate(element, place, rng)),
        Value::Map(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            mutilate(key, place, rng);
            mutilate(value, place, rng);
        }),
        _ => {}
    }
}

#[test]
fn mutilated_answers_are_refused_or_lawful() {
    let all = SentinelConfig::new(Version::ALL[0]).start();
    let options = SentinelOptions::new(NAME, []);
    let answers = [2, 3].map(|resp| ask(&all.sentinels()[0], resp, NAME));
    let mut counts = [0; 2];
    for seed in 0..3000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut replies = rng.choice(&answers).expect("some").clone();
        for _ in 0..rng.u8(1..4) {
            let reply = &mut replies[rng.usize(0..QUESTIONS)];
            let mut place = rng.usize(0..size(reply));
            mutilate(reply, &mut place, &mut rng);
        }
        let Some(answer) = read(&replies, &options) else { continue };
        counts[usize::from(answer.is_ok())] += 1;
        let Ok(word) = answer else { continue };
        for endpoint in word.replicas.iter().chain(&word.peers).chain([&word.primary]) {
            let is_place =
                |host: &str, port| port != 0 && !host.is_empty() && !host.contains(['?', ' ', '\0', '[']);
            assert!(matches!(endpoint, Endpoint::Tcp { host, port } if is_place(host, *port)), "{endpoint}");
        }
        assert!(!word.replicas.contains(&word.primary) && word.replicas.is_sorted());
    }
    assert!(counts.iter().all(|&count| count > 300), "both happen: {counts:?}");
}
