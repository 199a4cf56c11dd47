//! What the service answers, and to whom. A handler reads, asks one rule, and answers.

pub(crate) mod assets;
mod auth;
mod body;
mod call_events;
mod calls;
mod cross_origin;
pub mod error;
pub mod health;
pub mod limits;
pub mod log_limit;
pub mod metrics;
pub mod middleware;
pub(crate) mod pages;
mod problem_kind;
mod sessions;
mod unread;
mod visit;
mod webhooks;
pub mod well_known;

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use tracing_actix_web::TracingLogger;

use crate::state::AppState;

/// The application of one worker.
pub fn app(
    state: Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let origins = state.site.allowed_origins.clone();
    App::new()
        .app_data(state)
        .configure(|cfg| configure(cfg, &origins))
        // The last one is the first to see a request: span and id, the hold on its body (which the answer keeps, so
        // that nothing inside may replace that answer), headers and problem bodies, the check of its coding.
        .wrap(from_fn(middleware::refuse_compressed_requests))
        .wrap(from_fn(middleware::finish))
        .wrap(from_fn(unread::close))
        .wrap(TracingLogger::<middleware::RootSpan>::new())
}

fn configure(cfg: &mut ServiceConfig, origins: &[String]) {
    cfg.configure(health::configure)
        .configure(well_known::configure)
        .configure(assets::configure)
        .configure(pages::configure)
        .service(web::scope("/webhooks").configure(webhooks::configure))
        .service(
            web::scope("/api")
                .wrap(cross_origin::allowed(origins))
                .wrap(from_fn(cross_origin::show_refusals))
                .configure(sessions::configure)
                .configure(calls::configure),
        )
        .service(
            web::scope("")
                .wrap(cross_origin::allowed(origins))
                .configure(auth::configure),
        );
}
