//! What pages of other websites may read. They prove a session with a bearer, so no credentials are ever allowed.

use actix_cors::Cors;
use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::error::{ApiError, ProblemKind};
use crate::state::AppState;

/// How long a browser may remember that another website is allowed.
const PREFLIGHT_SECONDS: usize = 600;
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

/// Answers for the allowed websites, by exact origin.
pub(super) fn allowed(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER])
        .max_age(PREFLIGHT_SECONDS);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Lets every website's page ask, and read that it is refused: a browser would show it the same silence as a network
/// that is down, and nobody would learn which setting to mend. [`Visit`](super::visit::Visit) refuses it.
pub(super) async fn show_refusals<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if is_strangers_preflight(&request) {
        let response = HttpResponse::NoContent()
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY))
            .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"))
            .insert_header((
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type",
            ))
            .insert_header((header::VARY, "Origin"))
            .finish();
        return Ok(request.into_response(response).map_into_right_body());
    }
    let mut response = next.call(request).await?.map_into_left_body();
    let is_refused = response
        .response()
        .extensions()
        .get::<ApiError>()
        .is_some_and(|error| error.kind() == ProblemKind::OriginNotAllowed);
    if is_refused {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    }
    Ok(response)
}

fn is_strangers_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    let (Some(origin), Some(state)) = (
        headers.get(header::ORIGIN),
        request.app_data::<Data<AppState>>(),
    ) else {
        return false;
    };
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && !state
            .site
            .allowed_origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
}
