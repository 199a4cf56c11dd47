//! Whether the process is up, and whether it can do its work.

use std::time::{Duration, Instant};

use actix_web::{
    HttpResponse,
    web::{self, Data, ServiceConfig},
};
use serde_json::json;
use tokio::sync::Mutex;

use super::error::{ApiError, ProblemKind};
use crate::state::AppState;

/// Time for the store to prove itself.
const STORE_DEADLINE: Duration = Duration::from_secs(2);
/// How long a verdict holds.
const VERDICT_LIFE: Duration = Duration::from_secs(1);

pub(super) fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource("/healthz")
            .route(web::get().to(healthy))
            .route(web::head().to(healthy)),
    )
    .service(
        web::resource("/readyz")
            .route(web::get().to(ready))
            .route(web::head().to(ready)),
    );
}

/// The process is up.
async fn healthy() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The store takes a durable write, a token can be signed, and no stop has been asked for.
async fn ready(state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let not_ready = |why: &'static str| ApiError::with(ProblemKind::NotReady, why);
    if state.draining.is_cancelled() {
        return Err(not_ready("the service is stopping"));
    }
    state.readiness.verdict(&state).await.map_err(not_ready)?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}

/// The last verdict, kept for [`VERDICT_LIFE`]: whoever asks a thousand times a second causes one write.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), &'static str>)>>);

impl Readiness {
    async fn verdict(&self, state: &AppState) -> Result<(), &'static str> {
        let mut kept = self.0.lock().await;
        if let Some((at, verdict)) = *kept
            && at.elapsed() < VERDICT_LIFE
        {
            return verdict;
        }
        let verdict = examine(state).await;
        *kept = Some((Instant::now(), verdict));
        verdict
    }
}

async fn examine(state: &AppState) -> Result<(), &'static str> {
    match tokio::time::timeout(STORE_DEADLINE, state.store.ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            return Err("the store does not take a write");
        }
        Err(_elapsed) => return Err("the store is too slow"),
    }
    match state.minter.for_application(state.clock.now()).await {
        Ok(_token) => Ok(()),
        Err(error) => {
            tracing::error!(%error, "not ready");
            Err("no token can be signed")
        }
    }
}
