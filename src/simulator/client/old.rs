//! The addresses that the retired `nexmo-client` 9.5 uses for the same things.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::{delete, get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    conversations::{leave, own_conversation, owns, unknown_member},
    legs::{knock, offer},
};
use crate::simulator::{
    call::{conversation::channel, leg::Leg},
    cloud::Cloud,
    refusal::Refusal,
    rest::auth::ConversationToken,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/beta/legs", post(offer))
        .route("/beta/knocking", post(knock))
        .route("/beta/conversations/{cid}", get(conversation))
        .route("/beta/conversations/{cid}/members/{mid}", delete(leave))
        .route("/v0.3/conversations/{cid}/members/{mid}", get(member))
        .route("/beta2/conversations/{cid}/events", get(events))
        .route(
            "/beta2/conversations/{cid}/rtc/{rtc_id}",
            delete(close_media),
        )
}

async fn conversation(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(cid): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let conversation = own_conversation(&cloud, &bearer, &cid)?;
    let members: Vec<Value> = conversation
        .legs()
        .iter()
        .map(|leg| member_json(leg))
        .collect();
    Ok(Json(json!({
        "uuid": conversation.id,
        "name": conversation.name,
        "display_name": conversation.name,
        "timestamp": { "created": conversation.created },
        "members": members,
    })))
}

/// A member by id; `me` is the token's own.
async fn member(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((cid, mid)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    own_conversation(&cloud, &bearer, &cid)?
        .legs()
        .iter()
        .find(|leg| leg.member_id == mid || (mid == "me" && owns(&bearer, leg)))
        .map(|leg| Json(member_json(leg)))
        .ok_or_else(unknown_member)
}

fn member_json(leg: &Leg) -> Value {
    json!({
        "id": leg.member_id,
        "member_id": leg.member_id,
        "user_id": leg.user.id,
        "name": leg.user.name,
        "user": { "id": leg.user.id, "name": leg.user.name },
        "state": "JOINED",
        "channel": channel(leg),
    })
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(default)]
    start_id: u64,
    #[serde(default = "unbounded")]
    end_id: u64,
}

fn unbounded() -> u64 {
    u64::MAX
}

/// Events by their numbers, both ends included.
async fn events(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(cid): Path<String>,
    Query(range): Query<Range>,
) -> Result<Json<Value>, Refusal> {
    let events: Vec<Value> = own_conversation(&cloud, &bearer, &cid)?
        .log()
        .into_iter()
        .filter(|event| {
            event["id"]
                .as_u64()
                .is_some_and(|id| (range.start_id..=range.end_id).contains(&id))
        })
        .collect();
    Ok(Json(json!({
        "page_size": 20,
        "_embedded": { "data": { "events": events } },
        "_links": {},
    })))
}

/// The old client says so before it leaves; its leg ends when it leaves.
async fn close_media(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((cid, _)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    own_conversation(&cloud, &bearer, &cid)?;
    Ok(Json(json!({})))
}
