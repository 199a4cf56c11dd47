//! What is made at Vonage for the time of a run, and taken away at its end: an application with a key pair that exists
//! nowhere else, and its users. The owner's application, numbers and webhooks are never touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
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
const USER_TTL: u64 = 3_600;
/// A call that was just made is not hung up at once.
const HANG_UP_TRIES: usize = 8;
const HANG_UP_PAUSE: Duration = Duration::from_millis(500);
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

/// What may be taken away again, and nothing else: whose users and calls a token of the application lists is not said
/// anywhere, so that a list is never gone through.
#[derive(Debug, Default)]
struct Made {
    /// Users that were asked for, by name, with the id of those that are known to have been made.
    users: BTreeMap<String, Option<String>>,
    /// Calls that Vonage says it made.
    calls: BTreeSet<String>,
    /// A call that was asked for, of which Vonage's answer has not come.
    has_asked: bool,
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
            Ok(answer) => bail!(
                "Vonage does not make the temporary application: {}",
                answer.words()
            ),
            Err(fault) => bail!(
                "whether the temporary application was made is not known ({fault}); if the dashboard \
                 (https://dashboard.nexmo.com/applications) has {NAME:?}, delete it there"
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

    /// Deletes everything that was made. Returns what is still there, each with the command that deletes it.
    pub(super) async fn take_down(&self, listener: Option<&Listener>) -> Vec<String> {
        if let Some(listener) = listener {
            self.hang_up(listener).await;
        }
        let users = self.made().users.clone();
        for (name, id) in users {
            let mut ids = self.ids_of(&name).await;
            ids.extend(id);
            for id in ids {
                // What is left of them is said by the application's deletion, and their time is short anyway.
                let segments = ["v1", "users", id.as_str()];
                let _ = self
                    .by_application("user-deletion", Method::DELETE, &segments, None)
                    .await;
            }
        }
        let host = self.applications_host();
        let segments = ["v2", "applications", self.id.as_str()];
        let mut why = String::new();
        for _ in 0..3 {
            let request = Request::new("application-deletion", Method::DELETE, &host, &segments);
            match self.by_account(request).await {
                Ok(answer)
                    if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND =>
                {
                    return Vec::new();
                }
                Ok(answer) => why = answer.words(),
                Err(fault) => why = fault,
            }
        }
        vec![self.left_behind(&why)]
    }

    /// That the application is still there, why, and the command that deletes it.
    pub(super) fn left_behind(&self, why: &str) -> String {
        format!(
            "the application {id} ({why}): curl -u \"$VONAGE_API_KEY:$VONAGE_API_SECRET\" -X DELETE \
             {origin}/v2/applications/{id}",
            id = self.id,
            origin = self.applications_host().origin().ascii_serialization(),
        )
    }

    /// Asks for a call.
    ///
    /// # Errors
    /// In words, when no answer has come.
    pub(super) async fn place(&self, body: Value) -> Result<Answer, String> {
        self.made().has_asked = true;
        let answer = self
            .by_application("call", Method::POST, &["v1", "calls"], Some(body))
            .await?;
        let mut made = self.made();
        made.has_asked = false;
        made.calls.extend(answer.text("/uuid").map(str::to_owned));
        Ok(answer)
    }

    /// Hangs up the calls that were made here: those that Vonage said it made, and those that its webhooks told of, as
    /// the answer to one that was interrupted is missing. What does not hang up ends by its own limit.
    pub(super) async fn hang_up(&self, listener: &Listener) {
        for _ in 0..HANG_UP_TRIES {
            let (mut calls, has_asked) = {
                let made = self.made();
                (made.calls.clone(), made.has_asked)
            };
            let told = listener.all();
            calls.extend(
                told.iter()
                    .filter_map(|one| one.text("uuid"))
                    .map(str::to_owned),
            );
            let mut is_any_open = has_asked && calls.is_empty();
            for uuid in &calls {
                let segments = ["v1", "calls", uuid.as_str()];
                let shown = self
                    .by_application("call-state", Method::GET, &segments, None)
                    .await;
                if !shown.is_ok_and(|answer| is_open(&answer)) {
                    continue;
                }
                is_any_open = true;
                let body = json!({ "action": "hangup" });
                let _ = self
                    .by_application("hang-up", Method::PUT, &segments, Some(body))
                    .await;
            }
            if !is_any_open {
                return;
            }
            // Vonage refuses to hang up in a call's first seconds.
            tokio::time::sleep(HANG_UP_PAUSE).await;
        }
    }

    /// Ids of the users of exactly this name: the answer to one that was interrupted is missing, and there may be two.
    async fn ids_of(&self, name: &str) -> BTreeSet<String> {
        let request = Request {
            query: &[("name", name)],
            ..Request::new(
                "users",
                Method::GET,
                &self.needs.account.api_url,
                &["v1", "users"],
            )
        };
        let listed = self.as_application(request).await.ok();
        let users = listed
            .as_ref()
            .and_then(|answer| answer.body.pointer("/_embedded/users")?.as_array());
        let of_name = users
            .into_iter()
            .flatten()
            .filter(|user| user.get("name").and_then(Value::as_str) == Some(name));
        of_name
            .filter_map(|user| user.get("id")?.as_str().map(str::to_owned))
            .collect()
    }

    fn made(&self) -> MutexGuard<'_, Made> {
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

fn is_open(call: &Answer) -> bool {
    matches!(
        call.text("/status"),
        Some("started" | "ringing" | "answered")
    )
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
