//! The client of the account's side, against recorded answers.

mod applications;
mod errors;
mod numbers;
mod users;

use std::path::Path;

use click_to_call::vonage::account::AccountClient;
use serde_json::Value;
use url::Url;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path_regex},
};

pub(crate) const APPLICATION: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";

/// A stand-in for Vonage that gives recorded answers.
pub(crate) struct Stub(MockServer);

impl Stub {
    pub(crate) async fn start() -> Self {
        Self(MockServer::start().await)
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&self.0.uri()).unwrap()
    }

    pub(crate) fn client(&self) -> AccountClient {
        AccountClient::new(
            "abcd1234".to_owned(),
            "canary-secret".into(),
            &self.url(),
            self.url(),
        )
        .unwrap()
    }

    /// Answers so, as often as asked.
    pub(crate) async fn answer(&self, verb: &str, path: &str, status: u16, fixture: &str) {
        self.mount(verb, path, answer(status, fixture), u64::MAX)
            .await;
    }

    /// Answers so for the first `times` requests, whatever is mounted later.
    pub(crate) async fn mount(&self, verb: &str, path: &str, answer: ResponseTemplate, times: u64) {
        Mock::given(method(verb))
            .and(path_regex(format!("^{path}$")))
            .respond_with(answer)
            .up_to_n_times(times)
            .mount(&self.0)
            .await;
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.0.received_requests().await.unwrap()
    }

    /// The body of the last request.
    pub(crate) async fn last_body(&self) -> Value {
        let requests = self.requests().await;
        serde_json::from_slice(&requests.last().unwrap().body).unwrap()
    }
}

/// An answer with a recorded body.
pub(crate) fn answer(status: u16, fixture: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(self::fixture(fixture))
}

/// A recorded payload of `tests/fixtures/api`.
pub(crate) fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/api")
        .join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
