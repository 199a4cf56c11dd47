//! Requests as bytes, ready to be sent.

use std::net::Ipv4Addr;

use click_to_call::domain::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{http::Answer, webhook_signature};

/// Who calls without a ticket, and for whom tokens are asked.
const USER: &str = "supportuser";
/// A key of another server, which may have a token for any user.
const SERVICE_KEY: &str = "a-service-key-of-more-than-32-letters";
pub(crate) const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";
pub(crate) const SIGNATURE_SECRET: &str = "a-signature-secret-of-32-letters";

/// Settings with which these requests are granted.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("CLICK_TO_CALL__CALLS__TICKETS", "optional"),
    ("CLICK_TO_CALL__VISITORS__LEGACY_USERS", USER),
    ("CLICK_TO_CALL__VISITORS__SERVICE_KEYS", SERVICE_KEY),
    ("CLICK_TO_CALL__VISITORS__SESSIONS_PER_MINUTE", "10000"),
    ("CLICK_TO_CALL__HTTP__TRUSTED_PROXIES", "127.0.0.0/8"),
];

/// Asks for a token, for a visitor at this address.
pub(crate) fn token(visitor: Ipv4Addr) -> Vec<u8> {
    format!(
        "GET /auth/{USER} HTTP/1.1\r\nHost: calls.example.com\r\nAuthorization: Bearer {SERVICE_KEY}\r\n\
         X-Forwarded-For: {visitor}\r\n\r\n"
    )
    .into_bytes()
}

/// Vonage asks what to do with a new call.
pub(crate) fn answer() -> Vec<u8> {
    let leg = Uuid::new_v4();
    signed_post(
        "/webhooks/answer",
        &json!({
            "from_user": USER, "endpoint_type": "app", "uuid": leg, "conversation_uuid": format!("CON-{leg}"),
            "region_url": "https://api-us-3.vonage.com",
        }),
    )
}

/// Vonage tells that a leg rings. A leg of its own makes it an event of its own.
pub(crate) fn event(leg: &str) -> Vec<u8> {
    signed_post("/webhooks/event", &event_body(leg))
}

pub(crate) fn event_body(leg: &str) -> Value {
    json!({
        "uuid": leg, "conversation_uuid": "CON-1", "status": "ringing", "direction": "outbound",
        "from": "447700900000", "to": "447700900001", "timestamp": "2026-11-22T10:00:00.000Z",
    })
}

/// A browser asks for a page or file.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: calls.example.com\r\nAccept-Encoding: br\r\n\r\n")
        .into_bytes()
}

/// The same from a client that takes nothing compressed.
pub(crate) fn get_plain(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: calls.example.com\r\n\r\n").into_bytes()
}

fn signed_post(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let now = Clock::system().now().timestamp();
    let claims = webhook_signature::claims(body.as_bytes(), now, "", APPLICATION);
    let authorization = webhook_signature::bearer(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        &claims.to_string(),
        SIGNATURE_SECRET,
    );
    format!(
        "POST {path} HTTP/1.1\r\nHost: calls.example.com\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Whether an answer puts the caller through.
pub(crate) fn connects(answer: &Answer) -> bool {
    let ncco: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let actions = ncco.as_array().map(Vec::as_slice).unwrap_or_default();
    answer.status == 200 && actions.iter().any(|action| action["action"] == "connect")
}
