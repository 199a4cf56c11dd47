//! Vonage's REST side, as far as calls need it: [users](mod@users), and control of a running [call](mod@calls).

mod calls;
mod users;

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use tokio::runtime::Handle;
use url::Url;

use super::{
    hosts::{Region, TrustedHosts},
    minting::Minter,
};
use crate::{
    domain::{
        clock::Clock,
        ids::LegId,
        provider::{ProvidedUser, Provider, ProviderError},
    },
    error_chain::with_causes,
    metrics::{Operation, VonageMetrics},
};

/// Time for one request, connection and answer. A visitor waits for it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest that a request waits for its turn under Vonage's limits.
const MAX_TURN: Duration = Duration::from_secs(5);
/// An answer that is longer is not one of Vonage's.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// The client.
pub struct VonageClient {
    http: reqwest::Client,
    /// Where connections to Vonage live. Those of the HTTP workers end with them, and would take the connections along
    /// that the last hang-ups of a stop are about to use.
    runtime: Handle,
    hosts: TrustedHosts,
    api_url: Url,
    minter: Arc<Minter>,
    clock: Clock,
    metrics: VonageMetrics,
    users_turn: DefaultDirectRateLimiter,
    deletions_turn: DefaultDirectRateLimiter,
    calls_turn: DefaultDirectRateLimiter,
    /// Where Vonage says that our users live, once it has said so.
    region: RwLock<Region>,
}

/// An answer that arrived.
struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Value,
}

impl Answer {
    /// A text of the body's object.
    fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }
}

impl VonageClient {
    /// A client for the application whose tokens `minter` signs. `region` is where users are expected to live.
    ///
    /// To be made on the runtime that outlives all requests.
    ///
    /// # Errors
    /// When the HTTP client can't be built (no usable system certificates).
    pub fn new(
        api_url: Url,
        hosts: TrustedHosts,
        region: Region,
        users_per_second: NonZeroU32,
        minter: Arc<Minter>,
        metrics: VonageMetrics,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("click-to-call/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would carry the token to a host that is on no list.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            http,
            runtime: Handle::current(),
            hosts,
            api_url,
            minter,
            clock,
            metrics,
            users_turn: RateLimiter::direct(Quota::per_second(users_per_second)),
            deletions_turn: RateLimiter::direct(Quota::per_second(users::DELETIONS_PER_SECOND)),
            calls_turn: RateLimiter::direct(Quota::per_second(calls::REQUESTS_PER_SECOND)),
            region: RwLock::new(region),
        })
    }

    /// Where our users live.
    pub fn region(&self) -> Region {
        *self.region.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request with the application's token, to a trusted host.
    async fn send(
        &self,
        operation: Operation,
        url: Url,
        body: Option<&Value>,
    ) -> Result<Answer, ProviderError> {
        let token = self
            .minter
            .for_application(self.clock.now())
            .await
            .map_err(|error| unavailable(&format!("was not asked: {error}"), None))?;
        let mut request = self.http.request(method(operation), url).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let began = Instant::now();
        let span = tracing::info_span!(
            "vonage",
            operation = operation.as_str(),
            http.status = tracing::field::Empty,
            otel.kind = "client",
        );
        let answer = self
            .runtime
            .spawn(exchange(request))
            .await
            .unwrap_or_else(|_stopped| {
                Err(unavailable(
                    "was not asked to the end: the service is stopping",
                    None,
                ))
            });
        let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
        span.record("http.status", status);
        self.metrics.asked(operation, status, began.elapsed());
        answer
    }
}

fn method(operation: Operation) -> Method {
    match operation {
        Operation::CreateUser => Method::POST,
        Operation::FindUser | Operation::AskCall => Method::GET,
        Operation::DeleteUser => Method::DELETE,
        Operation::HangUp => Method::PUT,
    }
}

/// Sends a request and reads its whole answer.
async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, ProviderError> {
    // `without_url`: an address may hold a user's name.
    let failed = |error: reqwest::Error| unavailable(&with_causes(&error.without_url()), None);
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_ANSWER_BYTES {
            return Err(unavailable("sends an endless answer", None));
        }
    }
    let body = serde_json::from_slice(&text).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        retry_after,
        body,
    })
}

#[async_trait]
impl Provider for VonageClient {
    async fn ensure_user(
        &self,
        name: &str,
        ttl: Option<Duration>,
    ) -> Result<ProvidedUser, ProviderError> {
        users::ensure(self, name, ttl).await
    }

    async fn delete_user(&self, id: &str) -> Result<(), ProviderError> {
        users::delete(self, id).await
    }

    async fn hang_up(&self, leg: &LegId, region_url: Option<&str>) -> Result<(), ProviderError> {
        calls::hang_up(self, leg, region_url).await
    }

    async fn is_over(&self, leg: &LegId, region_url: Option<&str>) -> Result<bool, ProviderError> {
        calls::is_over(self, leg, region_url).await
    }
}

impl fmt::Debug for VonageClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageClient")
            .field("api_url", &self.api_url.as_str())
            .finish_non_exhaustive()
    }
}

/// Waits for a turn under a limit of Vonage's, but not for long.
async fn turn(limiter: &DefaultDirectRateLimiter) -> Result<(), ProviderError> {
    let mut waited = Duration::ZERO;
    while let Err(not_yet) = limiter.check() {
        let pause = not_yet.wait_time_from(limiter.clock().now());
        waited += pause;
        if waited > MAX_TURN {
            return Err(unavailable(
                "takes no more requests a second than it does",
                Some(MAX_TURN),
            ));
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// An address below a host, each segment encoded.
fn address(host: &Url, segments: &[&str]) -> Result<Url, ProviderError> {
    let mut url = host.clone();
    url.path_segments_mut()
        .map_err(|()| ProviderError::Refused(format!("{host} is not an address that has paths")))?
        .clear()
        .extend(segments);
    Ok(url)
}

fn unavailable(what: &str, retry_after: Option<Duration>) -> ProviderError {
    ProviderError::Unavailable {
        reason: what.to_owned(),
        retry_after,
    }
}

/// What Vonage says of a refusal, cut to its code and title; a 401 comes with its usual causes.
fn refused(doing: &str, answer: &Answer) -> ProviderError {
    let text = |key: &str| {
        let text = answer.text(key).unwrap_or_default();
        text.chars().take(200).collect::<String>()
    };
    let hint = if answer.status == StatusCode::UNAUTHORIZED {
        ": compare VONAGE_APPLICATION_ID and the private key with the application in Vonage's dashboard, and this machine's clock"
    } else {
        ""
    };
    ProviderError::Refused(format!(
        "to {doing}: {} {} {}{hint}",
        answer.status.as_u16(),
        text("code"),
        text("title"),
    ))
}
