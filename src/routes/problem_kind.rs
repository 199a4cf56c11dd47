//! The kinds of problems: what each is called, and what to do about it. `docs/PROBLEMS.md` and `/problems` say the same.

use actix_web::http::StatusCode;

/// What went wrong, as a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// 400
    BadRequest,
    /// 401
    SessionRequired,
    /// 401
    WebhookSignature,
    /// 403
    OriginNotAllowed,
    /// 403
    UserNotAllowed,
    /// 404
    NotFound,
    /// 404
    UnknownLine,
    /// 405
    MethodNotAllowed,
    /// 408
    BodyTimeout,
    /// 413
    BodyTooLarge,
    /// 415
    UnsupportedMedia,
    /// 429
    RateLimited,
    /// 500
    Internal,
    /// 503
    WebhookUnsigned,
    /// 503
    NotReady,
    /// 503
    Overloaded,
    /// 503
    StoreUnavailable,
    /// 503
    VonageUnavailable,
}

impl ProblemKind {
    /// All of them, in the order of their documentation.
    pub const ALL: [Self; 18] = [
        Self::BadRequest,
        Self::SessionRequired,
        Self::WebhookSignature,
        Self::OriginNotAllowed,
        Self::UserNotAllowed,
        Self::NotFound,
        Self::UnknownLine,
        Self::MethodNotAllowed,
        Self::BodyTimeout,
        Self::BodyTooLarge,
        Self::UnsupportedMedia,
        Self::RateLimited,
        Self::Internal,
        Self::WebhookUnsigned,
        Self::NotReady,
        Self::Overloaded,
        Self::StoreUnavailable,
        Self::VonageUnavailable,
    ];

    /// Slug, status, title, and what to do about it.
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn parts(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                "bad-request",
                400,
                "The request can't be read",
                "Its body or query is not of the documented form; `detail` says where.",
            ),
            Self::SessionRequired => (
                "session-required",
                401,
                "There is no session",
                "Ask `POST /api/sessions` for one first, and send its cookie or its `session` as a bearer.",
            ),
            Self::WebhookSignature => (
                "webhook-signature",
                401,
                "The webhook's signature is wrong",
                "Compare `VONAGE_SIGNATURE_SECRET` with the signature secret in Vonage's dashboard, and the clock of the machine with the time. The log says what exactly did not fit.",
            ),
            Self::OriginNotAllowed => (
                "origin-not-allowed",
                403,
                "This website may not use the service",
                "Add the site's origin, exactly as a browser writes it, to `visitors.allowed_origins`.",
            ),
            Self::UserNotAllowed => (
                "user-not-allowed",
                403,
                "This user's token is not for you",
                "A token is given for the caller's own user (`/auth/me`), for names in `visitors.legacy_users` to pages of an allowed origin, and to holders of a service key.",
            ),
            Self::NotFound => (
                "not-found",
                404,
                "There is nothing here",
                "The address is wrong, or what was there belongs to somebody else.",
            ),
            Self::UnknownLine => (
                "unknown-line",
                404,
                "There is no such line",
                "Use the id of a line that the settings define, such as `support`.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                405,
                "This address does not take that method",
                "The `Allow` header names those it takes.",
            ),
            Self::BodyTimeout => (
                "body-timeout",
                408,
                "The request's body did not arrive in time",
                "Send it faster: `http.body_timeout_seconds` is the limit.",
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                413,
                "The request's body is too large",
                "Webhooks may have 64 KiB, everything else 4 KiB.",
            ),
            Self::UnsupportedMedia => (
                "unsupported-media",
                415,
                "The request's body is of a kind that is not taken",
                "Send JSON as `application/json`, and not compressed.",
            ),
            Self::RateLimited => (
                "rate-limited",
                429,
                "Too many requests from this address",
                "Wait for `Retry-After` seconds. `visitors.sessions_per_minute` is the limit.",
            ),
            Self::Internal => (
                "internal",
                500,
                "Something broke on our side",
                "The log has the cause under this request's id.",
            ),
            Self::WebhookUnsigned => (
                "webhook-unsigned",
                503,
                "The webhook is not signed",
                "Switch on signed callbacks for the application in Vonage's dashboard. The status asks for another try, because Vonage sends a callback unsigned after a fault of its own.",
            ),
            Self::NotReady => (
                "not-ready",
                503,
                "The service is not ready",
                "`detail` says what is missing. It says so as well while it is stopping.",
            ),
            Self::Overloaded => (
                "overloaded",
                503,
                "Too many visitors at once",
                "Try again after `Retry-After` seconds.",
            ),
            Self::StoreUnavailable => (
                "store-unavailable",
                503,
                "Our records can't be reached",
                "Nothing was lost that had been acknowledged. The log has the cause: a full disk, a locked or missing database file.",
            ),
            Self::VonageUnavailable => (
                "vonage-unavailable",
                503,
                "The telephone service can't be reached",
                "Vonage did not do as asked. The log has its answer; a refusal mostly means that application id and private key do not belong together.",
            ),
        }
    }

    /// The last part of the problem's address, and its name in logs and documentation.
    pub fn slug(self) -> &'static str {
        self.parts().0
    }

    /// Its status.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.parts().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// A sentence for people, the same for every problem of the kind.
    pub fn title(self) -> &'static str {
        self.parts().2
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        self.parts().3
    }

    /// The kind of an answer that the framework made by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::BodyTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMedia,
            status if status.is_server_error() => Self::Internal,
            _ => Self::BadRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_kind_has_its_own_slug() {
        let slugs: HashSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
    }

    #[test]
    fn every_kind_is_in_the_documentation_with_these_words() {
        let page = include_str!("../../docs/PROBLEMS.md");
        for kind in ProblemKind::ALL {
            let entry = format!(
                "## {}\n\n**{} {}.** {}\n",
                kind.slug(),
                kind.status().as_u16(),
                kind.title(),
                kind.advice()
            );
            assert!(page.contains(&entry), "docs/PROBLEMS.md lacks:\n{entry}");
        }
        assert_eq!(page.matches("\n## ").count(), ProblemKind::ALL.len());
    }
}
