//! The only place where the parts are put together: build, port, run.

use std::{fmt, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use actix_web::{HttpServer, dev::Server, http::header::HeaderValue, web::Data};
use anyhow::Context as _;
use aws_lc_rs::rand;
use chrono::TimeDelta;
use secrecy::{ExposeSecret, zeroize::Zeroizing};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    background,
    domain::{
        answering::Answering,
        clock::Clock,
        installation::InstallationSeal,
        line::{Line, LineWords},
        live::LiveCalls,
        sessions::{Sessions, UserPolicy},
        store::Store,
        ticket::TicketSeal,
    },
    metrics::Metrics,
    routes::{self, health::Readiness, limits::AddressLimit, log_limit::LogLimit},
    settings::{self, Settings, SignaturePolicy, TicketPolicy, UserMode, Visitors},
    state::{AppState, ClientHosts, ServiceKeys, Site},
    store::{self, Access},
    views::Views,
    vonage::{
        client::VonageClient,
        hosts::{self, TrustedHosts},
        key::ApplicationKey,
        minting::{MintPolicy, Minter},
        ncco::Ncco,
        signature::SignatureCheck,
    },
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
/// Calls a minute from one address. Far above what people do; what a call may cost is limited in the store.
const CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Proofs of this installation a minute for one address: a few runs of `doctor`.
const PROOFS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();
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
        let store = store::connect(&settings.database.url, Access::Serve).await?;
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

/// What is signed, and with which key.
fn mint_policy(settings: &Settings, key: ApplicationKey) -> anyhow::Result<MintPolicy> {
    Ok(MintPolicy {
        application_id: settings.vonage.application_id.as_str().into(),
        key,
        acl_paths: settings.token.acl_paths.as_slice().into(),
        ttl: TimeDelta::from_std(settings.token.ttl)?,
    })
}

/// The operator's secret, if there is one.
pub fn set_session_secret(visitors: &Visitors) -> Option<Zeroizing<Vec<u8>>> {
    let secret = visitors.session_secret.as_ref()?;
    Some(Zeroizing::new(secret.expose_secret().as_bytes().to_vec()))
}

/// The store's name of the secret that it keeps.
pub const SESSION_SECRET: &str = "session";

/// What tickets and proofs are made under: the operator's secret or, without one, one that this store keeps.
///
/// # Errors
/// When the store fails, or the system has no random numbers for a new one.
pub async fn session_secret(
    visitors: &Visitors,
    store: &dyn Store,
) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if let Some(secret) = set_session_secret(visitors) {
        return Ok(secret);
    }
    let mut fresh = [0; 32];
    rand::fill(&mut fresh).context("no random numbers to be had from the system")?;
    let kept = store.server_secret(SESSION_SECRET, fresh).await?;
    Ok(Zeroizing::new(kept.to_vec()))
}

/// The line of the settings.
///
/// # Errors
/// When it has no words, which the settings do not let through.
pub fn line(settings: &Settings) -> anyhow::Result<Line> {
    let mut words = settings.line.words.iter().map(|words| LineWords {
        language: words.language.clone(),
        name: words.name.clone(),
        greeting: words.greeting.clone(),
        apology: words.apology.clone(),
        refusal: words.refusal.clone(),
        voice_language: words.tts_language.clone(),
        voice_style: words.tts_style,
    });
    Ok(Line {
        id: settings.line.id.clone(),
        destination: settings.line.destination.clone(),
        caller_id: settings.vonage.number.clone(),
        ring: settings.calls.ring,
        limit: settings.calls.limit,
        words: words.next().context("the line has no words")?,
        other_words: words.collect(),
    })
}

/// The NCCO of the fallback address: JSON text.
pub fn fallback_ncco(line: &Line) -> String {
    serde_json::to_string(&Ncco::apology(&line.words)).unwrap_or_else(|_| "[]".to_owned())
}

fn state(
    settings: &Settings,
    clock: Clock,
    store: Arc<dyn Store>,
    minter: Arc<Minter>,
    metrics: Metrics,
    session_secret: &[u8],
) -> anyhow::Result<AppState> {
    let Settings {
        http,
        vonage,
        visitors,
        calls,
        webhooks,
        page,
        ..
    } = settings;
    let line = Arc::new(line(settings)?);
    let provider = VonageClient::new(
        vonage.api_url.clone(),
        TrustedHosts::new(&vonage.api_url, &vonage.rest_url),
        vonage.region,
        NonZeroU32::new(vonage.users_per_second).unwrap_or(NonZeroU32::MIN),
        Arc::clone(&minter),
        metrics.vonage.clone(),
        clock.clone(),
    )?;
    let users = match visitors.users {
        UserMode::PerVisitor => UserPolicy::PerVisitor,
        UserMode::Shared => UserPolicy::Shared(visitors.shared_user.clone()),
    };
    // Users are known to their application alone, and live in one region.
    let home = format!("{} {}", vonage.application_id, vonage.region.as_str());
    let signatures = match webhooks.signatures {
        SignaturePolicy::Off => None,
        SignaturePolicy::Required => Some(SignatureCheck::new(
            &vonage.signature_secrets,
            vonage.api_key.clone(),
            vonage.application_id.clone(),
            TimeDelta::from_std(webhooks.tolerance)?,
        )),
    };
    // People can telephone the linked number instead, when that reaches the same desk.
    let phone = page
        .phone_number
        .clone()
        .or_else(|| calls.phone_line.then(|| vonage.number.clone()));
    let views = Views::new(page.views_dir.clone(), phone.clone());
    Ok(AppState {
        sessions: Sessions::new(users, home, visitors.ready_users),
        answering: Answering {
            line: Arc::clone(&line),
            seal: TicketSeal::new(session_secret),
            tickets_required: calls.tickets == TicketPolicy::Required,
            telephone_callers: calls.phone_line,
        },
        apology: fallback_ncco(&line),
        live: LiveCalls::default(),
        signatures,
        site: Site {
            origin: http.public_url.origin().ascii_serialization(),
            is_https: http.public_url.scheme() == "https",
            allowed_origins: visitors.allowed_origins.clone(),
            legacy_users: visitors.legacy_users.clone(),
            service_keys: ServiceKeys::new(&visitors.service_keys),
            trusted_proxies: http.trusted_proxies.clone(),
            body_timeout: http.body_timeout,
            phone,
            page_policy: page_policy(settings)?,
            client: ClientHosts {
                region: vonage.region,
                api_url: vonage.client_api_url.clone(),
                websocket_url: vonage.websocket_url.clone(),
            },
        },
        sessions_limit: AddressLimit::per_minute(
            NonZeroU32::new(visitors.sessions_per_minute).unwrap_or(NonZeroU32::MIN),
        ),
        calls_limit: AddressLimit::per_minute(CALLS_PER_MINUTE),
        proofs_limit: AddressLimit::per_minute(PROOFS_PER_MINUTE),
        installation: InstallationSeal::new(session_secret),
        process: Uuid::new_v4(),
        readiness: Readiness::default(),
        ticket_ttl: TimeDelta::from_std(calls.ticket_ttl)?,
        pages: views
            .fixed_pages(&line)
            .context("a page can't be rendered")?,
        views,
        line,
        upkeep_now: Notify::new(),
        draining: CancellationToken::new(),
        stopping: CancellationToken::new(),
        log_limit: LogLimit::default(),
        metrics,
        provider: Arc::new(provider),
        clock,
        store,
        minter,
    })
}

/// What the visitor's page may load and reach: ourselves, and the hosts of the SDK.
fn page_policy(settings: &Settings) -> anyhow::Result<HeaderValue> {
    let vonage = &settings.vonage;
    let sources = hosts::page_sources(&vonage.client_api_url, &vonage.websocket_url).join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sources}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Ok(HeaderValue::from_str(&policy)?)
}
