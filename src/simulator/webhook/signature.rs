//! The token that a signed webhook carries.
//!
//! Source: <https://developer.vonage.com/en/getting-started/concepts/webhooks> (signed webhooks).

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use uuid::Uuid;

/// What is signed about one request.
#[derive(Debug, Serialize)]
pub(super) struct Claims<'a> {
    iat: i64,
    jti: String,
    iss: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_hash: Option<String>,
    api_key: &'a str,
    application_id: &'a str,
}

impl<'a> Claims<'a> {
    /// Claims over the exact bytes `hashed`: a POST's raw body, or what a GET's hash is taken of;
    /// none of it when a hash is not sent.
    pub(super) fn new(
        api_key: &'a str,
        application_id: &'a str,
        issued_at: i64,
        hashed: Option<&[u8]>,
    ) -> Self {
        Self {
            iat: issued_at,
            jti: Uuid::new_v4().to_string(),
            iss: "Vonage",
            payload_hash: hashed.map(sha256_hex),
            api_key,
            application_id,
        }
    }

    /// The compact token, HS256 under `secret`.
    pub(super) fn sign(&self, secret: &str) -> Result<String, jsonwebtoken::errors::Error> {
        encode(
            &Header::new(Algorithm::HS256),
            self,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    #[test]
    fn token_binds_the_body_and_the_account() {
        let claims = Claims::new("abcd1234", "app-1", 1_767_261_600, Some(b"{}"));
        let token = claims.sign("a secret").unwrap();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let read = decode::<Value>(&token, &DecodingKey::from_secret(b"a secret"), &validation)
            .unwrap()
            .claims;
        assert_eq!(read["iss"], "Vonage");
        assert_eq!(read["api_key"], "abcd1234");
        // SHA-256 of the two characters "{}".
        assert_eq!(
            read["payload_hash"],
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
        assert!(read.get("exp").is_none());
    }
}
