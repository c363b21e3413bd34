//! Functions against real servers.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use redstart_core::commands::{
    FlushMode, FunctionCommands, FunctionListOptions, FunctionRestore, LibraryLoad, ServerCommands,
    StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::poll_until;
use redstart_tests::wire::{Wire, for_each_wire};

const CODE: &str = "#!lua name=lib
redis.register_function('set', function(keys, args) return redis.call('SET', keys[1], args[1]) end)
redis.register_function{
  function_name = 'get',
  callback = function(keys) return redis.call('GET', keys[1]) end,
  flags = { 'no-writes' },
  description = 'reads'
}";

const OTHER: &str = "#!lua name=other\nredis.register_function('endless', function() while true do end end)";

fn connect(target: &Target) -> Wire {
    Wire::connect(target.addr(), target.protocol().number())
}

/// The names of the libraries, in order.
fn libraries(c: &Wire) -> Vec<String> {
    let libraries = c.function_list(FunctionListOptions::new()).expect("a reply");
    let mut names: Vec<_> = libraries.into_iter().map(|library| library.name).collect();
    names.sort();
    names
}

#[test]
fn functions_are_called() {
    for_each_wire(|c, _| {
        assert_eq!(c.function_load(CODE, LibraryLoad::New).unwrap(), "lib");
        c.fcall::<()>("set", "k", "v").unwrap();
        assert_eq!(c.get::<String>("k").unwrap().as_deref(), Some("v"));
        assert_eq!(c.fcall::<Option<String>>("get", "k", ()).unwrap().as_deref(), Some("v"));
        assert_eq!(c.fcall_ro::<Option<String>>("get", "missing", ()).unwrap(), None);
        assert_eq!(c.fcall_ro::<()>("set", "k", "w").unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(c.fcall::<()>("none", (), ()).unwrap_err().code(), Some(ServerCode::Err));
    });
}

#[test]
fn libraries_are_loaded_listed_and_removed() {
    for_each_wire(|c, _| {
        assert!(libraries(c).is_empty());
        c.function_load(CODE, LibraryLoad::New).unwrap();
        assert_eq!(c.function_load(CODE, LibraryLoad::New).unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(c.function_load(CODE, LibraryLoad::Replace).unwrap(), "lib");
        assert_eq!(c.function_load(OTHER, LibraryLoad::Replace).unwrap(), "other");
        assert!(c.function_load("return 1", LibraryLoad::New).is_err());
        assert_eq!(libraries(c), ["lib", "other"]);

        let found = c.function_list(FunctionListOptions::new().matching("l*").with_code()).unwrap();
        let library = &found[0];
        assert_eq!((found.len(), &*library.name, &*library.engine), (1, "lib", "LUA"));
        assert_eq!(library.code.as_deref(), Some(CODE));
        let get = library.functions.iter().find(|function| function.name == "get").unwrap();
        assert_eq!(get.description.as_deref(), Some("reads"));
        assert_eq!(get.flags, BTreeSet::from(["no-writes".to_owned()]));
        let set = library.functions.iter().find(|function| function.name == "set").unwrap();
        assert_eq!((&set.description, set.flags.len()), (&None, 0));
        assert_eq!(c.function_list(FunctionListOptions::new()).unwrap()[0].code, None);

        let stats = c.function_stats().unwrap();
        let lua = stats.engines["LUA"];
        assert_eq!((stats.running, lua.libraries, lua.functions), (None, 2, 3));
        c.function_delete("lib").unwrap();
        assert_eq!(c.function_delete("lib").unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(libraries(c), ["other"]);
        for mode in [FlushMode::Configured, FlushMode::Async, FlushMode::Sync] {
            c.function_load(CODE, LibraryLoad::New).unwrap();
            c.function_flush(mode).unwrap();
            assert!(libraries(c).is_empty());
        }
    });
}

#[test]
fn libraries_are_dumped_and_restored() {
    for_each_wire(|c, _| {
        c.function_load(CODE, LibraryLoad::New).unwrap();
        let dump: Vec<u8> = c.function_dump().unwrap();
        assert_eq!(
            c.function_restore(&dump, FunctionRestore::Append).unwrap_err().code(),
            Some(ServerCode::Err),
            "there is one of this name"
        );
        c.function_restore(&dump, FunctionRestore::Replace).unwrap();
        c.function_load(OTHER, LibraryLoad::New).unwrap();
        c.function_restore(&dump, FunctionRestore::Replace).unwrap();
        assert_eq!(libraries(c), ["lib", "other"]);
        c.function_restore(&dump, FunctionRestore::Flush).unwrap();
        assert_eq!(libraries(c), ["lib"]);
        c.function_delete("lib").unwrap();
        c.function_restore(&dump, FunctionRestore::Append).unwrap();
        assert_eq!(libraries(c), ["lib"]);
        assert!(c.function_restore("no dump", FunctionRestore::Append).is_err());
    });
}

#[test]
fn a_running_function_is_seen_and_stopped() {
    for_each_target(|target| {
        let wire = &connect(target);
        wire.config_set([("busy-reply-threshold", "1")]).unwrap();
        wire.function_load(OTHER, LibraryLoad::New).unwrap();
        assert_eq!(wire.function_kill().unwrap_err().code(), Some(ServerCode::NotBusy));
        let other = connect(target);
        let calling = thread::spawn(move || other.fcall::<()>("endless", "k", "a"));
        let running =
            poll_until("the function to run", || wire.function_stats().expect("statistics").running);
        assert_eq!((&*running.name, running.command.len()), ("endless", 5));
        assert!(running.duration < Duration::from_secs(60));
        wire.function_kill().unwrap();
        assert_eq!(calling.join().unwrap().unwrap_err().code(), Some(ServerCode::Err));
    });
}
