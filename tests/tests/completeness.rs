//! Every command of real servers is implemented or left out for a reason, and what Redstart says of a
//! command agrees with what the servers say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use redstart_core::command::{Flags, Join, Packed, Route};
use redstart_core::commands::{CommandInfo, IntrospectionCommands};
use redstart_core::{Error, Result};
use redstart_tests::left_out::{HELP, LEFT_OUT};
use redstart_tests::server::{Server, ServerConfig, Version};
use redstart_tests::table::{Row, Table};
use redstart_tests::wire::Wire;

/// Commands that read the server's own state, which it flags neither `readonly` nor `write`: that flag is
/// about the data set. They change nothing, so Redstart may repeat them.
const UNFLAGGED_READS: &[&str] = &[
    "ACL CAT",
    "ACL DRYRUN",
    "ACL GENPASS",
    "ACL GETUSER",
    "ACL LIST",
    "ACL LOG",
    "ACL USERS",
    "ACL WHOAMI",
    "CLIENT GETNAME",
    "CLIENT GETREDIR",
    "CLIENT ID",
    "CLIENT INFO",
    "CLIENT LIST",
    "CLIENT TRACKINGINFO",
    "CLUSTER COUNT-FAILURE-REPORTS",
    "CLUSTER COUNTKEYSINSLOT",
    "CLUSTER GETKEYSINSLOT",
    "CLUSTER INFO",
    "CLUSTER KEYSLOT",
    "CLUSTER LINKS",
    "CLUSTER MYID",
    "CLUSTER MYSHARDID",
    "CLUSTER NODES",
    "CLUSTER REPLICAS",
    "CLUSTER SHARDS",
    "CLUSTER SLAVES",
    "CLUSTER SLOT-STATS",
    "CLUSTER SLOTS",
    "COMMAND",
    "COMMAND COUNT",
    "COMMAND DOCS",
    "COMMAND GETKEYS",
    "COMMAND GETKEYSANDFLAGS",
    "COMMAND INFO",
    "COMMAND LIST",
    "CONFIG GET",
    "ECHO",
    "FUNCTION DUMP",
    "FUNCTION LIST",
    "FUNCTION STATS",
    "INFO",
    "LASTSAVE",
    "LATENCY DOCTOR",
    "LATENCY GRAPH",
    "LATENCY HISTOGRAM",
    "LATENCY HISTORY",
    "LATENCY LATEST",
    "MEMORY DOCTOR",
    "MEMORY MALLOC-STATS",
    "MEMORY STATS",
    "MODULE LIST",
    "PING",
    "PUBSUB CHANNELS",
    "PUBSUB NUMPAT",
    "PUBSUB NUMSUB",
    "PUBSUB SHARDCHANNELS",
    "PUBSUB SHARDNUMSUB",
    "ROLE",
    "SCRIPT EXISTS",
    "SENTINEL CKQUORUM",
    "SENTINEL CONFIG",
    "SENTINEL DEBUG",
    "SENTINEL GET-MASTER-ADDR-BY-NAME",
    "SENTINEL INFO-CACHE",
    "SENTINEL MASTER",
    "SENTINEL MASTERS",
    "SENTINEL MYID",
    "SENTINEL PENDING-SCRIPTS",
    "SENTINEL REPLICAS",
    "SENTINEL SENTINELS",
    "SENTINEL SLAVES",
    "SLOWLOG GET",
    "SLOWLOG LEN",
    "TIME",
];

/// Commands that wait only if they are told to, by this word.
const WAIT_ON_DEMAND: &[(&str, &[u8])] = &[("XREAD", b"BLOCK"), ("XREADGROUP", b"BLOCK")];

/// Waits at the server, which 8.2 says and 7.0 does not.
const WAITS_UNTOLD: &str = "WAIT";

/// Calls that the servers take, but in which they cannot find the keys: their rule for the sources of
/// `PFMERGE` wants at least one.
const KEYS_UNKNOWN: &[&str] = &["PFMERGE d"];

const ONE_NODE: &str = "what several nodes say of themselves cannot be told apart in one reply";
const SUBSCRIBERS: &str = "each node knows its own subscribers alone";
const OWN_USERS: &str = "each node has users of its own, and a cluster is to have the same at all";
const UNTOLD: &str = "8.2 says so, 7.0 says nothing";

/// Commands that Redstart routes, splits or joins otherwise than a server advises in its tips, with the tips
/// and the reason.
const OTHER_THAN_ADVISED: &[(&str, &str, &str)] = &[
    ("ACL DELUSER", "one node", OWN_USERS),
    ("ACL LOAD", "one node", OWN_USERS),
    ("ACL SAVE", "one node", OWN_USERS),
    ("ACL SETUSER", "one node", OWN_USERS),
    ("CLIENT SETNAME", "all_nodes all_succeeded", "a session has one connection, and names that"),
    ("CONFIG RESETSTAT", "one node", UNTOLD),
    ("CONFIG REWRITE", "one node", UNTOLD),
    ("FUNCTION STATS", "all_shards special", ONE_NODE),
    ("INFO", "all_shards special", ONE_NODE),
    ("LATENCY DOCTOR", "all_nodes special", ONE_NODE),
    ("LATENCY GRAPH", "all_nodes special", ONE_NODE),
    ("LATENCY HISTOGRAM", "all_nodes special", ONE_NODE),
    ("LATENCY HISTORY", "all_nodes special", ONE_NODE),
    ("LATENCY LATEST", "all_nodes special", ONE_NODE),
    (
        "LATENCY RESET",
        "all_nodes all_succeeded",
        "how many all nodes have forgotten, not how many the first has",
    ),
    ("MEMORY DOCTOR", "all_shards special", ONE_NODE),
    ("MEMORY MALLOC-STATS", "all_shards special", ONE_NODE),
    ("MEMORY STATS", "all_shards special", ONE_NODE),
    ("MSETNX", "multi_shard agg_min", "all keys or none is not to be had over several slots; 8.2 agrees"),
    ("PUBSUB CHANNELS", "one node", SUBSCRIBERS),
    ("PUBSUB NUMPAT", "one node", SUBSCRIBERS),
    ("PUBSUB NUMSUB", "one node", SUBSCRIBERS),
    ("PUBSUB SHARDCHANNELS", "one node", SUBSCRIBERS),
    ("PUBSUB SHARDNUMSUB", "one node", SUBSCRIBERS),
    ("RANDOMKEY", "all_shards", "one key, not a list"),
    ("RANDOMKEY", "all_shards special", "this is the special way: the first that is not nil"),
    ("SCAN", "special", "a cursor is one node's, and each page the caller's to ask for"),
    ("SCAN", "special special", "a cursor is one node's, and each page the caller's to ask for"),
    ("SLOWLOG GET", "all_nodes", ONE_NODE),
];

/// A real server and the commands that it has.
struct Peer {
    server: Server,
    wire: Wire,
    /// Commands that can be called, by names such as `CONFIG GET`: not the containers.
    commands: BTreeMap<String, CommandInfo>,
}

impl Peer {
    /// A server and a sentinel of each version.
    fn all() -> Vec<Self> {
        let configs = Version::ALL.map(ServerConfig::new);
        let sentinels = configs.clone().map(ServerConfig::sentinel);
        configs.iter().chain(&sentinels).map(|config| Self::new(config.start())).collect()
    }

    fn new(server: Server) -> Self {
        let wire = Wire::connect(server.addr(), 3);
        let mut commands = BTreeMap::new();
        for mut info in wire.command().expect("a reply") {
            let subcommands = std::mem::take(&mut info.subcommands);
            // A container takes at least the name of a subcommand; COMMAND alone is both.
            if subcommands.is_empty() || info.arity.abs() == 1 {
                commands.insert(readable(&info.name), info);
            }
            commands.extend(subcommands.into_iter().map(|info| (readable(&info.name), info)));
        }
        Self { server, wire, commands }
    }

    /// Whether the server has the command, and an older one takes as many arguments; the newest must.
    fn takes(&self, name: &str, command: &Packed) -> bool {
        let Some(info) = self.commands.get(name) else { return false };
        let count = command.args().count() as i64;
        let fits = if info.arity < 0 { count >= -info.arity } else { count == info.arity };
        fits || self.server.version() == Version::V8
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.commands.contains_key("SENTINEL MYID") { "sentinel" } else { "server" };
        write!(f, "{what} {}", self.server.version().number())
    }
}

/// `config|get` as Redstart calls it.
fn readable(name: &str) -> String {
    name.replace('|', " ").to_uppercase()
}

fn rows() -> impl Iterator<Item = (String, Row)> {
    Table::families().flat_map(|(_, table)| table.rows).map(|row| (row.command.name(), row))
}

fn shown(row: &Row) -> String {
    let args: Vec<String> = row.command.args().map(|arg| arg.escape_ascii().to_string()).collect();
    args.join(" ")
}

#[test]
fn every_command_is_implemented_or_left_out_for_a_reason() {
    let peers = Peer::all();
    let of_servers = || peers.iter().flat_map(|peer| &peer.commands);
    let known: BTreeSet<&str> = of_servers().map(|(name, _)| name.as_str()).collect();
    let of_modules = |info: &CommandInfo| info.flags.contains("module");
    let core = of_servers().filter(|(_, info)| !of_modules(info)).map(|(name, _)| name.as_str());

    let implemented: BTreeSet<String> = rows().map(|(name, _)| name).collect();
    let left_out: BTreeMap<&str, &str> = LEFT_OUT.iter().copied().collect();
    let is_left_out = |name: &str| left_out.contains_key(name) || name.ends_with(" HELP");

    let mut faults = BTreeSet::new();
    for name in core.filter(|name| !implemented.contains(*name) && !is_left_out(name)) {
        faults.insert(format!("{name} is neither implemented nor left out"));
    }
    for name in implemented.iter().filter(|name| is_left_out(name)) {
        faults.insert(format!("{name} is implemented and left out"));
    }
    for name in implemented.iter().filter(|name| !known.contains(name.as_str())) {
        faults.insert(format!("{name} is implemented, but no server has it"));
    }
    for name in left_out.keys().filter(|name| !known.contains(*name)) {
        faults.insert(format!("{name} is left out, but no server has it"));
    }
    print_left_out(&left_out);
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(
        LEFT_OUT.is_sorted() && LEFT_OUT.len() == left_out.len(),
        "LEFT_OUT is in order, without doubles"
    );
}

/// By reason, for the reader of the test's output.
fn print_left_out(left_out: &BTreeMap<&str, &str>) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::from([(HELP, vec!["* HELP"])]);
    for (name, reason) in left_out {
        by_reason.entry(reason).or_default().push(name);
    }
    println!("{} commands are left out:", left_out.len());
    for (reason, names) in by_reason {
        println!("- {reason}: {}", names.join(", "));
    }
}

#[test]
fn keys_are_where_the_servers_find_them() {
    for peer in Peer::all() {
        let (mut faults, mut compared) = (Vec::new(), 0);
        for (name, row) in rows().filter(|(name, row)| peer.takes(name, &row.command)) {
            compared += 1;
            let ours = keys(&row.command);
            let theirs = keys_by_server(&peer, &row.command);
            if KEYS_UNKNOWN.contains(&shown(&row).as_str()) {
                assert!(theirs.is_err(), "{}: {theirs:?} is known", shown(&row));
                continue;
            }
            match theirs {
                Ok(theirs) if ours == theirs => {}
                Ok(theirs) => faults.push(format!("{}: {ours:?}, {name} has {theirs:?}", shown(&row))),
                Err(error) => faults.push(format!("{}: {error}", shown(&row))),
            }
        }
        println!("{peer}: compared the keys of {compared} calls");
        assert!(faults.is_empty(), "{peer}: {faults:#?}");
        assert!(compared > 0, "the table has commands of the server");
    }
}

/// The keys of a call in order of their bytes: servers find them in another order than that of the arguments.
fn keys(command: &Packed) -> Vec<Bytes> {
    let args: Vec<Bytes> = command.args().map(|arg| Bytes::from(arg.into_owned())).collect();
    let mut keys: Vec<Bytes> = command.key_indexes().map(|index| args[index].clone()).collect();
    keys.sort();
    keys
}

fn keys_by_server(peer: &Peer, command: &Packed) -> Result<Vec<Bytes>> {
    let args: Vec<Bytes> = command.args().map(|arg| Bytes::from(arg.into_owned())).collect();
    // 7.0.15 refuses to look at a command that is a name alone; there is no key in a name.
    if args.len() == 1 {
        return Ok(Vec::new());
    }
    match peer.wire.command_getkeys::<Bytes>(&args) {
        Ok(mut keys) => {
            keys.sort();
            Ok(keys)
        }
        Err(error) if says(&error, "ERR The command has no key arguments") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn says(error: &Error, text: &str) -> bool {
    error.server().is_some_and(|answer| answer.text() == text)
}

#[test]
fn flags_agree_with_those_of_the_servers() {
    for peer in Peer::all() {
        let mut faults = BTreeSet::new();
        let mut unflagged = BTreeSet::new();
        for (name, row) in rows() {
            let Some(info) = peer.commands.get(&name) else { continue };
            let is = |flag: &str| info.flags.contains(flag);
            let reads = row.command.flags().has(Flags::READ_ONLY);
            if reads && !is("readonly") && !is("write") {
                unflagged.insert(name.clone());
            } else if reads != is("readonly") {
                faults.insert(format!("{}: read-only {reads}, {name} {}", shown(&row), is("readonly")));
            }
            let waits = row.command.flags().has(Flags::BLOCKING);
            let may_wait = is("blocking") || name == WAITS_UNTOLD;
            if waits != (may_wait && !is_told_not_to_wait(&name, &row.command)) {
                faults.insert(format!("{}: blocking {waits}, {name} {}", shown(&row), is("blocking")));
            }
        }
        assert!(faults.is_empty(), "{peer}: {faults:#?}");
        let expected = UNFLAGGED_READS.iter().filter(|name| peer.commands.contains_key(**name));
        assert!(unflagged.iter().eq(expected), "{peer}: {unflagged:#?}");
    }
}

fn is_told_not_to_wait(name: &str, command: &Packed) -> bool {
    let on_demand = WAIT_ON_DEMAND.iter().find(|(command, _)| *command == name);
    on_demand.is_some_and(|(_, word)| !command.args().any(|arg| *arg == **word))
}

/// What the server advises clients of a cluster to do, as [`ours`] says it.
fn advice(info: &CommandInfo) -> String {
    let tip = |policy: &str| info.tips.iter().find_map(|tip| tip.strip_prefix(policy));
    match (tip("request_policy:"), tip("response_policy:")) {
        (None, None) => "one node".to_owned(),
        (Some(request), None) => request.to_owned(),
        (request, Some(response)) => format!("{} {response}", request.unwrap_or("one node")),
    }
}

/// What Redstart does, in the words of the tips.
fn ours(flags: Flags) -> String {
    let request = match (flags.route(), flags.has(Flags::SPLIT)) {
        (Route::AllPrimaries, false) => "all_shards",
        (Route::AllNodes, false) => "all_nodes",
        (Route::Keys, true) => "multi_shard",
        (Route::Keys | Route::Primary | Route::AnyNode, false) => return "one node".to_owned(),
        (route, split) => panic!("{route:?} and split {split} do not go together"),
    };
    let response = match flags.join() {
        Join::Merge => return request.to_owned(),
        Join::OneSucceeded => "one_succeeded",
        Join::AllSucceeded => "all_succeeded",
        Join::Sum => "agg_sum",
        Join::Min => "agg_min",
        Join::Max => "agg_max",
        Join::And => "agg_logical_and",
        Join::Or => "agg_logical_or",
        join => return format!("{request} {join:?}"),
    };
    format!("{request} {response}")
}

#[test]
fn what_becomes_of_a_command_in_a_cluster_is_what_the_servers_advise() {
    let (mut known, mut compared) = (BTreeSet::<&(&str, &str, &str)>::new(), 0);
    for peer in Peer::all() {
        let mut faults = BTreeSet::new();
        for (name, row) in rows() {
            let Some(info) = peer.commands.get(&name) else { continue };
            let (ours, advice) = (ours(row.command.flags()), advice(info));
            compared += 1;
            let other = OTHER_THAN_ADVISED.iter().find(|(of, is, _)| *of == name && *is == advice);
            if (ours == advice) == other.is_some() {
                faults.insert(format!("{name}: {ours}, advised {advice}, known {other:?}"));
            }
            known.extend(other);
        }
        assert!(faults.is_empty(), "{peer}: {faults:#?}");
    }
    assert!(known.iter().copied().eq(OTHER_THAN_ADVISED), "each difference is met, in order: {known:#?}");
    println!("compared the tips of {compared} calls");
}

#[test]
fn what_is_joined_and_what_is_split_has_the_keys_for_it() {
    for (_, row) in rows() {
        let (flags, has_keys) = (row.command.flags(), row.command.key_indexes().next().is_some());
        let fans_out = matches!(flags.route(), Route::AllPrimaries | Route::AllNodes);
        assert!(!(fans_out && has_keys), "{}: keys tell the node", shown(&row));
        assert!(has_keys || !flags.has(Flags::SPLIT), "{}: nothing to split by", shown(&row));
        assert!(
            fans_out || flags.has(Flags::SPLIT) || flags.join() == Join::Merge,
            "{}: one reply",
            shown(&row)
        );
    }
}

#[test]
fn what_may_be_cached_depends_on_keys() {
    for (_, row) in rows().filter(|(_, row)| row.command.flags().has(Flags::CACHEABLE)) {
        assert!(row.command.flags().has(Flags::READ_ONLY), "{}", shown(&row));
        assert!(row.command.key_indexes().next().is_some(), "{}", shown(&row));
    }
}
