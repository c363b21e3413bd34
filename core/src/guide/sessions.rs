use std::time::Duration;

use redstart_core::client::session::Sessions;
use redstart_core::command::Prepare as p;
use redstart_core::commands::{ReplicationCommands, SessionCommands, StringCommands};
use redstart_core::{Client, Result};

/// Sells one piece if there is one left; returns how many were sold by now.
pub async fn sell(client: &Client) -> Result<Option<i64>> {
    let sold = client
        .optimistic(["stock", "sold"], async |session| {
            let left: i64 = session.get("stock").await?.unwrap_or(0);
            // Nothing runs if this is `None`, and all of it or nothing if somebody sells at the same time.
            Ok((left > 0).then(|| (p.set("stock", left - 1), p.incr("sold"))))
        })
        .await?;
    Ok(sold.map(|((), sold)| sold))
}

/// The same by hand, once; `None` also if somebody came between.
pub async fn sell_by_hand(client: &Client) -> Result<Option<i64>> {
    let session = client.session().await?;
    session.watch("stock").await?;
    let left: i64 = session.get("stock").await?.unwrap_or(0);
    if left == 0 {
        return Ok(None);
    }
    let sold = session.transaction((p.set("stock", left - 1), p.incr("sold"))).await?;
    Ok(sold.map(|((), sold)| sold))
}

/// Writes, and waits a moment for a replica to have it; returns how many replicas have.
pub async fn write_carefully(client: &Client) -> Result<u64> {
    let session = client.session().await?;
    let ((), replicas) =
        session.pipeline((p.set("balance", 100), p.wait(1, Duration::from_millis(20)))).await?;
    Ok(replicas)
}
