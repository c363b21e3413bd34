//! The commands about users and their permissions against real servers.

use std::fs;
use std::time::Duration;

use redstart_core::command::{Command, Run};
use redstart_core::commands::{
    AclCommands, AclPermissions, AclRules, AclVerdict, ConnectionCommands, StringCommands,
};
use redstart_core::error::ServerCode;
use redstart_tests::live::{Target, for_each_protocol, for_each_target};
use redstart_tests::server::{ServerConfig, Version};
use redstart_tests::wire::{Wire, for_each_wire};

fn connect(target: &Target) -> Wire {
    Wire::connect(target.addr(), target.protocol().number())
}

fn log_in(c: &Wire, user: &str, password: &str) -> redstart_core::Result<()> {
    c.run(Command::new("AUTH").arg(user).arg(password))
}

#[test]
fn users_are_made_changed_and_removed() {
    for_each_wire(|c, _| {
        assert_eq!(c.acl_getuser("ann").unwrap(), None);
        let permissions = AclPermissions::new().allow_category("read").allow_command("config|get");
        let permissions = permissions.keys("a:*").read_keys("r:*").write_keys("w:*").channels("c:*");
        let selector = AclPermissions::new().allow_command("set").keys("s:*").channels("t");
        let rules = AclRules::new().reset().enable().password("hunter2").password_hash("a".repeat(64));
        c.acl_setuser("ann", rules.permissions(permissions).selector(selector)).unwrap();

        let ann = c.acl_getuser("ann").unwrap().unwrap();
        assert!(ann.is_enabled() && ann.flags.contains("sanitize-payload"), "{ann:?}");
        assert_eq!((ann.passwords.len(), &*ann.passwords[1]), (2, &*"a".repeat(64)));
        let granted = &ann.permissions;
        assert_eq!(&*granted.commands, "-@all +@read +config|get");
        assert_eq!((&*granted.keys, &*granted.channels), ("~a:* %R~r:* %W~w:*", "&c:*"));
        let selector = &ann.selectors[0];
        assert_eq!((&*selector.commands, &*selector.keys, &*selector.channels), ("-@all +set", "~s:*", "&t"));

        assert_eq!(c.acl_users().unwrap(), ["ann", "default"]);
        let list = c.acl_list().unwrap();
        assert!(list.len() == 2 && list[0].starts_with("user ann on "), "{list:?}");
        let rules = AclRules::new().disable().remove_password("hunter2").clear_selectors();
        let rules = rules.permissions(AclPermissions::new().reset_keys().reset_channels().no_commands());
        c.acl_setuser("ann", rules.sanitize_payload(false)).unwrap();
        let ann = c.acl_getuser("ann").unwrap().unwrap();
        assert!(!ann.is_enabled() && ann.selectors.is_empty() && ann.flags.contains("skip-sanitize-payload"));
        assert_eq!(ann.passwords, ["a".repeat(64)]);
        assert_eq!((&*ann.permissions.commands, &*ann.permissions.keys), ("-@all", ""));

        let all = AclPermissions::new().all_keys().all_channels().all_commands();
        c.acl_setuser("ann", AclRules::new().any_password().permissions(all)).unwrap();
        let ann = c.acl_getuser("ann").unwrap().unwrap();
        assert!(ann.flags.contains("nopass") && ann.passwords.is_empty());
        assert_eq!((&*ann.permissions.commands, &*ann.permissions.keys), ("+@all", "~*"));
        c.acl_setuser("ann", AclRules::new().password_hash("b".repeat(64)).reset_passwords()).unwrap();
        assert_eq!(c.acl_getuser("ann").unwrap().unwrap().passwords.len(), 0);
        assert_eq!(c.acl_deluser(["ann", "bob"]).unwrap(), 1);
    });
}

#[test]
fn a_refused_rule_is_not_quoted() {
    for_each_wire(|c, _| {
        let rules = AclRules::new().remove_password("hunter2");
        let error = c.acl_setuser("ann", rules).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(error.code() == Some(ServerCode::Err) && !text.contains("hunter2"), "{text}");
        assert!(text.contains("The password you are trying to remove"), "{text}");
        assert_eq!(c.acl_getuser("ann").unwrap(), None, "all or none");
        assert!(c.acl_setuser("ann", AclRules::new().remove_password_hash("b".repeat(64))).is_err());
    });
}

#[test]
fn what_a_user_may_do() {
    for_each_target(|target| {
        let c = &connect(target);
        let reads = AclPermissions::new().allow_category("read").deny_command("strlen").keys("a");
        c.acl_setuser("ann", AclRules::new().enable().password("pw").permissions(reads)).unwrap();
        assert_eq!(c.acl_dryrun("ann", ("GET", "a")).unwrap(), AclVerdict::Allowed);
        for denied in [&["GET", "b"][..], &["SET", "a", "v"], &["STRLEN", "a"]] {
            let verdict = c.acl_dryrun("ann", denied).unwrap();
            assert!(matches!(&verdict, AclVerdict::Denied(reason) if !reason.is_empty()), "{verdict:?}");
        }
        assert_eq!(c.acl_dryrun("bob", ("GET", "a")).unwrap_err().code(), Some(ServerCode::Err));

        assert_eq!(c.acl_whoami().unwrap(), "default");
        let other = &connect(target);
        log_in(other, "ann", "pw").unwrap();
        assert_eq!(other.set("a", "v").unwrap_err().code(), Some(ServerCode::NoPerm));
        assert_eq!(other.acl_whoami().unwrap_err().code(), Some(ServerCode::NoPerm));
        c.set("a", "v").unwrap();
        assert_eq!(other.get("a").unwrap(), Some("v".to_owned()));
    });
}

#[test]
fn refusals_are_logged() {
    for_each_target(|target| {
        let c = &connect(target);
        assert!(c.acl_log(10).unwrap().is_empty());
        let gets = AclPermissions::new().allow_command("get").allow_command("client").keys("a");
        c.acl_setuser("ann", AclRules::new().enable().password("pw").permissions(gets)).unwrap();
        assert_eq!(log_in(c, "ann", "wrong").unwrap_err().code(), Some(ServerCode::WrongPass));
        let other = &connect(target);
        log_in(other, "ann", "pw").unwrap();
        let id = other.client_id().unwrap();
        for _ in 0..2 {
            assert_eq!(other.get::<String>("other").unwrap_err().code(), Some(ServerCode::NoPerm));
        }

        let log = c.acl_log(10).unwrap();
        let shown: Vec<_> = log.iter().map(|e| (&*e.reason, &*e.object, e.count)).collect();
        assert_eq!(shown, [("key", "other", 2), ("auth", "AUTH", 1)]);
        let last = &log[0];
        assert_eq!((&*last.context, &*last.username, last.client.id), ("toplevel", "ann", id));
        assert!(last.age < Duration::from_secs(60));
        let since_v8 = (last.entry_id.is_some(), last.created.is_some(), last.updated >= last.created);
        assert_eq!(since_v8, (target.version() == Version::V8, target.version() == Version::V8, true));
        assert_eq!(c.acl_log(1).unwrap().len(), 1);
        c.acl_log_reset().unwrap();
        assert!(c.acl_log(10).unwrap().is_empty());
    });
}

#[test]
fn categories_and_passwords() {
    for_each_wire(|c, _| {
        let categories = c.acl_cat().unwrap();
        assert!(categories.iter().any(|name| name == "dangerous"), "{categories:?}");
        let commands = c.acl_cat_commands("geo").unwrap();
        assert!(commands.iter().any(|name| name == "geoadd"), "{commands:?}");
        assert_eq!(c.acl_cat_commands("none").unwrap_err().code(), Some(ServerCode::Err));
        let (password, short) = (c.acl_genpass(None).unwrap(), c.acl_genpass(Some(5)).unwrap());
        assert_eq!((password.len(), short.len()), (64, 2));
        assert_ne!(password, c.acl_genpass(None).unwrap());
    });
}

#[test]
fn users_are_kept_in_a_file() {
    for_each_target(|target| {
        let c = &connect(target);
        assert_eq!(c.acl_save().unwrap_err().code(), Some(ServerCode::Err), "no file");
        assert_eq!(c.acl_load().unwrap_err().code(), Some(ServerCode::Err), "no file");
    });
    for version in Version::ALL {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("users.acl");
        fs::write(&file, "user default on nopass ~* &* +@all\n").unwrap();
        let config = ServerConfig::new(version).arg("aclfile", file.display());
        for_each_protocol(&config, |target| {
            let c = &connect(target);
            c.acl_setuser("ann", AclRules::new().enable()).unwrap();
            c.acl_save().unwrap();
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains("user ann on"), "{text}");
            assert_eq!(c.acl_deluser("ann").unwrap(), 1);
            c.acl_load().unwrap();
            assert_eq!(c.acl_users().unwrap(), ["ann", "default"]);
        });
    }
}
