//! The only place where the parts are put together: build, port, run.
//!
//! [`parts`] makes each of them from the settings.

mod parts;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{HttpServer, dev::Server, web::Data};
use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::parts::{SESSION_SECRET, fallback_ncco, line, session_secret, set_session_secret};
use self::parts::{mint_policy, state};
use crate::{
    background,
    domain::clock::Clock,
    metrics::Metrics,
    routes,
    settings::{self, Settings},
    state::AppState,
    store::{self, Access},
    vonage::{key::ApplicationKey, minting::Minter},
};

/// Time for a request's head. The framework's own limit, set on purpose.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// The most connections that are open at the same time, where the system allows as many.
const CONNECTIONS: u64 = 40_000;
/// Files and sockets that are not visitors' or Vonage's connections to us: the store, our requests to Vonage.
const OTHER_FILES: u64 = 64;
/// How long a stop waits for the last hang-ups.
const LAST_HANGUPS: Duration = Duration::from_secs(5);
/// What a call may take beyond its ringing and its longest talk before it counts as lost.
const CALL_GRACE: Duration = Duration::from_mins(2);

/// The service, ready to run.
pub struct Application {
    address: SocketAddr,
    drain: Duration,
    state: Data<AppState>,
    server: Server,
    hanging_up: JoinHandle<()>,
    closing: JoinHandle<()>,
    tidying: JoinHandle<()>,
    readying: JoinHandle<()>,
    metrics_address: Option<SocketAddr>,
    showing_metrics: JoinHandle<()>,
    /// Hears what other servers change; ends with the store, or at once when there are none.
    following: JoinHandle<()>,
    /// All requests are finished.
    drained: CancellationToken,
}

impl Application {
    /// Tries the key, opens the store, binds the listener.
    ///
    /// # Errors
    /// When the key, the store or the address can't be used; each says which and why.
    pub async fn build(
        settings: Settings,
        key: ApplicationKey,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let policy = mint_policy(&settings, key)?;
        let metrics = Metrics::new(clock.now());
        let minter = Arc::new(
            Minter::start(policy, metrics.tokens.clone(), clock.now())
                .context("the private key fails its self-test")?,
        );
        let access = Access::Serve {
            connections: settings.database.connections,
        };
        let store = store::connect(&settings.database.url, access).await?;
        let secret = session_secret(&settings.visitors, &*store).await?;
        let state = Data::new(state(&settings, clock, store, minter, metrics, &secret)?);
        let for_app = state.clone();
        let stopping = state.stopping.clone();
        let server = HttpServer::new(move || routes::app(for_app.clone()))
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .max_connections(connections_per_worker())
            .shutdown_timeout(settings.http.shutdown_timeout.as_secs())
            .shutdown_signal(async move { stopping.cancelled().await })
            .bind((settings.http.bind, settings.http.port))
            .with_context(|| {
                format!(
                    "cannot listen on {}:{}: choose another PORT, or stop what has it",
                    settings.http.bind, settings.http.port
                )
            })?;
        let address = server
            .addrs()
            .first()
            .copied()
            .context("nothing is listened on")?;
        let longest = settings.calls.ring + settings.calls.limit + CALL_GRACE;
        let drained = CancellationToken::new();
        let metrics = metrics_server(&settings.metrics, &state, &drained)?;
        Ok(Self {
            address,
            drain: settings.http.drain,
            server: server.run(),
            hanging_up: tokio::spawn(background::hang_up_in_time(state.clone(), drained.clone())),
            closing: tokio::spawn(background::close_calls(state.clone(), longest)),
            tidying: tokio::spawn(background::tidy(
                state.clone(),
                settings.webhooks.tolerance,
                settings.retention.days,
            )),
            readying: tokio::spawn(background::keep_users_ready(state.clone())),
            metrics_address: metrics.as_ref().map(|(address, _)| *address),
            showing_metrics: tokio::spawn(background::show_metrics(
                metrics.map(|(_, server)| server),
                drained.clone(),
            )),
            following: tokio::spawn(background::follow_changes(state.clone())),
            drained,
            state,
        })
    }

    /// The address that is listened on; its port is the chosen one even where the settings say 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the metrics, where there are any.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Reads key and policy again while the service runs. What is wrong with the new ones leaves the old ones in place.
    pub fn reloader(&self) -> Reloader {
        Reloader(self.state.clone())
    }

    /// Serves until `stop` comes: then readiness goes down, and after a pause in which others notice, requests finish, calls that they have hung up are hung up,
    /// what is queued gets on disk.
    ///
    /// # Errors
    /// When the server or a task beside it ends by itself.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            drain,
            state,
            server,
            mut hanging_up,
            mut closing,
            mut tidying,
            mut readying,
            mut showing_metrics,
            following,
            drained,
            ..
        } = self;
        let mut serving = std::pin::pin!(server);
        // The server and the tasks are watched until all have noticed the stop.
        let noticed = async {
            stop.await;
            state.draining.cancel();
            if !drain.is_zero() {
                tracing::info!(
                    seconds = drain.as_secs(),
                    "not ready any more, still serving"
                );
                tokio::time::sleep(drain).await;
            }
        };
        let ended = tokio::select! {
            () = noticed => None,
            ended = &mut serving => {
                ended?;
                Some("the server")
            }
            _ = &mut hanging_up => Some("the task that hangs up"),
            _ = &mut closing => Some("the task that closes calls"),
            _ = &mut tidying => Some("the task that tidies"),
            _ = &mut readying => Some("the task that makes users ahead"),
            _ = &mut showing_metrics => Some("the listener of the metrics"),
        };
        if let Some(part) = ended {
            state.stopping.cancel();
            anyhow::bail!("{part} ended by itself");
        }
        tracing::info!("stopping: requests finish first");
        state.stopping.cancel();
        serving.await?;
        drained.cancel();
        if tokio::time::timeout(LAST_HANGUPS, hanging_up)
            .await
            .is_err()
        {
            tracing::warn!("not every hang-up got through; they are tried again at the next start");
        }
        closing.await?;
        tidying.await?;
        readying.await?;
        showing_metrics.await?;
        state.store.close().await;
        following.await?;
        tracing::info!("stopped");
        Ok(())
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Reads key and policy again. See [`Application::reloader`].
#[derive(Debug, Clone)]
pub struct Reloader(Data<AppState>);

impl Reloader {
    /// Signs with this key and by these settings' ACL and token life from now on.
    ///
    /// # Errors
    /// When the key fails its self-test, or the settings are for another application. The old policy stays in use.
    pub fn reload(&self, settings: &Settings, key: ApplicationKey) -> anyhow::Result<()> {
        let minted_for = self.0.minter.application_id();
        if *settings.vonage.application_id != *minted_for {
            anyhow::bail!(
                "vonage.application_id was {minted_for} at the start: another application needs a restart"
            );
        }
        self.0
            .minter
            .replace(mint_policy(settings, key)?, self.0.clock.now())?;
        Ok(())
    }
}

/// The listener of the metrics, where there is to be one. It goes on until the last request has been answered.
fn metrics_server(
    settings: &settings::Metrics,
    state: &Data<AppState>,
    drained: &CancellationToken,
) -> anyhow::Result<Option<(SocketAddr, Server)>> {
    let Some(port) = settings.port else {
        return Ok(None);
    };
    let (state, drained) = (state.clone(), drained.clone());
    let server = HttpServer::new(move || routes::metrics::app(state.clone()))
        .workers(1)
        .client_request_timeout(HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(1)
        .shutdown_signal(async move { drained.cancelled().await })
        .bind((settings.bind, port))
        .with_context(|| {
            format!(
                "cannot listen on {}:{port} for the metrics: choose another metrics.port, or stop what has it",
                settings.bind
            )
        })?;
    let address = server.addrs().first().copied();
    let address = address.context("nothing is listened on for the metrics")?;
    Ok(Some((address, server.run())))
}

/// How many connections a worker takes before the rest has to wait in the system's queue.
///
/// A process that runs out of file descriptors can neither accept a webhook nor write it down.
fn connections_per_worker() -> usize {
    let files = rlimit::increase_nofile_limit(CONNECTIONS + OTHER_FILES).unwrap_or(1_024);
    let connections = files.saturating_sub(OTHER_FILES).clamp(32, CONNECTIONS);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    usize::try_from(connections).map_or(1_024, |connections| (connections / workers).max(16))
}
