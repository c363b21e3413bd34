//! Commands about commands against real servers.

use std::collections::BTreeSet;

use redstart_core::commands::{BeginSearch, CommandFilter, CommandInfo, FindKeys, IntrospectionCommands};
use redstart_tests::server::Version;
use redstart_tests::wire::{Wire, for_each_wire};

fn set<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
    words.map(String::from).into()
}

fn info(wire: &Wire, name: &str) -> CommandInfo {
    wire.command_info(name).expect("a reply").remove(0).expect("a known command")
}

#[test]
fn all_commands() {
    for_each_wire(|wire, _| {
        let commands = wire.command().unwrap();
        assert_eq!(wire.command_count().unwrap(), commands.len() as u64);
        assert_eq!(wire.command_info(()).unwrap().len(), commands.len());
        assert_eq!(wire.command_docs(()).unwrap().len(), commands.len());

        let with_subcommands = commands.iter().flat_map(|info| info.subcommands.iter().chain([info]));
        let names: BTreeSet<String> = with_subcommands.map(|info| info.name.clone()).collect();
        let listed = wire.command_list(CommandFilter::All).unwrap();
        assert_eq!(BTreeSet::from_iter(listed), names);
        assert!(names.contains("config|get") && names.len() > 350);
    });
}

#[test]
fn lists_of_names_by_filter() {
    for_each_wire(|wire, version| {
        let list = |filter| BTreeSet::from_iter(wire.command_list(filter).unwrap());
        assert_eq!(list(CommandFilter::Pattern("*scan".into())), set(["hscan", "scan", "sscan", "zscan"]));
        let scripting = list(CommandFilter::AclCategory("scripting".into()));
        assert!(scripting.contains("eval") && !scripting.contains("get"));
        let of_module = list(CommandFilter::Module("vectorset".into()));
        assert_eq!(of_module.contains("VADD"), version == Version::V8);
        assert_eq!(list(CommandFilter::Module("none".into())), BTreeSet::new());
    });
}

#[test]
fn what_servers_know_of_a_command() {
    for_each_wire(|wire, _| {
        let known = wire.command_info(["get", "nosuch", "config|get"]).unwrap();
        assert_eq!(known.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);

        let get = info(wire, "get");
        assert_eq!((get.name.as_str(), get.arity, get.flags), ("get", 2, set(["fast", "readonly"])));
        assert_eq!((get.first_key, get.last_key, get.key_step), (1, 1, 1));
        assert_eq!(get.acl_categories, set(["@fast", "@read", "@string"]));
        assert_eq!(get.key_specs.len(), 1);
        assert_eq!(get.key_specs[0].flags, set(["RO", "access"]));
        assert_eq!(get.key_specs[0].begin_search, BeginSearch::Index(1));
        let one = FindKeys::Range { last_key: 0, key_step: 1, limit: 0 };
        assert_eq!((&get.key_specs[0].find_keys, &get.subcommands), (&one, &Vec::new()));

        let eval = info(wire, "eval").key_specs.remove(0);
        assert!(eval.notes.unwrap().contains("assume the worst"));
        assert_eq!(eval.find_keys, FindKeys::KeyNum { key_num_index: 0, first_key: 1, key_step: 1 });

        let xread = info(wire, "xread").key_specs.remove(0);
        assert_eq!(xread.begin_search, BeginSearch::Keyword { keyword: "STREAMS".into(), start_from: 1 });
        assert_eq!(xread.find_keys, FindKeys::Range { last_key: -1, key_step: 1, limit: 2 });

        let sort = info(wire, "sort").key_specs;
        assert!(sort.iter().any(|spec| spec.begin_search == BeginSearch::Unknown));
        assert!(sort.iter().any(|spec| spec.find_keys == FindKeys::Unknown));

        let tips = info(wire, "dbsize").tips;
        assert_eq!(BTreeSet::from_iter(tips), set(["request_policy:all_shards", "response_policy:agg_sum"]));
        let config: BTreeSet<_> =
            info(wire, "config").subcommands.into_iter().map(|info| info.name).collect();
        let names = ["get", "help", "resetstat", "rewrite", "set"].map(|name| format!("config|{name}"));
        assert_eq!(config, names.into());
    });
}

#[test]
fn documentation() {
    for_each_wire(|wire, _| {
        let docs = wire.command_docs(["set", "config", "georadius", "debug", "nosuch"]).unwrap();
        assert_eq!(
            docs.keys().cloned().collect::<BTreeSet<_>>(),
            set(["config", "debug", "georadius", "set"])
        );

        let config = &docs["config"];
        assert_eq!((config.group.as_str(), config.arguments.len()), ("server", 0));
        assert_eq!(config.subcommands["config|get"].since, "2.0.0");
        assert_eq!(config.subcommands["config|get"].arguments[0].flags, set(["multiple"]));
        assert_eq!(config.subcommands["config|set"].history[0].0, "7.0.0");

        let georadius = &docs["georadius"];
        assert_eq!(georadius.deprecated_since.as_deref(), Some("6.2.0"));
        assert!(georadius.replaced_by.as_ref().unwrap().contains("GEOSEARCH"));
        assert_eq!(georadius.flags, set(["deprecated"]));
        assert_eq!((&georadius.module, docs["debug"].flags.contains("syscmd")), (&None, true));

        let set_docs = &docs["set"];
        assert_eq!((set_docs.group.as_str(), set_docs.since.as_str()), ("string", "1.0.0"));
        assert_eq!(set_docs.complexity.as_deref(), Some("O(1)"));
        assert!(!set_docs.summary.is_empty());
        let key = &set_docs.arguments[0];
        assert_eq!((key.name.as_str(), key.kind.as_str(), key.key_spec_index), ("key", "key", Some(0)));
        let expiry = set_docs.arguments.iter().find(|argument| argument.name == "expiration").unwrap();
        assert_eq!((expiry.kind.as_str(), &expiry.flags), ("oneof", &set(["optional"])));
        let px = expiry.arguments.iter().find(|argument| argument.token.as_deref() == Some("PX")).unwrap();
        assert_eq!((px.kind.as_str(), px.since.as_deref()), ("integer", Some("2.6.12")));
    });
}

#[test]
fn keys_of_a_call() {
    for_each_wire(|wire, _| {
        let mset = ["MSET", "a", "1", "b", "2"];
        assert_eq!(wire.command_getkeys::<String>(mset).unwrap(), ["a", "b"]);
        assert!(wire.command_getkeys::<String>(["CONFIG", "GET", "x"]).is_err());

        let copy = ["COPY", "from", "to", "REPLACE"];
        let keys = wire.command_getkeysandflags::<String>(copy).unwrap();
        assert_eq!(keys.iter().map(|found| found.key.as_str()).collect::<Vec<_>>(), ["from", "to"]);
        assert_eq!(keys[0].flags, set(["RO", "access"]));
        assert_eq!(keys[1].flags, set(["OW", "update"]));
    });
}
