//! A visitor's calls: permission for one, its state as a stream, hanging up.

use actix_web::HttpRequest;
use actix_web::{
    HttpResponse,
    web::{self, Data, Path, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    body::{Beacon, Json},
    call_events,
    error::{ApiError, ProblemKind},
    limits,
    sessions::rfc3339,
    visit::{Visit, Website},
};
use crate::{
    domain::{call::Call, calling, ids::CallId, visitor::Visitor},
    state::AppState,
};

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(web::resource("/calls").route(web::post().to(permit)))
        .service(
            web::resource("/calls/{id}/events")
                .route(web::get().to(call_events::stream))
                .route(web::head().to(call_events::stream)),
        )
        .service(web::resource("/calls/{id}/hangup").route(web::post().to(hang_up)));
}

#[derive(Debug, Deserialize)]
struct Wish {
    /// Which line; the only one when left out.
    line: Option<String>,
    /// The language that the caller wants to hear.
    #[serde(default)]
    language: String,
    /// What the page wants the desk to know: flat, for people to read, never acted upon.
    #[serde(default)]
    context: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Permitted {
    call_id: String,
    /// What visitor and desk tell each other: `K7-42QX`.
    code: String,
    /// The Vonage user who may use the ticket. A page that is logged in as another one (an older session, a second tab)
    /// logs in again first.
    user: String,
    /// To be passed as `ticket` in the SDK's call data, at once.
    ticket: String,
    /// The ticket's end, RFC 3339.
    expires_at: String,
    /// The longest call.
    limit_seconds: u64,
}

async fn permit(
    request: HttpRequest,
    visit: Visit,
    Json(wish): Json<Wish>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let visitor = visit.visitor(&state).await?;
    limits::check_calls(&request, &state)?;
    if wish.line.is_some_and(|line| line != state.line.id) {
        return Err(ApiError::new(ProblemKind::UnknownLine));
    }
    if wish
        .context
        .values()
        .any(|value| value.is_object() || value.is_array())
    {
        let detail = "`context` must be flat: texts, numbers, true or false";
        return Err(ApiError::with(ProblemKind::BadRequest, detail));
    }
    let context = (!wish.context.is_empty()).then(|| Value::Object(wish.context).to_string());
    let permission = calling::permit(
        &*state.store,
        &state.answering.seal,
        &state.line,
        calling::Wish {
            visitor: &visitor,
            language: &wish.language,
            context,
        },
        state.ticket_ttl,
        state.clock.now(),
    )
    .await?;
    let call = permission.call;
    state.metrics.calls.permitted();
    tracing::info!(call.id = %call.id, call.code = %call.id.support_code(), "a visitor may call");
    Ok(HttpResponse::Created().json(Permitted {
        call_id: call.id.to_string(),
        code: call.id.support_code(),
        user: visitor.user.name,
        ticket: permission.ticket,
        expires_at: rfc3339(call.ticket_expires_at),
        limit_seconds: state.line.limit.as_secs(),
    }))
}

#[derive(Debug, Deserialize)]
struct HangUp {
    /// The page is going away; it may come back.
    #[serde(default)]
    leaving: bool,
    /// The call's ticket, from pages that can't send their session along.
    ticket: Option<String>,
}

/// Hangs up. The session proves whose call it is, or the ticket, which a closing page can put in a beacon.
async fn hang_up(
    path: Path<String>,
    visit: Visit,
    body: Beacon<HangUp>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let call = find(&path, &state).await?;
    let by_ticket = body.value.ticket.as_deref().is_some_and(|ticket| {
        call.user
            .as_deref()
            .is_some_and(|user| state.answering.seal.is_genuine(ticket, call.id, user))
    });
    if !by_ticket {
        let trusted = body.preflighted || visit.site == Website::Own || visit.bearer.is_some();
        let visitor = if trusted {
            visit.find_visitor(&state).await?
        } else {
            None
        };
        if !visitor.is_some_and(|visitor| owns(&visitor, &call)) {
            return Err(ApiError::new(ProblemKind::NotFound));
        }
    }
    calling::hang_up(
        &*state.store,
        call.id,
        body.value.leaving,
        state.clock.now(),
    )
    .await?;
    state.live.changed(call.id);
    state.upkeep_now.notify_one();
    Ok(HttpResponse::Accepted().finish())
}

/// The call of this address. One that can't be an id does not exist either.
async fn find(id: &str, state: &AppState) -> Result<Call, ApiError> {
    let not_found = || ApiError::new(ProblemKind::NotFound);
    let id: CallId = id.parse().map_err(|_not_an_id| not_found())?;
    state.store.find_call(id).await?.ok_or_else(not_found)
}

/// The call of this address if it is this visitor's. Somebody else's does not exist for them.
pub(super) async fn find_own(id: &str, visit: &Visit, state: &AppState) -> Result<Call, ApiError> {
    let visitor = visit.visitor(state).await?;
    let call = find(id, state).await?;
    if owns(&visitor, &call) {
        Ok(call)
    } else {
        Err(ApiError::new(ProblemKind::NotFound))
    }
}

fn owns(visitor: &Visitor, call: &Call) -> bool {
    call.visitor == Some(visitor.id)
}
