//! `GET /auth/{user_id}`: the token alone, as a JSON string, for clients written against the tutorial's server.
//!
//! That server gave anybody a token for any name. Here a name is given to its own visitor, to pages of an
//! allowed origin if it is configured for that, and to holders of a service key.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Path, ServiceConfig},
};

use super::{
    error::{ApiError, ProblemKind},
    limits,
    sessions::open_session,
    visit::{Visit, Website},
};
use crate::{domain::sessions, state::AppState};

pub(super) fn configure(cfg: &mut ServiceConfig) {
    // The pattern takes slashes, so that a name with one is refused like any other.
    cfg.service(
        web::resource("/auth/{user_id:.*}")
            .route(web::get().to(token))
            .route(web::head().to(token)),
    );
}

async fn token(
    request: HttpRequest,
    path: Path<String>,
    visit: Visit,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    limits::check_sessions(&request, &state)?;
    let user = allowed_user(&path, visit, &state).await?;
    let minted = state.minter.for_user(&user, state.clock.now()).await?;
    Ok(HttpResponse::Ok().json(minted.token))
}

/// The user whose token this caller may have, made sure to exist at Vonage.
async fn allowed_user(name: &str, visit: Visit, state: &AppState) -> Result<String, ApiError> {
    let refused = || ApiError::new(ProblemKind::UserNotAllowed);
    if visit
        .bearer
        .as_deref()
        .is_some_and(|bearer| state.site.service_keys.contain(bearer))
    {
        if !sessions::is_user_name(name) {
            let detail =
                "a user's name has 1 to 64 letters, digits, dots, hyphens, underscores or @";
            return Err(ApiError::with(ProblemKind::BadRequest, detail));
        }
        state
            .sessions
            .ensure_lasting(&*state.provider, name)
            .await?;
        return Ok(name.to_owned());
    }
    if let Some(visitor) = visit.find_visitor(state).await?
        && (name == "me" || name == visitor.user.name)
    {
        let now = state.clock.now();
        let session = open_session(state, visit.session, now).await?;
        return Ok(session.visitor.user.name);
    }
    if visit.site != Website::None && state.site.legacy_users.iter().any(|legacy| legacy == name) {
        state
            .sessions
            .ensure_lasting(&*state.provider, name)
            .await?;
        return Ok(name.to_owned());
    }
    Err(refused())
}
