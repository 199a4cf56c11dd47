//! The account's side of Vonage: [applications], [numbers], [balance], and the [users] of an application.
//!
//! It is for the command line: a person waits for it and reads its errors, so a request is tried for longer than a
//! visitor would wait, and every [`AccountError`] is a sentence that says what to do.
//!
//! Nothing of the owner's is lost: what Vonage says of an application or a number is kept whole, with the fields that
//! this program knows nothing of, and is written back so.

pub mod applications;
pub mod balance;
mod error;
pub mod numbers;
mod prices;
mod request;
pub mod users;

use std::fmt;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use self::request::{Body, Credentials, Request};
pub use self::{
    error::{AccountError, Cause},
    request::OnWait,
};
use super::hosts;

/// The account, by its API key and secret.
pub struct AccountClient {
    http: reqwest::Client,
    api_key: String,
    api_secret: SecretString,
    /// Host of the Applications API.
    applications_url: Url,
    /// Host of the older account API.
    rest_url: Url,
    on_wait: Option<OnWait>,
}

impl AccountClient {
    /// A client for the account of this key. The addresses are those of the settings.
    ///
    /// # Errors
    /// When the HTTP client can't be built (no usable system certificates).
    pub fn new(
        api_key: String,
        api_secret: SecretString,
        api_url: &Url,
        rest_url: Url,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http: request::http_client()?,
            api_key,
            api_secret,
            applications_url: hosts::of_applications(api_url),
            rest_url,
            on_wait: None,
        })
    }

    /// The same client, which tells of pauses that are longer than a second.
    #[must_use]
    pub fn telling(mut self, on_wait: OnWait) -> Self {
        self.on_wait = Some(on_wait);
        self
    }

    /// The account's API key.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// A request to the Applications API. `doing` ends the sentence "could not …".
    async fn ask_api(
        &self,
        doing: &str,
        method: Method,
        segments: &[&str],
        query: &[(&str, String)],
        body: Body<'_>,
    ) -> Result<Value, AccountError> {
        self.ask(doing, method, &self.applications_url, segments, query, body)
            .await
    }

    /// A request to the older account API.
    async fn ask_rest(
        &self,
        doing: &str,
        method: Method,
        segments: &[&str],
        query: &[(&str, String)],
        body: Body<'_>,
    ) -> Result<Value, AccountError> {
        self.ask(doing, method, &self.rest_url, segments, query, body)
            .await
    }

    async fn ask(
        &self,
        doing: &str,
        method: Method,
        host: &Url,
        segments: &[&str],
        query: &[(&str, String)],
        body: Body<'_>,
    ) -> Result<Value, AccountError> {
        let request = Request {
            doing,
            method,
            host,
            segments,
            query,
            body,
        };
        let credentials = Credentials::Account {
            api_key: &self.api_key,
            api_secret: &self.api_secret,
        };
        request.send(&self.http, &credentials, self.on_wait).await
    }
}

impl fmt::Debug for AccountClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountClient")
            .field("api_key", &self.api_key)
            .field("applications_url", &self.applications_url.as_str())
            .field("rest_url", &self.rest_url.as_str())
            .finish_non_exhaustive()
    }
}
