//! The Client SDK's side: the socket under `/v2/rtc`, and its REST calls, open to every origin.

mod conversations;
pub(super) mod invite;
mod legs;
mod old;
pub(super) mod session;
mod socket;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};

use super::{cloud::Cloud, faults::interfere, refusal::Refusal};

/// All routes that the SDK calls, and a refusal for every address that nothing serves.
pub(super) fn routes(cloud: &Arc<Cloud>) -> Router<Arc<Cloud>> {
    Router::new()
        .merge(socket::routes())
        .merge(users::routes())
        .merge(legs::routes())
        .merge(conversations::routes())
        .merge(invite::routes())
        .merge(old::routes())
        .fallback(nothing_here)
        .layer(from_fn_with_state(Arc::clone(cloud), interfere))
        .layer(from_fn(cross_origin))
}

/// An address nobody serves, refused so that a page can read it.
async fn nothing_here(uri: Uri) -> Refusal {
    Refusal::not_found(uri.path())
}

/// Lets any page call, as the cloud does: the SDK sends no cookies, only its token.
async fn cross_origin(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization,content-type",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET,POST,PUT,PATCH,DELETE",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
