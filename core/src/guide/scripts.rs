use redstart_tokio::command::Prepare as p;
use redstart_tokio::commands::{KeyCommands, Script, ScriptingCommands, StringCommands};
use redstart_tokio::{Client, Error};

/// Takes from a stock, if there is enough of it.
pub async fn example(client: &Client) -> Result<(), Error> {
    let take = Script::new(
        "local left = tonumber(redis.call('GET', KEYS[1]) or 0)
         if left < tonumber(ARGV[1]) then return nil end
         return redis.call('DECRBY', KEYS[1], ARGV[1])",
    );
    client.set("stock", 10).await?;
    let left: Option<u64> = client.run_script(&take, "stock", 7).await?;
    assert_eq!(left, Some(3));
    let left: Option<u64> = client.run_script(&take, "stock", 7).await?;
    assert_eq!(left, None);

    let batch = (p.incr("stock"), p.run_script::<Option<u64>>(&take, "stock", 4), p.exists("stock"));
    let (before, left, exists) = client.transaction(batch).await?;
    assert_eq!((before, left, exists), (4, Some(0), 1));
    Ok(())
}
