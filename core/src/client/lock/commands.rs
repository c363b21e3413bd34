//! What locks do on the server, each as one atomic step.

use std::sync::LazyLock;
use std::time::Duration;

use crate::command::{Command, Route, whole_millis};
use crate::commands::Script;

/// Takes the lock if nobody has it. To find that the same token has it is no failure, so it can be sent again.
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])",
    )
});

/// Has the lock expire at a given time from now.
static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
    )
});

/// Has the lock expire later by a given time.
static EXTEND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then return 0 end
return redis.call('PEXPIRE', KEYS[1], left + ARGV[2])",
    )
});

/// A lock's key and the token of who has it, or wants it.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) key: &'a [u8],
    pub(super) token: &'a str,
}

impl Claim<'_> {
    pub(super) fn acquire(self, ttl: Duration) -> Command<bool> {
        ACQUIRE.call(self.key, (self.token, whole_millis(ttl))).idempotent()
    }

    pub(super) fn release(self) -> Command<bool> {
        RELEASE.call(self.key, self.token)
    }

    /// As [`release`](Self::release), by a text that every server takes.
    pub(super) fn release_by_text(self) -> Command<bool> {
        RELEASE.eval(self.key, self.token)
    }

    pub(super) fn renew(self, ttl: Duration) -> Command<bool> {
        RENEW.call(self.key, (self.token, whole_millis(ttl))).idempotent()
    }

    pub(super) fn extend(self, by: Duration) -> Command<bool> {
        EXTEND.call(self.key, (self.token, whole_millis(by)))
    }

    /// The token of whoever has the lock.
    pub(super) fn holder(self) -> Command<Option<String>> {
        Command::new("GET").key(self.key).read_only().route(Route::Primary)
    }
}
