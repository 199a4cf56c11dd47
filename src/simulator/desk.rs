//! The desk phone page: a person answers the simulated telephones in a browser.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    cloud::Cloud,
    control::snapshot,
    media::peer::{Peer, PeerEvent},
};

/// How often packet counts are shown while nothing else changes.
const REFRESH: Duration = Duration::from_secs(1);
/// Nothing but its own files and its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/desk", get(page))
        .route("/desk/desk.css", get(style))
        .route("/desk/desk.js", get(script))
        .route("/desk/desk-audio.js", get(audio_script))
        .route("/desk/events", get(events))
        .route("/desk/legs/{id}/audio", post(audio))
}

async fn page() -> impl IntoResponse {
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-store"),
        ],
        include_str!("pages/desk.html"),
    )
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("pages/desk.css"),
    )
}

async fn script() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("pages/desk.js"),
    )
}

async fn audio_script() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")],
        include_str!("pages/desk-audio.js"),
    )
}

/// The state, whenever it changes and every second beside.
async fn events(
    State(cloud): State<Arc<Cloud>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = cloud.watch();
    let stopping = cloud.stopping.clone();
    let states = stream::unfold((changes, true), move |(mut changes, first)| {
        let cloud = Arc::clone(&cloud);
        async move {
            if !first {
                tokio::select! {
                    _ = changes.changed() => {}
                    () = tokio::time::sleep(REFRESH) => {}
                }
            }
            changes.mark_unchanged();
            let event = Event::default().data(snapshot(&cloud).to_string());
            Some((Ok(event), (changes, false)))
        }
    });
    let states = futures_util::StreamExt::take_until(states, stopping.cancelled_owned());
    Sse::new(states).keep_alive(KeepAlive::default())
}

#[derive(Debug, Deserialize)]
struct Offer {
    sdp: String,
}

/// Gives a telephone a microphone and a loudspeaker: the browser that shows the page.
async fn audio(
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
    Json(offer): Json<Offer>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let leg = cloud
        .leg(&id)
        .filter(|leg| !leg.is_caller() && !leg.status().is_over())
        .ok_or((StatusCode::NOT_FOUND, "no telephone of this id".to_owned()))?;
    let listening = Arc::downgrade(&leg);
    let listener = Box::new(move |event| {
        let Some(leg) = listening.upgrade() else {
            return;
        };
        match event {
            PeerEvent::Heard(frame) => leg.heard(&frame),
            PeerEvent::Lost => leg.sound.detach(),
            PeerEvent::Connected => {}
        }
    });
    let (peer, answer) = Peer::accept(&cloud, &offer.sdp, listener)
        .await
        .map_err(|fault| (StatusCode::BAD_REQUEST, fault.to_string()))?;
    leg.sound.attach(peer);
    cloud.changed();
    Ok(Json(json!({ "sdp": answer })))
}
