//! Vonage's REST side: users and call control, as far as the service asks.

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{body_partial_json, method, path, path_regex},
};

pub(crate) struct VonageStub(MockServer);

/// Creates every user that is asked for.
struct CreateUser;

impl Respond for CreateUser {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let user: Value = serde_json::from_slice(&request.body).unwrap();
        ResponseTemplate::new(201).set_body_json(json!({
            "id": format!("USR-{}", user["name"].as_str().unwrap()),
            "name": user["name"],
            "_links": { "self": { "href": "https://api-us-3.vonage.com/v1/users/USR-1" } },
        }))
    }
}

impl VonageStub {
    /// Does what it is asked.
    pub(crate) async fn start() -> Self {
        let stub = Self(MockServer::start().await);
        let none = json!({ "page_size": 10, "_embedded": { "users": [] } });
        stub.mount(
            10,
            "GET",
            "/v1/users$",
            ResponseTemplate::new(200).set_body_json(none),
        )
        .await;
        Mock::given(method("POST"))
            .and(path("/v1/users"))
            .respond_with(CreateUser)
            .with_priority(10)
            .mount(&stub.0)
            .await;
        stub.mount(10, "DELETE", "/v1/users/.+", ResponseTemplate::new(204))
            .await;
        stub.mount(10, "PUT", "/v1/calls/.+", ResponseTemplate::new(204))
            .await;
        stub
    }

    pub(crate) fn url(&self) -> String {
        self.0.uri()
    }

    /// Answers so from now on, before anything that was said earlier with a larger number.
    pub(crate) async fn mount(
        &self,
        priority: u8,
        verb: &str,
        address: &str,
        answer: ResponseTemplate,
    ) {
        Mock::given(method(verb))
            .and(path_regex(address))
            .respond_with(answer)
            .with_priority(priority)
            .mount(&self.0)
            .await;
    }

    /// Refuses to make users that are to live so many seconds.
    pub(crate) async fn refuse_users_of(&self, ttl: u64) {
        Mock::given(method("POST"))
            .and(path("/v1/users"))
            .and(body_partial_json(json!({ "properties": { "ttl": ttl } })))
            .respond_with(ResponseTemplate::new(403))
            .with_priority(1)
            .mount(&self.0)
            .await;
    }

    /// Answers so `times` times, before everything else.
    pub(crate) async fn mount_times(
        &self,
        times: u64,
        verb: &str,
        address: &str,
        answer: ResponseTemplate,
    ) {
        Mock::given(method(verb))
            .and(path_regex(address))
            .respond_with(answer)
            .with_priority(1)
            .up_to_n_times(times)
            .mount(&self.0)
            .await;
    }

    /// The requests so far with this method, below this address.
    pub(crate) async fn requests(&self, verb: &str, prefix: &str) -> Vec<Request> {
        let all = self.0.received_requests().await.unwrap();
        all.into_iter()
            .filter(|request| {
                request.method.as_str() == verb && request.url.path().starts_with(prefix)
            })
            .collect()
    }

    /// Waits for a request with this method, below this address, and returns all there are.
    pub(crate) async fn wait_for(&self, verb: &str, prefix: &str) -> Vec<Request> {
        self.wait_for_number(1, verb, prefix).await
    }

    /// Waits for so many of them.
    pub(crate) async fn wait_for_number(
        &self,
        number: usize,
        verb: &str,
        prefix: &str,
    ) -> Vec<Request> {
        let waiting = async {
            loop {
                let found = self.requests(verb, prefix).await;
                if found.len() >= number {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), waiting)
            .await
            .expect("no such request came")
    }
}
