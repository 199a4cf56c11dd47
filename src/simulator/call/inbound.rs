//! Calls that come in: the application is asked for an NCCO, and the leg follows it.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    drive::drive,
    leg::{CallStatus, EndedBy, Leg, Party},
    player,
    progress::{close, report, report_fault},
};
use crate::simulator::{
    cloud::{Cloud, lock},
    registry::Webhook,
    webhook::{self, Request},
};

/// Shortest stay of a caller who was let in. The SDK's `serverCall()` never settles when the hang-up
/// overtakes its handling of the join, and no real call is over that soon.
const SETTLE: Duration = Duration::from_millis(500);
/// How often a caller's signs of life are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Takes an inbound leg from its first event to its last. `to` and `custom_data` are what the
/// caller passed.
pub(in crate::simulator) async fn run(
    cloud: Arc<Cloud>,
    leg: Arc<Leg>,
    to: String,
    custom_data: Value,
) {
    report(&cloud, &leg, CallStatus::Started, &Value::Null).await;
    report(&cloud, &leg, CallStatus::Ringing, &Value::Null).await;
    if let Some(mut orders) = leg.take_orders() {
        let asked = tokio::select! {
            () = leg.hangup.cancelled() => None,
            ncco = ask_for_ncco(&cloud, &leg, &to, &custom_data) => ncco,
        };
        if let Some(ncco) = asked {
            report(&cloud, &leg, CallStatus::Answered, &Value::Null).await;
            leg.conversation().join(&cloud, &leg);
            let settled = Instant::now() + SETTLE;
            tokio::select! {
                () = drive(&cloud, &leg, &mut orders, &ncco) => {}
                () = watch_over(&cloud, &leg) => {}
                () = speak(&cloud, &leg) => {}
            }
            if leg.is_caller() {
                tokio::time::sleep_until(settled).await;
            }
        }
    }
    close(&cloud, &leg).await;
    // The browser closes its end when it reads the hang-up; closing ours first would look like a
    // broken connection.
    let linger = Duration::from_secs(1);
    tokio::time::sleep(linger).await;
    leg.sound.detach();
}

/// Somebody who dialled a number speaks; a caller from a page has a microphone for that.
async fn speak(cloud: &Cloud, leg: &Leg) {
    if leg.is_caller() {
        std::future::pending::<()>().await;
    }
    player::chatter(leg, &cloud.sounds.chatter).await;
}

/// Ends a caller's leg when neither its socket nor its media give a sign of life.
pub(super) async fn watch_over(cloud: &Cloud, leg: &Leg) {
    let Party::Caller { session_id } = &leg.party else {
        return std::future::pending().await;
    };
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let timing = lock(&cloud.scenario).timing;
        let patience = if cloud.is_online(session_id, &leg.user.id) {
            timing.media_timeout_ms
        } else {
            timing.reconnect_window_ms
        };
        if leg.sound.silence() > Duration::from_millis(patience) {
            leg.hang_up(EndedBy::Platform);
            return;
        }
    }
}

/// Asks the answer URL, then the fallback URL. None after an error event: nobody gave an answer.
async fn ask_for_ncco(cloud: &Cloud, leg: &Leg, to: &str, custom_data: &Value) -> Option<Value> {
    let voice = lock(&cloud.registry)
        .application(&leg.application_id)
        .and_then(|application| application.voice.clone())?;
    let payload = answer_payload(cloud, leg, to, custom_data);
    let Some(answer) = voice.answer else {
        report_fault(cloud, &leg.conversation(), "No answer URL");
        return None;
    };
    let ask = async |webhook: &Webhook, payload: &Value| {
        let effects = cloud.effects_on("answer", payload);
        let request = Request {
            kind: "answer",
            application_id: &leg.application_id,
            webhook,
            payload,
            signed: voice.signed_callbacks,
            effects: &effects,
        };
        webhook::deliver(cloud, &request).await
    };
    let fault = match ask(&answer, &payload).await {
        Ok(ncco) => return Some(ncco),
        Err(fault) => fault,
    };
    if let Some(fallback) = &voice.fallback {
        let payload = webhook::fallback_payload(&payload, &answer, "answer", &fault);
        if let Ok(ncco) = ask(fallback, &payload).await {
            return Some(ncco);
        }
    }
    report_fault(cloud, &leg.conversation(), &fault.to_string());
    None
}

/// The parameters of an answer request.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/webhook-reference#answer-webhook>
fn answer_payload(cloud: &Cloud, leg: &Leg, to: &str, custom_data: &Value) -> Value {
    let mut payload = json!({
        "to": to,
        "endpoint_type": leg.kind(),
        "conversation_uuid": leg.conversation().id,
        "uuid": leg.id,
        "region_url": cloud.base_url,
    });
    if leg.is_caller() {
        payload["from_user"] = json!(leg.user.name);
    } else {
        payload["from"] = json!(leg.from);
    }
    if custom_data
        .as_object()
        .is_some_and(|fields| !fields.is_empty())
    {
        payload["custom_data"] = custom_data.clone();
    }
    payload
}
