//! The options of a URL: their names, which schemes have them, and the settings they set.

mod values;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::values::{
    duration, name, number, ocsp, optional, protocol, read_from, size, text, tls_version, when_full,
    yes_or_no,
};
use super::deployment::SentinelTls;
use super::tls::{Pem, Tls};
use super::{ClusterOptions, Config, Credentials, Endpoint, RefreshOptions, SentinelOptions};

/// Why a value or an option is refused.
pub(super) type Reason = &'static str;

/// An option: its name, and what reads and sets its value.
pub(super) type Setting = (&'static str, fn(&mut Draft, &str) -> Result<(), Reason>);

/// What a URL begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Redis,
    Unix,
    Cluster,
    Sentinel,
}

impl Scheme {
    pub(super) const fn has_several_hosts(self) -> bool {
        matches!(self, Self::Cluster | Self::Sentinel)
    }
}

/// The options of some schemes, these schemes, and what is said to others.
const OF_SOME: [(&[Setting], &[Scheme], Reason); 4] = [
    (&SEVERAL, &[Scheme::Cluster, Scheme::Sentinel], "only redis-cluster:// and redis-sentinel:// have it"),
    (&CLUSTER, &[Scheme::Cluster], "only redis-cluster:// has it"),
    (&SENTINEL, &[Scheme::Sentinel], "only redis-sentinel:// has it"),
    (&SENTINEL_TLS, &[Scheme::Sentinel], "only rediss-sentinel:// has it"),
];

const OF_ALL: [Setting; 31] = [
    ("db", Draft::database),
    ("username", Draft::username),
    ("password", Draft::password),
    ("protocol", |draft, value| protocol(value).map(|it| draft.config.protocol = it)),
    ("client_name", |draft, value| optional(value, text).map(|it| draft.config.client_name = it)),
    ("library_name", |draft, value| optional(value, name).map(|it| draft.config.library_name = it)),
    ("library_version", |draft, value| optional(value, name).map(|it| draft.config.library_version = it)),
    ("connect_timeout", |draft, value| duration(value).map(|it| draft.config.connect_timeout = it)),
    ("response_timeout", |draft, value| {
        optional(value, duration).map(|it| draft.config.response_timeout = it)
    }),
    ("liveness_timeout", |draft, value| duration(value).map(|it| draft.config.liveness_timeout = it)),
    ("health_interval", |draft, value| optional(value, duration).map(|it| draft.config.health_interval = it)),
    ("close_timeout", |draft, value| duration(value).map(|it| draft.config.close_timeout = it)),
    ("tcp_keepalive", |draft, value| optional(value, duration).map(|it| draft.config.tcp_keepalive = it)),
    ("backoff_base", |draft, value| duration(value).map(|it| draft.config.backoff.base = it)),
    ("backoff_cap", |draft, value| duration(value).map(|it| draft.config.backoff.cap = it)),
    ("retries", |draft, value| number(value).map(|it| draft.config.retries = it)),
    ("queue_commands", |draft, value| number(value).map(|it| draft.config.queue_commands = it)),
    ("queue_bytes", |draft, value| size(value).map(|it| draft.config.queue_bytes = it)),
    ("when_full", |draft, value| when_full(value).map(|it| draft.config.when_full = it)),
    ("subscription_bytes", |draft, value| size(value).map(|it| draft.config.subscription_bytes = it)),
    ("pool_max", |draft, value| number(value).map(|it| draft.config.pool.max = it)),
    ("pool_min_idle", |draft, value| number(value).map(|it| draft.config.pool.min_idle = it)),
    ("pool_queue", |draft, value| number(value).map(|it| draft.config.pool.queue = it)),
    ("pool_idle_timeout", |draft, value| {
        optional(value, duration).map(|it| draft.config.pool.idle_timeout = it)
    }),
    ("pool_max_lifetime", |draft, value| {
        optional(value, duration).map(|it| draft.config.pool.max_lifetime = it)
    }),
    ("max_conflicts", |draft, value| number(value).map(|it| draft.config.max_conflicts = it)),
    ("max_reply_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.reply = it)),
    ("max_bulk_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.bulk = it)),
    ("max_elements", |draft, value| number(value).map(|it| draft.config.reply_limits.elements = it)),
    ("max_line_bytes", |draft, value| size(value).map(|it| draft.config.reply_limits.line = it)),
    ("max_depth", |draft, value| number(value).map(|it| draft.config.reply_limits.depth = it)),
];

const SEVERAL: [Setting; 3] = [
    ("suspect_after", |draft, value| duration(value).map(|it| draft.config.suspect_after = it)),
    ("zone", |draft, value| {
        draft.config.zone = Some(value.into());
        Ok(())
    }),
    ("read_from", |draft, value| read_from(value).map(|it| draft.config.read_from = it)),
];

const CLUSTER: [Setting; 7] = [
    ("refresh_interval", |draft, value| duration(value).map(|it| draft.refresh.interval = it)),
    ("refresh_period", |draft, value| optional(value, duration).map(|it| draft.refresh.period = it)),
    ("refresh_deadline", |draft, value| duration(value).map(|it| draft.refresh.deadline = it)),
    ("refresh_asks", |draft, value| number(value).map(|it| draft.refresh.asks = it)),
    ("refresh_patience", |draft, value| duration(value).map(|it| draft.refresh.patience = it)),
    ("refresh_linger", |draft, value| duration(value).map(|it| draft.refresh.linger = it)),
    ("refresh_timeouts", |draft, value| number(value).map(|it| draft.refresh.timeouts = it)),
];

const SENTINEL: [Setting; 5] = [
    ("sentinel_username", |draft, value| once(&mut draft.sentinel_user.name, value.to_owned())),
    ("sentinel_password", |draft, value| once(&mut draft.sentinel_user.password, value.to_owned())),
    ("min_other_sentinels", |draft, value| number(value).map(|it| draft.sentinel.min_other_sentinels = it)),
    ("poll_interval", |draft, value| duration(value).map(|it| draft.sentinel.poll_interval = it)),
    ("ask_timeout", |draft, value| duration(value).map(|it| draft.sentinel.ask_timeout = it)),
];

const SENTINEL_TLS: [Setting; 1] = [("sentinel_tls", Draft::sentinel_tls)];

/// Of those URLs that begin with `rediss`.
const TLS: [Setting; 9] = [
    ("tls_ca_file", |draft, value| draft.tls().map(|tls| tls.roots = [Pem::File(value.into())].into())),
    ("tls_cert_file", |draft, value| draft.tls().map(|tls| tls.chain = Some(Pem::File(value.into())))),
    ("tls_key_file", |draft, value| draft.tls().map(|tls| tls.key = Some(Pem::File(value.into())))),
    ("tls_system_roots", |draft, value| {
        yes_or_no(value).and_then(|it| draft.tls().map(|tls| tls.system_roots = Some(it)))
    }),
    ("tls_resumption", |draft, value| {
        yes_or_no(value).and_then(|it| draft.tls().map(|tls| tls.no_resumption = !it))
    }),
    ("tls_server_name", |draft, value| draft.tls().map(|tls| tls.server_name = Some(value.into()))),
    ("tls_min_version", |draft, value| {
        tls_version(value).and_then(|it| draft.tls().map(|tls| tls.min_version = it))
    }),
    ("tls_ocsp", |draft, value| ocsp(value).and_then(|it| draft.tls().map(|tls| tls.ocsp = it))),
    ("tls_dangerously_accept", Draft::accept_dangerously),
];

/// The option of this name, or why `scheme` lacks it; `None` if no scheme has it.
pub(super) fn find(name: &str, scheme: Scheme) -> Option<Result<Setting, Reason>> {
    let among = |table: &[Setting]| table.iter().find(|(option, _)| *option == name).copied();
    if let Some(setting) = among(&OF_ALL).or_else(|| among(&TLS)) {
        return Some(Ok(setting));
    }
    OF_SOME.into_iter().find_map(|(table, schemes, reason)| {
        let setting = among(table)?;
        Some(if schemes.contains(&scheme) { Ok(setting) } else { Err(reason) })
    })
}

/// The settings while a URL is read. What may stand in two places of a URL is kept apart until the end.
pub(super) struct Draft {
    scheme: Scheme,
    config: Config,
    pub(super) peers: Vec<Endpoint>,
    database: Option<u32>,
    user: User,
    refresh: RefreshOptions,
    sentinel: SentinelOptions,
    sentinel_user: User,
    tls: Option<Tls>,
}

impl Draft {
    pub(super) fn new(scheme: Scheme, has_tls: bool) -> Self {
        Self {
            scheme,
            config: Config::default(),
            peers: Vec::new(),
            database: None,
            user: User::default(),
            refresh: RefreshOptions::default(),
            sentinel: SentinelOptions::new("", []),
            sentinel_user: User::default(),
            tls: has_tls.then(Tls::new),
        }
    }

    pub(super) fn database(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.database, number(value)?)
    }

    pub(super) fn username(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.user.name, value.to_owned())
    }

    pub(super) fn password(&mut self, value: &str) -> Result<(), Reason> {
        once(&mut self.user.password, value.to_owned())
    }

    pub(super) fn service(&mut self, value: &str) -> Result<(), Reason> {
        self.sentinel.service = value.into();
        Ok(())
    }

    fn tls(&mut self) -> Result<&mut Tls, Reason> {
        self.tls.as_mut().ok_or("only URLs with rediss have it")
    }

    fn sentinel_tls(&mut self, value: &str) -> Result<(), Reason> {
        self.tls()?;
        if !yes_or_no(value)? {
            self.sentinel.tls = Some(SentinelTls(None));
        }
        Ok(())
    }

    fn accept_dangerously(&mut self, value: &str) -> Result<(), Reason> {
        let tls = self.tls()?;
        let dangerous = tls.clone().dangerous();
        *tls = match value {
            "any_name" => dangerous.accept_any_name(),
            "any_certificate" => dangerous.accept_any_certificate(),
            _ => return Err("neither any_name nor any_certificate"),
        };
        Ok(())
    }

    /// The settings, not validated.
    pub(super) fn finish(self) -> Config {
        let Self { scheme, config, mut peers, database, user, refresh, mut sentinel, sentinel_user, tls } =
            self;
        let config = config.database(database.unwrap_or(0)).credentials(user.credentials()).tls(tls);
        match scheme {
            Scheme::Redis | Scheme::Unix => config.endpoint(peers.pop().unwrap_or_default()),
            Scheme::Cluster => config.deployment(ClusterOptions::new(peers).refresh(refresh)),
            Scheme::Sentinel => {
                sentinel.sentinels = peers;
                config.deployment(sentinel.credentials(sentinel_user.credentials()))
            }
        }
    }
}

/// A user as it is pieced together.
#[derive(Default)]
struct User {
    name: Option<String>,
    password: Option<String>,
}

impl User {
    /// A user with neither name nor password is nobody in particular.
    fn credentials(self) -> Option<Credentials> {
        let username = self.name.filter(|name| !name.is_empty()).map(Arc::from);
        let password = self.password.unwrap_or_default();
        (username.is_some() || !password.is_empty())
            .then(|| Credentials { username, password: password.into() })
    }
}

/// For what may stand twice, if both agree.
fn once<T: PartialEq>(slot: &mut Option<T>, value: T) -> Result<(), Reason> {
    match slot {
        Some(before) if *before != value => Err("given twice, with different values"),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
