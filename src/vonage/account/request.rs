//! One request: sent, tried again where that is harmless, and its answer read.

use std::{fmt, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::error::{AccountError, Cause, cause_of};
use crate::error_chain::with_causes;

/// Time for one try, connection and answer. Buying a number takes Vonage a while.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest pause that Vonage is granted before another try; a person is waiting.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// A longer pause is told: a person would take it for the end.
const SILENT_PAUSE: Duration = Duration::from_secs(1);
/// Tries after the first.
const MORE_TRIES: usize = 3;
/// An answer that is longer is not one of Vonage's: a hundred applications have about 100 KiB.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Is told in a sentence what is waited for, and for how long.
pub type OnWait = fn(&str);

/// Who asks.
pub(super) enum Credentials<'a> {
    /// The account (Basic).
    Account {
        api_key: &'a str,
        api_secret: &'a SecretString,
    },
    /// An application, by a token of its own (Bearer).
    Application { token: &'a SecretString },
}

/// What is sent along.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    None,
    Json(&'a Value),
    Form(&'a [(&'a str, &'a str)]),
}

/// A request.
pub(super) struct Request<'a> {
    /// Ends the sentence "could not …".
    pub(super) doing: &'a str,
    pub(super) method: Method,
    pub(super) host: &'a Url,
    pub(super) segments: &'a [&'a str],
    pub(super) query: &'a [(&'a str, String)],
    pub(super) body: Body<'a>,
}

/// The HTTP client of the account's side.
pub(super) fn http_client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .user_agent(concat!("click-to-call/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        // A redirect would carry the secret to another host.
        .redirect(reqwest::redirect::Policy::none())
        .build()?)
}

impl Request<'_> {
    /// Sends the request until it is answered, and returns the answer's body (null where there is none).
    ///
    /// What changes nothing, or changes the same thing again, is tried again after faults of the network and of
    /// Vonage's; what buys or creates only when it was certainly not carried out.
    pub(super) async fn send(
        &self,
        http: &reqwest::Client,
        credentials: &Credentials<'_>,
        on_wait: Option<OnWait>,
    ) -> Result<Value, AccountError> {
        let once = || self.attempt(http, credentials);
        once.retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(300))
                .with_max_times(MORE_TRIES)
                .with_jitter(),
        )
        .when(|failure| failure.retry.is_some())
        .adjust(|failure, pause| pause.map(|pause| pause.max(failure.retry.unwrap_or_default())))
        .notify(|failure, pause| {
            if let Some(tell) = on_wait.filter(|_| pause > SILENT_PAUSE) {
                tell(&self.waiting(&failure.cause, pause));
            }
        })
        .await
        .map_err(|failure| AccountError {
            doing: self.doing.to_owned(),
            cause: failure.cause,
        })
    }

    async fn attempt(
        &self,
        http: &reqwest::Client,
        credentials: &Credentials<'_>,
    ) -> Result<Value, Failure> {
        let mut request = http.request(self.method.clone(), self.address()?);
        request = match credentials {
            Credentials::Account {
                api_key,
                api_secret,
            } => request.basic_auth(api_key, Some(api_secret.expose_secret())),
            Credentials::Application { token } => request.bearer_auth(token.expose_secret()),
        };
        request = match self.body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Form(fields) => request.form(fields),
        };
        let response = request
            .send()
            .await
            .map_err(|error| self.unanswered(error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let text = self.read(response).await?;
        let body = if text.is_empty() {
            Some(Value::Null)
        } else {
            serde_json::from_slice(&text).ok()
        };
        match body {
            Some(body) if status.is_success() => Ok(body),
            body => Err(self.refused(status, retry_after, body.as_ref(), credentials)),
        }
    }

    fn address(&self) -> Result<Url, Failure> {
        let mut url = self.host.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::of(self.unexpected("an address that has no paths")))?
            .clear()
            .extend(self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        Ok(url)
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unanswered(error))?
        {
            text.extend_from_slice(&chunk);
            if text.len() > MAX_ANSWER_BYTES {
                return Err(Failure::of(self.unexpected("an endless answer")));
            }
        }
        Ok(text)
    }

    /// No answer. `without_url`: an address may hold a user's name.
    fn unanswered(&self, error: reqwest::Error) -> Failure {
        let unsent = error.is_connect();
        let reason = with_causes(&error.without_url());
        if unsent || self.is_repeatable() {
            let host = self.host.origin().ascii_serialization();
            Failure::passing(Cause::Unreachable { host, reason }, Duration::ZERO)
        } else {
            Failure::of(Cause::InDoubt {
                what: format!("the connection failed ({reason})"),
            })
        }
    }

    fn refused(
        &self,
        status: StatusCode,
        retry_after: Option<u64>,
        body: Option<&Value>,
        credentials: &Credentials<'_>,
    ) -> Failure {
        if status.is_success() || status.is_redirection() {
            let what = format!("HTTP {} without JSON", status.as_u16());
            return Failure::of(self.unexpected(&what));
        }
        let host = self.host.origin().ascii_serialization();
        let body = body.unwrap_or(&Value::Null);
        let cause = cause_of(host, status, retry_after, body, credentials);
        if let Cause::ServerFault { status } = cause {
            return if self.is_repeatable() {
                Failure::passing(cause, Duration::ZERO)
            } else {
                Failure::of(Cause::InDoubt {
                    what: format!("Vonage had a fault of its own (HTTP {status})"),
                })
            };
        }
        let pause = retry_after.map_or(Duration::ZERO, Duration::from_secs);
        // Not carried out, so that any request may be sent again.
        if matches!(cause, Cause::TooManyRequests { .. }) && pause <= MAX_PAUSE {
            return Failure::passing(cause, pause);
        }
        Failure::of(cause)
    }

    fn waiting(&self, cause: &Cause, pause: Duration) -> String {
        let why = if matches!(cause, Cause::TooManyRequests { .. }) {
            "Vonage takes no more requests for now"
        } else {
            "Vonage can't be reached, or has a fault"
        };
        let seconds = pause.as_secs_f64().ceil();
        format!(
            "{why}: waiting {seconds} s, then trying again to {}",
            self.doing
        )
    }

    fn is_repeatable(&self) -> bool {
        self.method != Method::POST
    }

    fn unexpected(&self, what: &str) -> Cause {
        Cause::Unexpected {
            host: self.host.origin().ascii_serialization(),
            what: what.to_owned(),
        }
    }
}

/// A try that failed.
#[derive(Debug)]
struct Failure {
    cause: Cause,
    /// The pause before another try; `None`: another try makes no sense, or could do it twice.
    retry: Option<Duration>,
}

impl Failure {
    fn of(cause: Cause) -> Self {
        Self { cause, retry: None }
    }

    /// One that may be over after a pause.
    fn passing(cause: Cause, pause: Duration) -> Self {
        Self {
            cause,
            retry: Some(pause),
        }
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account { api_key, .. } => write!(f, "Account({api_key}, [redacted])"),
            Self::Application { .. } => f.write_str("Application([redacted])"),
        }
    }
}
