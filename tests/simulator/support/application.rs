//! The application behind the webhooks: keeps what it is sent, replies what a test wants.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::sync::watch;

use super::PATIENCE;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub raw_body: Vec<u8>,
    /// The body as JSON; null without one.
    pub body: Value,
    /// The `Authorization` header without `Bearer`.
    pub token: Option<String>,
}

/// One reply: status, body, and how long it takes.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub after: Duration,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self {
            status: 200,
            body: body.to_string(),
            after: Duration::ZERO,
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    replies: Mutex<BTreeMap<String, VecDeque<Reply>>>,
    received: watch::Sender<Vec<Received>>,
}

/// A server of webhooks.
#[derive(Debug, Clone)]
pub struct Application {
    inner: Arc<Inner>,
    origin: String,
}

impl Application {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { inner, origin }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Replies once; replies to the same path are used one after the other, the last for ever.
    pub fn reply(&self, path: &str, reply: impl Into<Reply>) {
        self.inner
            .replies
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default()
            .push_back(reply.into());
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.received.borrow().clone()
    }

    /// Waits until the requests so far have what `find` looks for.
    pub async fn until<T>(&self, what: &str, find: impl Fn(&[Received]) -> Option<T>) -> T {
        let mut requests = self.inner.received.subscribe();
        let mut found = None;
        let waited = tokio::time::timeout(
            PATIENCE,
            requests.wait_for(|requests| {
                found = find(requests);
                found.is_some()
            }),
        )
        .await;
        match (waited, found) {
            (Ok(_), Some(found)) => found,
            _ => panic!("never received: {what}; received {:#?}", self.events()),
        }
    }

    /// `to status` of all events so far, in the order of arrival.
    pub fn events(&self) -> Vec<String> {
        self.received()
            .iter()
            .filter(|request| request.body["status"].is_string())
            .map(|request| {
                format!(
                    "{} {}",
                    request.body["to"].as_str().unwrap_or_default(),
                    request.body["status"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }

    /// Waits for an event with this status about a leg to `to`; returns its body.
    pub async fn event(&self, to: &str, status: &str) -> Value {
        self.until(&format!("{to} {status}"), |requests| {
            requests
                .iter()
                .find(|request| request.body["to"] == to && request.body["status"] == status)
                .map(|request| request.body.clone())
        })
        .await
    }
}

async fn receive(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    raw_body: Bytes,
) -> Response {
    let reply = {
        let mut replies = inner.replies.lock().unwrap();
        match replies.get_mut(uri.path()) {
            Some(list) if list.len() > 1 => list.pop_front(),
            Some(list) => list.front().cloned(),
            None => None,
        }
    };
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    inner.received.send_modify(|received| {
        received.push(Received {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&raw_body).unwrap_or(Value::Null),
            raw_body: raw_body.to_vec(),
            token,
        });
    });
    match reply {
        Some(reply) => {
            tokio::time::sleep(reply.after).await;
            (
                StatusCode::from_u16(reply.status).unwrap(),
                [("content-type", "application/json")],
                reply.body,
            )
                .into_response()
        }
        None => StatusCode::OK.into_response(),
    }
}
