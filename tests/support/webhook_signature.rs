//! Signs webhooks as Vonage does. Shared by the test binaries that play Vonage.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

/// The claims of a request with this body, made at this second.
pub(crate) fn claims(body: &[u8], iat: i64, api_key: &str, application: &str) -> Value {
    let sum = digest::digest(&digest::SHA256, body);
    let hash = sum.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    json!({
        "iat": iat,
        "jti": Uuid::new_v4().to_string(),
        "iss": "Vonage",
        "payload_hash": hash,
        "api_key": api_key,
        "application_id": application,
    })
}

/// The `Authorization` header with a token of exactly these texts.
pub(crate) fn bearer(header: &str, claims: &str, secret: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
