//! The manager under simulated time.

use super::*;
use crate::config::Backoff;

const MS: u64 = 1_000_000;

fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * MS)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn token(name: &str, life: u64) -> Option<Token> {
    Some(Token::new("ann", name, ms(life)))
}

fn manager(options: TokenOptions) -> TokenManager {
    TokenManager::new(options.backoff(Backoff { base: ms(10), cap: ms(80) }).timeout(ms(500)), 7, at(0))
}

fn password(manager: &TokenManager, millis: u64) -> Option<&str> {
    manager.credentials(at(millis)).map(|credentials| credentials.password.expose())
}

#[test]
fn the_next_token_is_due_at_the_lower_of_ratio_and_lead() {
    // Ratio, lead, life: when the next one is asked for, if a token comes 100 ms after it was asked for.
    let table = [
        (0.75, 0, 1000, 750),
        (0.75, 400, 1000, 600),
        (0.5, 100, 1000, 500),
        (1.0, 100, 1000, 900),
        (0.75, 2000, 1000, 110),
        (0.0, 0, 1000, 110),
        (7.0, 0, 1000, 1000),
        (-1.0, 0, 1000, 110),
        (f64::NAN, 0, 1000, 110),
        (0.75, 0, 120, 110),
    ];
    for (ratio, lead, life, due) in table {
        let mut manager = manager(TokenOptions::new().ratio(ratio).lead(ms(lead)));
        let number = manager.poll_request(at(0)).expect("one is due at once");
        assert_eq!(manager.poll_request(at(0)), None, "one at a time");
        assert!(manager.handle_token(at(100), number, token("a", life)));
        assert_eq!(manager.poll_timeout(), at(due), "ratio {ratio}, lead {lead}, life {life}");
        assert_eq!(manager.poll_request(at(due - 1)), None);
        assert!(manager.poll_request(at(due)).is_some());
    }
}

#[test]
fn a_token_lives_from_when_it_was_asked_for_and_serves_while_others_are_not_to_be_had() {
    let mut manager = manager(TokenOptions::new());
    let first = manager.poll_request(at(0)).expect("due");
    assert_eq!(password(&manager, 50), None);
    assert!(manager.handle_token(at(100), first, token("a", 1000)));
    let (mut now, mut asked) = (100, 0);
    while now < 5_000 {
        now += 1;
        manager.handle_timeout(at(now));
        if let Some(number) = manager.poll_request(at(now)) {
            asked += 1;
            assert!(!manager.handle_token(at(now), number, None));
        }
        assert_eq!(password(&manager, now), (now < 1000).then_some("a"), "at {now} ms");
    }
    // Pauses of 40 ms on the average, once they have grown.
    assert!((70..200).contains(&asked), "it never gives up, and does not rush: {asked}");
    let due = loop {
        now += 1;
        if let Some(number) = manager.poll_request(at(now)) {
            break number;
        }
    };
    assert!(manager.handle_token(at(now), due, token("b", 1000)));
    assert_eq!((password(&manager, now), manager.poll_timeout()), (Some("b"), at(now + 750)));
}

#[test]
fn a_request_that_takes_too_long_is_replaced_and_its_answer_ignored() {
    let mut manager = manager(TokenOptions::new());
    let first = manager.poll_request(at(0)).expect("due");
    assert_eq!(manager.poll_timeout(), at(500));
    assert!(!manager.handle_timeout(at(499)));
    assert!(manager.handle_timeout(at(500)));
    assert!(!manager.handle_token(at(501), first, token("late", 1000)), "nobody waits for it");
    let due = manager.poll_timeout();
    assert!(due <= at(510), "a short pause after the first failure");
    let second = manager.poll_request(due).expect("due");
    assert!(!manager.handle_token(due, first, token("late", 1000)), "the other one is waited for");
    assert!(manager.handle_token(due, second, token("a", 1000)));
    assert!(!manager.handle_token(due, second, token("again", 1000)));
    assert_eq!(password(&manager, 600), Some("a"));
}

#[test]
fn a_token_that_is_dead_when_it_comes_is_none() {
    let mut manager = manager(TokenOptions::new());
    let number = manager.poll_request(at(0)).expect("due");
    assert!(!manager.handle_token(at(100), number, token("dead", 100)));
    assert_eq!(password(&manager, 100), None);
    assert!(manager.poll_timeout() <= at(110));
}

#[test]
fn a_token_that_was_refused_is_replaced() {
    let mut manager = manager(TokenOptions::new());
    let number = manager.poll_request(at(0)).expect("due");
    assert!(manager.handle_token(at(0), number, token("a", 1000)));
    manager.handle_refused(at(10), &Credentials::new("ann", "older"));
    assert_eq!((password(&manager, 10), manager.poll_timeout()), (Some("a"), at(750)));
    manager.handle_refused(at(10), &Credentials::new("ann", "a"));
    assert_eq!(password(&manager, 10), None);
    assert!(manager.poll_timeout() <= at(20));
}
