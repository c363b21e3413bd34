//! Scripts against real servers.

use std::thread;

use redstart_core::command::Run;
use redstart_core::commands::{FlushMode, Script, ScriptingCommands, ServerCommands, StringCommands};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Target, for_each_target};
use redstart_tests::server::poll_until;
use redstart_tests::wire::{Wire, for_each_wire};

fn connect(target: &Target) -> Wire {
    Wire::connect(target.addr(), target.protocol().number())
}

#[test]
fn keys_arguments_and_replies() {
    for_each_wire(|wire, _| {
        wire.set("k", "v").unwrap();
        let get = "return redis.call('GET', KEYS[1])";
        assert_eq!(wire.eval::<String>(get, "k", ()).unwrap(), "v");
        assert_eq!(wire.eval::<Option<String>>(get, "missing", ()).unwrap(), None);
        assert_eq!(wire.eval::<i64>("return 3.9", (), ()).unwrap(), 3);
        let all = wire.eval::<Vec<String>>("return {#KEYS, KEYS[2], ARGV[1], ARGV[2]}", ["a", "b"], ("x", 7));
        assert_eq!(all.unwrap(), ["2", "b", "x", "7"]);
        let failed = wire.eval::<()>("return redis.error_reply('WRONGTYPE x')", (), ());
        assert_eq!(failed.unwrap_err().code(), Some(ServerCode::WrongType));
    });
}

#[test]
fn read_only_scripts_cannot_write() {
    for_each_wire(|wire, _| {
        wire.set("k", "v").unwrap();
        let get = Script::new("return redis.call('GET', KEYS[1])");
        let del = Script::new("return redis.call('DEL', KEYS[1])");
        for script in [&get, &del] {
            assert_eq!(wire.run(script.load()).unwrap(), script.sha1());
        }
        assert_eq!(wire.eval_ro::<String>(get.text(), "k", ()).unwrap(), "v");
        assert_eq!(wire.evalsha_ro::<String>(get.sha1(), "k", ()).unwrap(), "v");
        assert!(wire.eval_ro::<i64>(del.text(), "k", ()).is_err());
        assert!(wire.evalsha_ro::<i64>(del.sha1(), "k", ()).is_err());
        assert_eq!(wire.get::<String>("k").unwrap().as_deref(), Some("v"));
    });
}

#[test]
fn a_server_runs_the_digests_that_it_knows() {
    for_each_wire(|wire, _| {
        let script = Script::new("return ARGV[1]");
        assert_eq!(
            wire.evalsha::<()>(script.sha1(), (), "x").unwrap_err().code(),
            Some(ServerCode::NoScript)
        );
        assert_eq!(
            wire.run(script.evalsha_ro::<()>((), "x")).unwrap_err().code(),
            Some(ServerCode::NoScript)
        );

        assert_eq!(wire.script_load(script.text()).unwrap(), script.sha1());
        assert_eq!(wire.run(script.evalsha::<String>((), "x")).unwrap(), "x");
        assert_eq!(wire.run(script.evalsha_ro::<String>((), "y")).unwrap(), "y");

        for mode in [FlushMode::Configured, FlushMode::Async, FlushMode::Sync] {
            let learnt = wire.run(script.eval::<String>((), "z")).unwrap();
            assert_eq!(learnt, "z");
            let unknown = "0".repeat(40);
            assert_eq!(wire.script_exists([script.sha1(), &unknown]).unwrap(), [true, false]);
            wire.script_flush(mode).unwrap();
            assert_eq!(wire.script_exists(script.sha1()).unwrap(), [false]);
        }
        assert_eq!(wire.run(script.eval_ro::<String>((), "z")).unwrap(), "z");
        assert!(wire.script_load("return (").is_err());
    });
}

#[test]
fn a_running_script_can_be_stopped() {
    for_each_target(|target| {
        let wire = &connect(target);
        assert_eq!(wire.script_kill().unwrap_err().code(), Some(ServerCode::NotBusy));
        wire.config_set([("busy-reply-threshold", "1")]).unwrap();
        let other = connect(target);
        let running = thread::spawn(move || other.eval::<()>("while true do end", (), ()));
        poll_until("the script to run", || match wire.script_kill() {
            Ok(()) => Some(()),
            Err(error) => {
                assert_eq!(error.code(), Some(ServerCode::NotBusy));
                None
            }
        });
        assert_eq!(running.join().unwrap().unwrap_err().code(), Some(ServerCode::Err));
    });
}
