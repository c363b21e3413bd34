//! What one run is made of: the client's configuration, the server, the trouble.

use std::time::Duration;

use fastrand::Rng;
use redstart_core::config::{Backoff, Config, Credentials, Protocol, TokenOptions, WhenFull};

use super::cluster::ClusterSetup;
use super::faults::{Class, Faults};
use super::leases::Leases;
use super::sentinel::ServiceSetup;
use super::server::Settings;
use super::tokens::Tokens;
use super::world::Expected;

pub(super) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Pauses that suit the length of a run.
const BACKOFF: Backoff = Backoff { base: ms(2), cap: ms(50) };

/// What one run is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// What kind of server it is.
    pub server: Settings,
    /// Which protocol the client speaks.
    pub protocol: Protocol,
    /// The client's password.
    pub password: Option<&'static str>,
    /// Where the client gets tokens.
    pub tokens: Option<Tokens>,
    /// The client's database.
    pub database: u32,
    /// Whether the client says its name and version.
    pub introduces_itself: bool,
    /// See [`Config::connect_timeout`].
    pub connect_timeout: Duration,
    /// See [`Config::response_timeout`].
    pub response_timeout: Duration,
    /// See [`Config::liveness_timeout`].
    pub liveness_timeout: Duration,
    /// See [`Config::health_interval`].
    pub health_interval: Option<Duration>,
    /// See [`Config::close_timeout`].
    pub close_timeout: Duration,
    /// See [`Config::backoff`].
    pub backoff: Backoff,
    /// See [`Config::queue_commands`].
    pub queue_commands: usize,
    /// See [`Config::queue_bytes`].
    pub queue_bytes: usize,
    /// See [`Config::when_full`].
    pub when_full: WhenFull,
    /// The cluster, if the servers form one.
    pub cluster: Option<ClusterSetup>,
    /// The service, if sentinels watch the servers.
    pub service: Option<ServiceSetup>,
    /// How many tasks listen to messages.
    pub readers: usize,
    /// See [`Config::subscription_bytes`].
    pub subscription_bytes: usize,
    /// The calls that wait, and the sessions, if there are some.
    pub leases: Option<Leases>,
    /// Whether connections are secured by TLS.
    pub tls: bool,
    /// Whether the trace is kept as text.
    pub with_text: bool,
}

impl Default for Setup {
    /// Nothing goes wrong, nothing is left to chance.
    fn default() -> Self {
        Self {
            seed: 0,
            faults: Faults::none(),
            server: Settings::default(),
            protocol: Protocol::Auto,
            password: None,
            tokens: None,
            database: 0,
            introduces_itself: false,
            connect_timeout: ms(100),
            response_timeout: ms(200),
            liveness_timeout: ms(300),
            health_interval: None,
            close_timeout: ms(100),
            backoff: BACKOFF,
            queue_commands: 1000,
            queue_bytes: 1 << 20,
            when_full: WhenFull::Wait,
            cluster: None,
            service: None,
            readers: 0,
            subscription_bytes: 8 << 20,
            leases: None,
            tls: false,
            with_text: true,
        }
    }
}

impl Setup {
    /// Any setup whose client and server suit each other.
    pub(super) fn draw(seed: u64, rng: &mut Rng, with_text: bool) -> Self {
        let faults = Faults::draw(rng);
        let old = rng.u8(..5) == 0;
        let tokens = (rng.u8(..4) == 0).then(|| Tokens::new(ms(rng.u64(80..600)), rng.bool()));
        let password = if tokens.is_none() && rng.bool() { Some("secret") } else { None };
        let protocols: &[_] = &[Protocol::Auto, Protocol::Resp2, Protocol::Resp3];
        let protocol = protocols[rng.usize(..if old { 2 } else { 3 })];
        let impatient = faults.has(Class::Impatience);
        Self {
            seed,
            faults,
            server: Settings { old, password, tokens: tokens.clone(), no_multi: false },
            protocol,
            password,
            tokens,
            database: rng.u32(..2) * 3,
            introduces_itself: rng.bool(),
            connect_timeout: ms(rng.u64(100..300)),
            response_timeout: ms(if impatient { rng.u64(20..500) } else { rng.u64(10_000..15_000) }),
            liveness_timeout: ms(rng.u64(100..500)),
            health_interval: if rng.bool() { Some(ms(rng.u64(100..1000))) } else { None },
            close_timeout: ms(rng.u64(..200)),
            backoff: BACKOFF,
            queue_commands: if rng.bool() { rng.usize(6..20) } else { 1000 },
            queue_bytes: if rng.u8(..3) == 0 { rng.usize(300..2000) } else { 1 << 20 },
            when_full: if rng.u8(..3) == 0 { WhenFull::Fail } else { WhenFull::Wait },
            cluster: None,
            service: None,
            readers: 0,
            subscription_bytes: 8 << 20,
            leases: None,
            tls: false,
            with_text,
        }
    }

    pub(super) fn expected(&self) -> Expected {
        Expected {
            queue_commands: self.queue_commands,
            queue_bytes: self.queue_bytes,
            database: self.database,
            connect_timeout: self.connect_timeout.as_nanos() as u64,
            readers: self.readers > 0,
            pool: self.leases.as_ref().map(|leases| leases.max),
            sides_age: self.leases.as_ref().is_some_and(|leases| leases.sides_age),
        }
    }

    pub(super) fn config(&self) -> Config {
        let said = |text| self.introduces_itself.then_some(text);
        let config = Config::default()
            .protocol(self.protocol)
            .credentials(self.password.map(Credentials::password))
            .database(self.database)
            .client_name(said("sim"))
            .library_name(said("redstart"))
            .library_version(said("1.2.3"))
            .connect_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout)
            .liveness_timeout(self.liveness_timeout)
            .health_interval(self.health_interval)
            .close_timeout(self.close_timeout)
            .backoff(self.backoff)
            .queue_commands(self.queue_commands)
            .queue_bytes(self.queue_bytes)
            .when_full(self.when_full)
            .subscription_bytes(self.subscription_bytes)
            .tls(self.tls.then(super::tls::client));
        let config = match &self.leases {
            Some(leases) => config.pool(leases.pool),
            None => config,
        };
        let config = match self.tokens.clone() {
            Some(tokens) => {
                let pauses = Backoff { base: ms(2), cap: ms(20) };
                config.token_provider(move || tokens.issue(), TokenOptions::new().backoff(pauses))
            }
            None => config,
        };
        match (&self.cluster, &self.service) {
            (Some(cluster), _) => cluster.apply(config),
            (None, Some(service)) => service.apply(config),
            (None, None) => config,
        }
    }
}
