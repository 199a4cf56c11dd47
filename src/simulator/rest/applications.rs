//! Applications API v2: create, read, list, replace, delete; key upload and read-back.
//!
//! Source: <https://developer.vonage.com/en/api/application.v2>

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    pkcs8::{DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::OsRng,
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::auth::Account;
use crate::simulator::{
    cloud::{Cloud, lock},
    config::{HttpMethod, WebhookUrl},
    refusal::{Fault, Refusal},
    registry::{Application, Voice, Webhook},
    scenario::TimeoutName,
};

/// Bits of a key that Vonage makes itself.
const GENERATED_KEY_BITS: usize = 2_048;

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v2/applications", get(list).post(create))
        .route(
            "/v2/applications/{id}",
            get(show).put(replace).delete(delete),
        )
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default = "default_page_size")]
    page_size: usize,
    #[serde(default = "first_page")]
    page: usize,
}

fn default_page_size() -> usize {
    10
}

fn first_page() -> usize {
    1
}

async fn list(
    _: Account,
    State(cloud): State<Arc<Cloud>>,
    Query(asked): Query<Page>,
) -> Result<Json<Value>, Refusal> {
    if !(1..=100).contains(&asked.page_size) || asked.page == 0 {
        return Err(Refusal::invalid_application(&[Fault::new(
            "page_size",
            "must be between 1 and 100, and page at least 1",
        )]));
    }
    let name = lock(&cloud.scenario).habits.timeout_name;
    let registry = lock(&cloud.registry);
    let total = registry.applications.len();
    let shown: Vec<Value> = registry
        .applications
        .iter()
        .skip((asked.page - 1) * asked.page_size)
        .take(asked.page_size)
        .map(|application| shown_as(application, name))
        .collect();
    let pages = total.div_ceil(asked.page_size);
    let link = |page: usize| json!({ "href": format!("/v2/applications?page_size={}&page={page}", asked.page_size) });
    Ok(Json(json!({
        "page_size": asked.page_size,
        "page": asked.page,
        "total_items": total,
        "total_pages": pages,
        "_embedded": { "applications": shown },
        "_links": { "self": link(asked.page), "first": link(1), "last": link(pages.max(1)) },
    })))
}

async fn create(
    _: Account,
    State(cloud): State<Arc<Cloud>>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let draft = Draft::read(&body).map_err(|faults| Refusal::invalid_application(&faults))?;
    let (public_key, private_key) = if let Some(own) = &draft.public_key {
        (own.clone(), None)
    } else {
        let (public, private) = generate_key().await?;
        (public, Some(private))
    };
    let application = draft.into_application(Uuid::new_v4().to_string(), public_key);
    let mut shown = shown_as(&application, lock(&cloud.scenario).habits.timeout_name);
    if let Some(private_key) = private_key {
        shown["keys"]["private_key"] = Value::String(private_key);
    }
    lock(&cloud.registry).applications.push(application);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn show(
    _: Account,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let name = lock(&cloud.scenario).habits.timeout_name;
    lock(&cloud.registry)
        .application(&id)
        .map(|application| Json(shown_as(application, name)))
        .ok_or_else(|| Refusal::not_found(&id))
}

/// Replaces everything: a capability that is not in the body is gone. The key stays unless a new
/// one is sent.
async fn replace(
    _: Account,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Refusal> {
    let draft = Draft::read(&body).map_err(|faults| Refusal::invalid_application(&faults))?;
    let name = lock(&cloud.scenario).habits.timeout_name;
    let mut registry = lock(&cloud.registry);
    let found = registry
        .applications
        .iter_mut()
        .find(|application| application.id == id)
        .ok_or_else(|| Refusal::not_found(&id))?;
    let public_key = draft
        .public_key
        .clone()
        .unwrap_or_else(|| found.public_key.clone());
    *found = draft.into_application(id, public_key);
    Ok(Json(shown_as(found, name)))
}

async fn delete(
    _: Account,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let mut registry = lock(&cloud.registry);
    registry
        .application(&id)
        .ok_or_else(|| Refusal::not_found(&id))?;
    registry
        .applications
        .retain(|application| application.id != id);
    registry.users.retain(|user| user.application_id != id);
    for number in &mut registry.numbers {
        if number.application_id.as_ref() == Some(&id) {
            number.application_id = None;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// An application with its webhooks' time to connect under this name.
fn shown_as(application: &Application, name: TimeoutName) -> Value {
    let mut shown = application.as_json();
    if name == TimeoutName::ConnectTimeout {
        return shown;
    }
    let webhooks = shown.pointer_mut("/capabilities/voice/webhooks");
    for webhook in webhooks
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|webhooks| webhooks.values_mut())
    {
        let kept = webhook["connect_timeout"].take();
        match name {
            TimeoutName::ConnectionTimeout => webhook["connection_timeout"] = kept,
            TimeoutName::ConnectTimeout | TimeoutName::Ignored => {}
        }
    }
    shown
}

async fn generate_key() -> Result<(String, String), Refusal> {
    let made = tokio::task::spawn_blocking(|| {
        let private = RsaPrivateKey::new(&mut OsRng, GENERATED_KEY_BITS).ok()?;
        let public = private
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .ok()?;
        let private = private.to_pkcs8_pem(LineEnding::LF).ok()?;
        Some((public, private.to_string()))
    });
    made.await.ok().flatten().ok_or_else(|| {
        Refusal::invalid_application(&[Fault::new("keys", "a key pair could not be made")])
    })
}

/// A checked body of a create or replace request.
#[derive(Debug)]
struct Draft {
    name: String,
    public_key: Option<String>,
    improve_ai: bool,
    voice: Option<Voice>,
    sent: Value,
}

impl Draft {
    fn read(body: &Value) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            faults.push(Fault::new("name", "is required and must be a string"));
        }
        let public_key = body["keys"]["public_key"].as_str().map(str::to_owned);
        if public_key
            .as_deref()
            .is_some_and(|pem| RsaPublicKey::from_public_key_pem(pem).is_err())
        {
            faults.push(Fault::new(
                "keys.public_key",
                "must be an RSA public key in PEM form (BEGIN PUBLIC KEY)",
            ));
        }
        let voice = body["capabilities"]
            .get("voice")
            .map(|voice| read_voice(voice, &mut faults));
        if faults.is_empty() {
            Ok(Self {
                name,
                public_key,
                improve_ai: body["privacy"]["improve_ai"].as_bool().unwrap_or(true),
                voice,
                sent: without_keys(body),
            })
        } else {
            Err(faults)
        }
    }

    fn into_application(self, id: String, public_key: String) -> Application {
        Application {
            id,
            name: self.name,
            public_key,
            improve_ai: self.improve_ai,
            voice: self.voice,
            sent: self.sent,
        }
    }
}

/// A private key that somebody sends back must not be kept.
fn without_keys(body: &Value) -> Value {
    let mut sent = body.clone();
    if let Some(fields) = sent.as_object_mut() {
        fields.remove("keys");
    }
    sent
}

fn read_voice(voice: &Value, faults: &mut Vec<Fault>) -> Voice {
    let mut webhook = |name: &str, longest: u64, preset: u64| {
        let found = &voice["webhooks"][name];
        (!found.is_null()).then(|| {
            let path = format!("capabilities.voice.webhooks.{name}");
            read_webhook(found, &path, longest, preset, faults)
        })
    };
    let answer = webhook("answer_url", 5_000, Webhook::ANSWER_TIMEOUT);
    let fallback = webhook("fallback_answer_url", 5_000, Webhook::ANSWER_TIMEOUT);
    let event = webhook("event_url", 10_000, Webhook::EVENT_TIMEOUT);
    Voice {
        answer,
        fallback,
        event,
        signed_callbacks: voice["signed_callbacks"].as_bool().unwrap_or(true),
        conversations_ttl: voice["conversations_ttl"].as_u64().unwrap_or(48),
        leg_persistence_time: voice["leg_persistence_time"].as_u64().unwrap_or(2),
        region: voice["region"].as_str().map(str::to_owned),
    }
}

/// Reads one webhook. `longest` is the upper bound of its `socket_timeout`, `preset` its default,
/// both in milliseconds.
fn read_webhook(
    webhook: &Value,
    path: &str,
    longest: u64,
    preset: u64,
    faults: &mut Vec<Fault>,
) -> Webhook {
    let address = webhook["address"].as_str().unwrap_or_default();
    let is_web = Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        faults.push(Fault::new(format!("{path}.address"), "must be a valid URL"));
    }
    let http_method = match webhook["http_method"].as_str() {
        None | Some("POST") => HttpMethod::Post,
        Some("GET") => HttpMethod::Get,
        Some(_) => {
            faults.push(Fault::new(
                format!("{path}.http_method"),
                "must be one of: GET, POST",
            ));
            HttpMethod::Post
        }
    };
    let mut milliseconds = |name: &str, shortest: u64, longest: u64, preset: u64| {
        let value = &webhook[name];
        if value.is_null() {
            return preset;
        }
        match value.as_u64() {
            Some(value) if (shortest..=longest).contains(&value) => value,
            _ => {
                faults.push(Fault::new(
                    format!("{path}.{name}"),
                    format!("must be between {shortest} and {longest}"),
                ));
                preset
            }
        }
    };
    Webhook {
        url: WebhookUrl {
            address: address.to_owned(),
            http_method,
        },
        connect_timeout: milliseconds("connect_timeout", 300, 1_000, Webhook::CONNECT_TIMEOUT),
        socket_timeout: milliseconds("socket_timeout", 1_000, longest, preset),
    }
}
