//! The commands about modules against real servers.

use redstart_core::commands::ModuleCommands;
use redstart_core::error::ServerCode;
use redstart_tests::live::for_each_protocol;
use redstart_tests::server::{Module, ServerConfig, Version};
use redstart_tests::wire::{Wire, for_each_wire};

const NONE: [(&str, &str); 0] = [];

#[test]
fn modules_are_not_loaded_where_that_is_not_allowed() {
    for_each_wire(|c, _| {
        assert_eq!(c.module_load("/none.so", ()).unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(c.module_loadex("/none.so", NONE, ()).unwrap_err().code(), Some(ServerCode::Err));
        assert_eq!(c.module_unload("none").unwrap_err().code(), Some(ServerCode::Err));
        // A part of newer servers is a module, too.
        assert!(c.module_list().unwrap().iter().all(|module| module.name == "vectorset"));
    });
}

#[test]
fn modules_are_loaded_and_unloaded() {
    let config = ServerConfig::new(Version::V8).arg("enable-module-command", "local");
    for_each_protocol(&config, |target| {
        let c = Wire::connect(target.addr(), target.protocol().number());
        let find = |name: &str| c.module_list().unwrap().into_iter().find(|module| module.name == name);
        assert_eq!(find("vectorset").unwrap().path, None);
        let path = Module::Bloom.path();
        let path = path.to_str().unwrap();
        c.module_load(path, ["INITIAL_SIZE", "200"]).unwrap();
        let bloom = find("bf").unwrap();
        assert_eq!(
            (bloom.path.as_deref(), &bloom.args[..]),
            (Some(path), &["INITIAL_SIZE", "200"].map(String::from)[..])
        );
        assert!(bloom.version > 0);
        let again = c.module_loadex(path, NONE, ["INITIAL_SIZE", "200"]).unwrap_err();
        assert_eq!(again.code(), Some(ServerCode::Err));
        let unknown =
            c.module_loadex(Module::Json.path().to_str().unwrap(), [("json.none", 1)], ()).unwrap_err();
        assert_eq!(unknown.code(), Some(ServerCode::Err));
        c.module_loadex(Module::Json.path().to_str().unwrap(), NONE, ()).unwrap();
        assert!(find("ReJSON").is_some());
        assert_eq!(c.module_unload("ReJSON").unwrap_err().code(), Some(ServerCode::Err), "it has a type");
        assert_eq!(c.module_unload("none").unwrap_err().code(), Some(ServerCode::Err));
    });
}
