//! `getUser` and `refreshSession`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, put},
};
use serde_json::{Value, json};

use crate::simulator::{
    cloud::Cloud,
    refusal::Refusal,
    rest::{
        auth::ConversationToken,
        users::{unknown_user, user_json},
    },
};

pub(super) fn routes() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/v0.3/users/{id}", get(show))
        .route("/v0.2/sessions/{id}", put(refresh))
}

/// A user by id or name; `me` is the token's own.
async fn show(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let wanted = match &bearer.user {
        Some(user) if id == "me" => user.id.clone(),
        _ => id,
    };
    cloud
        .registry_now()
        .user(&bearer.application_id, &wanted)
        .map(|user| Json(user_json(user, &cloud.base_url)))
        .ok_or_else(unknown_user)
}

/// Puts a new token in the place of the old one; the new one is the request's own.
async fn refresh(
    ConversationToken(bearer): ConversationToken,
    State(cloud): State<Arc<Cloud>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let session = cloud
        .session(&id)
        .filter(|session| {
            bearer
                .user
                .as_ref()
                .is_some_and(|user| user.id == session.user.id)
        })
        .ok_or_else(|| {
            Refusal::conversation(
                StatusCode::NOT_FOUND,
                "session:error:not-found",
                "Session does not exist, or you do not have access.",
            )
        })?;
    session.expires_at.send_replace(bearer.expires_at);
    Ok(Json(json!({ "session_id": session.id })))
}
