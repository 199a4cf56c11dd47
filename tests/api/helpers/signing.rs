//! Signs webhooks as Vonage does, and wrongly in every way that is tried.

use serde_json::{Value, json};

use super::{API_KEY, APPLICATION, SECRET, TestClock};
use crate::webhook_signature;

/// What is changed before signing: the header, the claims.
pub(crate) type Forgery<'a> = &'a dyn Fn(&mut Value, &mut Value);

#[derive(Clone)]
pub(crate) struct Signer {
    clock: TestClock,
}

impl Signer {
    pub(crate) fn new(clock: TestClock) -> Self {
        Self { clock }
    }

    pub(crate) fn body(&self, body: impl AsRef<[u8]>) -> String {
        self.forge(body.as_ref(), SECRET, &|_, _| {})
    }

    /// For a GET: what is hashed there is not published, so a hash of nothing known is sent.
    pub(crate) fn query(&self) -> String {
        self.forge(b"{}", SECRET, &|_, _| {})
    }

    pub(crate) fn forge(&self, body: &[u8], secret: &str, forgery: Forgery<'_>) -> String {
        let mut header = json!({ "alg": "HS256", "typ": "JWT" });
        let now = self.clock.now().timestamp();
        let mut claims = webhook_signature::claims(body, now, API_KEY, APPLICATION);
        forgery(&mut header, &mut claims);
        webhook_signature::bearer(&header.to_string(), &claims.to_string(), secret)
    }
}
