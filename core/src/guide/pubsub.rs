use std::time::Duration;

use redstart_tokio::pubsub::{Event, Message};
use redstart_tokio::{Client, Result, Subscription, commands::*};

/// Calls `handle` for each message, and `reload` when some may be missing, until nothing comes for a while.
async fn listen(subscription: &mut Subscription, mut handle: impl FnMut(Message), mut reload: impl FnMut()) {
    while let Ok(event) = subscription.next_timeout(Duration::from_millis(200)).await {
        match event {
            Event::Message(message) => handle(message),
            Event::Resumed | Event::Lagged(_) => reload(),
            _ => {}
        }
    }
}

pub async fn example(client: &Client) -> Result<Vec<String>> {
    // Confirmed when it returns: what is published from here on comes.
    let mut news = client.subscribe("news").await?;
    client.publish("news", "rain").await?;

    // More channels, and patterns, of the same subscription.
    news.psubscribe("weather.*").await?;
    client.publish("weather.oslo", "snow").await?;
    news.unsubscribe("news");

    let mut told = Vec::new();
    let handle = |message: Message| {
        let text: String = message.payload_as().unwrap_or_default();
        told.push(format!("{} said {text}", message.channel().escape_ascii()));
    };
    listen(&mut news, handle, || {}).await;
    Ok(told)
}
