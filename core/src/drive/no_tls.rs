//! What stands for TLS where it is not built in: types of which there is no value.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::marker::PhantomData;
use core::task::{Context, Poll};
use std::io;

use bytes::{Buf, BytesMut};

use super::net::Socket;
use crate::config::{Config, Endpoint, Tls};
use crate::error::ConfigError;

#[derive(Debug)]
pub(super) struct Sessions;

#[derive(Debug)]
pub(super) struct Session(Infallible);

#[derive(Debug)]
pub(super) struct TlsStream<S>(Infallible, PhantomData<S>);

impl Sessions {
    #[expect(clippy::unnecessary_wraps, reason = "with TLS it may fail")]
    pub(super) const fn new(_: &Config) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    /// No configuration with TLS is valid.
    pub(super) const fn find(&self, _: Option<&Arc<Tls>>, _: &Endpoint) -> Option<Session> {
        None
    }
}

impl Session {
    pub(super) fn over<S>(&self, _: S) -> io::Result<TlsStream<S>> {
        match self.0 {}
    }
}

impl<S: Socket> TlsStream<S> {
    pub(super) const fn socket(&self) -> &S {
        match self.0 {}
    }

    pub(super) fn poll_open(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub(super) fn shrink(&mut self) {
        match self.0 {}
    }

    pub(super) fn poll_read(&mut self, _: &mut Context<'_>, _: &mut BytesMut) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(super) fn poll_write(&mut self, _: &mut Context<'_>, _: &mut impl Buf) -> Poll<io::Result<usize>> {
        match self.0 {}
    }
}
