use redstart_core::client::monitor::{MonitorEvent, Monitors};
use redstart_core::commands::StringCommands;
use redstart_core::{Client, Result};

/// Sees what this client itself does; returns the arguments of the first SET.
pub async fn look(client: &Client) -> Result<Vec<String>> {
    let mut monitor = client.monitor().await?;
    client.set("greeting", "hello").await?;
    while let Some(event) = monitor.next().await {
        match event? {
            MonitorEvent::Line(line) if line.args[0].eq_ignore_ascii_case(b"SET") => {
                println!("{:?} in database {}", line.caller, line.database);
                return Ok(line.args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect());
            }
            MonitorEvent::Lagged(count) => println!("{count} lines were not read in time"),
            _ => {}
        }
    }
    Ok(Vec::new())
}
