use core::time::Duration;

use redstart_tokio::Client;
use redstart_tokio::commands::StringCommands;
use redstart_tokio::lock::{LockError, Locks};

/// Only one of many processes writes the report.
pub async fn example(client: &Client) -> Result<(), LockError> {
    let mut lock = client.lock("report:lock", Duration::from_secs(10)).wait_at_most(Duration::from_secs(2));
    let fence = lock
        .hold(async {
            // Whoever stores the report refuses one with a lower number than the last.
            client.incr("report:fence").await
        })
        .await??;
    assert_eq!(fence, 1);

    // By hand.
    lock.acquire().await?;
    let mut other = client.lock("report:lock", Duration::from_secs(10));
    assert!(!other.try_acquire().await?);
    lock.extend(Duration::from_secs(5)).await?;
    lock.release().await?;
    assert!(other.try_acquire().await?);
    Ok(())
}
