//! The control interface, for tests and for the desk phone page: what is going on, and its levers.
//!
//! Open to whoever reaches the simulator: it has no secrets but its own.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    call::{
        conversation::Conversation,
        inbound,
        leg::{Decision, Direction, EndedBy, Identity, Leg, NewLeg, Party},
    },
    client::session::Line,
    clock,
    cloud::{Cloud, lock},
    recorded::recording_of,
    scenario::{Behaviour, RequestFault, Scenario},
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/simulator/state", get(state))
        .route("/simulator/webhooks", get(webhooks))
        .route("/simulator/scenario", get(scenario).post(play))
        .route("/simulator/recorded", get(recorded))
        .route("/simulator/requests", post(fail))
        .route("/simulator/destinations/{number}", put(destination))
        .route("/simulator/legs/{id}/{lever}", post(pull))
        .route("/simulator/sessions/{id}/{lever}", post(disturb))
        .route("/simulator/inbound", post(call_in))
}

#[derive(Debug, Deserialize)]
struct Since {
    /// Waits until the state is newer than this version, or packets have had time to be counted.
    after: Option<u64>,
}

/// How long a request for the next state waits: counts of packets are no news of their own.
const COUNTING: Duration = Duration::from_millis(200);

/// The state; with `?after=VERSION` the next one.
async fn state(State(cloud): State<Arc<Cloud>>, Query(since): Query<Since>) -> Json<Value> {
    let mut changes = cloud.watch();
    if let Some(after) = since.after {
        tokio::select! {
            _ = changes.wait_for(|version| *version > after) => {}
            () = cloud.stopping.cancelled() => {}
            () = tokio::time::sleep(COUNTING) => {}
        }
    }
    Json(snapshot(&cloud))
}

/// Everything visible at this moment.
pub(super) fn snapshot(cloud: &Cloud) -> Value {
    // The version is read first: a change in between shows up again under the next one.
    let version = *cloud.watch().borrow();
    let legs: Vec<Value> = lock(&cloud.legs).iter().map(|leg| leg_json(leg)).collect();
    let sessions: Vec<Value> = lock(&cloud.sessions)
        .values()
        .map(|session| {
            json!({
                "id": session.id,
                "user": session.user.name,
                "application_id": session.application_id,
                "online": session.is_online(),
            })
        })
        .collect();
    let scenario = lock(&cloud.scenario).clone();
    json!({
        "version": version,
        "legs": legs,
        "sessions": sessions,
        "scenario": {
            "name": scenario.name,
            "destinations": scenario.destinations,
            "otherwise": scenario.otherwise,
        },
    })
}

fn leg_json(leg: &Leg) -> Value {
    let conversation = leg.conversation();
    let person = match &leg.party {
        Party::Caller { session_id } => json!({ "session_id": session_id }),
        Party::Telephone { .. } | Party::Played => Value::Null,
    };
    json!({
        "id": leg.id,
        "conversation_id": conversation.id,
        "conversation_name": conversation.name,
        "kind": leg.kind(),
        "caller": person,
        "direction": leg.direction,
        "from": leg.from,
        "to": leg.to,
        "user": leg.user.name,
        "status": leg.status(),
        "over": leg.status().is_over(),
        "created": clock::iso(leg.created),
        "answered": leg.answered_at().map(clock::iso),
        "ended": leg.ended_at().map(clock::iso),
        "captions": leg.captions(),
        "sound": leg.sound.counts(),
        "has_browser": leg.sound.has_peer(),
    })
}

async fn webhooks(State(cloud): State<Arc<Cloud>>) -> Response {
    Json(cloud.journal.all()).into_response()
}

async fn scenario(State(cloud): State<Arc<Cloud>>) -> Json<Scenario> {
    Json(lock(&cloud.scenario).clone())
}

async fn play(State(cloud): State<Arc<Cloud>>, Json(scenario): Json<Scenario>) -> StatusCode {
    cloud.play(scenario);
    StatusCode::NO_CONTENT
}

/// What has happened so far, as a scenario that can be replayed.
async fn recorded(State(cloud): State<Arc<Cloud>>) -> Json<Scenario> {
    Json(recording_of(&cloud))
}

/// One more thing that goes wrong with requests.
async fn fail(State(cloud): State<Arc<Cloud>>, Json(fault): Json<RequestFault>) -> StatusCode {
    lock(&cloud.scenario).requests.push(fault);
    StatusCode::NO_CONTENT
}

/// What one number does from now on.
async fn destination(
    State(cloud): State<Arc<Cloud>>,
    Path(number): Path<String>,
    Json(behaviours): Json<Vec<Behaviour>>,
) -> StatusCode {
    lock(&cloud.scenario)
        .destinations
        .insert(number, behaviours);
    cloud.changed();
    StatusCode::NO_CONTENT
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LegLever {
    Answer,
    Decline,
    Engaged,
    NoAnswer,
    Voicemail,
    Hangup,
    Keys,
    MediaLost,
    MediaRepaired,
}

#[derive(Debug, Deserialize)]
struct Keys {
    #[serde(default)]
    digits: String,
}

/// Does something at one end of a call, as the person there, or to its media.
async fn pull(
    State(cloud): State<Arc<Cloud>>,
    Path((id, lever)): Path<(String, LegLever)>,
    Query(keys): Query<Keys>,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    let leg = cloud
        .leg(&id)
        .ok_or((StatusCode::NOT_FOUND, "no leg of this id"))?;
    if leg.status().is_over() {
        return Err((StatusCode::CONFLICT, "this leg is over"));
    }
    let done = match lever {
        LegLever::Answer => leg.decide(Decision::Answer),
        LegLever::Decline => leg.decide(Decision::Decline),
        LegLever::Engaged => leg.decide(Decision::Engaged),
        LegLever::NoAnswer => leg.decide(Decision::NoAnswer),
        LegLever::Voicemail => leg.decide(Decision::Voicemail),
        LegLever::Hangup => {
            leg.hang_up(EndedBy::User);
            true
        }
        LegLever::Keys => {
            for key in keys.digits.chars() {
                leg.press(key);
            }
            true
        }
        LegLever::MediaLost => {
            leg.sound.stall(true);
            true
        }
        LegLever::MediaRepaired => {
            leg.sound.stall(false);
            true
        }
    };
    if done {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err((StatusCode::CONFLICT, "this leg does not ring any more"))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SessionLever {
    /// The connection is gone without a word.
    Drop,
    /// The cloud says goodbye (`41`).
    End,
}

async fn disturb(
    State(cloud): State<Arc<Cloud>>,
    Path((id, lever)): Path<(String, SessionLever)>,
) -> Result<StatusCode, (StatusCode, &'static str)> {
    let session = cloud
        .session(&id)
        .ok_or((StatusCode::NOT_FOUND, "no session of this id"))?;
    session.send(match lever {
        SessionLever::Drop => Line::Cut,
        SessionLever::End => Line::Goodbye,
    });
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct CallIn {
    from: String,
    to: String,
}

/// Somebody dials a number of the account from an ordinary telephone.
async fn call_in(
    State(cloud): State<Arc<Cloud>>,
    Json(call): Json<CallIn>,
) -> Result<(StatusCode, Json<Value>), (StatusCode, &'static str)> {
    let application_id = lock(&cloud.registry)
        .numbers
        .iter()
        .find(|number| number.owned && number.msisdn == call.to)
        .and_then(|number| number.application_id.clone())
        .ok_or((
            StatusCode::NOT_FOUND,
            "no owned number of these digits is linked to an application",
        ))?;
    let user_id = Uuid::new_v4();
    let leg = Leg::new(NewLeg {
        // Telephone legs that come in have ids without dashes.
        id: Uuid::new_v4().simple().to_string(),
        conversation: Conversation::open(&cloud, &application_id, None),
        party: Party::Telephone { kind: "phone" },
        direction: Direction::Inbound,
        from: Some(call.from),
        to: call.to.clone(),
        user: Identity {
            id: format!("USR-{user_id}"),
            name: format!("vapi-user-{}", user_id.simple()),
        },
        event_url: None,
        synchronous: false,
    });
    cloud.add_leg(&leg);
    let shown = json!({ "uuid": leg.id, "conversation_uuid": leg.conversation().id });
    cloud.spawn(inbound::run(Arc::clone(&cloud), leg, call.to, Value::Null));
    Ok((StatusCode::CREATED, Json(shown)))
}
