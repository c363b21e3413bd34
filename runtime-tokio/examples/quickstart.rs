//! A tour of Redstart on Tokio. It talks to `REDIS_URL`, or to 127.0.0.1:6379.

use std::collections::BTreeMap;
use std::time::Duration;

use redstart_tokio::command::{Command, Prepare as p, Run};
use redstart_tokio::{Client, Options, Result, commands::*};

#[tokio::main]
async fn main() -> Result<()> {
    tour().await
}

/// The keys of this tour. They are deleted at its start and at its end.
const KEYS: [&str; 6] = ["greeting", "lock", "hits", "user", "queue", "board"];

async fn tour() -> Result<()> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".into());
    let client = Client::connect(url).await?;
    let server = client.connected().await?;
    println!("connected to {} {} with RESP{}", server.server, server.version, server.protocol);
    client.del(KEYS.map(key)).await?;

    // A value of your type comes back; one that may be missing is an `Option`.
    client.set(key("greeting"), "hello").await?;
    let greeting: Option<String> = client.get(key("greeting")).await?;
    println!("greeting: {greeting:?}");
    let nothing: Option<String> = client.get(key("lock")).await?;
    println!("before it is set: {nothing:?}");

    // Options are values, too: a lock that is taken once, and given up by itself.
    let once = SetOptions::new().if_absent().expire_after(Duration::from_secs(60));
    let mine = client.set_with(key("lock"), "ann", once.clone()).await?;
    let theirs = client.set_with(key("lock"), "bob", once).await?;
    let expires = client.ttl(key("lock")).await?.left().is_some();
    println!("lock: ann got it {mine}, bob got it {theirs}, it expires {expires}");

    client.incr(key("hits")).await?;
    let hits = client.incrby(key("hits"), 41).await?;
    println!("counter: {hits}");

    client.hset(key("user"), [("name", "Ann"), ("city", "Oslo")]).await?;
    let user: BTreeMap<String, String> = client.hgetall(key("user")).await?;
    println!("hash: {user:?}");

    client.rpush(key("queue"), ["first", "second", "third"]).await?;
    let next: Option<String> = client.lpop(key("queue")).await?;
    let left: Vec<String> = client.lrange(key("queue"), 0, -1).await?;
    println!("list: {next:?}, then {left:?}");

    client.zadd(key("board"), [(310, "ann"), (270, "bob"), (420, "eve")]).await?;
    client.zincrby(key("board"), 130.0, "ann").await?;
    let best: Vec<(String, f64)> =
        client.zrange_with_scores(key("board"), ByRank::new(0, 1).reversed()).await?;
    println!("leaderboard: {best:?}");

    // A pipeline is a tuple of commands, sent at once; the replies are a tuple of their types.
    let (city, hits, jobs) = client
        .pipeline((p.hget::<String>(key("user"), "city"), p.incr(key("hits")), p.llen(key("queue"))))
        .await?;
    println!("pipeline: {city:?}, {hits}, {jobs}");

    // A transaction looks the same, and nobody's commands run in its middle.
    let (moved, hits) =
        client.transaction((p.rpoplpush::<String>(key("queue"), key("queue")), p.decr(key("hits")))).await?;
    println!("transaction: {moved:?}, {hits}");

    // An error names the command and the node, and says what became of the command.
    if let Err(error) = client.incr(key("user")).await {
        println!("error: {error}");
        println!("  command {:?}, code {:?}", error.command(), error.code());
        println!("  delivery {:?}, may have run {}", error.delivery(), error.may_have_run());
    }

    // The same connection, with other options for some of the calls.
    let patient = client.with(Options::new().timeout(Duration::from_secs(30)));
    let hits: Option<u64> = patient.get(key("hits")).await?;
    println!("within 30 seconds: {hits:?}");

    // Any command at all; what is marked as a key tells a cluster where to send it.
    let strlen = Command::<u64>::new("STRLEN").key(key("greeting"));
    println!("raw command: {}", client.run(strlen).await?);

    let deleted = client.del(KEYS.map(key)).await?;
    println!("deleted {deleted} keys");
    client.close().await;
    Ok(())
}

fn key(name: &str) -> String {
    format!("quickstart:{name}")
}
