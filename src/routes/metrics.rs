//! `GET /metrics`, on a listener of its own: for those who run the service, never for the public.

use std::time::Duration;

use actix_web::{
    App, Error, HttpResponse,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::header,
    web::{self, Data},
};

use crate::{metrics, state::AppState};

/// Time for what is looked up in the store.
const STORE_DEADLINE: Duration = Duration::from_secs(1);

/// The application of the metrics listener.
pub fn app(
    state: Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().app_data(state).service(
        web::resource("/metrics")
            .route(web::get().to(show))
            .route(web::head().to(show)),
    )
}

async fn show(state: Data<AppState>) -> HttpResponse {
    let metrics = &state.metrics;
    metrics.tokens.set_waiting(state.minter.waiting());
    // With the store away the last number stands; that it is away others tell.
    let (ttl, now) = (state.minter.ttl(), state.clock.now());
    let counting = state.sessions.ready_pool().count(&*state.store, ttl, now);
    if let Ok(Ok(ready)) = tokio::time::timeout(STORE_DEADLINE, counting).await {
        metrics.visitors.set_ready(ready);
    }
    match metrics.encode() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, metrics::CONTENT_TYPE))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics can't be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
