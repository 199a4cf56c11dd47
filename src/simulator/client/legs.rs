//! Making a call: the offer, then the knock; and a leg's read-back.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::simulator::{
    call::{
        conversation::{Conversation, channel},
        inbound,
        leg::{Direction, Identity, Leg, NewLeg, Party},
    },
    clock,
    cloud::{Cloud, lock},
    media::peer::{Peer, PeerEvent, PeerFault},
    refusal::{Fault, Refusal},
    rest::auth::ConversationToken,
    token::Bearer,
};

/// How long an offer waits for its knock; the SDK itself gives up after ten seconds.
const KNOCK_WITHIN: Duration = Duration::from_secs(15);

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v0.3/legs", post(offer))
        .route("/v0.3/legs/{id}", get(show))
        .route("/v0.3/knocking", post(knock))
}

#[derive(Debug, Deserialize)]
pub(super) struct Offer {
    originating_session: String,
    body: OfferBody,
}

#[derive(Debug, Deserialize)]
struct OfferBody {
    offer: Sdp,
}

#[derive(Debug, Deserialize)]
struct Sdp {
    sdp: String,
}

/// Answers an offer; the leg is not yet a call.
pub(super) async fn offer(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Json(offer): Json<Offer>,
) -> Result<Json<Value>, Refusal> {
    let user = caller(&cloud, &bearer, &offer.originating_session)?;
    let conversation = Conversation::open(&cloud, &bearer.application_id, None);
    let leg = Leg::new(NewLeg {
        id: Uuid::new_v4().to_string(),
        conversation,
        party: Party::Caller {
            session_id: offer.originating_session,
        },
        direction: Direction::Inbound,
        from: None,
        to: user.name.clone(),
        user,
        event_url: None,
        synchronous: false,
    });
    let answer = connect_media(&cloud, &leg, &offer.body.offer.sdp)
        .await
        .map_err(|fault| unusable_offer(&fault))?;
    lock(&cloud.offers).insert(leg.id.clone(), Arc::clone(&leg));
    let (owner, id) = (Arc::clone(&cloud), leg.id.clone());
    cloud.spawn(async move {
        sleep(KNOCK_WITHIN).await;
        if let Some(leg) = lock(&owner.offers).remove(&id) {
            leg.sound.detach();
            lock(&owner.conversations).remove(&leg.conversation().id);
        }
    });
    Ok(Json(json!({ "rtc_id": leg.id, "sdp": answer })))
}

/// The user behind a token and a session of theirs.
fn caller(cloud: &Cloud, bearer: &Bearer, session_id: &str) -> Result<Identity, Refusal> {
    cloud
        .session(session_id)
        .filter(|session| {
            bearer
                .user
                .as_ref()
                .is_some_and(|user| user.id == session.user.id)
        })
        .map(|session| session.user.clone())
        .ok_or_else(|| {
            Refusal::conversation(
                StatusCode::BAD_REQUEST,
                "session:error:invalid",
                "The originating session is not one of this user's.",
            )
        })
}

/// Opens the media of a leg, or opens it anew after a loss; returns the SDP answer.
///
/// # Errors
///
/// See [`PeerFault`].
pub(super) async fn connect_media(
    cloud: &Arc<Cloud>,
    leg: &Arc<Leg>,
    offer: &str,
) -> Result<String, PeerFault> {
    let listening = Arc::downgrade(leg);
    let listener = Box::new(move |event| {
        if let (Some(leg), PeerEvent::Heard(frame)) = (listening.upgrade(), event) {
            leg.heard(&frame);
        }
    });
    let (peer, answer) = Peer::accept(cloud, offer, listener).await?;
    leg.sound.attach(peer);
    Ok(answer)
}

/// The refusal of an SDP offer.
pub(super) fn unusable_offer(fault: &PeerFault) -> Refusal {
    Refusal::invalid_input(&[Fault::new("offer.sdp", fault.to_string())])
}

#[derive(Debug, Deserialize)]
pub(super) struct Knock {
    channel: KnockChannel,
    #[serde(default)]
    properties: Properties,
}

#[derive(Debug, Deserialize)]
struct KnockChannel {
    id: String,
    #[serde(default)]
    to: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Properties {
    #[serde(default)]
    custom_data: Value,
}

/// Turns an answered offer into a call: from here on the application decides.
pub(super) async fn knock(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Json(knock): Json<Knock>,
) -> Result<Json<Value>, Refusal> {
    let offers = &mut *lock(&cloud.offers);
    let own = offers.get(&knock.channel.id).is_some_and(|leg| {
        bearer
            .user
            .as_ref()
            .is_some_and(|user| user.id == leg.user.id)
    });
    let leg = offers
        .remove(&knock.channel.id)
        .filter(|_| own)
        .ok_or_else(unknown_leg)?;
    cloud.add_leg(&leg);
    let to = ["number", "user"]
        .into_iter()
        .find_map(|name| knock.channel.to[name].as_str())
        .unwrap_or_default()
        .to_owned();
    cloud.spawn(inbound::run(
        Arc::clone(&cloud),
        leg,
        to,
        knock.properties.custom_data,
    ));
    Ok(Json(json!({ "id": Uuid::new_v4() })))
}

fn unknown_leg() -> Refusal {
    Refusal::conversation(
        StatusCode::NOT_FOUND,
        "leg:error:not-found",
        "Leg does not exist, or you do not have access.",
    )
}

async fn show(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    cloud
        .leg(&id)
        .filter(|leg| leg.application_id == bearer.application_id)
        .map(|leg| Json(leg_json(&leg)))
        .ok_or_else(unknown_leg)
}

/// A leg as the SDK reads it.
pub(super) fn leg_json(leg: &Leg) -> Value {
    let time = |time: Option<_>| time.map(clock::iso).unwrap_or_default();
    let channel = channel(leg);
    json!({
        "id": leg.id,
        "conversation_id": leg.conversation().id,
        "status": leg.status().as_str(),
        "start_time": time(leg.answered_at()),
        "end_time": time(leg.ended_at()),
        "direction": leg.direction,
        "type": leg.kind(),
        "from": channel["from"],
        "to": channel["to"],
    })
}
