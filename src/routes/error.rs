//! Every error that reaches a client: RFC 9457 problems, each of a kind that is documented in `docs/PROBLEMS.md`
//! and at `/problems`.

use std::{borrow::Cow, fmt, time::Duration};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;

pub use super::problem_kind::ProblemKind;
use crate::{
    domain::{provider::ProviderError, sessions::SessionError, store::StoreError},
    vonage::minting::Turned,
};

/// An error on its way to a client. [`super::middleware`] writes its body, in the form that the client reads.
#[derive(Debug, Clone)]
pub struct ApiError {
    kind: ProblemKind,
    detail: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// A problem about which there is nothing more to say.
    pub fn new(kind: ProblemKind) -> Self {
        Self {
            kind,
            detail: None,
            retry_after: None,
        }
    }

    /// A problem, and what exactly it was. Never a secret, never another person's data.
    pub fn with(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
            retry_after: None,
        }
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The error of an answer that has none yet.
    pub(super) fn of_status(status: StatusCode) -> Self {
        Self::new(ProblemKind::of_status(status))
    }

    /// Its kind.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// What exactly it was.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The problem document.
    pub(super) fn document<'a>(&'a self, base: &str, request_id: &str) -> Problem<'a> {
        Problem {
            r#type: format!("{base}/problems#{}", self.kind.slug()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail.as_deref().unwrap_or(self.kind.title()),
            instance: format!("urn:request:{request_id}"),
            retry_after: self.retry_after.map(seconds),
        }
    }
}

/// RFC 9457.
#[derive(Debug, Serialize)]
pub(super) struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// Whole seconds, rounded up, at least one.
fn seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
        .max(1)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(self.kind.title()))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        if let Some(wait) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds(wait)));
        }
        let mut response = response.finish();
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed a request");
        Self::new(ProblemKind::StoreUnavailable).retry_after(Duration::from_secs(2))
    }
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        tracing::error!(%error, "Vonage failed a request");
        let wait = match error {
            ProviderError::Unavailable { retry_after, .. } => {
                retry_after.unwrap_or(Duration::from_secs(5))
            }
            // Somebody has to mend the settings first; there is no point in a quick retry.
            ProviderError::Refused(_) | ProviderError::TooEarly => Duration::from_mins(1),
        };
        Self::new(ProblemKind::VonageUnavailable).retry_after(wait)
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Provider(error) => error.into(),
            SessionError::Random => {
                tracing::error!(%error, "no session could be made");
                Self::new(ProblemKind::Internal)
            }
        }
    }
}

impl From<Turned> for ApiError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Overloaded => {
                Self::new(ProblemKind::Overloaded).retry_after(Duration::from_secs(1))
            }
            Turned::Failed => Self::new(ProblemKind::Internal),
        }
    }
}
