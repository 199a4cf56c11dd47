//! `POST /api/sessions`: a visitor gets a session, a Vonage user and a token.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, ServiceConfig},
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{
    body::Json,
    error::ApiError,
    limits,
    visit::{self, Visit},
};
use crate::{
    domain::{
        sessions::{Session, SessionError},
        visitor::SessionToken,
    },
    state::AppState,
    vonage::minting::Minted,
};

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/sessions").route(web::post().to(open)));
}

/// Nothing has to be said yet; whatever is said is left alone, so that newer clients can say more.
#[derive(Debug, Deserialize)]
struct Opening {}

/// What a page needs to log in at Vonage.
#[derive(Debug, Serialize)]
struct Opened {
    /// The token for the Client SDK.
    token: String,
    /// Its `sub`.
    user: String,
    /// Its `exp`, RFC 3339.
    expires_at: String,
    /// When to ask for the next one: four fifths of its life.
    refresh_at: String,
    region: &'static str,
    /// The SDK's `apiUrl`.
    api_url: String,
    /// The SDK's `websocketUrl`.
    websocket_url: String,
    /// Proof of the session for clients that have no cookie of ours; `null` for those that have.
    session: Option<String>,
}

/// Creates or resumes the visitor, makes sure that their Vonage user exists, and mints.
async fn open(
    request: HttpRequest,
    visit: Visit,
    Json(Opening {}): Json<Opening>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    limits::check_sessions(&request, &state)?;
    let now = state.clock.now();
    let uses_cookie = visit.uses_cookie();
    let session = open_session(&state, visit.session, now).await?;
    let user = session.visitor.user.name;
    let minted = state.minter.for_user(&user, now).await?;

    let mut response = HttpResponse::Created();
    if uses_cookie {
        let seconds = (session.visitor.expires_at - now).num_seconds();
        response.cookie(visit::session_cookie(&state, &session.token, seconds));
    }
    let (api_url, websocket_url) = state.site.client_urls(state.provider.region());
    Ok(response.json(Opened {
        refresh_at: rfc3339(refresh_at(&minted)),
        expires_at: rfc3339(minted.expires_at),
        token: minted.token,
        user,
        region: state.provider.region().as_str(),
        api_url,
        websocket_url,
        session: (!uses_cookie).then(|| session.token.expose().to_owned()),
    }))
}

/// Resumes or opens a session, and counts it.
pub(super) async fn open_session(
    state: &AppState,
    presented: Option<SessionToken>,
    now: DateTime<Utc>,
) -> Result<Session, SessionError> {
    let (store, provider) = (&*state.store, &*state.provider);
    let opening = state
        .sessions
        .open(store, provider, presented, state.minter.ttl(), now);
    let session = opening.await?;
    let is_pooled = state.sessions.ready_pool().size() > 0;
    let metrics = &state.metrics.visitors;
    metrics.session(session.user_source, is_pooled);
    Ok(session)
}

fn refresh_at(minted: &Minted) -> DateTime<Utc> {
    minted.issued_at + (minted.expires_at - minted.issued_at) * 4 / 5
}

pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
