//! The parts that the service is made of, each from the settings that it needs.

use std::{num::NonZeroU32, sync::Arc};

use actix_web::http::header::HeaderValue;
use anyhow::Context as _;
use aws_lc_rs::rand;
use chrono::TimeDelta;
use secrecy::{ExposeSecret, zeroize::Zeroizing};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
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
    routes::{health::Readiness, limits::AddressLimit, log_limit::LogLimit},
    settings::{Settings, SignaturePolicy, TicketPolicy, UserMode, Visitors},
    state::{AppState, ClientHosts, ServiceKeys, Site},
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

/// Calls a minute from one address. Far above what people do; what a call may cost is limited in the store.
const CALLS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Proofs of this installation a minute for one address: a few runs of `doctor`.
const PROOFS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// What is signed, and with which key.
pub(super) fn mint_policy(settings: &Settings, key: ApplicationKey) -> anyhow::Result<MintPolicy> {
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

/// What a request may touch.
pub(super) fn state(
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
