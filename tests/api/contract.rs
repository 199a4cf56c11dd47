//! What holds for every address: methods, media types, headers, problems.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::helpers::{JsonOf, TestApp, Visitor};

const READ: &[&str] = &["GET", "HEAD"];
const WRITE: &[&str] = &["POST"];
const BOTH: &[&str] = &["GET", "HEAD", "POST"];

/// Every address and the methods it takes.
fn routes(call: &str) -> Vec<(String, &'static [&'static str])> {
    [
        ("/", READ),
        ("/embed.js", READ),
        ("/problems", READ),
        ("/healthz", READ),
        ("/readyz", READ),
        (
            "/.well-known/click-to-call/0123456789abcdef0123456789abcdef",
            READ,
        ),
        ("/static/x/js/click-to-call.js", READ),
        ("/auth/me", READ),
        ("/api/sessions", WRITE),
        ("/api/calls", WRITE),
        (&format!("/api/calls/{call}/hangup"), WRITE),
        (&format!("/api/calls/{call}/events"), READ),
        ("/webhooks/answer", BOTH),
        ("/webhooks/fallback", BOTH),
        ("/webhooks/event", &["GET", "POST"]),
    ]
    .map(|(path, methods)| (path.to_owned(), methods))
    .into()
}

#[tokio::test]
async fn every_address_takes_its_methods_and_names_them_to_the_others() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    for (path, taken) in routes(&call.id) {
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ] {
            let request = visitor.request(Method::from_bytes(method.as_bytes()).unwrap(), &path);
            let response = request.send().await.unwrap();
            let found = response.status();
            if taken.contains(&method) {
                assert_ne!(found, 405, "{method} {path}");
                assert_ne!(found, 404, "{method} {path}");
                continue;
            }
            assert_eq!(found, 405, "{method} {path}");
            let allow = response.headers()["allow"].to_str().unwrap().to_owned();
            for method in taken {
                assert!(allow.contains(method), "{path}: {allow}");
            }
        }
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = TestApp::spawn().await;
    for path in [
        "/",
        "/embed.js",
        "/problems",
        "/healthz",
        "/readyz",
        "/static/x/js/click-to-call.js",
        "/webhooks/fallback",
    ] {
        let head = app.request(Method::HEAD, path).send().await.unwrap();
        let get = app.get(path).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(
            head.headers().get("content-type"),
            get.headers().get("content-type"),
            "{path}"
        );
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut paths: Vec<String> = routes(&call.id).into_iter().map(|(path, _)| path).collect();
    paths.extend([
        "/nowhere".to_owned(),
        "/api/nowhere".to_owned(),
        "/static/x/nowhere".to_owned(),
    ]);
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let response = visitor.request(method.clone(), &path).send().await.unwrap();
            let headers = response.headers();
            let text = |name: &str| {
                headers
                    .get(name)
                    .map(|v| v.to_str().unwrap())
                    .unwrap_or_default()
            };
            let at = format!("{method} {path}");
            assert!(
                text("content-security-policy").starts_with("default-src 'none'"),
                "{at}"
            );
            assert!(!text("content-security-policy").contains("unsafe"), "{at}");
            assert_eq!(text("x-content-type-options"), "nosniff", "{at}");
            assert_eq!(text("permissions-policy"), "microphone=(self)", "{at}");
            assert!(
                text("strict-transport-security").contains("max-age"),
                "{at}"
            );
            assert!(!text("cache-control").is_empty(), "{at}");
            assert!(!text("referrer-policy").is_empty(), "{at}");
            assert!(!text("x-request-id").is_empty(), "{at}");
            assert!(headers.get("server").is_none(), "{at}");
        }
    }
}

#[tokio::test]
async fn errors_are_problems_for_programs_and_pages_for_people() {
    let app = TestApp::spawn().await;
    let response = app.get("/nowhere").await;
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(
        response.json_of(StatusCode::NOT_FOUND).await,
        json!({
            "type": "https://call.example/problems#not-found",
            "title": "There is nothing here",
            "status": 404,
            "detail": "There is nothing here",
            "instance": format!("urn:request:{id}"),
        })
    );
    let page = app
        .request(Method::GET, "/nowhere")
        .header("accept", "text/html,*/*")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 404);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn a_request_id_is_kept_if_it_is_one() {
    let app = TestApp::spawn().await;
    let ask = async |id: &str| {
        let response = app
            .request(Method::GET, "/healthz")
            .header("x-request-id", id)
            .send()
            .await
            .unwrap();
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(ask("trace-0123456789").await, "trace-0123456789");
    for bad in [
        "short",
        "with space and more",
        "<script>alert(1)</script>",
        &"x".repeat(65),
    ] {
        assert_ne!(ask(bad).await, bad);
    }
}

async fn send(
    visitor: &Visitor<'_>,
    path: &str,
    media_type: &str,
    body: &'static str,
) -> StatusCode {
    let request = visitor
        .request(Method::POST, path)
        .header("content-type", media_type)
        .body(body);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn json_is_asked_for_where_it_is_read() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    for path in ["/api/sessions", "/api/calls"] {
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
        ] {
            assert_eq!(
                send(&visitor, path, media_type, "{}").await,
                415,
                "{path} {media_type}"
            );
        }
        assert_eq!(
            send(&visitor, path, "application/json; charset=utf-8", "{}").await,
            201,
            "{path}"
        );
        assert_eq!(
            send(&visitor, path, "Application/JSON", "").await,
            201,
            "{path}"
        );
        for broken in ["{", "[1]", "null", "\"x\"", "{\"line\":7,\"context\":7}"] {
            let status = send(&visitor, path, "application/json", broken).await;
            assert!(
                status == 400 || status == 201 && path == "/api/sessions",
                "{path} {broken} {status}"
            );
        }
    }
}

#[tokio::test]
async fn plain_text_hangs_up_only_with_the_calls_ticket() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let path = format!("/api/calls/{}/hangup", call.id);
    let beacon = async |body: String| {
        let request = app
            .request(Method::POST, &path)
            .header("content-type", "text/plain")
            .body(body);
        request.send().await.unwrap().status()
    };
    assert_eq!(beacon(json!({ "leaving": true }).to_string()).await, 404);
    assert_eq!(
        beacon(json!({ "leaving": true, "ticket": call.ticket }).to_string()).await,
        202
    );
}

#[tokio::test]
async fn health_is_not_readiness() {
    let mut app = TestApp::spawn().await;
    assert_eq!(
        app.get("/healthz").await.json_of(StatusCode::OK).await,
        json!({ "status": "ok" })
    );
    assert_eq!(
        app.get("/readyz").await.json_of(StatusCode::OK).await,
        json!({ "status": "ready" })
    );
    app.stop().await.unwrap();
    app.http
        .get(format!("{}/healthz", app.url))
        .send()
        .await
        .unwrap_err();
}
