//! Answers requests wrongly when the scenario wants it, with the bodies of the interface that was asked.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::sleep;

use super::{cloud::Cloud, refusal::Refusal, scenario::FaultyAnswer};

/// Stands before every address of Vonage's.
pub(super) async fn interfere(
    State(cloud): State<Arc<Cloud>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let Some(answer) = cloud.fault_of(request.method().as_str(), &path) else {
        return next.run(request).await;
    };
    if let FaultyAnswer::Exactly { status, body } = answer {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, Json(body)).into_response();
    }
    if let FaultyAnswer::Late(milliseconds) = answer {
        sleep(Duration::from_millis(milliseconds)).await;
        return next.run(request).await;
    }
    if let Some(refusal) = Interface::of(&path).refuse(&answer) {
        return refusal.into_response();
    }
    // Nothing at all: the client's own patience decides.
    cloud.stopping.cancelled().await;
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// Which of Vonage's interfaces a path belongs to: each refuses in its own shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    /// `rest.nexmo.com`.
    Account,
    /// Users and what the Client SDK asks.
    Conversation,
    /// Applications and calls.
    Api,
}

impl Interface {
    fn of(path: &str) -> Self {
        let starts = |starts: &[&str]| starts.iter().any(|start| path.starts_with(start));
        if starts(&["/number/", "/account/"]) {
            Self::Account
        } else if starts(&["/v1/users", "/v0.", "/beta", "/v2/rtc"]) {
            Self::Conversation
        } else {
            Self::Api
        }
    }

    /// None for answers that are no refusals.
    fn refuse(self, answer: &FaultyAnswer) -> Option<Refusal> {
        let (status, id, code, title, detail) = words(answer)?;
        Some(match self {
            Self::Account if status == StatusCode::UNAUTHORIZED => {
                Refusal::rest(401, "authentication failed")
            }
            Self::Account
                if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                Refusal::rest(420, "method failed")
            }
            Self::Account => Refusal::rest(status.as_u16(), title),
            Self::Conversation => Refusal::conversation(status, code, detail),
            Self::Api => Refusal::api(status, id, title, detail),
        })
    }
}

/// Status, id of the error, the conversation service's code, title and detail.
///
/// Source: <https://developer.vonage.com/en/api-errors>
fn words(
    answer: &FaultyAnswer,
) -> Option<(
    StatusCode,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
)> {
    Some(match answer {
        FaultyAnswer::Unauthorized => (
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "system:error:invalid-token",
            "Unauthorized",
            "You did not provide correct credentials.",
        ),
        FaultyAnswer::Forbidden => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "system:error:permission",
            "Forbidden",
            "Your account does not have permission to perform this action.",
        ),
        FaultyAnswer::AccountSuspended => (
            StatusCode::FORBIDDEN,
            "account-suspended",
            "system:error:permission",
            "Account Suspended",
            "This account has been suspended.",
        ),
        FaultyAnswer::NotFound | FaultyAnswer::MethodFailed => (
            StatusCode::NOT_FOUND,
            "not-found",
            "user:error:not-found",
            "Not Found",
            "It does not exist, or you do not have access.",
        ),
        FaultyAnswer::LowBalance => (
            StatusCode::PAYMENT_REQUIRED,
            "low-balance",
            "system:error:permission",
            "Low balance",
            "This request could not be performed due to your account balance being low.",
        ),
        FaultyAnswer::TooManyRequests => (
            StatusCode::TOO_MANY_REQUESTS,
            "rate-limit",
            "http:error:too-many-request",
            "Rate Limit Hit",
            "Please wait, then retry your request",
        ),
        FaultyAnswer::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "system:error:internal-error",
            "Service Unavailable",
            "The service is temporarily unavailable.",
        ),
        FaultyAnswer::InternalError => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-error",
            "system:error:internal-error",
            "Internal Server Error",
            "Something went wrong.",
        ),
        FaultyAnswer::Nothing | FaultyAnswer::Late(_) | FaultyAnswer::Exactly { .. } => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_interface() {
        for (path, interface) in [
            ("/number/buy", Interface::Account),
            ("/account/get-balance", Interface::Account),
            ("/v1/users/USR-1", Interface::Conversation),
            ("/v0.3/legs", Interface::Conversation),
            ("/v1/calls", Interface::Api),
            ("/v2/applications", Interface::Api),
        ] {
            assert_eq!(Interface::of(path), interface, "{path}");
        }
    }
}
