//! Those outside who are asked for credentials and tokens: their futures, polled beside the sockets.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::{Context, Poll, Waker};

use super::ready::{DriverWaker, Ready};
use crate::auth::TokenNumber;
use crate::config::{Credentials, Renewals, Supply, Token};
use crate::connection::ConnId;
use crate::engine::{Demand, Engine, Realm};
use crate::error::CredentialError;
use crate::time::Instant;

/// What is asked.
enum Question {
    Credentials(ConnId, Supply<Credentials>),
    Token(Realm, TokenNumber, Supply<Token>),
    Renewals(Realm, Renewals),
}

/// What was answered.
enum Answer {
    Credentials(ConnId, Result<Credentials, CredentialError>),
    Token(Realm, TokenNumber, Result<Token, CredentialError>),
    Renewal(Realm, Credentials),
    /// There are no further renewals.
    End,
}

struct Supplier {
    question: Question,
    ready: Arc<Ready>,
    waker: Waker,
}

/// All who are asked at the moment.
#[derive(Default)]
pub(super) struct Suppliers(Vec<Supplier>);

impl Suppliers {
    /// Asks whom the engine wants to be asked, and tells whom it wants to be told.
    pub(super) fn follow(&mut self, engine: &mut Engine, driver: &Arc<DriverWaker>) {
        while let Some(demand) = engine.poll_demand() {
            let question = match demand {
                Demand::Credentials(conn, node, provider) => {
                    Question::Credentials(conn, provider.credentials(&node))
                }
                Demand::Token(realm, number, provider) => {
                    self.0.retain(
                        |supplier| !matches!(supplier.question, Question::Token(of, ..) if of == realm),
                    );
                    Question::Token(realm, number, provider.token())
                }
                Demand::Renewals(realm, provider) => match provider.renewals() {
                    Some(renewals) => Question::Renewals(realm, renewals),
                    None => continue,
                },
                Demand::Report(report) => {
                    report.tell();
                    continue;
                }
            };
            let ready = Ready::new(driver, None);
            let waker = Waker::from(Arc::clone(&ready));
            self.0.push(Supplier { question, ready, waker });
        }
    }

    /// Gives the engine the next answer, if there is one. Returns whether there was.
    pub(super) fn poll(&mut self, now: Instant, engine: &mut Engine) -> bool {
        let Some((at, answer)) = self.0.iter_mut().enumerate().find_map(|(at, it)| Some((at, it.poll()?)))
        else {
            return false;
        };
        if !matches!(answer, Answer::Renewal(..)) {
            self.0.swap_remove(at);
        }
        match answer {
            Answer::Credentials(conn, answer) => engine.handle_credentials(now, conn, answer),
            Answer::Token(realm, number, answer) => engine.handle_token(now, realm, number, answer),
            Answer::Renewal(realm, credentials) => engine.handle_renewal(now, realm, &credentials),
            Answer::End => {}
        }
        true
    }

    /// The connection is given up: its credentials are not needed.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.0.retain(|supplier| !matches!(supplier.question, Question::Credentials(of, _) if of == conn));
    }

    /// The driver's task has changed: every wish to be woken has to be made again.
    pub(super) fn refresh(&self) {
        self.0.iter().for_each(|supplier| supplier.ready.set());
    }

    pub(super) fn is_any_ready(&self) -> bool {
        self.0.iter().any(|supplier| supplier.ready.is_set())
    }
}

impl Supplier {
    fn poll(&mut self) -> Option<Answer> {
        if !self.ready.take() {
            return None;
        }
        let cx = &mut Context::from_waker(&self.waker);
        let polled = match &mut self.question {
            Question::Credentials(conn, supply) => {
                supply.as_mut().poll(cx).map(|answer| Answer::Credentials(*conn, answer))
            }
            Question::Token(realm, number, supply) => {
                supply.as_mut().poll(cx).map(|answer| Answer::Token(*realm, *number, answer))
            }
            Question::Renewals(realm, renewals) => {
                renewals.as_mut().poll_next(cx).map(|renewal| match renewal {
                    Some(credentials) => {
                        // There may be more.
                        self.ready.set();
                        Answer::Renewal(*realm, credentials)
                    }
                    None => Answer::End,
                })
            }
        };
        match polled {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }
}
