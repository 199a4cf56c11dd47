//! Request bodies, within a size and a time. The framework has no time limit for them: a client that
//! sends a byte a minute would hold its connection for ever.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest, dev,
    http::header,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{StreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

use super::error::{ApiError, ProblemKind};
use crate::state::AppState;

/// A webhook's body.
pub(super) const WEBHOOK_LIMIT: usize = 64 * 1024;
/// Anybody else's.
const API_LIMIT: usize = 4 * 1024;

/// Reads a whole body.
pub(super) async fn read(
    payload: &mut dev::Payload,
    limit: usize,
    deadline: Duration,
) -> Result<Bytes, ApiError> {
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                ApiError::with(
                    ProblemKind::BadRequest,
                    format!("the body broke off: {error}"),
                )
            })?;
            if body.len() + chunk.len() > limit {
                let detail = format!("the body has more than {limit} bytes");
                return Err(ApiError::with(ProblemKind::BodyTooLarge, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(deadline, whole)
        .await
        .unwrap_or_else(|_elapsed| Err(ApiError::new(ProblemKind::BodyTimeout)))
}

/// A JSON body of a visitor's client. No body at all is `{}`.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let is_json = media_type(request).is_none_or(|media_type| media_type == "application/json");
        let body = text(request, payload);
        Box::pin(async move {
            // A form or `text/plain` would get here from any website without a preflight.
            if !is_json {
                let detail = "the body's media type must be application/json";
                return Err(ApiError::with(ProblemKind::UnsupportedMedia, detail));
            }
            parse(&body.await?).map(Self)
        })
    }
}

/// The same for a beacon, which a closing page can only send as plain text. Nothing that is read this way
/// may rely on a cookie alone.
#[derive(Debug)]
pub(super) struct Beacon<T> {
    /// What was sent.
    pub(super) value: T,
    /// Whether it came with a media type that needs a preflight.
    pub(super) preflighted: bool,
}

impl<T: DeserializeOwned + 'static> FromRequest for Beacon<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let preflighted =
            media_type(request).is_some_and(|media_type| media_type == "application/json");
        let body = text(request, payload);
        Box::pin(async move {
            Ok(Self {
                value: parse(&body.await?)?,
                preflighted,
            })
        })
    }
}

fn text(
    request: &HttpRequest,
    payload: &mut dev::Payload,
) -> LocalBoxFuture<'static, Result<Bytes, ApiError>> {
    let deadline = request
        .app_data::<Data<AppState>>()
        .map(|state| state.site.body_timeout);
    let mut payload = payload.take();
    Box::pin(async move { read(&mut payload, API_LIMIT, deadline.unwrap_or_default()).await })
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        ApiError::with(
            ProblemKind::BadRequest,
            format!("the body is not the JSON that belongs here: {error}"),
        )
    })
}

/// The media type without its parameters, in lower case.
fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
    )
}
