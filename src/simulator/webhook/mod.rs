//! Requests to the application: signed, timed, retried and disturbed as a scenario asks.

pub(super) mod journal;
mod queue;
mod signature;

pub use journal::Delivery;
pub(super) use queue::{EventQueue, Post};

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use reqwest::{StatusCode, redirect};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::form_urlencoded;

use self::signature::Claims;
use super::{
    clock,
    cloud::{Cloud, lock},
    config::HttpMethod,
    registry::Webhook,
    scenario::{Effect, GetHash},
};

/// Seconds by which a stale token is too old.
const STALE_SECONDS: i64 = 3_600;

/// HTTP clients by their connect timeout, which cannot be set per request.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<BTreeMap<u64, reqwest::Client>>);

impl Clients {
    fn get(&self, connect_timeout_ms: u64) -> reqwest::Result<reqwest::Client> {
        let mut clients = lock(&self.0);
        if let Some(client) = clients.get(&connect_timeout_ms) {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(connect_timeout_ms))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent("Vonage/1.0 (simulated)")
            .build()?;
        clients.insert(connect_timeout_ms, client.clone());
        Ok(client)
    }
}

/// What is asked of the application.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    /// `answer`, `event` or `fetch`, for the journal and for scenarios.
    pub(super) kind: &'static str,
    pub(super) application_id: &'a str,
    pub(super) webhook: &'a Webhook,
    pub(super) payload: &'a Value,
    /// Whether this kind of request is signed at all.
    pub(super) signed: bool,
    /// The disturbances that hit it.
    pub(super) effects: &'a [Effect],
}

/// Why an application could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum WebhookFault {
    /// No connection, no reply in time, or an answer that is tried again: 429, 503, 504.
    #[error("{0}")]
    Retried(String),
    /// Any other answer that isn't a success.
    #[error("{0}")]
    Refused(String),
}

/// Sends a request, once more if that may help, and returns the reply's JSON (null without one).
pub(super) async fn deliver(cloud: &Cloud, request: &Request<'_>) -> Result<Value, WebhookFault> {
    // The queue delays and loses events, so that others overtake them; a question has no others.
    if request.kind != "event" {
        for effect in request.effects {
            if let Effect::Late(milliseconds) = effect {
                tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
            }
        }
        if request.effects.contains(&Effect::Lose) {
            return Err(WebhookFault::Retried("Connection closed.".to_owned()));
        }
    }
    let (tries, signs_each_try) = {
        let habits = &lock(&cloud.scenario).habits;
        (habits.webhook_tries, habits.signs_each_try)
    };
    let mut parcel = Parcel::pack(cloud, request);
    let mut outcome = Err(WebhookFault::Retried("not tried".to_owned()));
    for attempt in 1..=tries {
        if signs_each_try && attempt > 1 {
            parcel = Parcel::pack(cloud, request);
        }
        outcome = parcel.send(cloud, request, attempt).await;
        if !matches!(outcome, Err(WebhookFault::Retried(_))) {
            break;
        }
    }
    for effect in request.effects {
        if let Effect::Repeat(times) = effect {
            for repetition in 0..*times {
                // A repetition is not news: whatever is answered, the first answer counted.
                let _ = parcel.send(cloud, request, tries + 1 + repetition).await;
            }
        }
    }
    outcome
}

/// What the fallback address is told: the original fields, why, and what was asked.
pub(super) fn fallback_payload(
    original: &Value,
    webhook: &Webhook,
    kind: &str,
    fault: &WebhookFault,
) -> Value {
    let mut payload = original.clone();
    payload["reason"] = json!(fault.to_string());
    payload["original_request"] = json!({ "url": webhook.url.address, "type": kind });
    payload
}

/// The bytes of a request, mostly the same for every try.
struct Parcel {
    /// The query of a GET.
    query: Option<String>,
    /// The body of a POST.
    body: Option<String>,
    token: Option<String>,
}

impl Parcel {
    fn pack(cloud: &Cloud, request: &Request<'_>) -> Self {
        let (query, body, hashed) = match request.webhook.url.http_method {
            HttpMethod::Post => {
                let body = request.payload.to_string();
                (None, Some(body.clone()), Some(body))
            }
            HttpMethod::Get => {
                let parameters = flat(request.payload);
                let query = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&parameters)
                    .finish();
                let hashed = match lock(&cloud.scenario).habits.get_hash {
                    GetHash::CompactJson => Some(compact(&parameters)),
                    GetHash::Query => Some(query.clone()),
                    GetHash::Absent => None,
                    GetHash::Unknown => Some("nobody knows".to_owned()),
                };
                (Some(query), None, hashed)
            }
        };
        let mut secret = cloud.signature_secret.expose_secret().to_owned();
        let mut issued_at = clock::unix_now();
        let mut hashed = hashed;
        let mut signed = request.signed;
        for effect in request.effects {
            match effect {
                Effect::WrongSignature => secret.push_str("-of-somebody-else"),
                Effect::Unsigned => signed = false,
                Effect::WrongHash => hashed.get_or_insert_default().push(' '),
                Effect::Stale => issued_at -= STALE_SECONDS,
                Effect::Late(_)
                | Effect::Swap
                | Effect::Repeat(_)
                | Effect::Lose
                | Effect::FollowedBy(_) => {}
            }
        }
        let token = signed
            .then(|| {
                Claims::new(
                    &cloud.api_key,
                    request.application_id,
                    issued_at,
                    hashed.as_deref().map(str::as_bytes),
                )
                .sign(&secret)
                .ok()
            })
            .flatten();
        Self { query, body, token }
    }

    async fn send(
        &self,
        cloud: &Cloud,
        request: &Request<'_>,
        attempt: u32,
    ) -> Result<Value, WebhookFault> {
        let sent_at = clock::now_iso();
        let began = Instant::now();
        let outcome = self.exchange(cloud, request.webhook).await;
        let (status, reply, fault) = match &outcome {
            Ok((status, reply)) => (Some(status.as_u16()), Some(reply.clone()), None),
            Err(fault) => (None, None, Some(fault.to_string())),
        };
        cloud.journal.record(Delivery {
            sent_at,
            kind: request.kind,
            application_id: request.application_id.to_owned(),
            method: request.webhook.url.http_method,
            url: request.webhook.url.address.clone(),
            signed: self.token.is_some(),
            payload: request.payload.clone(),
            effects: request.effects.to_vec(),
            attempt,
            took_ms: began.elapsed().as_secs_f64() * 1_000.0,
            status,
            reply,
            fault,
        });
        let (status, reply) = outcome?;
        match status.as_u16() {
            200..=205 => Ok(serde_json::from_str(&reply).unwrap_or(Value::Null)),
            429 | 503 | 504 => Err(WebhookFault::Retried(format!("status {status}"))),
            _ => Err(WebhookFault::Refused(format!("status {status}"))),
        }
    }

    async fn exchange(
        &self,
        cloud: &Cloud,
        webhook: &Webhook,
    ) -> Result<(StatusCode, String), WebhookFault> {
        let retried = |error: reqwest::Error| {
            let error = error.without_url();
            let text = if error.is_timeout() {
                "Connection timed out.".to_owned()
            } else {
                format!("Connection closed. ({error})")
            };
            WebhookFault::Retried(text)
        };
        let client = cloud
            .clients
            .get(webhook.connect_timeout)
            .map_err(retried)?;
        let mut address = webhook.url.address.clone();
        if let Some(query) = &self.query {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(query);
        }
        let mut builder = match &self.body {
            Some(body) => client
                .post(&address)
                .header("content-type", "application/json")
                .body(body.clone()),
            None => client.get(&address),
        };
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token);
        }
        let response = builder
            .timeout(Duration::from_millis(webhook.socket_timeout))
            .send()
            .await
            .map_err(retried)?;
        let status = response.status();
        let reply = response.text().await.map_err(retried)?;
        Ok((status, reply))
    }
}

/// A payload as query parameters: texts as they are, everything else as JSON text, null left out.
fn flat(payload: &Value) -> Vec<(String, String)> {
    let fields = payload.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        })
        .collect()
}

/// What Vonage hashes of a GET: the parameters as a compact JSON object, in their order.
///
/// Source: Vonage support article 19033783342876. Its escaping is not published.
fn compact(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}:{}", json!(name), json!(value)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_parameters_are_hashed_in_their_order() {
        let parameters = vec![
            ("to".to_owned(), "supportuser".to_owned()),
            ("from_user".to_owned(), "Alice".to_owned()),
        ];
        assert_eq!(
            compact(&parameters),
            r#"{"to":"supportuser","from_user":"Alice"}"#
        );
    }

    #[test]
    fn custom_data_goes_into_a_query_as_json_text() {
        let payload = json!({ "custom_data": { "ticket": "t" }, "from": null });
        assert_eq!(
            flat(&payload),
            [("custom_data".to_owned(), r#"{"ticket":"t"}"#.to_owned())]
        );
    }
}
