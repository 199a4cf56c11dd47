//! An HTTP proxy that adds `X-Forwarded-For`, as a good one does, and changes what a test tells it to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{self, Body},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use serde_json::Value;
use tokio::net::TcpListener;

/// An answer on its way back.
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Changes the body, which is JSON.
    pub(crate) fn json(&mut self, change: impl FnOnce(&mut Value)) {
        let mut json = serde_json::from_slice(&self.body).unwrap();
        change(&mut json);
        self.body = json.to_string().into_bytes();
    }

    pub(crate) fn is(&self, method: &Method, start: &str) -> bool {
        self.method == *method && self.path.starts_with(start)
    }
}

type ChangeRequest = Box<dyn Fn(&mut Parts) + Send + Sync>;
type ChangeAnswer = Box<dyn Fn(&mut Answer) + Send + Sync>;

struct Inner {
    upstream: String,
    http: reqwest::Client,
    request: Mutex<ChangeRequest>,
    answer: Mutex<ChangeAnswer>,
}

/// A running proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl Proxy {
    pub(crate) async fn start(upstream: String) -> Self {
        let inner = Arc::new(Inner {
            upstream,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            request: Mutex::new(Box::new(|_| {})),
            answer: Mutex::new(Box::new(|_| {})),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .fallback(pass)
            .with_state(Arc::clone(&inner))
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { url, inner }
    }

    /// Changes requests in this way from now on.
    pub(crate) fn asking(&self, change: impl Fn(&mut Parts) + Send + Sync + 'static) {
        *self.inner.request.lock().unwrap() = Box::new(change);
    }

    /// Changes answers in this way from now on.
    pub(crate) fn answering(&self, change: impl Fn(&mut Answer) + Send + Sync + 'static) {
        *self.inner.answer.lock().unwrap() = Box::new(change);
    }
}

async fn pass(
    State(inner): State<Arc<Inner>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = body::to_bytes(body, usize::MAX).await.unwrap();
    let forwarded = HeaderValue::from_str(&peer.ip().to_string()).unwrap();
    parts.headers.insert("x-forwarded-for", forwarded);
    parts.headers.remove(header::HOST);
    (inner.request.lock().unwrap())(&mut parts);
    let answer = inner
        .http
        .request(
            parts.method.clone(),
            format!("{}{}", inner.upstream, parts.uri),
        )
        .headers(parts.headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut changed = Answer {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        status: answer.status(),
        headers: answer.headers().clone(),
        body: answer.bytes().await.unwrap().to_vec(),
    };
    (inner.answer.lock().unwrap())(&mut changed);
    changed.headers.remove(header::CONTENT_LENGTH);
    changed.headers.remove(header::TRANSFER_ENCODING);
    let mut response = Response::new(Body::from(changed.body));
    *response.status_mut() = changed.status;
    *response.headers_mut() = changed.headers;
    response
}
