//! A tour of Redstart on Tokio. It talks to `REDIS_URL`, or to 127.0.0.1:6379.

use std::time::Duration;

use redstart_tokio::command::Prepare as p;
use redstart_tokio::{Client, Result, commands::*};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1/".into());
    let client = Client::connect(url.as_str()).await?;
    client.del(["greeting", "hits"]).await?;
    client.set("greeting", "hello").await?;
    let greeting: Option<String> = client.get("greeting").await?;
    println!("greeting is {greeting:?}");
    let (name, hits) = client.pipeline((p.get::<String>("greeting"), p.incr("hits"))).await?;
    println!("{name:?} {hits}");
    let (a, b) = client.transaction((p.incr("hits"), p.incr("hits"))).await?;
    println!("{a} {b} {:?}", Duration::from_secs(1));
    let error = client.incr("greeting").await.unwrap_err();
    println!("{error}");
    client.close().await;
    Ok(())
}
