//! Voice API: list, read, make, end and redirect calls; recordings.
//!
//! Source: <https://developer.vonage.com/en/api/voice>

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::auth::VoiceToken;
use crate::simulator::{
    call::{
        conversation::Conversation,
        dial,
        drive::drive,
        leg::{Direction, EndedBy, Identity, Leg, NewLeg, Party},
        ncco,
        progress::{bill, close, event_address},
    },
    clock,
    cloud::{Cloud, lock},
    config::{HttpMethod, WebhookUrl},
    refusal::{Fault, Refusal},
    registry::Webhook,
    token::Bearer,
    webhook::{self, Request},
};

/// Seconds that a call made over REST rings unless it says otherwise.
const RING_SECONDS: u64 = 60;
/// Longest call in seconds.
const LIMIT_SECONDS: u64 = 7_200;

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v1/calls", get(list).post(create))
        .route("/v1/calls/{uuid}", get(show).put(modify))
        .route("/v1/files/{id}", get(recording))
}

#[derive(Debug, Deserialize)]
struct Filter {
    status: Option<String>,
    conversation_uuid: Option<String>,
    #[serde(default = "default_page_size")]
    page_size: usize,
    #[serde(default)]
    record_index: usize,
    order: Option<String>,
}

fn default_page_size() -> usize {
    10
}

async fn list(
    VoiceToken(bearer): VoiceToken,
    State(cloud): State<Arc<Cloud>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Refusal> {
    within_pace(&cloud)?;
    if !(1..=100).contains(&filter.page_size) {
        return Err(Refusal::invalid_call(&[Fault::new(
            "page_size",
            "must be between 1 and 100",
        )]));
    }
    let mut legs: Vec<Arc<Leg>> = lock(&cloud.legs)
        .iter()
        .filter(|leg| leg.application_id == bearer.application_id)
        .filter(|leg| {
            filter
                .status
                .as_ref()
                .is_none_or(|status| leg.status().as_str() == status)
        })
        .filter(|leg| {
            filter
                .conversation_uuid
                .as_ref()
                .is_none_or(|id| leg.conversation().id == *id)
        })
        .cloned()
        .collect();
    if filter.order.as_deref() == Some("desc") {
        legs.reverse();
    }
    let shown: Vec<Value> = legs
        .iter()
        .skip(filter.record_index)
        .take(filter.page_size)
        .map(|leg| call_json(leg))
        .collect();
    let size = filter.page_size;
    let last = legs.len().saturating_sub(1) / size * size;
    Ok(Json(json!({
        "count": legs.len(),
        "page_size": size,
        "record_index": filter.record_index,
        "_embedded": { "calls": shown },
        "_links": {
            "self": { "href": format!("/v1/calls?page_size={size}&record_index={}", filter.record_index) },
            "first": { "href": format!("/v1/calls?page_size={size}") },
            "last": { "href": format!("/v1/calls?page_size={size}&record_index={last}") },
        },
    })))
}

async fn show(
    VoiceToken(bearer): VoiceToken,
    State(cloud): State<Arc<Cloud>>,
    Path(uuid): Path<String>,
) -> Result<Json<Value>, Refusal> {
    within_pace(&cloud)?;
    Ok(Json(call_json(&*own_leg(&cloud, &bearer, &uuid)?)))
}

#[derive(Debug, Deserialize)]
struct NewCall {
    to: Vec<Value>,
    #[serde(default)]
    from: Value,
    ncco: Option<Value>,
    #[serde(default)]
    answer_url: Vec<String>,
    answer_method: Option<HttpMethod>,
    #[serde(default)]
    event_url: Vec<String>,
    event_method: Option<HttpMethod>,
    ringing_timer: Option<u64>,
    length_timer: Option<u64>,
}

impl NewCall {
    fn check(&self) -> Result<(String, &'static str), Refusal> {
        let mut faults = Vec::new();
        let endpoint = self.to.first().unwrap_or(&Value::Null);
        let (kind, field) = match endpoint["type"].as_str() {
            Some("phone") => ("phone", "number"),
            Some("app") => ("app", "user"),
            Some("sip") => ("sip", "uri"),
            _ => {
                faults.push(Fault::new("to", "must hold one phone, app or sip endpoint"));
                ("phone", "number")
            }
        };
        let to = endpoint[field].as_str().unwrap_or_default().to_owned();
        if kind == "phone" && !ncco::is_number(&to) {
            faults.push(Fault::new(
                "number",
                "can contain up to 15 digits prefixed with +",
            ));
        }
        if self.ncco.is_some() != self.answer_url.is_empty() {
            faults.push(Fault::new(
                "ncco",
                "exactly one of ncco and answer_url is required",
            ));
        }
        if let Some(Err(fault)) = self.ncco.as_ref().map(ncco::read) {
            faults.push(Fault::new("ncco", fault.to_string()));
        }
        if faults.is_empty() {
            Ok((to, kind))
        } else {
            Err(Refusal::invalid_call(&faults))
        }
    }
}

async fn create(
    VoiceToken(bearer): VoiceToken,
    State(cloud): State<Arc<Cloud>>,
    Json(body): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let call: NewCall = serde_json::from_value(body)
        .map_err(|error| Refusal::invalid_call(&[Fault::new("body", error.to_string())]))?;
    let (to, kind) = call.check()?;
    if lock(&cloud.scenario).balance <= 0.0 {
        return Err(Refusal::low_balance());
    }
    if !cloud
        .outbound_calls
        .admits(lock(&cloud.scenario).limits.calls_per_second)
    {
        return Err(Refusal::rate_limited());
    }
    let conversation = Conversation::open(&cloud, &bearer.application_id, None);
    let user_id = Uuid::new_v4();
    let leg = Leg::new(NewLeg {
        id: Uuid::new_v4().to_string(),
        conversation: Arc::clone(&conversation),
        party: Party::Telephone { kind },
        direction: Direction::Outbound,
        from: call.from["number"].as_str().map(str::to_owned),
        to,
        user: Identity {
            id: format!("USR-{user_id}"),
            name: format!("vapi-user-{}", user_id.simple()),
        },
        event_url: event_address(&call.event_url, call.event_method),
        synchronous: false,
    });
    cloud.add_leg(&leg);
    let shown = json!({
        "uuid": leg.id,
        "status": "started",
        "direction": "outbound",
        "conversation_uuid": conversation.id,
    });
    cloud.spawn(outbound(Arc::clone(&cloud), leg, call));
    Ok((StatusCode::CREATED, Json(shown)))
}

/// The life of a call made over REST: it rings, then follows the NCCO that was given or is fetched.
async fn outbound(cloud: Arc<Cloud>, leg: Arc<Leg>, call: NewCall) {
    let ring = Duration::from_secs(call.ringing_timer.unwrap_or(RING_SECONDS));
    let longest = Duration::from_secs(call.length_timer.unwrap_or(LIMIT_SECONDS));
    if let Some(pickup) = dial::ring(&cloud, &leg, ring).await
        && let Some(mut orders) = leg.take_orders()
    {
        dial::press_keys(&cloud, &leg, &pickup);
        leg.conversation().join(&cloud, &leg);
        let ncco = match &call.ncco {
            Some(ncco) => ncco.clone(),
            None => fetch(&cloud, &leg, &call.answer_url, call.answer_method).await,
        };
        tokio::select! {
            () = drive(&cloud, &leg, &mut orders, &ncco) => {}
            () = dial::converse(&cloud, &leg, &pickup, longest) => {}
        }
    }
    close(&cloud, &leg).await;
}

/// The NCCO of a call made with `answer_url`; null when it can't be had, which no NCCO is.
async fn fetch(cloud: &Cloud, leg: &Leg, address: &[String], method: Option<HttpMethod>) -> Value {
    let Some(address) = address.first() else {
        return Value::Null;
    };
    let payload = json!({
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
        "endpoint_type": leg.kind(),
        "region_url": cloud.base_url,
    });
    let signed = lock(&cloud.registry)
        .application(&leg.application_id)
        .and_then(|application| application.voice.as_ref())
        .is_some_and(|voice| voice.signed_callbacks);
    let url = WebhookUrl {
        address: address.clone(),
        http_method: method.unwrap_or(HttpMethod::Get),
    };
    let patience = lock(&cloud.scenario).habits.answer_patience_ms;
    let webhook = Webhook::preset(url, patience);
    let effects = cloud.effects_on("fetch", &payload);
    let request = Request {
        kind: "fetch",
        application_id: &leg.application_id,
        webhook: &webhook,
        payload: &payload,
        signed,
        effects: &effects,
    };
    webhook::deliver(cloud, &request).await.unwrap_or_default()
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Modification {
    Hangup,
    Mute,
    Unmute,
    Earmuff,
    Unearmuff,
    Transfer { destination: Destination },
}

#[derive(Debug, Deserialize)]
struct Destination {
    #[serde(default)]
    url: Vec<String>,
    ncco: Option<Value>,
}

async fn modify(
    VoiceToken(bearer): VoiceToken,
    State(cloud): State<Arc<Cloud>>,
    Path(uuid): Path<String>,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    within_pace(&cloud)?;
    let modification: Modification = serde_json::from_value(body)
        .map_err(|error| Refusal::invalid_call(&[Fault::new("action", error.to_string())]))?;
    let leg = own_leg(&cloud, &bearer, &uuid)?;
    if leg.status().is_over() {
        return Err(Refusal::not_found(&uuid));
    }
    match modification {
        Modification::Hangup => {
            let age = clock::now() - leg.created;
            let refused = lock(&cloud.scenario).timing.hangup_refused_ms;
            if age.num_milliseconds() < i64::try_from(refused).unwrap_or(i64::MAX) {
                return Err(Refusal::bad_call_state());
            }
            leg.hang_up(EndedBy::Platform);
        }
        Modification::Mute => leg.sound.muted.store(true, Ordering::Relaxed),
        Modification::Unmute => leg.sound.muted.store(false, Ordering::Relaxed),
        Modification::Earmuff => leg.sound.deaf.store(true, Ordering::Relaxed),
        Modification::Unearmuff => leg.sound.deaf.store(false, Ordering::Relaxed),
        Modification::Transfer { destination } => {
            let ncco = match destination.ncco {
                Some(ncco) => ncco,
                None => fetch(&cloud, &leg, &destination.url, None).await,
            };
            let actions = ncco::read(&ncco).map_err(|fault| {
                Refusal::invalid_call(&[Fault::new("destination", fault.to_string())])
            })?;
            if !leg.redirect(actions) {
                return Err(Refusal::bad_call_state());
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A recording, for the application whose call it was.
async fn recording(
    VoiceToken(bearer): VoiceToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let file = lock(&cloud.files)
        .get(&id)
        .filter(|file| file.application_id == bearer.application_id)
        .cloned()
        .ok_or_else(|| Refusal::not_found(&id))?;
    Ok(([(CONTENT_TYPE, file.content_type)], file.bytes.to_vec()))
}

fn within_pace(cloud: &Cloud) -> Result<(), Refusal> {
    let limit = lock(&cloud.scenario).limits.voice_requests_per_second;
    if cloud.voice_requests.admits(limit) {
        Ok(())
    } else {
        Err(Refusal::rate_limited())
    }
}

fn own_leg(cloud: &Cloud, bearer: &Bearer, uuid: &str) -> Result<Arc<Leg>, Refusal> {
    cloud
        .leg(uuid)
        .filter(|leg| leg.application_id == bearer.application_id)
        .ok_or_else(|| Refusal::not_found(uuid))
}

/// A leg as the Voice API shows it.
fn call_json(leg: &Leg) -> Value {
    let field = match leg.kind() {
        "app" => "user",
        "sip" | "websocket" => "uri",
        "vbc" => "extension",
        _ => "number",
    };
    let endpoint = |address: Option<&str>| json!({ "type": leg.kind(), field: address });
    let bill = leg.status().is_over().then(|| bill(leg));
    json!({
        "uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
        "status": leg.status().as_str(),
        "direction": leg.direction,
        "from": endpoint(leg.from.as_deref()),
        "to": endpoint(Some(&leg.to)),
        "start_time": leg.answered_at().map(clock::iso),
        "end_time": leg.ended_at().map(clock::iso),
        "duration": bill.as_ref().map(|_| leg.seconds().to_string()),
        "rate": bill.as_ref().map(|bill| bill.rate.clone()),
        "price": bill.as_ref().map(|bill| bill.price.clone()),
        "network": bill.as_ref().and_then(|bill| bill.network.clone()),
        "_links": { "self": { "href": format!("/v1/calls/{}", leg.id) } },
    })
}
