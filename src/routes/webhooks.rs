//! Vonage's webhooks. Each is checked before anything else happens; the rules are in [`crate::domain::answering`].

use std::time::{Duration, Instant};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload as RequestPayload,
    http::{Method, header},
    web::{self, Bytes, Data, ServiceConfig},
};
use futures_util::future::LocalBoxFuture;

use super::{
    body,
    error::{ApiError, ProblemKind},
};
use crate::{
    domain::{
        answering::{Plan, Refusal},
        event::NewEvent,
        store::{Appended, StoreError},
    },
    metrics::EventResult,
    state::AppState,
    vonage::{
        ncco::Ncco,
        signature::{Payload, Verdict},
        webhook,
    },
};

/// Time for an event to get on disk. Vonage waits 10 s and then sends it again.
const EVENT_DEADLINE: Duration = Duration::from_secs(5);

/// Time for an answer request to get on disk, while Vonage and the caller wait.
const KEEPING_DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/answer")
            .route(web::get().to(answer))
            .route(web::head().to(answer))
            .route(web::post().to(answer)),
    )
    .service(
        web::resource("/event")
            .route(web::get().to(event))
            .route(web::post().to(event)),
    )
    .service(
        web::resource("/fallback")
            .route(web::get().to(fallback))
            .route(web::head().to(fallback))
            .route(web::post().to(fallback)),
    );
}

/// A webhook and what is to be thought of it. Extracting it never fails: what follows from a verdict is each
/// handler's to say, and the answer route says it with a sentence for the caller.
struct Webhook {
    arrived: Instant,
    content: Result<Content, ApiError>,
    verdict: Verdict,
}

enum Content {
    Body(Bytes),
    Query(String),
}

impl Content {
    fn payload(&self) -> Payload<'_> {
        match self {
            Self::Body(body) => Payload::Body(body),
            Self::Query(query) => Payload::Query(query),
        }
    }
}

impl FromRequest for Webhook {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut RequestPayload) -> Self::Future {
        let arrived = Instant::now();
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let Some(state) = request.app_data::<Data<AppState>>() else {
                return Err(ApiError::new(ProblemKind::Internal));
            };
            let content = if request.method() == Method::POST {
                body::read(&mut payload, body::WEBHOOK_LIMIT, state.site.body_timeout)
                    .await
                    .map(Content::Body)
            } else {
                Ok(Content::Query(request.query_string().to_owned()))
            };
            let verdict = match (&state.signatures, &content) {
                (None, _) => Verdict::Unchecked,
                (Some(_), Err(_)) => Verdict::Missing,
                (Some(check), Ok(content)) => {
                    let authorization = request.headers().get(header::AUTHORIZATION);
                    let authorization =
                        authorization.map(|value| value.to_str().unwrap_or_default());
                    check.verdict(authorization, content.payload(), state.clock.now())
                }
            };
            state.metrics.webhooks.verdict(&verdict);
            log(&verdict, state);
            Ok(Self {
                arrived,
                content,
                verdict,
            })
        })
    }
}

fn log(verdict: &Verdict, state: &AppState) {
    match verdict {
        Verdict::Wrong(fault) => {
            if let Some(left_out) = state.log_limit.admit(fault.as_str()) {
                tracing::warn!(%fault, left_out, "a webhook was refused");
            }
        }
        Verdict::Missing => {
            if let Some(left_out) = state.log_limit.admit("missing") {
                tracing::warn!(
                    left_out,
                    "a webhook was refused: it is not signed; are signed callbacks on?"
                );
            }
        }
        Verdict::Genuine(_) | Verdict::Unchecked => {}
    }
}

/// Tells Vonage what to do with a call.
async fn answer(webhook: Webhook, state: Data<AppState>) -> HttpResponse {
    let plan = plan(&webhook, &state).await;
    let ncco = ncco(&plan, &state);
    let metrics = &state.metrics.webhooks;
    metrics.answered(&plan, webhook.arrived.elapsed());
    HttpResponse::Ok().json(ncco)
}

fn ncco(plan: &Plan, state: &AppState) -> Ncco {
    match plan {
        Plan::Connect(call) => {
            tracing::info!(call.id = %call.id, "a caller is put through");
            state.live.changed(call.id);
            Ncco::connect(&state.line, &call.language)
        }
        Plan::Refuse(refusal) => {
            let reason = refusal.as_str();
            if let Some(left_out) = state.log_limit.admit(reason) {
                tracing::warn!(reason, left_out, "a caller is not put through");
            }
            Ncco::refusal(&state.line.words)
        }
        Plan::Apologise => Ncco::apology(&state.line.words),
    }
}

async fn plan(webhook: &Webhook, state: &Data<AppState>) -> Plan {
    let replay = match &webhook.verdict {
        Verdict::Genuine(genuine) => Some(genuine.replay.clone()),
        Verdict::Unchecked => None,
        Verdict::Missing | Verdict::Wrong(_) => return Plan::Refuse(Refusal::Signature),
    };
    let Ok(content) = &webhook.content else {
        return Plan::Refuse(Refusal::Unclear);
    };
    let question = webhook::question(content.payload(), replay);
    let knows_user = |name: &str| {
        state.sessions.is_visitor_name(name)
            || state.site.legacy_users.iter().any(|legacy| legacy == name)
    };
    let now = state.clock.now();
    // Both are queued at the same time and so share a commit. What can't be kept must not cost the caller the call.
    let asked = webhook::asked(content.payload(), now);
    let keeping = tokio::time::timeout(KEEPING_DEADLINE, keep(&asked, state));
    let planning = state
        .answering
        .plan(&*state.store, &question, knows_user, now);
    let (plan, kept) = tokio::join!(planning, keeping);
    if !matches!(kept, Ok(Ok(_))) {
        tracing::warn!("an answer request could not be kept");
    }
    if let Plan::Refuse(Refusal::HungUp(_)) = plan {
        // The leg that has just appeared is due now.
        state.upkeep_now.notify_one();
    }
    plan
}

/// Keeps an event, and says so only when it is on disk.
async fn event(webhook: Webhook, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let arrived = webhook.arrived;
    let answer = acknowledge(webhook, &state).await;
    let metrics = &state.metrics.webhooks;
    metrics.event_answered(arrived.elapsed());
    answer
}

async fn acknowledge(webhook: Webhook, state: &AppState) -> Result<HttpResponse, ApiError> {
    let content = webhook.content?;
    let replay = match webhook.verdict {
        Verdict::Genuine(genuine) => Some(genuine.replay),
        Verdict::Unchecked => None,
        Verdict::Missing => {
            return Err(
                ApiError::new(ProblemKind::WebhookUnsigned).retry_after(Duration::from_secs(1))
            );
        }
        Verdict::Wrong(_) => return Err(ApiError::new(ProblemKind::WebhookSignature)),
    };
    let event = webhook::event(content.payload(), replay, state.clock.now());
    let status = event.status.clone().unwrap_or_default();
    let count = |result| state.metrics.webhooks.event(result);
    let appended = tokio::time::timeout(EVENT_DEADLINE, keep(&event, state))
        .await
        .map_err(|_elapsed| {
            tracing::error!("an event was not acknowledged because the store took too long");
            ApiError::new(ProblemKind::StoreUnavailable).retry_after(Duration::from_secs(2))
        })
        .and_then(|kept| Ok(kept?))
        .inspect_err(|_failed| count(EventResult::Failed))?;
    count(match appended {
        Appended::New(_) => EventResult::Kept,
        Appended::Repeat => EventResult::Repeated,
        Appended::Replayed => EventResult::Replayed,
    });
    match appended {
        Appended::New(Some(call)) => {
            tracing::info!(call.id = %call, vonage.status = ?status, "event");
            state.live.changed(call);
        }
        Appended::New(None) => {
            tracing::info!(kind = event.kind.as_str(), vonage.status = ?status, "event without a call");
        }
        Appended::Repeat => tracing::debug!(vonage.status = ?status, "event repeated"),
        Appended::Replayed => {
            if let Some(left_out) = state.log_limit.admit("replayed-event") {
                tracing::warn!(
                    left_out,
                    "a webhook was refused: its token was used for another request"
                );
            }
            return Err(ApiError::new(ProblemKind::WebhookSignature));
        }
    }
    Ok(HttpResponse::Ok().finish())
}

/// Puts a webhook on disk, and measures how long that takes.
async fn keep(event: &NewEvent, state: &AppState) -> Result<Appended, StoreError> {
    let began = Instant::now();
    let appended = state.store.append_event(event).await?;
    state.metrics.webhooks.committed(began.elapsed());
    Ok(appended)
}

/// The last resort, when our own answer did not reach Vonage: a constant that depends on nothing, not even on a signature.
async fn fallback(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(header::ContentType::json())
        .body(state.apology.clone())
}
