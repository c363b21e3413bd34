//! Families of rows with servers.

use std::net::SocketAddr;
use std::rc::Rc;

use tokio::runtime::{Builder, Runtime};

use super::outside::{self, Job};
use super::work::{self, Work};
use super::{Choice, Group, Row};
use crate::contender::{Connect, Entrants, LaneMaker, Suite};
use crate::measure::{self, Result};
use crate::quantity::{Figures, Goal, Quantity};
use crate::server::Server;
use crate::system;

/// Rows whose contenders, servers and conditions are the same.
pub struct Online {
    pub name: &'static str,
    pub title: &'static str,
    pub note: &'static str,
    pub who: fn(&Suite) -> &Entrants<Connect>,
    pub floor: &'static str,
    pub main: Quantity,
    pub beside: &'static [Quantity],
    /// Client and server on one CPU.
    pub pinned: bool,
    /// Threads of the Tokio runtime.
    pub workers: usize,
    /// One server, or the primaries of a cluster.
    pub nodes: usize,
    pub works: Vec<(Work, Vec<Goal>)>,
}

impl Online {
    /// Whether there is such a row.
    pub fn has(&self, choice: &Choice) -> bool {
        self.works.iter().any(|(work, _)| choice.matches(&work.title()))
    }

    pub fn measure(&self, suite: &Suite, choice: &Choice) -> Result<Group> {
        choice.cpus.pin(self.pinned)?;
        let mut rows = Vec::new();
        if self.has(choice) {
            let server = self.start()?;
            let runtime = self.runtime()?;
            let mut makers: Vec<(&'static str, LaneMaker)> = Vec::new();
            for (name, connect) in (self.who)(suite) {
                let maker = connect(name, runtime.clone(), &server.addresses);
                makers.push((name, maker.map_err(|error| format!("{name}: {error}"))?));
            }
            for (work, goals) in &self.works {
                if choice.wants(&work.title()) {
                    let lanes = makers.iter().filter_map(|(_, make)| make(*work)).collect();
                    let mut figures = measure::lanes(lanes, choice.online)?;
                    if !choice.quick {
                        self.measure_outside(*work, &server.addresses, &mut figures)?;
                    }
                    rows.push(Row { title: work.title(), figures, goals: goals.clone() });
                }
            }
        }
        Ok(self.group(rows))
    }

    fn start(&self) -> Result<Server> {
        let server = if self.nodes == 1 { Server::start()? } else { Server::start_cluster(self.nodes)? };
        work::prepare(&server)?;
        Ok(server)
    }

    fn runtime(&self) -> Result<Rc<Runtime>> {
        let mut builder = match self.workers {
            1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        Ok(Rc::new(builder.worker_threads(self.workers).enable_all().build()?))
    }

    /// Adds what takes a process of its own to find out.
    fn measure_outside(&self, work: Work, servers: &[SocketAddr], figures: &mut [Figures]) -> Result<()> {
        for figures in figures {
            let (row, name) = (work.title(), figures.name);
            let job = |passes| {
                let (family, row, name) = (self.name.into(), row.clone(), name.into());
                Job { family, row, name, passes, servers: servers.to_vec() }
            };
            if self.beside.contains(&Quantity::SystemCalls) {
                let calls = outside::system_calls(&job(work.passes_to_trace()))?;
                figures.values.extend(calls.map(|calls| (Quantity::SystemCalls, calls)));
            }
            if self.beside.contains(&Quantity::Resident) {
                figures.values.insert(Quantity::Resident, outside::resident(&job(8))?);
            }
        }
        Ok(())
    }

    /// What a child process does: the work of one contender, so many times. Returns the number of operations, and
    /// the kilobytes that were resident at the most besides those of before.
    pub fn run(&self, suite: &Suite, job: &Job) -> Result<(u64, u64)> {
        let (work, _) = self.works.iter().find(|(work, _)| work.title() == job.row).ok_or("no such row")?;
        let who = (self.who)(suite).iter().find(|(name, _)| *name == job.name);
        let (name, connect) = who.ok_or("no such contender")?;
        let make = connect(name, self.runtime()?, &job.servers)?;
        let mut lane = make(*work).ok_or("it does not take part")?;
        let (before, _) = system::resident()?;
        let operations = lane.run(job.passes)?;
        let (_, most) = system::resident()?;
        Ok((operations, most.saturating_sub(before)))
    }

    fn group(&self, rows: Vec<Row>) -> Group {
        Group {
            name: self.name,
            title: self.title,
            note: self.note,
            floor: self.floor,
            main: self.main,
            beside: self.beside,
            rows,
        }
    }
}
