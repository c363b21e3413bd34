//! Changes to a cluster under load, made as operators make them: by `redis-cli --cluster`.

use std::time::Duration;

use redstart_core::commands::ClusterCommands;

use super::{AGREEMENT, Cluster, Node, connect};
use crate::server::{poll_within, process};

impl Cluster {
    /// Moves so many slots, the first ones that `from` has, with their keys.
    ///
    /// # Panics
    /// If redis-cli reports a failure.
    pub fn reshard(&self, from: usize, to: usize, slots: u16) {
        self.await_check();
        let (from, to, slots) = (self.id(from), self.id(to), slots.to_string());
        let mut args = vec!["reshard", "ANY", "--cluster-from", from, "--cluster-to", to];
        args.extend(["--cluster-slots", &slots, "--cluster-pipeline", "20", "--cluster-yes"]);
        self.manage(&args);
    }

    /// Starts a node and makes it one of the cluster, without slots. It gets the next number.
    ///
    /// # Panics
    /// If redis-cli reports a failure.
    pub fn add_node(&mut self) -> usize {
        self.await_check();
        let server = self.config.start();
        let id = connect(&server).cluster_myid().expect("the node has an id");
        self.manage(&["add-node", &server.addr().to_string(), "ANY"]);
        self.nodes.push(Node { server, id });
        self.await_ok();
        self.len() - 1
    }

    /// Takes the node with the highest number, which has no slots, out of the cluster, and ends it.
    ///
    /// # Panics
    /// If redis-cli reports a failure.
    pub fn remove_last_node(&mut self) {
        self.await_check();
        let node = self.nodes.pop().expect("a node");
        self.manage(&["del-node", "ANY", &node.id]);
        self.await_ok();
    }

    /// Changes that follow each other fast are refused as long as the nodes do not agree on the one before, or one of
    /// them still reads what its new primary has.
    fn await_check(&self) {
        self.await_ok();
        poll_within(AGREEMENT, Duration::from_millis(20), "redis-cli to find the cluster well", || {
            self.attempt(&["check", "ANY"]).ok()
        });
    }

    /// Runs `redis-cli --cluster`, where `ANY` stands for the address of some node that is up.
    fn manage(&self, args: &[&str]) {
        if let Err(complaint) = self.attempt(args) {
            panic!("redis-cli --cluster {args:?}: {complaint}");
        }
    }

    fn attempt(&self, args: &[&str]) -> Result<(), String> {
        let any = self.up().next().expect("a node that is up").server.addr().to_string();
        let mut command = process::redis_cli(AGREEMENT);
        command.arg("--cluster").args(args.iter().map(|arg| if *arg == "ANY" { &any } else { *arg }));
        let output = command.output().expect("coreutils' timeout is installed");
        if output.status.success() {
            return Ok(());
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        let last = printed.lines().rev().take(5).collect::<Vec<_>>();
        Err(format!("{}: {last:?} {}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}
