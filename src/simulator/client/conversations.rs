//! What the SDK does in a call: read the conversation, mute, press keys, repair media, hang up.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    invite::invited,
    legs::{connect_media, leg_json, unusable_offer},
};
use crate::simulator::{
    call::{
        conversation::Conversation,
        leg::{Decision, EndedBy, Leg},
    },
    clock,
    cloud::Cloud,
    refusal::{Fault, Refusal},
    rest::auth::ConversationToken,
    token::Bearer,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v0.3/conversations/{cid}", get(show))
        .route("/v0.3/conversations/{cid}/legs", get(legs))
        .route("/v0.3/conversations/{cid}/events", post(act))
        .route("/v0.3/conversations/{cid}/rtc/{rtc_id}/offer", post(repair))
        .route("/v0.2/conversations/{cid}/members/{mid}", delete(leave))
}

async fn show(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(cid): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    Ok(Json(json!({
        "id": conversation.id,
        "name": conversation.name,
        "timestamp": { "created": conversation.created },
        "state": "ACTIVE",
        "media_state": {
            "mute": false,
            "earmuff": false,
            "play_stream": false,
            "tts": false,
            "recording": false,
            "transcribing": false,
        },
    })))
}

async fn legs(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(cid): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    let legs: Vec<Value> = conversation
        .legs()
        .iter()
        .map(|leg| leg_json(leg))
        .collect();
    Ok(Json(json!({ "_embedded": { "legs": legs }, "_links": {} })))
}

#[derive(Debug, Deserialize)]
struct Act {
    #[serde(rename = "type")]
    kind: String,
    from: String,
    #[serde(default)]
    body: Map<String, Value>,
}

/// Mute, earmuff, keys, speech: done, written down, told to everybody.
async fn act(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(cid): Path<String>,
    Json(act): Json<Act>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    let leg = own_member(&conversation, &bearer, &act.from)?;
    let mut body = Value::Object(act.body);
    match act.kind.as_str() {
        "audio:mute:on" => leg.sound.muted.store(true, Ordering::Relaxed),
        "audio:mute:off" => leg.sound.muted.store(false, Ordering::Relaxed),
        "audio:earmuff:on" => leg.sound.deaf.store(true, Ordering::Relaxed),
        "audio:earmuff:off" => leg.sound.deaf.store(false, Ordering::Relaxed),
        "audio:dtmf" => {
            for key in body["digit"].as_str().unwrap_or_default().chars() {
                // Nobody may be listening: then the key is lost, as on a telephone.
                let _ = leg.keys.send(key);
            }
            body["channel"] = json!({ "id": leg.id, "type": "app" });
        }
        "audio:say" => leg.caption(body["text"].as_str().unwrap_or_default().to_owned()),
        other => {
            return Err(Refusal::invalid_input(&[Fault::new(
                "type",
                format!("\"{other}\" is not an event this simulator takes"),
            )]));
        }
    }
    if body["rtc_id"].is_null() {
        body["rtc_id"] = json!(leg.id);
    }
    let number = conversation.emit(&cloud, &act.kind, &leg, &body);
    Ok(Json(json!({
        "id": number,
        "type": act.kind,
        "timestamp": clock::now_iso(),
        "body": body,
    })))
}

#[derive(Debug, Deserialize)]
struct Repair {
    body: RepairBody,
}

#[derive(Debug, Deserialize)]
struct RepairBody {
    offer: RepairOffer,
}

#[derive(Debug, Deserialize)]
struct RepairOffer {
    sdp: String,
}

/// Opens new media for a leg whose path was lost; the answer goes over the socket.
async fn repair(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((cid, rtc_id)): Path<(String, String)>,
    Json(repair): Json<Repair>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    let leg = cloud
        .leg(&rtc_id)
        .filter(|leg| owns(&bearer, leg) && !leg.status().is_over())
        .ok_or_else(unknown_member)?;
    let answer = connect_media(&cloud, &leg, &repair.body.offer.sdp)
        .await
        .map_err(|fault| unusable_offer(&fault))?;
    conversation.emit(
        &cloud,
        "rtc:answer",
        &leg,
        &json!({ "rtc_id": leg.id, "answer": answer }),
    );
    Ok(Json(json!({ "id": leg.id })))
}

/// The page hangs up, or refuses a call that it was invited to.
pub(super) async fn leave(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((cid, mid)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    if let Some(invited) = invited(&cloud, &bearer, &mid) {
        invited.decide(Decision::Decline);
    } else {
        own_member(&conversation, &bearer, &mid)?.hang_up(EndedBy::User);
    }
    Ok(Json(json!({})))
}

/// A conversation of the token's application.
pub(super) fn own_conversation(
    cloud: &Cloud,
    bearer: &Bearer,
    cid: &str,
) -> Result<Arc<Conversation>, Refusal> {
    cloud
        .conversation(cid)
        .filter(|conversation| conversation.application_id == bearer.application_id)
        .ok_or_else(|| {
            Refusal::conversation(
                StatusCode::NOT_FOUND,
                "conversation:error:not-found",
                "Conversation does not exist, or you do not have access.",
            )
        })
}

fn own_member(
    conversation: &Conversation,
    bearer: &Bearer,
    member_id: &str,
) -> Result<Arc<Leg>, Refusal> {
    conversation
        .legs()
        .into_iter()
        .find(|leg| leg.member_id == member_id && owns(bearer, leg))
        .ok_or_else(unknown_member)
}

/// Whether the token is of the user at this leg.
pub(super) fn owns(bearer: &Bearer, leg: &Leg) -> bool {
    bearer
        .user
        .as_ref()
        .is_some_and(|user| user.id == leg.user.id)
}

/// The refusal for a member nobody knows.
pub(super) fn unknown_member() -> Refusal {
    Refusal::conversation(
        StatusCode::NOT_FOUND,
        "conversation:error:member-not-found",
        "Member does not exist, or you do not have access.",
    )
}
