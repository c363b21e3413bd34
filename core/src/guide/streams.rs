use std::collections::BTreeMap;
use std::time::Duration;

use redstart_tokio::{Client, Result, commands::*};

type Order = BTreeMap<String, u64>;

/// Two workers share the orders of a stream, and one of them fails.
pub async fn example(client: &Client) -> Result<()> {
    // The stream keeps about the last 1,000 orders.
    for number in 1..=6 {
        let capped = XaddOptions::new().trim(StreamTrim::max_len(1_000).approximate());
        client.xadd_with("orders", [("order", number), ("amount", number * 10)], capped).await?;
    }

    // The first worker takes three orders, and fails before it has acknowledged the third.
    let options = ConsumerOptions::new().count(3);
    let mut first = client.xconsume::<Order>("orders", "billing", "worker-1", options);
    for number in 1..=3 {
        let Some(order) = first.next().await.transpose()? else { break };
        assert_eq!(order.fields["order"], number);
        if number < 3 {
            first.ack(order.id).await?;
        }
    }

    // The second one takes what is left, and what nobody has touched for a while: here, at all.
    let options = ConsumerOptions::new().claim_after(Duration::ZERO).drain();
    let mut second = client.xconsume::<Order>("orders", "billing", "worker-2", options);
    let mut orders = Vec::new();
    while let Some(order) = second.next().await {
        let order = order?;
        orders.push(order.fields["order"]);
        second.ack(order.id).await?;
    }
    assert_eq!(orders, [3, 4, 5, 6]);
    assert_eq!(client.xpending("orders", "billing").await?.count, 0);
    Ok(())
}
