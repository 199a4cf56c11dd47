//! A visitor, and what they do.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{CallStream, JsonOf, TestApp};

/// A visitor with a session of their own.
pub(crate) struct Visitor<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) session: String,
    pub(crate) user: String,
    pub(crate) token: String,
}

/// A call that a visitor may make.
#[derive(Clone)]
pub(crate) struct Permitted {
    pub(crate) id: String,
    pub(crate) code: String,
    pub(crate) ticket: String,
}

impl Visitor<'_> {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(&self.session)
    }

    pub(crate) async fn call(&self) -> Permitted {
        self.call_in("en").await
    }

    pub(crate) async fn call_in(&self, language: &str) -> Permitted {
        let wish =
            json!({ "line": "support", "language": language, "context": { "page": "/pricing" } });
        let response = self
            .request(Method::POST, "/api/calls")
            .json(&wish)
            .send()
            .await
            .unwrap();
        let call = response.json_of(StatusCode::CREATED).await;
        let text = |key: &str| call[key].as_str().unwrap().to_owned();
        Permitted {
            id: text("call_id"),
            code: text("code"),
            ticket: text("ticket"),
        }
    }

    /// The answer request that Vonage makes for a call with this ticket.
    pub(crate) fn question(&self, ticket: &str, leg: &str) -> Value {
        json!({
            "from_user": self.user,
            "to": "",
            "endpoint_type": "app",
            "uuid": leg,
            "conversation_uuid": format!("CON-{leg}"),
            "region_url": self.app.vonage.url(),
            "custom_data": { "ticket": ticket },
        })
    }

    pub(crate) async fn watch(&self, call: &str) -> CallStream {
        let path = format!("/api/calls/{call}/events");
        let response = self.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        CallStream::new(response)
    }

    pub(crate) async fn hang_up(&self, call: &str, body: Value) -> StatusCode {
        let path = format!("/api/calls/{call}/hangup");
        self.request(Method::POST, &path)
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
    }
}
