//! What is made at Vonage for the time of a run, and taken away at its end ([`super::leaving`]): an application with a key
//! pair that exists nowhere else, and its users. The owner's application, numbers and webhooks are never touched.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use reqwest::Method;
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    leaving::Made,
    listener::Listener,
    needs::Needs,
    traces::Traces,
    wire::{Answer, Credentials, Request, Wire},
};
use crate::{
    domain::clock::Clock,
    vonage::{
        account::applications::voice_region,
        hosts,
        jwt::{self, Claims, MintError},
        key::ApplicationKey,
    },
};

/// What its owner reads in the dashboard, should it ever stay there.
const NAME: &str = "click-to-call doctor --live (temporary, may be deleted)";
const KEY_BITS: usize = 2_048;
/// Life of every token.
const TOKEN_LIFE: Duration = Duration::from_mins(15);
/// Should a user not be deleted here, Vonage forgets it after this many seconds.
pub(super) const USER_TTL: u64 = 3_600;
/// Milliseconds that Vonage is told to wait for a connection: neither a default nor what `setup` writes.
pub(super) const CONNECT_TIMEOUT: u64 = 700;

/// The temporary application.
pub(super) struct Stage {
    pub(super) needs: Needs,
    pub(super) wire: Wire,
    /// Its id at Vonage.
    pub(super) id: String,
    /// How Vonage shows it.
    pub(super) shown: Value,
    made: Mutex<Made>,
    key: ApplicationKey,
    clock: Clock,
}

/// A user of the temporary application.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    /// `_links.self.href`
    pub(super) address: Option<String>,
}

impl Stage {
    /// Makes the application, with webhooks below this address.
    ///
    /// # Errors
    /// When Vonage does not make it.
    pub(super) async fn set_up(
        needs: Needs,
        webhooks: &str,
        traces: Arc<Traces>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let key = tokio::task::spawn_blocking(new_key).await??;
        let mut stage = Self {
            wire: Wire::new(traces)?,
            id: String::new(),
            shown: Value::Null,
            made: Mutex::default(),
            key,
            clock,
            needs,
        };
        let body = stage.draft(webhooks);
        let host = stage.applications_host();
        let request = Request {
            body: Some(body),
            ..Request::new("application", Method::POST, &host, &["v2", "applications"])
        };
        let answer = stage.by_account(request).await;
        match answer {
            Ok(answer) if answer.status.is_success() && answer.text("/id").is_some() => {
                answer
                    .text("/id")
                    .unwrap_or_default()
                    .clone_into(&mut stage.id);
                stage.shown = answer.body;
                Ok(stage)
            }
            Ok(answer) if !answer.status.is_server_error() => bail!(
                "Vonage does not make the temporary application: {}",
                answer.words()
            ),
            doubt => bail!(
                "whether the temporary application was made is not known ({fault}); if the dashboard \
                 (https://dashboard.nexmo.com/applications) has {NAME:?}, delete it there",
                fault = doubt.map_or_else(|fault| fault, |answer| answer.words()),
            ),
        }
    }

    fn draft(&self, webhooks: &str) -> Value {
        let webhook = |name: &str| json!({ "address": format!("{webhooks}{name}"), "http_method": "POST", "connect_timeout": CONNECT_TIMEOUT });
        json!({
            "name": NAME,
            "keys": { "public_key": self.key.public_key_pem() },
            "privacy": { "improve_ai": false },
            "capabilities": {
                "voice": {
                    "webhooks": { "answer_url": webhook("application-answer"), "event_url": webhook("application-event") },
                    "signed_callbacks": true,
                    "region": voice_region(self.needs.region),
                },
                "rtc": { "webhooks": { "event_url": webhook("rtc-event") }, "signed_callbacks": true },
            },
        })
    }

    /// Asks for a call.
    ///
    /// # Errors
    /// In words, when it may have been made all the same: no answer has come, or a fault of Vonage's.
    pub(super) async fn place(&self, body: Value, listener: &Listener) -> Result<Answer, String> {
        let known = self.calls(listener).len();
        self.made().in_doubt = Some(known);
        let answer = self
            .by_application("call", Method::POST, &["v1", "calls"], Some(body))
            .await?;
        if answer.status.is_server_error() {
            return Err(answer.words());
        }
        let mut made = self.made();
        made.in_doubt = None;
        made.calls.extend(answer.text("/uuid").map(str::to_owned));
        Ok(answer)
    }

    pub(super) fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a user that nobody has.
    ///
    /// # Errors
    /// In words, when there is none.
    pub(super) async fn user(&self) -> Result<User, String> {
        let name = format!("live-{}", Uuid::new_v4().simple());
        let answer = self.create_user(&name).await?;
        match answer.text("/id") {
            Some(id) if answer.status.is_success() => Ok(User {
                id: id.to_owned(),
                address: answer.text("/_links/self/href").map(str::to_owned),
                name,
            }),
            _ => Err(format!("no user could be made: {}", answer.words())),
        }
    }

    /// Asks for a user of this name.
    pub(super) async fn create_user(&self, name: &str) -> Result<Answer, String> {
        self.made().users.entry(name.to_owned()).or_default();
        let body = json!({ "name": name, "properties": { "ttl": USER_TTL } });
        let answer = self
            .by_application("user", Method::POST, &["v1", "users"], Some(body))
            .await?;
        if let Some(id) = answer.text("/id").filter(|_| answer.status.is_success()) {
            self.made()
                .users
                .insert(name.to_owned(), Some(id.to_owned()));
        }
        Ok(answer)
    }

    /// A request of the account's.
    pub(super) async fn by_account(&self, request: Request<'_>) -> Result<Answer, String> {
        self.wire
            .send(request, Credentials::Account(&self.needs.account))
            .await
    }

    /// A request of the application's own, to the region's host.
    pub(super) async fn by_application(
        &self,
        name: &str,
        method: Method,
        segments: &[&str],
        body: Option<Value>,
    ) -> Result<Answer, String> {
        let request = Request {
            body,
            ..Request::new(name, method, &self.needs.account.api_url, segments)
        };
        self.as_application(request).await
    }

    /// A request of the application's own, to whatever host.
    pub(super) async fn as_application(&self, request: Request<'_>) -> Result<Answer, String> {
        let token = self.application_token()?;
        self.wire.send(request, Credentials::Token(&token)).await
    }

    /// A request of a visitor's, with a token for these paths, as the Client SDK makes it.
    pub(super) async fn by_visitor(
        &self,
        user: &str,
        paths: &[String],
        request: Request<'_>,
    ) -> Result<Answer, String> {
        let claims = Claims::for_user(self.id.as_str(), user, paths, self.clock.now(), TOKEN_LIFE);
        let token = signed(jwt::mint(&self.key, &claims))?;
        self.wire.send(request, Credentials::Token(&token)).await
    }

    fn application_token(&self) -> Result<SecretString, String> {
        let claims = Claims::for_application(self.id.as_str(), self.clock.now(), TOKEN_LIFE);
        signed(jwt::mint(&self.key, &claims))
    }

    /// Host of the Applications API.
    pub(super) fn applications_host(&self) -> Url {
        hosts::of_applications(&self.needs.account.api_url)
    }
}

fn signed(token: Result<String, MintError>) -> Result<SecretString, String> {
    token
        .map(SecretString::from)
        .map_err(|error| error.to_string())
}

fn new_key() -> anyhow::Result<ApplicationKey> {
    let key = RsaPrivateKey::new(&mut OsRng, KEY_BITS).context("no key could be made")?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .context("the key could not be written as PEM")?;
    Ok(ApplicationKey::parse(&pem)?)
}
