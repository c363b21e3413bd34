//! What takes several calls, written once for clients whose calls are futures and for those whose calls wait.

use core::future::Future;

use super::Client;

/// A client of any runtime: [`Client`], or that of an adapter for blocking code.
///
/// Whatever takes more than one call, such as a [`Lock`](super::lock::Lock), is a future inside and is written for any
/// `Handle`. A [`Client`] gives that future to the caller; a blocking client waits for it.
pub trait Handle: Clone {
    /// What a call gives that is the future `F` inside: `F`, or its output.
    type Outcome<F: Future>;

    /// The client itself.
    fn client(&self) -> &Client;

    /// Gives a call to the caller.
    fn complete<F: Future>(&self, call: F) -> Self::Outcome<F>;
}

/// A [`Handle`] whose calls wait for their outcome, from any thread.
pub trait Wait: Handle + Sync {
    /// Waits for a future of this client.
    fn wait<F: Future>(&self, call: F) -> F::Output;
}

impl Handle for Client {
    type Outcome<F: Future> = F;

    fn client(&self) -> &Client {
        self
    }

    fn complete<F: Future>(&self, call: F) -> F {
        call
    }
}
