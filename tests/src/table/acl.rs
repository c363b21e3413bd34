//! Rows of the commands about users and their permissions.

use redstart_core::command::Prepare as p;
use redstart_core::commands::{AclCommands, AclPermissions, AclRules};

use super::Table;

pub(super) fn rows(t: &mut Table) {
    t.row("acl_cat", p.acl_cat());
    t.row("acl_cat_commands", p.acl_cat_commands("read"));
    t.row("acl_deluser", p.acl_deluser("ann"));
    t.row("acl_deluser", p.acl_deluser(["ann", "bob"]));
    t.row("acl_dryrun", p.acl_dryrun("ann", ("SET", "k", "v")));
    t.row("acl_genpass", p.acl_genpass(None));
    t.row("acl_genpass", p.acl_genpass(Some(128)));
    t.row("acl_getuser", p.acl_getuser("ann"));
    t.row("acl_list", p.acl_list());
    t.row("acl_load", p.acl_load());
    t.row("acl_log", p.acl_log(10));
    t.row("acl_log_reset", p.acl_log_reset());
    t.row("acl_save", p.acl_save());
    t.row("acl_users", p.acl_users());
    t.row("acl_whoami", p.acl_whoami());

    let rules = AclRules::new;
    let mut set = |rules| t.row("acl_setuser", p.acl_setuser("ann", rules));
    set(rules());
    set(rules().reset().enable().password("secret").password_hash("c0ffee").sanitize_payload(false));
    set(rules().disable().remove_password("secret").remove_password_hash("c0ffee").sanitize_payload(true));
    set(rules().reset_passwords().any_password());
    let commands = AclPermissions::new().no_commands().allow_category("read").deny_category("slow");
    set(rules().permissions(commands.allow_command("set").deny_command("config|set")));
    let places = AclPermissions::new().keys("a:*").read_keys("r:*").write_keys("w:*").channels("c:*");
    set(rules().permissions(places.clone()).clear_selectors().selector(places.allow_command("get")));
    let all = AclPermissions::new().reset_keys().all_keys().reset_channels().all_channels().all_commands();
    set(rules().permissions(all));
}
