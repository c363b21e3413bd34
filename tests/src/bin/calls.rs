//! Calls a server again and again, for whoever counts what the system is asked for.
//!
//! `cargo run --bin calls redis://127.0.0.1/ blocking 1 1000`: one thread by the blocking client, a thousand calls.
//! `tokio 32 1000` in their place: 32 tasks of one thread, a thousand calls each. `pipeline 100 1000`: a thousand
//! pipelines of a hundred commands by the blocking client. `apart 20 1000`: a thousand calls with pauses between them,
//! by a blocking client that has twenty connections besides. `beside 20 1000`: a thousand calls of one thread, beside
//! twenty that wait at the server; says how often one of these threads has fallen asleep.

use std::error::Error;
use std::thread;
use std::time::Duration;

use redstart_blocking::command::{Command, Prepare, Run};
use redstart_blocking::commands::{ListCommands, StringCommands};
use redstart_tests::server::poll_until;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, url, runtime, tasks, calls] = &args[..] else {
        return Err(
            "say the URL of a server, blocking, pipeline, apart, beside or tokio, the number of tasks, and that of calls"
                .into(),
        );
    };
    let (tasks, calls) = (tasks.parse()?, calls.parse()?);
    match runtime.as_str() {
        "blocking" if tasks == 1 => blocking(url, calls),
        "pipeline" => pipelines(url, tasks, calls),
        "apart" => apart(url, tasks, calls),
        "beside" => beside(url, tasks, calls),
        "tokio" => tokio(url, tasks, calls),
        _ => Err("blocking has one thread; else there are pipeline, apart, beside and tokio".into()),
    }
}

fn blocking(url: &str, calls: i64) -> Result<(), Box<dyn Error>> {
    let client = redstart_blocking::Client::connect(url)?;
    for call in 1..=calls {
        assert_eq!(client.incr("calls")?, call);
    }
    Ok(())
}

fn pipelines(url: &str, depth: usize, calls: i64) -> Result<(), Box<dyn Error>> {
    let client = redstart_blocking::Client::connect(url)?;
    client.set("key", "v".repeat(64))?;
    for _ in 0..calls {
        let commands: Vec<_> = (0..depth).map(|_| Prepare.get::<String>("key")).collect();
        assert_eq!(client.pipeline(commands)?.len(), depth);
    }
    Ok(())
}

fn apart(url: &str, connections: usize, calls: i64) -> Result<(), Box<dyn Error>> {
    const PAUSE: Duration = Duration::from_millis(2);
    let client = redstart_blocking::Client::connect(url)?;
    thread::scope(|scope| {
        let wait =
            || client.blpop("none", Duration::from_millis(100)).map(|item: Option<(String, String)>| item);
        let waits: Vec<_> = (0..connections).map(|_| scope.spawn(wait)).collect();
        waits.into_iter().try_for_each(|wait| wait.join().expect("it does not panic").map(drop))
    })?;
    for call in 1..=calls {
        thread::sleep(PAUSE);
        assert_eq!(client.incr("calls")?, call);
    }
    Ok(())
}

fn beside(url: &str, waits: usize, calls: i64) -> Result<(), Box<dyn Error>> {
    let client = redstart_blocking::Client::connect(url)?;
    let all_wait = format!("blocked_clients:{waits}\r");
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let wait = || client.blpop("end", Duration::ZERO).map(|item: Option<(String, String)>| item);
        let waits: Vec<_> = (0..waits).map(|_| scope.spawn(wait)).collect();
        poll_until("all of them to wait", || {
            let clients = client.run(Command::<String>::new("INFO").arg("clients")).ok()?;
            clients.contains(&all_wait).then_some(())
        });
        let before = changes()?;
        for call in 1..=calls {
            assert_eq!(client.incr("calls")?, call);
        }
        println!("{}", changes()? - before);
        client.rpush("end", vec!["over"; waits.len()])?;
        for wait in waits {
            wait.join().expect("it does not panic")?;
        }
        Ok(())
    })
}

/// How often the threads of this process have fallen asleep so far.
fn changes() -> Result<u64, Box<dyn Error>> {
    let mut changes = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let status = std::fs::read_to_string(task?.path().join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        changes += line.ok_or("the system does not count them")?.trim().parse::<u64>()?;
    }
    Ok(changes)
}

fn tokio(url: &str, tasks: usize, calls: i64) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = redstart_tokio::Client::connect(url).await?;
        let mut running = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let client = client.clone();
            running.spawn(async move {
                for call in 1..=calls {
                    assert_eq!(client.incr(format!("calls:{task}")).await, Ok(call));
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended?;
        }
        Ok(())
    })
}
