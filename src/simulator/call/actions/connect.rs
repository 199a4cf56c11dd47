//! `connect`: calls somebody and joins the two.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::Next;
use crate::simulator::{
    call::{
        dial::{self, Pickup},
        drive::drive,
        inbound,
        leg::{CallStatus, Direction, EndedBy, Identity, Leg, NewLeg, Party},
        ncco::{Connect, DetectionMode, Endpoint, EventType, MachineBehaviour, OnAnswer},
        player,
        progress::{ask, close, event_address, report_fault, tell},
    },
    client::invite,
    clock,
    cloud::{Cloud, lock},
    config::{HttpMethod, WebhookUrl},
    registry::Webhook,
    webhook::{self, Request},
};

/// Seconds of ringing unless the NCCO says otherwise.
///
/// Source: <https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect>
const RING_SECONDS: u64 = 60;
/// Longest call in seconds; same source.
const LIMIT_SECONDS: u64 = 7_200;
/// What Vonage says when too many calls are started in a second.
const TOO_FAST: &str = "Call rate limit exceeded";

/// A called leg that must not outlive the action that called it.
struct Called(Arc<Leg>);

impl Drop for Called {
    fn drop(&mut self) {
        self.0.hang_up(EndedBy::Platform);
    }
}

pub(super) async fn perform(cloud: &Arc<Cloud>, leg: &Arc<Leg>, connect: &Connect) -> Next {
    let Some(endpoint) = connect.endpoint.first() else {
        return Next::Continue;
    };
    let limit = lock(&cloud.scenario).limits.calls_per_second;
    if !cloud.outbound_calls.admits(limit) {
        report_fault(cloud, &leg.conversation(), TOO_FAST);
        return Next::End;
    }
    let called = Called(new_leg(cloud, leg, connect, endpoint));
    let child = &called.0;
    leg.adopt(child);
    cloud.add_leg(child);
    cloud.spawn(call(
        Arc::clone(cloud),
        Arc::clone(child),
        Plan::of(connect, endpoint),
    ));

    let mut status = child.watch_status();
    tokio::select! {
        _ = status.wait_for(|status| *status == CallStatus::Answered || status.is_over()) => {}
        () = player::play_to(leg, &cloud.sounds.ringback, 0) => {}
    }
    child.finished.cancelled().await;
    child.take_reply().map_or(Next::Continue, Next::from_reply)
}

fn new_leg(cloud: &Cloud, leg: &Leg, connect: &Connect, endpoint: &Endpoint) -> Arc<Leg> {
    let (kind, to) = match endpoint {
        Endpoint::Phone { number, .. } => ("phone", number.clone()),
        Endpoint::App { user } => ("app", user.clone()),
        Endpoint::Sip {
            uri, user, domain, ..
        } => {
            let parts = user.as_deref().zip(domain.as_deref());
            let built = parts.map(|(user, domain)| format!("sip:{user}@{domain}"));
            ("sip", uri.clone().or(built).unwrap_or_default())
        }
        Endpoint::Websocket { uri, .. } => ("websocket", uri.clone()),
        Endpoint::Vbc { extension } => ("vbc", extension.clone()),
    };
    let session = match endpoint {
        Endpoint::App { user } => cloud.online_session(&leg.application_id, user),
        Endpoint::Phone { .. }
        | Endpoint::Sip { .. }
        | Endpoint::Websocket { .. }
        | Endpoint::Vbc { .. } => None,
    };
    let user_id = Uuid::new_v4();
    let (party, user) = match session {
        Some(session) => (
            Party::Caller {
                session_id: session.id.clone(),
            },
            session.user.clone(),
        ),
        None => (
            Party::Telephone { kind },
            Identity {
                id: format!("USR-{user_id}"),
                name: format!("vapi-user-{}", user_id.simple()),
            },
        ),
    };
    Leg::new(NewLeg {
        id: Uuid::new_v4().to_string(),
        conversation: leg.conversation(),
        party,
        direction: Direction::Outbound,
        from: Some(caller_id(cloud, leg, connect)),
        to,
        user,
        event_url: event_address(&connect.event_url, connect.event_method),
        synchronous: connect.event_type == Some(EventType::Synchronous),
    })
}

/// Only a number of the account is shown; otherwise the caller is unknown.
fn caller_id(cloud: &Cloud, leg: &Leg, connect: &Connect) -> String {
    let registry = lock(&cloud.registry);
    let number = if connect.random_from_number {
        registry
            .numbers
            .iter()
            .find(|number| {
                number.owned && number.application_id.as_ref() == Some(&leg.application_id)
            })
            .map(|number| number.msisdn.clone())
    } else {
        connect.from.clone().filter(|number| registry.owns(number))
    };
    number.unwrap_or_else(|| "Unknown".to_owned())
}

/// What a called leg needs to know about the action that called it.
struct Plan {
    ring: Duration,
    limit: Duration,
    on_answer: Option<OnAnswer>,
    keys: Vec<char>,
    detection: Option<Detection>,
}

struct Detection {
    behaviour: MachineBehaviour,
    beep: bool,
}

impl Plan {
    fn of(connect: &Connect, endpoint: &Endpoint) -> Self {
        let (on_answer, keys) = match endpoint {
            Endpoint::Phone {
                on_answer,
                dtmf_answer,
                ..
            } => (
                on_answer.clone(),
                dtmf_answer.iter().flat_map(|keys| keys.chars()).collect(),
            ),
            Endpoint::App { .. }
            | Endpoint::Sip { .. }
            | Endpoint::Websocket { .. }
            | Endpoint::Vbc { .. } => (None, Vec::new()),
        };
        let simple = connect.machine_detection.map(|behaviour| Detection {
            behaviour,
            beep: false,
        });
        let advanced = connect
            .advanced_machine_detection
            .as_ref()
            .map(|advanced| Detection {
                behaviour: advanced.behavior.unwrap_or(MachineBehaviour::Continue),
                beep: advanced.mode == Some(DetectionMode::DetectBeep),
            });
        Self {
            ring: Duration::from_secs(connect.timeout.unwrap_or(RING_SECONDS)),
            limit: Duration::from_secs(connect.limit.unwrap_or(LIMIT_SECONDS)),
            on_answer,
            keys,
            detection: simple.or(advanced),
        }
    }
}

/// The called leg's life, apart from the caller's: it outlives the action by its last event.
///
/// Boxed, because a whisper is an NCCO as well and so leads back to here.
fn call(cloud: Arc<Cloud>, leg: Arc<Leg>, plan: Plan) -> BoxFuture<'static, ()> {
    Box::pin(live(cloud, leg, plan))
}

async fn live(cloud: Arc<Cloud>, leg: Arc<Leg>, plan: Plan) {
    if leg.is_caller() {
        invite::send(&cloud, &leg).await;
    }
    if let Some(pickup) = dial::ring(&cloud, &leg, plan.ring).await {
        dial::press_keys(&cloud, &leg, &pickup);
        let stays = detect(&cloud, &leg, &plan, &pickup).await;
        if stays {
            whisper(&cloud, &leg, plan.on_answer.as_ref()).await;
            for key in &plan.keys {
                // Pauses are half a second each.
                if *key == 'p' {
                    sleep(Duration::from_millis(500)).await;
                } else {
                    leg.caption(format!("[{key}]"));
                }
            }
        }
        if stays && !leg.hangup.is_cancelled() {
            leg.conversation().join(&cloud, &leg);
            tokio::select! {
                () = dial::converse(&cloud, &leg, &pickup, plan.limit) => {}
                () = inbound::watch_over(&cloud, &leg) => {}
            }
        }
    }
    close(&cloud, &leg).await;
}

/// Machine detection: tells who picked up; false when the leg ends for it.
async fn detect(cloud: &Arc<Cloud>, leg: &Arc<Leg>, plan: &Plan, pickup: &Pickup) -> bool {
    let Some(detection) = &plan.detection else {
        return true;
    };
    let Some(greeting) = pickup.machine else {
        tell(
            cloud,
            &leg.conversation(),
            leg.event_url.clone(),
            detected(leg, "human", None),
        );
        return true;
    };
    if !detected_by_answer(cloud, leg, detected(leg, "machine", None)).await
        || detection.behaviour == MachineBehaviour::Hangup
    {
        leg.hang_up(EndedBy::Platform);
        return false;
    }
    if detection.beep {
        sleep(greeting).await;
        return detected_by_answer(cloud, leg, detected(leg, "machine", Some("beep_start"))).await;
    }
    true
}

/// Tells of a machine; a synchronous reply with an NCCO ends the leg and takes the caller over.
async fn detected_by_answer(cloud: &Cloud, leg: &Leg, payload: Value) -> bool {
    let conversation = leg.conversation();
    if !leg.synchronous {
        tell(cloud, &conversation, leg.event_url.clone(), payload);
        return true;
    }
    let reply = ask(cloud, &conversation, leg.event_url.clone(), payload).await;
    let stays = !reply.is_array();
    leg.set_reply(reply);
    if !stays {
        leg.hang_up(EndedBy::Platform);
    }
    stays
}

/// Detection events name the leg `call_uuid`, and carry no headers.
fn detected(leg: &Leg, status: &str, sub_state: Option<&str>) -> Value {
    let mut payload = json!({
        "from": leg.from,
        "to": leg.to,
        "call_uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
        "direction": leg.direction,
        "status": status,
        "timestamp": clock::now_iso(),
    });
    if let Some(sub_state) = sub_state {
        payload["sub_state"] = json!(sub_state);
    }
    payload
}

/// The NCCO for the one who picked up, before the two are joined. Fetched unsigned, by GET; one that
/// can't be had is left out.
async fn whisper(cloud: &Arc<Cloud>, leg: &Arc<Leg>, on_answer: Option<&OnAnswer>) {
    let Some(on_answer) = on_answer else { return };
    let Some(mut orders) = leg.take_orders() else {
        return;
    };
    let payload = json!({
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation().id,
    });
    let url = WebhookUrl {
        address: on_answer.url.clone(),
        http_method: HttpMethod::Get,
    };
    let webhook = Webhook::preset(url, Webhook::ANSWER_TIMEOUT);
    let effects = cloud.effects_on("fetch", &payload);
    let request = Request {
        kind: "fetch",
        application_id: &leg.application_id,
        webhook: &webhook,
        payload: &payload,
        signed: false,
        effects: &effects,
    };
    if let Ok(ncco) = webhook::deliver(cloud, &request).await
        && ncco.is_array()
    {
        // Nobody waits longer for a whisper than a call may last.
        let longest = Duration::from_secs(LIMIT_SECONDS);
        let _ = timeout(longest, drive(cloud, leg, &mut orders, &ncco)).await;
    }
}
