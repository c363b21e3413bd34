//! The clients of all runtimes behind one face, so that one test runs on each.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use redstart_core::client::{Handle, NoEvent, Options, Subscription, Wait};
use redstart_core::command::{Args, Batch, Command, FromReply, Run};
use redstart_core::config::{Deployment, IntoConfig};
use redstart_core::engine::ServerInfo;
use redstart_core::pubsub::Event;
use redstart_core::{Client, Result};

/// Who moves a client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// A task of Tokio.
    Tokio,
    /// A task of async-std.
    AsyncStd,
    /// The threads that call, in turns.
    Blocking,
    /// A thread of the blocking client's own.
    Background,
}

impl Runtime {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tokio, Self::AsyncStd, Self::Blocking, Self::Background];
    /// Those whose calls are futures, which can be dropped at any time.
    pub const ASYNC: [Self; 2] = [Self::Tokio, Self::AsyncStd];

    /// Connects to what a URL or a configuration says.
    ///
    /// # Errors
    /// As the adapter's `connect`.
    pub fn connect(self, config: impl IntoConfig) -> Result<AnyClient> {
        Ok(AnyClient(match self {
            Self::Tokio => {
                Inner::Tokio(Client::clone(&*tokio().block_on(redstart_tokio::Client::connect(config))?))
            }
            Self::AsyncStd => Inner::AsyncStd(Client::clone(&*async_std::task::block_on(
                redstart_async_std::Client::connect(config),
            )?)),
            Self::Blocking => Inner::Blocking(redstart_blocking::Client::connect(config)?),
            Self::Background => Inner::Blocking(redstart_blocking::Client::connect_in_background(config)?),
        }))
    }

    /// Lets a task run beside others. What is returned ends with it.
    ///
    /// # Panics
    /// The runtime has no tasks. What is returned panics if the task has.
    pub fn spawn(self, task: impl Future<Output = ()> + Send + 'static) -> Task {
        match self {
            Self::Tokio => {
                let task = tokio().spawn(task);
                Box::pin(async { task.await.expect("the task does not panic") })
            }
            Self::AsyncStd => Box::pin(async_std::task::spawn(task)),
            Self::Blocking | Self::Background => panic!("{self:?} has threads only"),
        }
    }

    /// A future that is ready after `time`.
    ///
    /// # Panics
    /// The runtime has none.
    pub fn sleep(self, time: Duration) -> Task {
        match self {
            Self::Tokio => Box::pin(::tokio::time::sleep(time)),
            Self::AsyncStd => Box::pin(async_std::task::sleep(time)),
            Self::Blocking | Self::Background => panic!("{self:?} has no futures"),
        }
    }

    /// Whether bytes move while no call is made, so that the client notices what happens in the meantime.
    #[must_use]
    pub fn is_always_driven(self) -> bool {
        self != Self::Blocking
    }
}

/// Something that goes on by itself, and its end.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs the test on each runtime in turn.
///
/// # Panics
/// If the test does, after naming the runtime on standard error.
pub fn for_each_runtime(mut test: impl FnMut(Runtime)) {
    for runtime in Runtime::ALL {
        // Shown by the test runner when the test fails.
        eprintln!("runtime: {runtime:?}");
        test(runtime);
    }
}

/// The Tokio runtime of this process.
///
/// # Panics
/// If the system has no thread left.
pub fn tokio() -> &'static tokio::runtime::Runtime {
    static TOKIO: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("the system has threads to spare")
    });
    &TOKIO
}

/// A client of any runtime, whose calls block the thread that makes them. It can be shared by threads.
#[derive(Clone, Debug)]
pub struct AnyClient(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Tokio(Client),
    AsyncStd(Client),
    Blocking(redstart_blocking::Client),
}

macro_rules! wait {
    ($self:expr, $client:ident => $call:expr) => {
        match &$self.0 {
            Inner::Tokio($client) => tokio().block_on($call),
            Inner::AsyncStd($client) => async_std::task::block_on($call),
            Inner::Blocking($client) => $call,
        }
    };
}

impl AnyClient {
    /// The client itself, which is one of core, or the blocking one.
    ///
    /// # Errors
    /// The blocking one.
    pub fn into_async(self) -> std::result::Result<Client, redstart_blocking::Client> {
        match self.0 {
            Inner::Tokio(client) | Inner::AsyncStd(client) => Ok(client),
            Inner::Blocking(client) => Err(client),
        }
    }

    /// A handle whose calls go by other options.
    #[must_use]
    pub fn with(&self, options: Options) -> Self {
        Self(match &self.0 {
            Inner::Tokio(client) => Inner::Tokio(client.with(options)),
            Inner::AsyncStd(client) => Inner::AsyncStd(client.with(options)),
            Inner::Blocking(client) => Inner::Blocking(client.with(options)),
        })
    }

    /// `pipeline` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn pipeline<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        wait!(self, client => client.pipeline(batch))
    }

    /// `try_pipeline` of the client.
    pub fn try_pipeline<B: Batch>(&self, batch: B) -> B::Results {
        wait!(self, client => client.try_pipeline(batch))
    }

    /// `transaction` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn transaction<B: Batch>(&self, batch: B) -> Result<B::Replies> {
        wait!(self, client => client.transaction(batch))
    }

    /// `try_transaction` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn try_transaction<B: Batch>(&self, batch: B) -> Result<B::Results> {
        wait!(self, client => client.try_transaction(batch))
    }

    /// `connected` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn connected(&self) -> Result<ServerInfo> {
        wait!(self, client => client.connected())
    }

    /// `close` of the client.
    pub fn close(&self) {
        wait!(self, client => client.close());
    }
}

impl AnyClient {
    /// `subscribe` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&self, channels: impl Args) -> Result<AnySubscription> {
        self.listen(channels, Listen::Channels)
    }

    /// `psubscribe` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn psubscribe(&self, patterns: impl Args) -> Result<AnySubscription> {
        self.listen(patterns, Listen::Patterns)
    }

    /// `ssubscribe` of the client.
    ///
    /// # Errors
    /// As there.
    pub fn ssubscribe(&self, channels: impl Args) -> Result<AnySubscription> {
        self.listen(channels, Listen::Shards)
    }

    fn listen(&self, names: impl Args, to: Listen) -> Result<AnySubscription> {
        let begin = async |client: &Client| match to {
            Listen::Channels => client.subscribe(&names).await,
            Listen::Patterns => client.psubscribe(&names).await,
            Listen::Shards => client.ssubscribe(&names).await,
        };
        Ok(match &self.0 {
            Inner::Tokio(client) => AnySubscription::Tokio(tokio().block_on(begin(client))?),
            Inner::AsyncStd(client) => AnySubscription::AsyncStd(async_std::task::block_on(begin(client))?),
            Inner::Blocking(client) => AnySubscription::Blocking(match to {
                Listen::Channels => client.subscribe(names)?,
                Listen::Patterns => client.psubscribe(names)?,
                Listen::Shards => client.ssubscribe(names)?,
            }),
        })
    }
}

#[derive(Clone, Copy)]
enum Listen {
    Channels,
    Patterns,
    Shards,
}

/// A subscription of any runtime, whose calls block the thread that makes them.
#[derive(Debug)]
pub enum AnySubscription {
    /// Driven by Tokio.
    Tokio(Subscription),
    /// Driven by async-std.
    AsyncStd(Subscription),
    /// Driven by threads.
    Blocking(redstart_blocking::Subscription),
}

macro_rules! wait_for {
    ($self:expr, $subscription:ident => $call:expr) => {
        match $self {
            AnySubscription::Tokio($subscription) => tokio().block_on($call),
            AnySubscription::AsyncStd($subscription) => async_std::task::block_on($call),
            AnySubscription::Blocking($subscription) => $call,
        }
    };
}

impl AnySubscription {
    /// `next` of the subscription.
    #[expect(clippy::should_implement_trait, reason = "it is that of the asynchronous ones as well")]
    pub fn next(&mut self) -> Option<Event> {
        wait_for!(self, subscription => subscription.next())
    }

    /// `next_timeout` of the subscription.
    ///
    /// # Errors
    /// As there.
    pub fn next_timeout(&mut self, timeout: Duration) -> std::result::Result<Event, NoEvent> {
        wait_for!(self, subscription => subscription.next_timeout(timeout))
    }

    /// `subscribe` of the subscription.
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&self, channels: impl Args) -> Result<()> {
        wait_for!(self, subscription => subscription.subscribe(channels))
    }

    /// `unsubscribe` of the subscription.
    pub fn unsubscribe(&self, channels: impl Args) {
        match self {
            Self::Tokio(subscription) | Self::AsyncStd(subscription) => subscription.unsubscribe(channels),
            Self::Blocking(subscription) => subscription.unsubscribe(channels),
        }
    }
}

impl Handle for AnyClient {
    type Outcome<F: Future> = F::Output;

    fn client(&self) -> &Client {
        match &self.0 {
            Inner::Tokio(client) | Inner::AsyncStd(client) => client,
            Inner::Blocking(client) => Handle::client(client),
        }
    }

    fn complete<F: Future>(&self, call: F) -> F::Output {
        self.wait(call)
    }
}

impl Wait for AnyClient {
    fn wait<F: Future>(&self, call: F) -> F::Output {
        match &self.0 {
            Inner::Tokio(_) => tokio().block_on(call),
            Inner::AsyncStd(_) => async_std::task::block_on(call),
            Inner::Blocking(client) => client.wait(call),
        }
    }
}

impl Run for &AnyClient {
    type Output<T: FromReply> = Result<T>;

    fn run<T: FromReply>(self, command: Command<T>) -> Result<T> {
        wait!(self, client => client.run(command))
    }

    fn deployed(&self) -> &Deployment {
        match &self.0 {
            Inner::Tokio(client) | Inner::AsyncStd(client) => client.config().deployed(),
            Inner::Blocking(client) => client.config().deployed(),
        }
    }
}
