//! Keys made once a run, and tokens signed with them.

use std::sync::OnceLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{APPLICATION_ID, USER};

pub struct KeyPair {
    pub public: String,
    private: String,
}

/// The application's key.
pub fn key_pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(generate)
}

/// Somebody else's key.
pub fn other_key_pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(generate)
}

fn generate() -> KeyPair {
    let key = RsaPrivateKey::new(&mut OsRng, 2_048).unwrap();
    KeyPair {
        public: key
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .unwrap(),
        private: key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
    }
}

/// The claims of a token, to be changed before it is signed.
#[derive(Clone)]
pub struct Claims(Value);

impl Claims {
    /// An application's own token.
    pub fn admin() -> Self {
        let now = now();
        Self(json!({
            "application_id": APPLICATION_ID,
            "iat": now,
            "exp": now + 900,
            "jti": Uuid::new_v4(),
        }))
    }

    /// A user's token, as the service makes it.
    pub fn user() -> Self {
        let paths = [
            "users",
            "conversations",
            "sessions",
            "devices",
            "image",
            "media",
            "applications",
            "push",
            "knocking",
            "legs",
        ];
        let paths: serde_json::Map<String, Value> = paths
            .into_iter()
            .map(|name| (format!("/*/{name}/**"), json!({})))
            .collect();
        Self::admin()
            .with("sub", json!(USER))
            .with("acl", json!({ "paths": paths }))
    }

    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0[name] = value;
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.as_object_mut().unwrap().remove(name);
        self
    }

    pub fn sign(&self, key: &KeyPair) -> String {
        encode(
            &Header::new(Algorithm::RS256),
            &self.0,
            &EncodingKey::from_rsa_pem(key.private.as_bytes()).unwrap(),
        )
        .unwrap()
    }
}

/// Unix seconds.
pub fn now() -> i64 {
    click_to_call::domain::clock::Clock::system()
        .now()
        .timestamp()
}
