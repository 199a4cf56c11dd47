//! The shapes in which Vonage's interfaces refuse a request.
//!
//! Three families: `api.nexmo.com` (problem-like), the conversation service (the same with a `code`
//! that the Client SDK turns into `error.code`), and `rest.nexmo.com` (`error-code` strings).

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A refused request: a status and the body that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    body: Value,
}

impl Refusal {
    fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }

    /// Applications and Voice: any other reason, by the id under which Vonage explains it.
    pub(super) fn api(status: StatusCode, id: &str, title: &str, detail: &str) -> Self {
        Self::new(
            status,
            json!({
                "type": format!("https://developer.vonage.com/api-errors#{id}"),
                "title": title,
                "detail": detail,
                "instance": instance(),
            }),
        )
    }

    /// Applications and Voice: wrong or missing credentials.
    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            json!({
                "type": "https://developer.nexmo.com/api-errors#unauthorized",
                "title": "Unauthorized",
                "detail": "You did not provide correct credentials.",
                "instance": instance(),
            }),
        )
    }

    /// Applications and Voice: nothing of that id that the caller may see.
    pub(super) fn not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            json!({
                "type": "https://developer.nexmo.com/api-errors#not-found",
                "title": "Not Found",
                "detail": format!("ID '{id}' does not exist, or you do not have access"),
                "instance": instance(),
            }),
        )
    }

    /// Applications: the body does not hold.
    pub(super) fn invalid_application(faults: &[Fault]) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            json!({
                "type": "https://developer.nexmo.com/api-errors/application#payload-validation",
                "title": "Bad Request",
                "detail": "The request failed due to validation errors",
                "invalid_parameters": faults_json(faults),
                "instance": instance(),
            }),
        )
    }

    /// Voice: the body does not hold.
    pub(super) fn invalid_call(faults: &[Fault]) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            json!({
                "type": 400,
                "title": "Bad Request",
                "invalid_parameters": faults_json(faults),
            }),
        )
    }

    /// Voice: the call cannot take this action, for instance a hang-up in its first second.
    pub(super) fn bad_call_state() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            json!({ "type": "BAD_REQUEST", "error_title": "Bad Request" }),
        )
    }

    /// Applications and Voice: too many requests in a second.
    pub(super) fn rate_limited() -> Self {
        Self::api(
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limit",
            "Rate Limit Hit",
            "Please wait, then retry your request",
        )
    }

    /// Applications and Voice: what is asked for cannot be paid.
    pub(super) fn low_balance() -> Self {
        Self::api(
            StatusCode::PAYMENT_REQUIRED,
            "low-balance",
            "Low balance",
            "This request could not be performed due to your account balance being low.",
        )
    }

    /// The conversation service's own shape, with the `code` that the Client SDK reports.
    pub(super) fn conversation(status: StatusCode, code: &str, detail: &str) -> Self {
        Self::new(
            status,
            json!({
                "title": status.canonical_reason().unwrap_or("Error"),
                "type": format!("https://developer.vonage.com/api/conversation#{code}"),
                "code": code,
                "detail": detail,
                "instance": instance(),
            }),
        )
    }

    /// The conversation service: the body does not hold.
    pub(super) fn invalid_input(faults: &[Fault]) -> Self {
        let mut refusal = Self::conversation(
            StatusCode::BAD_REQUEST,
            "http:error:validation-fail",
            "Input validation failure.",
        );
        if let Some(body) = refusal.body.as_object_mut() {
            body.insert("invalid_parameters".to_owned(), faults_json(faults));
        }
        refusal
    }

    /// `rest.nexmo.com`: a status and its label.
    pub(super) fn rest(status: u16, label: &str) -> Self {
        Self::new(
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            json!({ "error-code": status.to_string(), "error-code-label": label }),
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// One field that does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Path of the field, dots between the levels.
    pub(super) name: String,
    /// What is expected of it.
    pub(super) reason: String,
}

impl Fault {
    /// A fault of the field `name`.
    pub(super) fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
        }
    }
}

fn faults_json(faults: &[Fault]) -> Value {
    faults
        .iter()
        .map(|fault| json!({ "name": fault.name, "reason": fault.reason }))
        .collect()
}

fn instance() -> String {
    Uuid::new_v4().simple().to_string()
}
