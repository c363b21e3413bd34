//! Runs of the simulation with a cluster.
#[test]
fn every_promise_is_kept_in_every_run() {
    if let Ok(seed) = std::env::var("REDSTART_SEED") {
        let seed = seed.parse().expect("REDSTART_SEED is a number");
        let (text, verdict) = match redstart_tests::sim::run_cluster(seed, true) {
            Ok(report) => (report.text, Ok(())),
            Err((violation, text)) => (text, Err(violation)),
        };
        println!("{text}");
        return assert_eq!(verdict, Ok(()), "seed {seed}");
    }
    let n: u64 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let t = std::time::Instant::now();
    let mut kinds = std::collections::BTreeMap::<String, Vec<(usize, u64, String)>>::new();
    for seed in 0..n {
        let r = std::panic::catch_unwind(|| {
            redstart_tests::sim::run_cluster(seed, std::env::var("TEXT").is_ok())
        });
        match r {
            Ok(Ok(_)) => {}
            Ok(Err((v, text))) => {
                kinds.entry(v.oracle.to_owned()).or_default().push((text.len(), seed, v.what))
            }
            Err(_) => kinds.entry("panic".to_owned()).or_default().push((0, seed, String::new())),
        }
    }
    println!("{n} in {:?}", t.elapsed());
    for (k, mut v) in kinds {
        v.sort();
        println!("{k}: {}", v.len());
        for (len, seed, what) in v.iter().take(4) {
            println!("   seed {seed} ({len}): {}", &what[..what.len().min(300)]);
        }
    }
}
