//! What is true of every answer: security headers, a request id, problems as bodies of errors, and a log line.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;
use uuid::Uuid;

use super::error::{ApiError, ProblemKind};
use crate::state::AppState;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id under which the log has this request: the client's own, if it looks like one, or a new one.
#[derive(Debug, Clone)]
pub(super) struct RequestId(String);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(X_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| {
                (8..=64).contains(&id.len())
                    && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        Self(given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

/// The request's id.
pub(super) fn request_id(request: &HttpRequest) -> String {
    request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default()
}

/// The span of a request: method, route and status.
///
/// Never the address, the query or the headers: Vonage's queries carry telephone numbers, the SDK's a token.
#[derive(Debug)]
pub struct RootSpan;

impl RootSpanBuilder for RootSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::of(request.headers());
        let route = request
            .match_pattern()
            .unwrap_or_else(|| "unmatched".to_owned());
        let span = tracing::info_span!(
            "request",
            request.id = %id.0,
            http.method = %request.method(),
            http.route = %route,
            http.status = tracing::field::Empty,
            otel.name = tracing::field::Empty,
            otel.kind = tracing::field::Empty,
        );
        if cfg!(feature = "otlp") {
            span.record("otel.name", format!("{} {route}", request.method()));
            span.record("otel.kind", "server");
        }
        request.extensions_mut().insert(id);
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = outcome.as_ref().map_or_else(
            |error| error.as_response_error().status_code(),
            ServiceResponse::status,
        );
        span.record("http.status", status.as_u16());
        tracing::debug!(parent: &span, "answered");
    }
}

/// Refuses compressed requests: inflating one costs a sender nothing and us a lot, and no client of ours sends any.
pub(super) async fn refuse_compressed_requests<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let error = ApiError::with(
            ProblemKind::UnsupportedMedia,
            "the request's body is compressed",
        );
        let response = actix_web::ResponseError::error_response(&error);
        return Ok(request.into_response(response).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Gives every error its body and every answer its headers.
pub(super) async fn finish<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<AppState>>().cloned();
    let response = next.call(request).await?;
    let Some(state) = state else {
        return Ok(response.map_into_boxed_body());
    };
    state.metrics.http.request(
        response.request().match_pattern(),
        response.status().as_u16(),
    );
    let mut response = if response.status().is_client_error() || response.status().is_server_error()
    {
        with_problem(response, &state)
    } else {
        response.map_into_boxed_body()
    };
    let id = request_id(response.request());
    add_headers(response.headers_mut(), &state, &id);
    Ok(response)
}

fn with_problem<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    state: &AppState,
) -> ServiceResponse<BoxBody> {
    let extensions = response.response().extensions();
    let error = extensions
        .get::<ApiError>()
        .cloned()
        .unwrap_or_else(|| ApiError::of_status(response.status()));
    drop(extensions);
    state.metrics.http.problem(error.kind());
    let (request, response) = response.into_parts();
    let id = request_id(&request);
    let page = if wants_page(&request) {
        state.views.error_page(&request, &error, &id).ok()
    } else {
        None
    };
    let (media_type, body) = if let Some(html) = page {
        ("text/html; charset=utf-8", html)
    } else {
        let document = error.document(&state.site.origin, &id);
        (
            "application/problem+json",
            serde_json::to_string(&document).unwrap_or_default(),
        )
    };
    let mut response = response.set_body(BoxBody::new(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.remove(header::CONTENT_LENGTH);
    if media_type.starts_with("text/html") {
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            state.site.page_policy.clone(),
        );
    }
    ServiceResponse::new(request, response)
}

/// A browser that follows a link names `text/html`; programs and `fetch` don't.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn add_headers(headers: &mut HeaderMap, state: &AppState, id: &str) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::CACHE_CONTROL, "no-store");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    default(
        HeaderName::from_static("permissions-policy"),
        "microphone=(self)",
    );
    if state.site.is_https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
}
