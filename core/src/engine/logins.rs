//! Credentials that are asked for: for new connections, and for those that are there.
//!
//! ```text
//! Demand::Credentials --> handle_credentials --> one new connection shakes hands
//! Demand::Renewals    --> handle_renewal     --> every connection that is there says AUTH, when it owes nothing;
//!                                                a side connection is replaced, unless a session has it
//! Demand::Token       --> handle_token       --> both
//! ```

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Action, ConnId, Engine, NodeId};
use crate::auth::{TokenManager, TokenNumber};
use crate::config::{
    Config, CredentialProvider, Credentials, Deployment, Endpoint, Login, Token, TokenProvider,
};
use crate::error::{CredentialError, Delivery, Error, ErrorKind, ServerCode, Waiting};
use crate::time::Instant;

/// Names one of a client's providers: that for the nodes, or that for the sentinels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Realm(usize);

/// What somebody outside has to be asked or told. Nothing of it is secret, nor are the providers shown.
pub enum Demand {
    /// Credentials for a connection that is being made; the answer goes to [`Engine::handle_credentials`].
    Credentials(ConnId, Endpoint, Arc<dyn CredentialProvider>),
    /// Credentials as they change, each for [`Engine::handle_renewal`]. Demanded once.
    Renewals(Realm, Arc<dyn CredentialProvider>),
    /// A token, for [`Engine::handle_token`]. An earlier request of the same realm is to be dropped.
    Token(Realm, TokenNumber, Arc<dyn TokenProvider>),
    /// What went wrong, for [`Report::tell`].
    Report(Report),
}

/// What went wrong with credentials.
#[derive(Debug)]
pub struct Report {
    login: Login,
    error: Error,
}

impl Report {
    /// What went wrong.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }

    /// Tells the provider: calls its `handle_error`.
    pub fn tell(&self) {
        match &self.login {
            Login::Provider(provider) => provider.0.handle_error(&self.error),
            Login::Tokens(tokens, _) => tokens.0.handle_error(&self.error),
            Login::None | Login::Fixed(_) => {}
        }
    }
}

/// A provider and what is known of its credentials.
#[derive(Debug)]
struct Source {
    login: Login,
    /// For tokens.
    manager: Option<TokenManager>,
    /// Connections that wait for a token.
    waiting: Vec<ConnId>,
}

/// The providers of a client: none, if its credentials are written down.
#[derive(Default)]
pub(super) struct Logins {
    sources: Vec<Source>,
    demands: VecDeque<Demand>,
}

impl Logins {
    pub(super) fn new(config: &Config, rng: &mut fastrand::Rng, now: Instant) -> Self {
        let of_sentinels = match &config.deployment {
            Deployment::Sentinel(options) => Some(&options.login),
            _ => None,
        };
        let mut logins = Self::default();
        for login in
            [Some(&config.login), of_sentinels].into_iter().flatten().filter(|login| login.is_asked())
        {
            if logins.realm(login).is_none() {
                logins.add(login, rng, now);
            }
        }
        logins
    }

    fn add(&mut self, login: &Login, rng: &mut fastrand::Rng, now: Instant) {
        let realm = Realm(self.sources.len());
        let manager = match login {
            Login::Tokens(_, options) => Some(TokenManager::new((**options).clone(), rng.u64(..), now)),
            _ => None,
        };
        if let Login::Provider(provider) = login {
            self.demands.push_back(Demand::Renewals(realm, Arc::clone(&provider.0)));
        }
        self.sources.push(Source { login: login.clone(), manager, waiting: Vec::new() });
        self.ask(now);
    }

    fn realm(&self, login: &Login) -> Option<Realm> {
        self.sources.iter().position(|source| source.login == *login).map(Realm)
    }

    /// The credentials for a new connection, if they are there; otherwise they are asked for.
    fn begin(
        &mut self,
        now: Instant,
        is_open: impl Fn(ConnId) -> bool,
        login: &Login,
        (conn, node): (ConnId, &Endpoint),
    ) -> Option<Credentials> {
        if let Login::Provider(provider) = login {
            self.demands.push_back(Demand::Credentials(conn, node.clone(), Arc::clone(&provider.0)));
            return None;
        }
        let Realm(realm) = self.realm(login)?;
        let source = self.sources.get_mut(realm)?;
        let credentials = source.manager.as_ref()?.credentials(now).cloned();
        if credentials.is_none() {
            source.waiting.retain(|&conn| is_open(conn));
            source.waiting.push(conn);
        }
        credentials
    }

    /// Demands the tokens that are due.
    fn ask(&mut self, now: Instant) {
        for (realm, source) in self.sources.iter_mut().enumerate() {
            if let Login::Tokens(tokens, _) = &source.login
                && let Some(number) = source.manager.as_mut().and_then(|manager| manager.poll_request(now))
            {
                self.demands.push_back(Demand::Token(Realm(realm), number, Arc::clone(&tokens.0)));
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        for source in &mut self.sources {
            if source.manager.as_mut().is_some_and(|manager| manager.handle_timeout(now)) {
                let error = Error::new(ErrorKind::Timeout(Waiting::Credentials), Delivery::NotSent);
                self.demands.push_back(Demand::Report(Report { login: source.login.clone(), error }));
            }
        }
        self.ask(now);
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        let managers = self.sources.iter().filter_map(|source| source.manager.as_ref());
        managers.map(TokenManager::poll_timeout).min().unwrap_or(Instant::FAR)
    }

    /// A server has refused credentials.
    fn handle_refused(&mut self, now: Instant, login: &Login, credentials: &Credentials, error: Error) {
        let Some(source) = self.sources.iter_mut().find(|source| source.login == *login) else { return };
        if let Some(manager) = &mut source.manager {
            manager.handle_refused(now, credentials);
        }
        self.demands.push_back(Demand::Report(Report { login: login.clone(), error }));
        self.ask(now);
    }
}

impl Engine {
    /// Whom to ask, or to tell. Only clients with a [`CredentialProvider`] or a [`TokenProvider`] have any.
    pub fn poll_demand(&mut self) -> Option<Demand> {
        self.logins.demands.pop_front()
    }

    /// A connection has begun: if there is somebody to be asked who to be, that is done.
    pub(super) fn log_in(&mut self, now: Instant, node: NodeId, conn: ConnId, endpoint: &Endpoint) {
        let is_aside = self.listeners.node_of(conn).is_some();
        let link = if is_aside { self.listeners.peek(node) } else { self.links.peek(node) };
        let Some(link) = link.filter(|link| link.login().is_asked()) else { return };
        let is_open = |conn| {
            let node = self.links.node_of(conn).or_else(|| self.listeners.node_of(conn));
            node.is_some() || self.sides.name_of(conn).is_some()
        };
        if let Some(credentials) = self.logins.begin(now, is_open, link.login(), (conn, endpoint)) {
            self.give(now, conn, credentials);
        }
    }

    fn give(&mut self, now: Instant, conn: ConnId, credentials: Credentials) {
        let link = match self.links.node_of(conn) {
            Some(node) => self.links.get(node),
            None => self.listeners.node_of(conn).and_then(|node| self.listeners.get(node)),
        };
        if let Some(link) = link {
            link.handle_credentials(now, conn, credentials);
        } else if let Some(side) = self.sides.get(conn) {
            side.connection.handle_credentials(now, &side.config, credentials);
        }
    }

    /// [`Demand::Credentials`] was answered.
    pub fn handle_credentials(
        &mut self,
        now: Instant,
        conn: ConnId,
        answer: Result<Credentials, CredentialError>,
    ) {
        self.assert_drained();
        let error = match answer {
            Ok(credentials) => return self.give(now, conn, credentials),
            Err(error) => Error::new(ErrorKind::Credentials(error), Delivery::NotSent),
        };
        let home = self.links.node_of(conn).or_else(|| Some(self.sides.get(conn)?.node));
        let home = home.and_then(|node| self.links.peek(node));
        let aside = || self.listeners.node_of(conn).and_then(|node| self.listeners.peek(node));
        if let Some(link) = home.or_else(aside) {
            let (login, error) = (link.login().clone(), error.clone().with_node(&link.name()));
            self.logins.demands.push_back(Demand::Report(Report { login, error }));
        }
        self.actions.push_back(Action::Close(conn));
        if !self.handle_listener_closed(now, conn, &error) {
            self.handle_lost(now, conn, &error);
        }
        self.follow_topology(now);
    }

    /// [`Demand::Token`] was answered.
    pub fn handle_token(
        &mut self,
        now: Instant,
        realm: Realm,
        number: TokenNumber,
        answer: Result<Token, CredentialError>,
    ) {
        self.assert_drained();
        let Some(source) = self.logins.sources.get_mut(realm.0) else { return };
        let Some(manager) = &mut source.manager else { return };
        let (token, error) = match answer {
            Ok(token) => (Some(token), None),
            Err(error) => (None, Some(Error::new(ErrorKind::Credentials(error), Delivery::NotSent))),
        };
        let login = source.login.clone();
        self.logins.demands.extend(error.map(|error| Demand::Report(Report { login, error })));
        if manager.handle_token(now, number, token)
            && let Some(credentials) = manager.credentials(now).cloned()
        {
            for conn in core::mem::take(&mut source.waiting) {
                self.give(now, conn, credentials.clone());
            }
            self.renew_all(now, realm, &credentials);
        }
        self.logins.ask(now);
    }

    /// There are other credentials for the connections that are there.
    pub fn handle_renewal(&mut self, now: Instant, realm: Realm, credentials: &Credentials) {
        self.assert_drained();
        self.renew_all(now, realm, credentials);
    }

    fn renew_all(&mut self, now: Instant, realm: Realm, credentials: &Credentials) {
        let Some(login) = self.logins.sources.get(realm.0).map(|source| source.login.clone()) else { return };
        for node in self.links.ids() {
            if self.links.peek(node).is_some_and(|link| *link.login() == login)
                && let Some(link) = self.links.get(node)
            {
                link.renew(now, credentials);
                self.close_retired(now, node);
                for conn in self.sides.renew(now, node, credentials) {
                    self.close_aside(now, conn);
                }
            }
        }
        self.renew_listeners(now, &login, credentials);
    }

    /// A connection was told other credentials, and its server has answered. If it refuses them, the connection goes on
    /// as who it was: that is better than none, which is all that the same credentials would bring.
    pub(super) fn handle_renewed(
        &mut self,
        now: Instant,
        (node, conn): (NodeId, ConnId),
        told: &Credentials,
        outcome: Result<(), Error>,
    ) {
        let Some(link) = self.links.get(node) else { return };
        link.handle_renewed(now, conn, told);
        if let Err(error) = outcome {
            self.report_refused(now, node, told, error);
        }
        self.follow_subscriptions(now);
    }

    /// A node does not take a connection for who it said that it is from here on.
    pub(super) fn report_refused(&mut self, now: Instant, node: NodeId, told: &Credentials, error: Error) {
        let Some(link) = self.links.peek(node) else { return };
        let (login, error) = (link.login().clone(), error.with_node(&link.name()));
        self.logins.handle_refused(now, &login, told, error);
    }

    /// The handshake of a connection has failed: were its credentials refused?
    pub(super) fn handle_login_failed(&mut self, now: Instant, node: NodeId, error: &Error) {
        let Some(link) = self.links.peek(node).filter(|link| is_refused(error) && !link.is_ready()) else {
            return;
        };
        if let Some(credentials) = link.credentials().cloned() {
            let login = link.login().clone();
            self.logins.handle_refused(now, &login, &credentials, error.clone());
        }
    }

    /// The same of a side connection.
    pub(super) fn handle_login_failed_aside(&mut self, now: Instant, conn: ConnId, error: &Error) {
        let Some(side) = self.sides.get(conn).filter(|_| is_refused(error)) else { return };
        let Some(credentials) = side.connection.credentials().cloned() else { return };
        let login = side.config.login.clone();
        self.logins.handle_refused(now, &login, &credentials, error.clone());
    }

    pub(super) fn handle_logins_timeout(&mut self, now: Instant) {
        self.logins.handle_timeout(now);
    }
}

/// Whether a server does not take somebody for who it says it is.
pub(super) fn is_refused(error: &Error) -> bool {
    error.code() == Some(ServerCode::WrongPass)
}

impl core::fmt::Debug for Logins {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Logins").field("sources", &self.sources).finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Demand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Credentials(conn, node, _) => write!(f, "Credentials({conn:?}, {node})"),
            Self::Renewals(realm, _) => write!(f, "Renewals({realm:?})"),
            Self::Token(realm, number, _) => write!(f, "Token({realm:?}, {number:?})"),
            Self::Report(report) => report.fmt(f),
        }
    }
}
