//! A client and its load, around the faults of a scenario.

use std::ops::RangeInclusive;
use std::thread;
use std::time::Instant;

use redstart_core::command::slot::{self, SLOTS};
use redstart_core::config::IntoConfig;

use super::Settings;
use crate::clients::AnyClient;
use crate::load::{Load, Logs, Plan};
use crate::server::PATIENCE;

/// How many lists each worker has in each range of slots.
const EACH: usize = 3;

/// A client and its load.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    settings: &'a Settings,
    client: AnyClient,
    load: Load,
}

impl<'a> Stage<'a> {
    /// Connects, starts a worker for each group of lists, and lets them go on for a while.
    ///
    /// # Panics
    /// If the client cannot connect.
    pub(super) fn begin(settings: &'a Settings, url: &str, lists: Vec<Vec<String>>) -> Self {
        let url = format!("{url}?{}", settings.options.join("&"));
        Self::begin_as(settings, &*url, lists)
    }

    /// As [`begin`](Self::begin), with a configuration of its own.
    ///
    /// # Panics
    /// As there.
    pub(super) fn begin_as(settings: &'a Settings, config: impl IntoConfig, lists: Vec<Vec<String>>) -> Self {
        let client = settings.runtime.connect(config).expect("the servers are up");
        let plan = Plan::on(lists).writes_per_read(4).rate(settings.rate).deadline(settings.deadline);
        let stage = Self { settings, load: plan.start(&client), client };
        stage.go_on();
        stage
    }

    /// Lets the load go on for a while. A client that does not recover is found out by its figures, not here.
    pub(super) fn go_on(&self) {
        let (extent, start) = (self.settings.extent, Instant::now());
        let _ = self.load.has_acked(extent.writes, PATIENCE);
        thread::sleep(extent.calm.saturating_sub(start.elapsed()));
    }

    /// The client under load, for whatever else is asked of it.
    pub(super) fn client(&self) -> &AnyClient {
        &self.client
    }

    /// Ends the load and the client.
    pub(super) fn end(self) -> Logs {
        let logs = self.load.stop();
        self.client.close();
        logs
    }
}

/// Lists for so many workers, some of each worker's in each of these ranges of slots. Equal prefixes give equal names.
pub(super) fn lists_in(prefix: &str, ranges: &[RangeInclusive<u16>], workers: usize) -> Vec<Vec<String>> {
    let mut lists = vec![Vec::new(); workers];
    for range in ranges {
        let names = (0..).map(|number: u32| format!("{prefix}:{}:{number}", range.start()));
        let mut names = names.filter(|name| range.contains(&slot::of(name.as_bytes())));
        lists.iter_mut().for_each(|lists| lists.extend(names.by_ref().take(EACH)));
    }
    lists
}

/// Lists for so many workers, all over the slots.
pub(super) fn lists(workers: usize) -> Vec<Vec<String>> {
    let thirds = [0..=SLOTS / 3, SLOTS / 3 + 1..=SLOTS / 3 * 2, SLOTS / 3 * 2 + 1..=SLOTS - 1];
    lists_in("list", &thirds, workers)
}
