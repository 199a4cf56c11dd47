//! Calls to a page: it is invited with an offer, and answers or refuses.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{post, put},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    conversations::{own_conversation, owns, unknown_member},
    legs::unusable_offer,
};
use crate::simulator::{
    call::{
        conversation::channel,
        leg::{Decision, EndedBy, Leg},
    },
    cloud::{Cloud, lock},
    media::peer::{Peer, PeerEvent},
    refusal::Refusal,
    rest::auth::ConversationToken,
    token::Bearer,
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v0.3/conversations/{cid}/members/{mid}", put(accept))
        .route(
            "/v0.3/conversations/{cid}/rtc/{rtc_id}/answer",
            post(answer),
        )
}

/// Invites the page behind a leg. Without a port for its sound there is no call.
pub(in crate::simulator) async fn send(cloud: &Arc<Cloud>, leg: &Arc<Leg>) {
    let listening = Arc::downgrade(leg);
    let listener = Box::new(move |event| {
        if let (Some(leg), PeerEvent::Heard(frame)) = (listening.upgrade(), event) {
            leg.heard(&frame);
        }
    });
    let conversation = leg.conversation();
    match Peer::offer(cloud, listener).await {
        Ok((peer, offer)) => {
            leg.sound.attach(peer);
            let invitation = json!({
                "conversation": { "conversation_id": conversation.id, "name": conversation.name },
                "member_id": leg.member_id,
                "user": { "id": leg.user.id, "name": leg.user.name },
                "media": { "audio_settings": { "enabled": true, "muted": false, "earmuffed": false } },
                "channel": channel(leg),
                "sdp": offer,
            });
            conversation.emit(cloud, "member:invited", leg, &invitation);
        }
        Err(fault) => {
            tracing::warn!(%fault, leg = %leg.id, "a page can't be called");
            leg.hang_up(EndedBy::Platform);
        }
    }
}

/// The leg of an invitation that is still open.
pub(super) fn invited(cloud: &Cloud, bearer: &Bearer, member_id: &str) -> Option<Arc<Leg>> {
    lock(&cloud.legs)
        .iter()
        .find(|leg| leg.member_id == member_id && owns(bearer, leg))
        .filter(|leg| leg.answered_at().is_none() && !leg.status().is_over())
        .cloned()
}

/// The page takes the call; what it will hear follows with its answer.
async fn accept(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((_, mid)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let leg = invited(&cloud, &bearer, &mid).ok_or_else(unknown_member)?;
    Ok(Json(json!({ "id": leg.member_id })))
}

#[derive(Debug, Deserialize)]
struct Answer {
    body: AnswerBody,
}

#[derive(Debug, Deserialize)]
struct AnswerBody {
    answer: String,
}

/// The page's side of the sound: from here on the two talk.
async fn answer(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path((cid, rtc_id)): Path<(String, String)>,
    Json(answer): Json<Answer>,
) -> Result<Json<Value>, Refusal> {
    own_conversation(&cloud, &bearer, &cid)?;
    let leg = cloud
        .leg(&rtc_id)
        .filter(|leg| owns(&bearer, leg) && !leg.status().is_over())
        .ok_or_else(unknown_member)?;
    leg.sound
        .answer(&answer.body.answer)
        .map_err(|fault| unusable_offer(&fault))?;
    leg.decide(Decision::Answer);
    Ok(Json(json!({ "id": leg.id })))
}
