//! Stands between the program and Vonage, counts requests, and keeps one of them waiting for ever or lets users seem old.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use serde_json::Value;
use tokio::sync::watch;

/// Which request waits, and whether Vonage has carried it out by then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// From 1.
    pub(crate) at: usize,
    pub(crate) carried_out: bool,
}

struct Inner {
    vonage: String,
    http: reqwest::Client,
    count: AtomicUsize,
    stop: Option<Stop>,
    /// Names of users that Vonage is to say were made long ago.
    old: Vec<String>,
    stopped: watch::Sender<bool>,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl Proxy {
    pub(crate) async fn start(vonage: &str, stop: Option<Stop>) -> Self {
        Self::between(vonage, stop, &[]).await
    }

    /// Lets these users seem older than any visitor's user gets.
    pub(crate) async fn aging(vonage: &str, names: &[&str]) -> Self {
        Self::between(vonage, None, names).await
    }

    async fn between(vonage: &str, stop: Option<Stop>, old: &[&str]) -> Self {
        let inner = Arc::new(Inner {
            vonage: vonage.to_owned(),
            http: reqwest::Client::builder().build().unwrap(),
            count: AtomicUsize::new(0),
            stop,
            old: old.iter().map(|name| (*name).to_owned()).collect(),
            stopped: watch::Sender::new(false),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, inner }
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.inner.count.load(Ordering::SeqCst)
    }

    /// Waits until the request is kept waiting.
    pub(crate) async fn stopped(&self) {
        let mut stopped = self.inner.stopped.subscribe();
        stopped.wait_for(|stopped| *stopped).await.unwrap();
    }
}

async fn forward(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let count = inner.count.fetch_add(1, Ordering::SeqCst) + 1;
    let stop = inner.stop.filter(|stop| stop.at == count);
    if stop.is_some_and(|stop| !stop.carried_out) {
        return wait_for_ever(&inner).await;
    }
    let mut request = inner
        .http
        .request(method, format!("{}{uri}", inner.vonage))
        .body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let body = aged(answer.bytes().await.unwrap(), &inner.old);
    if stop.is_some() {
        return wait_for_ever(&inner).await;
    }
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A list of users, in which those of these names were made long ago.
fn aged(body: Bytes, old: &[String]) -> Bytes {
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else {
        return body;
    };
    let Some(users) = json.pointer_mut("/_embedded/users") else {
        return body;
    };
    for user in users.as_array_mut().unwrap() {
        if old.iter().any(|name| user["name"] == **name) {
            user["timestamp"]["created"] = "2020-01-01T00:00:00.000Z".into();
        }
    }
    json.to_string().into()
}

async fn wait_for_ever(inner: &Inner) -> Response {
    inner.stopped.send_replace(true);
    std::future::pending().await
}
