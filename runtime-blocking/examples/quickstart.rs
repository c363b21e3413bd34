//! A tour of Redstart in blocking code. It talks to `REDIS_URL`, or to 127.0.0.1:6379.

use std::collections::BTreeMap;
use std::time::Duration;

use redstart_blocking::command::{Command, Prepare as p, Run};
use redstart_blocking::{Client, Options, Result, commands::*};

fn main() -> Result<()> {
    tour()
}

/// The keys of this tour. They are deleted at its start and at its end.
const KEYS: [&str; 6] = ["greeting", "lock", "hits", "user", "queue", "board"];

fn tour() -> Result<()> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".into());
    let client = Client::connect(url)?;
    let server = client.connected()?;
    println!("connected to {} {} with RESP{}", server.server, server.version, server.protocol);
    client.del(KEYS.map(key))?;

    // A value of your type comes back; one that may be missing is an `Option`.
    client.set(key("greeting"), "hello")?;
    let greeting: Option<String> = client.get(key("greeting"))?;
    println!("greeting: {greeting:?}");
    let nothing: Option<String> = client.get(key("lock"))?;
    println!("before it is set: {nothing:?}");

    // Options are values, too: a lock that is taken once, and given up by itself.
    let once = SetOptions::new().if_absent().expire_after(Duration::from_secs(60));
    let mine = client.set_with(key("lock"), "ann", once.clone())?;
    let theirs = client.set_with(key("lock"), "bob", once)?;
    let expires = client.ttl(key("lock"))?.left().is_some();
    println!("lock: ann got it {mine}, bob got it {theirs}, it expires {expires}");

    client.incr(key("hits"))?;
    let hits = client.incrby(key("hits"), 41)?;
    println!("counter: {hits}");

    client.hset(key("user"), [("name", "Ann"), ("city", "Oslo")])?;
    let user: BTreeMap<String, String> = client.hgetall(key("user"))?;
    println!("hash: {user:?}");

    client.rpush(key("queue"), ["first", "second", "third"])?;
    let next: Option<String> = client.lpop(key("queue"))?;
    let left: Vec<String> = client.lrange(key("queue"), 0, -1)?;
    println!("list: {next:?}, then {left:?}");

    client.zadd(key("board"), [(310, "ann"), (270, "bob"), (420, "eve")])?;
    client.zincrby(key("board"), 130.0, "ann")?;
    let best: Vec<(String, f64)> = client.zrange_with_scores(key("board"), ByRank::new(0, 1).reversed())?;
    println!("leaderboard: {best:?}");

    // A pipeline is a tuple of commands, sent at once; the replies are a tuple of their types.
    let (city, hits, jobs) = client.pipeline((
        p.hget::<String>(key("user"), "city"),
        p.incr(key("hits")),
        p.llen(key("queue")),
    ))?;
    println!("pipeline: {city:?}, {hits}, {jobs}");

    // A transaction looks the same, and nobody's commands run in its middle.
    let (moved, hits) =
        client.transaction((p.rpoplpush::<String>(key("queue"), key("queue")), p.decr(key("hits"))))?;
    println!("transaction: {moved:?}, {hits}");

    // An error names the command and the node, and says what became of the command.
    if let Err(error) = client.incr(key("user")) {
        println!("error: {error}");
        println!("  command {:?}, code {:?}", error.command(), error.code());
        println!("  delivery {:?}, may have run {}", error.delivery(), error.may_have_run());
    }

    // The same connection, with other options for some of the calls.
    let patient = client.with(Options::new().timeout(Duration::from_secs(30)));
    let hits: Option<u64> = patient.get(key("hits"))?;
    println!("within 30 seconds: {hits:?}");

    // Any command at all; what is marked as a key tells a cluster where to send it.
    let strlen = Command::<u64>::new("STRLEN").key(key("greeting"));
    println!("raw command: {}", client.run(strlen)?);

    let deleted = client.del(KEYS.map(key))?;
    println!("deleted {deleted} keys");
    client.close();
    Ok(())
}

fn key(name: &str) -> String {
    format!("quickstart:{name}")
}
