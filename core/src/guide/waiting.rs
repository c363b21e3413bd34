use std::time::Duration;

use redstart_core::commands::{ListCommands, ListEnd};
use redstart_core::{Client, Result};

/// Takes jobs until there is none for a while; returns how many were done.
pub async fn work(client: &Client) -> Result<u32> {
    client.rpush("jobs", ["wash", "dry", "fold"]).await?;
    let patience = Duration::from_millis(50);
    let mut done = 0;
    // While this waits, other calls of the same client go on.
    while let Some((_list, job)) = client.blpop::<String, String>("jobs", patience).await? {
        println!("{job}");
        done += 1;
    }
    Ok(done)
}

/// The same without losing a job when the process dies: it is removed when it is done.
pub async fn work_surely(client: &Client) -> Result<u32> {
    client.rpush("jobs", ["wash", "dry"]).await?;
    let patience = Duration::from_millis(50);
    let mut done = 0;
    while let Some(job) =
        client.blmove::<String>("jobs", "doing", ListEnd::Left, ListEnd::Right, patience).await?
    {
        println!("{job}");
        client.lrem("doing", 1, job).await?;
        done += 1;
    }
    Ok(done)
}
