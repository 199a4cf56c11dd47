//! Requests to Vonage whose refusals are what one wants to know: sent once, never judged, written down.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::traces::Traces;
use crate::settings::so_far::AccountAccess;

/// Time for a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Credentials<'a> {
    /// The account (Basic).
    Account(&'a AccountAccess),
    /// An application or a user (Bearer).
    Token(&'a SecretString),
}

/// A request.
pub(super) struct Request<'a> {
    /// What it is for: part of the trace's name.
    pub(super) name: &'a str,
    pub(super) method: Method,
    pub(super) host: &'a Url,
    pub(super) segments: &'a [&'a str],
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
    /// Whether the answer's body may be written down. Not where it may be the owner's own applications and calls.
    pub(super) is_traced: bool,
}

impl<'a> Request<'a> {
    /// A request without query and body.
    pub(super) fn new(
        name: &'a str,
        method: Method,
        host: &'a Url,
        segments: &'a [&'a str],
    ) -> Self {
        Self {
            name,
            method,
            host,
            segments,
            query: &[],
            body: None,
            is_traced: true,
        }
    }
}

/// What Vonage answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Null when it is no JSON.
    pub(super) body: Value,
    /// Bytes of the body.
    pub(super) length: usize,
}

impl Answer {
    /// Whether what was to be deleted is not there.
    pub(super) fn is_gone(&self) -> bool {
        self.status.is_success() || self.status == StatusCode::NOT_FOUND
    }

    /// The status, and Vonage's own word for what is wrong: `404 user:error:not-found`.
    pub(super) fn words(&self) -> String {
        let word = ["code", "type", "title", "error-code-label"]
            .iter()
            .find_map(|key| self.body.get(key)?.as_str());
        let status = self.status.as_u16();
        match word {
            Some(word) if !self.status.is_success() => format!("{status} {word}"),
            _ => status.to_string(),
        }
    }

    /// A text of the body.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// Whether the token, or what its ACL opens, was not enough.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
    }
}

/// The way to Vonage.
pub(super) struct Wire {
    http: reqwest::Client,
    traces: Arc<Traces>,
}

impl Wire {
    pub(super) fn new(traces: Arc<Traces>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!(
                "click-to-call/",
                env!("CARGO_PKG_VERSION"),
                " doctor"
            ))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(PATIENCE)
            // A redirect would carry a secret to another host.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, traces })
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// In words, when there is no answer. The request may have been carried out.
    pub(super) async fn send(
        &self,
        request: Request<'_>,
        credentials: Credentials<'_>,
    ) -> Result<Answer, String> {
        let mut url = request.host.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(request.segments);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        let shown = json!({
            "method": request.method.as_str(), "url": url.as_str(), "body": request.body,
        });
        let mut builder = self.http.request(request.method, url);
        builder = match credentials {
            Credentials::Account(account) => {
                builder.basic_auth(&account.api_key, Some(account.api_secret.expose_secret()))
            }
            Credentials::Token(token) => builder.bearer_auth(token.expose_secret()),
        };
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let unanswered = |error: reqwest::Error| {
            let host = request.host.origin().ascii_serialization();
            let what = if error.is_timeout() {
                "says nothing"
            } else {
                "can't be reached"
            };
            format!("{host} {what}")
        };
        let response = builder.send().await.map_err(unanswered)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unanswered)?;
        let length = body.len();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let traced = if request.is_traced {
            &body
        } else {
            &Value::Null
        };
        self.traces
            .request(request.name, &shown, status.as_u16(), traced);
        Ok(Answer {
            status,
            body,
            length,
        })
    }
}
