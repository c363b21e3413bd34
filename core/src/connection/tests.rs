//! The queue of one connection, by hand.

use super::*;

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn entry(id: RequestId, part: u32, command: &Command<()>, bytes: &mut Outgoing) -> Entry {
    command.packed().write_to(bytes);
    let wire_len = bytes.held() as u32;
    let (deadline, target) = (Instant::FAR, Target::default());
    Entry { id, part, wire_len, deadline, target, flags: Flags::default(), name_words: 1, attempts: 0 }
}

/// When a connection is replaced, its subscriptions are asked for elsewhere; what it has been asked is still answered
/// in its order.
#[test]
fn confirmations_that_nobody_waits_for_any_more_are_those_of_their_command() {
    let config = Config::default().library_name(None).library_version(None);
    let config = config.protocol(crate::config::Protocol::Resp2);
    let mut connection = Connection::new(&config, Purpose::default(), at(0));
    assert!(connection.handle_connected(at(0), &config).is_some());
    let mut bytes = Outgoing::default();
    let command = Command::new("SSUBSCRIBE").arg("a").arg("b").arg("c");
    let subscription = entry(RequestId::SUBSCRIPTION, 3, &command, &mut bytes);
    connection.send_subscriptions(at(0), subscription, &mut bytes);
    let get = RequestId { slot: 1, generation: 0 };
    let request = entry(get, 0, &Command::new("GET").arg("k"), &mut bytes);
    connection.send(at(0), request, &mut bytes);
    let written = bytes::Buf::remaining(connection.outgoing());
    bytes::Buf::advance(connection.outgoing(), written);

    connection.handle_confirmed(at(1), false);
    connection.handle_late_confirmation(at(1), (TopicKind::Shard, true));
    connection.handle_late_confirmation(at(1), (TopicKind::Shard, false));
    assert!(connection.awaits_confirmations(), "a node ends subscriptions of its own accord");
    connection.handle_late_confirmation(at(1), (TopicKind::Shard, true));
    let mut read = BytesMut::from("-ERR no\r\n");
    let answer = connection.next_answer(at(2), &config, &mut read);
    let Ok(Some(Answer::Reply(answered, _))) = answer else { panic!("{answer:?}") };
    assert_eq!(answered.id, get);
}
