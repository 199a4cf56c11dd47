//! The steps of a leg, told to the application and to the Client SDK.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    conversation::{Conversation, channel, member_body},
    leg::{CallStatus, Direction, EndedBy, Leg},
};
use crate::simulator::{
    clock,
    cloud::{Cloud, lock},
    config::{HttpMethod, WebhookUrl},
    registry::Webhook,
    rest::account::{Tariff, euros},
    webhook::Post,
};

/// Moves a leg on and tells everybody. `extra` are fields of this event alone (`detail`, `sip_code`).
///
/// Returns when the event is on its way; for a failure of a synchronous leg, when it is answered.
pub(in crate::simulator) async fn report(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    status: CallStatus,
    extra: &Value,
) {
    if !leg.advance(status) {
        return;
    }
    let conversation = leg.conversation();
    // The SDK knows only these three and logs an error for any other.
    if matches!(
        status,
        CallStatus::Ringing | CallStatus::Answered | CallStatus::Completed
    ) {
        conversation.emit(cloud, "leg:status:update", leg, &status_body(leg, status));
    }
    cloud.changed();
    let mut payload = event_payload(cloud, leg, status);
    if let Some(fields) = extra.as_object() {
        for (name, value) in fields {
            payload[name] = value.clone();
        }
    }
    let answerable = matches!(
        status,
        CallStatus::Busy
            | CallStatus::Failed
            | CallStatus::Rejected
            | CallStatus::Timeout
            | CallStatus::Unanswered
    );
    if leg.synchronous && answerable {
        let reply = ask(cloud, &conversation, leg.event_url.clone(), payload).await;
        leg.set_reply(reply);
    } else {
        tell(cloud, &conversation, leg.event_url.clone(), payload);
    }
}

/// Sends an event without waiting for it; `to` takes the place of the application's event URL.
pub(in crate::simulator) fn tell(
    cloud: &Cloud,
    conversation: &Conversation,
    to: Option<Webhook>,
    payload: Value,
) {
    post(cloud, conversation, to, payload, None);
}

/// Sends an event and waits for the reply, null without one.
pub(in crate::simulator) async fn ask(
    cloud: &Cloud,
    conversation: &Conversation,
    to: Option<Webhook>,
    payload: Value,
) -> Value {
    let (reply, replied) = oneshot::channel();
    post(cloud, conversation, to, payload, Some(reply));
    replied.await.unwrap_or_default()
}

fn post(
    cloud: &Cloud,
    conversation: &Conversation,
    to: Option<Webhook>,
    payload: Value,
    reply: Option<oneshot::Sender<Value>>,
) {
    let voice = lock(&cloud.registry)
        .application(&conversation.application_id)
        .and_then(|application| application.voice.clone());
    let Some(voice) = voice else { return };
    if lock(&cloud.scenario).habits.event_copies
        && to.is_some()
        && let Some(event) = &voice.event
    {
        conversation.events.push(Post {
            application_id: conversation.application_id.clone(),
            webhook: event.clone(),
            fallback: None,
            signed: voice.signed_callbacks,
            payload: payload.clone(),
            reply: None,
        });
    }
    let Some(webhook) = to.or_else(|| voice.event.clone()) else {
        return;
    };
    let fallback = reply.as_ref().and(voice.fallback.clone());
    conversation.events.push(Post {
        application_id: conversation.application_id.clone(),
        webhook,
        fallback,
        signed: voice.signed_callbacks,
        payload,
        reply,
    });
}

/// An event address written in an NCCO: `POST` unless said otherwise.
pub(in crate::simulator) fn event_address(
    urls: &[String],
    method: Option<HttpMethod>,
) -> Option<Webhook> {
    urls.first().map(|address| {
        let url = WebhookUrl {
            address: address.clone(),
            http_method: method.unwrap_or(HttpMethod::Post),
        };
        Webhook::preset(url, Webhook::EVENT_TIMEOUT)
    })
}

/// Tells the application that something ended the call before its time.
pub(in crate::simulator) fn report_fault(cloud: &Cloud, conversation: &Conversation, reason: &str) {
    tell(
        cloud,
        conversation,
        None,
        json!({
            "reason": reason,
            "conversation_uuid": conversation.id,
            "timestamp": clock::now_iso(),
        }),
    );
}

fn event_payload(cloud: &Cloud, leg: &Leg, status: CallStatus) -> Value {
    let mut payload = json!({
        "headers": {},
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
        "status": status.as_str(),
        "direction": leg.direction,
        "timestamp": clock::now_iso(),
    });
    if status == CallStatus::Answered {
        for name in ["start_time", "rate", "network"] {
            payload[name] = Value::Null;
        }
    }
    if status == CallStatus::Completed {
        let bill = bill(leg);
        for (name, value) in [
            (
                "start_time",
                json!(leg.answered_at().map(clock::iso_second)),
            ),
            ("end_time", json!(leg.ended_at().map(clock::iso_second))),
            ("duration", json!(leg.seconds().to_string())),
            ("rate", json!(bill.rate)),
            ("price", json!(bill.price)),
            ("network", json!(bill.network)),
            (
                "disconnected_by",
                json!(match leg.ended_by() {
                    EndedBy::User => "user",
                    EndedBy::Platform => "platform",
                }),
            ),
            ("sip_code", json!(200)),
        ] {
            payload[name] = value;
        }
        if !lock(&cloud.scenario).habits.tells_prices {
            payload["rate"].take();
            payload["price"].take();
        }
    }
    payload
}

/// What a leg cost.
#[derive(Debug)]
pub(in crate::simulator) struct Bill {
    /// Euros a minute.
    pub(in crate::simulator) rate: String,
    /// Euros.
    pub(in crate::simulator) price: String,
    /// None for a leg that no carrier carried.
    pub(in crate::simulator) network: Option<String>,
}

/// Only outbound telephone legs cost anything here.
pub(in crate::simulator) fn bill(leg: &Leg) -> Bill {
    if leg.kind() == "phone" && leg.direction == Direction::Outbound {
        let tariff = Tariff::of(&leg.to);
        Bill {
            rate: euros(tariff.rate),
            price: euros(tariff.rate * leg.seconds() / 60),
            network: Some(tariff.network()),
        }
    } else {
        Bill {
            rate: "0.00".to_owned(),
            price: "0".to_owned(),
            network: None,
        }
    }
}

fn status_body(leg: &Leg, status: CallStatus) -> Value {
    json!({
        "leg_id": leg.id,
        "type": leg.kind(),
        "direction": leg.direction,
        "status": status.as_str(),
        "statusHistory": leg.history(),
    })
}

/// Ends a leg for good: first those it called, then itself; the Client SDK hears of it last.
pub(in crate::simulator) async fn close(cloud: &Arc<Cloud>, leg: &Arc<Leg>) {
    let children = leg.children();
    for child in &children {
        child.hang_up(EndedBy::Platform);
    }
    for child in &children {
        child.finished.cancelled().await;
    }
    leg.hang_up(EndedBy::Platform);
    let last = if leg.answered_at().is_some() {
        CallStatus::Completed
    } else {
        CallStatus::Cancelled
    };
    report(cloud, leg, last, &Value::Null).await;
    let conversation = leg.conversation();
    if leg.is_caller() {
        say_goodbye(cloud, &conversation, leg, &children);
    }
    conversation.leave(leg);
    leg.finished.cancel();
    cloud.changed();
}

fn say_goodbye(cloud: &Cloud, conversation: &Conversation, leg: &Leg, children: &[Arc<Leg>]) {
    let mut left = member_body(leg);
    let code = leaving_code(leg, children);
    left["reason"] = json!({ "code": code, "text": code });
    conversation.emit(cloud, "member:left", leg, &left);
    let counts = leg.sound.counts();
    let code = match leg.ended_by() {
        EndedBy::User => "LOCAL_HANGUP",
        EndedBy::Platform => "REMOTE_HANGUP",
    };
    conversation.emit(
        cloud,
        "rtc:hangup",
        leg,
        &json!({
            "direction": leg.direction,
            "channel": channel(leg),
            "reason": { "text": "Hangup", "code": code, "sip_code": 200 },
            "bandwidth": { "bytes_in": counts.bytes_in, "bytes_out": counts.bytes_out },
            "quality": {
                "mos_score": 4.5,
                "quality_percentage": 100,
                "jitter_min_var": 0,
                "jitter_max_var": 0,
                "jitter_loss_rate": 0,
                "jitter_burst_rate": 0,
                "flaw_total": 0,
                "packet_cnt": counts.packets_in,
                "packet_loss_perc": 0,
            },
        }),
    );
}

/// Why the caller is let out, in the codes that the SDK tells apart. Which one Vonage sends when the
/// called telephone refuses is not published; these are the plausible ones.
fn leaving_code(leg: &Leg, children: &[Arc<Leg>]) -> &'static str {
    if leg.ended_by() == EndedBy::User {
        return "";
    }
    match children.last().map(|child| child.status()) {
        Some(CallStatus::Rejected) => "remote_rejected",
        Some(CallStatus::Timeout | CallStatus::Unanswered) => "ring_timer",
        Some(CallStatus::Busy) => "remote_busy",
        _ => "",
    }
}
