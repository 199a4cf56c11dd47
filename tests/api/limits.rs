//! What one client can make the service do.

use std::{io::Write as _, num::NonZeroU32, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::helpers::{JsonOf, TestApp};

/// Sends these bytes and then nothing more, and returns what comes back before the connection is closed.
async fn stalled(app: &TestApp, bytes: &str) -> String {
    let address = app.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap_or_else(|_| panic!("the connection stays open after {bytes}"))
        .unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_never_comes_ends_in_time() {
    let app = TestApp::with(|s| s.http.body_timeout = Duration::from_millis(200)).await;
    for path in [
        "/api/sessions",
        "/api/calls",
        "/webhooks/event",
        "/nowhere",
        "/healthz",
    ] {
        for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer x\r\n{framing}\r\n\r\n"
            );
            let answer = stalled(&app, &head).await;
            assert!(
                answer.starts_with("HTTP/1.1 4"),
                "{path} {framing}: {answer}"
            );
        }
    }
    let answer = stalled(
        &app,
        "POST /webhooks/answer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "a caller hears a sentence: {answer}"
    );
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let app = TestApp::spawn().await;
    let answer = stalled(&app, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow:").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn bodies_have_a_size() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    for (path, limit) in [
        ("/api/sessions", 4 * 1024),
        ("/api/calls", 4 * 1024),
        ("/webhooks/event", 64 * 1024),
    ] {
        let large = " ".repeat(limit + 1);
        let known = visitor
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body(large.clone());
        assert_eq!(
            known.send().await.unwrap().problem_of(413).await,
            "body-too-large",
            "{path}"
        );
    }
    let huge = vec![b' '; 10 * 1024 * 1024];
    let authorization = app.signer.body(&huge);
    let event = app
        .request(Method::POST, "/webhooks/event")
        .header("authorization", authorization)
        .body(huge);
    // The service may close the connection before it has read everything.
    if let Ok(response) = event.send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(app.stored_events(), 0);
}

#[tokio::test]
async fn compressed_requests_are_refused() {
    let app = TestApp::spawn().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    let bomb = encoder.finish().unwrap();
    for path in ["/webhooks/event", "/webhooks/answer", "/api/sessions"] {
        for coding in ["gzip", "br", "deflate", "zstd", "gzip, identity"] {
            let authorization = app.signer.body(&bomb);
            let request = app
                .request(Method::POST, path)
                .header("content-encoding", coding)
                .header("authorization", authorization)
                .body(bomb.clone());
            assert_eq!(
                request.send().await.unwrap().problem_of(415).await,
                "unsupported-media",
                "{path} {coding}"
            );
        }
    }
}

#[tokio::test]
async fn one_address_gets_so_many_sessions_a_minute() {
    let app = TestApp::with(|s| s.visitors.sessions_per_minute = 5).await;
    for _ in 0..5 {
        assert_eq!(app.open_session(None).await.status(), StatusCode::CREATED);
    }
    let refused = app.open_session(None).await;
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let problem = refused.json_of(StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(problem["retry_after"], wait);
    assert_eq!(app.vonage.requests("POST", "/v1/users").await.len(), 5);

    let forged = app
        .request(Method::POST, "/api/sessions")
        .header("x-forwarded-for", "198.51.100.7")
        .json(&json!({}));
    assert_eq!(
        forged.send().await.unwrap().problem_of(429).await,
        "rate-limited"
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let app = TestApp::with(|s| {
        s.visitors.sessions_per_minute = 1;
        s.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let open = async |forwarded: &str| {
        let request = app
            .request(Method::POST, "/api/sessions")
            .header("x-forwarded-for", forwarded);
        request.json(&json!({})).send().await.unwrap().status()
    };
    assert_eq!(open("198.51.100.1").await, 201);
    assert_eq!(open("198.51.100.2").await, 201);
    assert_eq!(open("198.51.100.1").await, 429);
    assert_eq!(
        open("203.0.113.9, 198.51.100.1").await,
        429,
        "what a client writes itself does not count"
    );
}

#[tokio::test]
async fn vonages_limit_for_new_users_is_kept() {
    let app = TestApp::with(|s| s.vonage.users_per_second = NonZeroU32::MIN.get()).await;
    let visits = futures_util::future::join_all((0..9).map(|_| app.open_session(None))).await;
    let created = visits.iter().filter(|visit| visit.status() == 201).count();
    assert!((1..9).contains(&created), "{created}");
    for visit in visits {
        if visit.status() != 201 {
            assert!(visit.headers().contains_key("retry-after"));
            assert_eq!(visit.problem_of(503).await, "vonage-unavailable");
        }
    }
}
