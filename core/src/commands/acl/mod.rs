//! Access control: users, and what each of them may do.
//!
//! Users are a node's own: in a cluster a change goes to all nodes, and one that joins later does not know it.
//!
//! ```
//! use redstart_core::command::Prepare as p;
//! use redstart_core::commands::{AclCommands, AclPermissions, AclRules};
//!
//! let reads = AclPermissions::new().allow_category("read").keys("report:*");
//! let command = p.acl_setuser("ann", AclRules::new().reset().enable().password("secret").permissions(reads));
//! assert_eq!(command.packed().name(), "ACL SETUSER");
//! ```

mod log;
mod rules;
mod user;

use alloc::string::String;
use alloc::vec::Vec;

pub use log::AclLogEntry;
pub use rules::{AclPermissions, AclRules};
pub use user::{AclSelector, AclUser, AclVerdict};

use crate::command::{Arg, Args, Command, Join, Route, Run};

/// Commands about users and their permissions.
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/>
pub trait AclCommands: Run {
    /// Returns the names of all categories of commands, such as `read` and `dangerous`.
    ///
    /// `ACL CAT` · 6.0.0 · O(1)
    fn acl_cat(self) -> Self::Output<Vec<String>> {
        self.run(Command::new("ACL CAT").read_only().route(Route::AnyNode))
    }

    /// Returns the commands of a category, in lower case. Fails if there is no such category.
    ///
    /// `ACL CAT category` · 6.0.0 · O(n) in the server's commands
    fn acl_cat_commands(self, category: impl Arg) -> Self::Output<Vec<String>> {
        self.run(Command::new("ACL CAT").arg(category).read_only().route(Route::AnyNode))
    }

    /// Removes users and closes their connections, on every node of a cluster; returns how many there were. The user
    /// `default` stays.
    ///
    /// `ACL DELUSER username [username ...]` · 6.0.0 · O(1) each
    fn acl_deluser(self, users: impl Args) -> Self::Output<u64> {
        let command = Command::new("ACL DELUSER").args(users);
        self.run(command.route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Returns whether a user may run a command, without running it. The command is given whole, its name first.
    ///
    /// Fails if there is no such user or no such command.
    ///
    /// `ACL DRYRUN username command [arg ...]` · 7.0.0 · O(1)
    fn acl_dryrun(self, user: impl Arg, command: impl Args) -> Self::Output<AclVerdict> {
        self.run(Command::new("ACL DRYRUN").arg(user).args(command).read_only().route(Route::AnyNode))
    }

    /// Returns a random password of so many bits, rounded up to whole digits of four; 256 if not said, 4,096 at most.
    ///
    /// `ACL GENPASS [bits]` · 6.0.0 · O(1)
    fn acl_genpass(self, bits: Option<u32>) -> Self::Output<String> {
        self.run(Command::new("ACL GENPASS").args(bits).read_only().route(Route::AnyNode))
    }

    /// Returns the rules of a user, or `None` if there is no such user.
    ///
    /// `ACL GETUSER username` · 6.0.0 · O(n) in the rules
    fn acl_getuser(self, user: impl Arg) -> Self::Output<Option<AclUser>> {
        self.run(Command::new("ACL GETUSER").arg(user).read_only().route(Route::AnyNode))
    }

    /// Returns the rules of all users, a line for each, as in the server's file of users. Passwords are hashed.
    ///
    /// `ACL LIST` · 6.0.0 · O(n) in the users
    fn acl_list(self) -> Self::Output<Vec<String>> {
        self.run(Command::new("ACL LIST").read_only().route(Route::AnyNode))
    }

    /// Reads all users from the server's file, on every node of a cluster: those of a file with an error are not taken.
    ///
    /// Fails when the server has no such file.
    ///
    /// `ACL LOAD` · 6.0.0 · O(n) in the users
    fn acl_load(self) -> Self::Output<()> {
        self.run(Command::new("ACL LOAD").route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Returns up to `count` of the latest refusals of one node, the latest first.
    ///
    /// `ACL LOG count` · 6.0.0 · O(n), n entries returned
    fn acl_log(self, count: u64) -> Self::Output<Vec<AclLogEntry>> {
        self.run(Command::new("ACL LOG").arg(count).read_only())
    }

    /// Empties the log of refusals of one node.
    ///
    /// `ACL LOG RESET` · 6.0.0 · O(n) in the entries
    fn acl_log_reset(self) -> Self::Output<()> {
        self.run(Command::new("ACL LOG").arg("RESET"))
    }

    /// Writes all users to the server's file, on every node of a cluster.
    ///
    /// Fails when the server has no such file.
    ///
    /// `ACL SAVE` · 6.0.0 · O(n) in the users
    fn acl_save(self) -> Self::Output<()> {
        self.run(Command::new("ACL SAVE").route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Makes a user, or changes one, on every node of a cluster: rules are added to those that there are, one after the
    /// other, all or none.
    ///
    /// A new user is disabled and may do nothing. Connections that the user has go by the new rules.
    ///
    /// `ACL SETUSER username [rule [rule ...]]` · 6.0.0 · O(n) in the rules
    fn acl_setuser(self, user: impl Arg, rules: AclRules) -> Self::Output<()> {
        let command = Command::new("ACL SETUSER").arg(user).args(rules);
        self.run(command.route(Route::AllNodes).join(Join::AllSucceeded))
    }

    /// Returns the names of all users.
    ///
    /// `ACL USERS` · 6.0.0 · O(n) in the users
    fn acl_users(self) -> Self::Output<Vec<String>> {
        self.run(Command::new("ACL USERS").read_only().route(Route::AnyNode))
    }

    /// Returns the user of the connection that this command came on.
    ///
    /// `ACL WHOAMI` · 6.0.0 · O(1)
    fn acl_whoami(self) -> Self::Output<String> {
        self.run(Command::new("ACL WHOAMI").read_only().route(Route::AnyNode))
    }
}

impl<R: Run> AclCommands for R {}
