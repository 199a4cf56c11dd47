//! What other websites may ask and read.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    helpers::{JsonOf, TestApp},
    sessions::{ORIGIN, cookie, open_from},
};

const SHOP: &str = "https://shop.example";

#[tokio::test]
async fn other_websites_are_refused_and_allowed_ones_get_a_bearer() {
    let app = TestApp::with(|s| s.visitors.allowed_origins = vec![SHOP.into()]).await;
    for origin in [
        "https://evil.example",
        "null",
        "https://shop.example.evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "",
    ] {
        assert_eq!(
            open_from(&app, origin).await.problem_of(403).await,
            "origin-not-allowed",
            "{origin}"
        );
    }
    let response = open_from(&app, SHOP).await;
    assert_eq!(response.headers()["access-control-allow-origin"], SHOP);
    assert!(response.headers().get("set-cookie").is_none());
    let opened = response.json_of(StatusCode::CREATED).await;
    assert!(opened["session"].is_string());
}

async fn preflight(app: &TestApp, path: &str, origin: &str) -> Response {
    app.request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_preflight_names_the_allowed_origin_and_no_other() {
    let app = TestApp::with(|s| s.visitors.allowed_origins = vec![SHOP.into()]).await;
    for (path, origin, named) in [
        ("/api/sessions", SHOP, Some(SHOP)),
        // May ask and read the refusal.
        ("/api/sessions", "https://evil.example", Some("*")),
        ("/api/sessions", "null", Some("*")),
        ("/auth/me", SHOP, Some(SHOP)),
        ("/auth/me", "https://evil.example", None),
    ] {
        let response = preflight(&app, path, origin).await;
        let headers = response.headers();
        let value = headers.get("access-control-allow-origin");
        assert_eq!(
            value.map(|value| value.to_str().unwrap()),
            named,
            "{path} {origin}"
        );
        assert_eq!(response.status().is_success(), named.is_some(), "{path}");
        assert!(headers.get("access-control-allow-credentials").is_none());
        let vary = headers.get("vary").map(|vary| vary.to_str().unwrap());
        assert!(
            named.is_none() || vary.is_some_and(|vary| vary.contains("Origin")),
            "{vary:?}"
        );
    }
}

#[tokio::test]
async fn a_website_that_is_not_allowed_can_read_that_and_nothing_else() {
    let app = TestApp::with(|s| s.visitors.allowed_origins = vec![SHOP.into()]).await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let users = app.vonage.requests("POST", "/v1/users").await.len();
    let hangup = format!("/api/calls/{}/hangup", call.id);
    let events = format!("/api/calls/{}/events", call.id);
    for (method, path, body) in [
        (Method::POST, "/api/sessions", json!({})),
        (Method::POST, "/api/calls", json!({ "line": "support" })),
        (Method::GET, events.as_str(), Value::Null),
        (
            Method::POST,
            hangup.as_str(),
            json!({ "ticket": call.ticket }),
        ),
    ] {
        let response = visitor
            .request(method, path)
            .header("origin", "https://evil.example")
            .json(&body)
            .send()
            .await
            .unwrap();
        let headers = response.headers();
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        assert!(headers.get("access-control-allow-credentials").is_none());
        assert!(headers.get("set-cookie").is_none());
        assert_eq!(
            response.problem_of(403).await,
            "origin-not-allowed",
            "{path}"
        );
    }
    assert_eq!(
        app.vonage.requests("POST", "/v1/users").await.len(),
        users,
        "nobody was made"
    );

    for response in [
        app.open_session(None).await,
        open_from(&app, ORIGIN).await,
        open_from(&app, SHOP).await,
        visitor
            .request(Method::GET, "/api/calls/nonsense/events")
            .header("origin", SHOP)
            .send()
            .await
            .unwrap(),
    ] {
        let named = response.headers().get("access-control-allow-origin");
        assert!(named.is_none_or(|origin| origin == SHOP), "{named:?}");
    }
}

#[tokio::test]
async fn a_browser_that_hides_its_origin_can_change_nothing_with_a_cookie() {
    let app = TestApp::spawn().await;
    let set = cookie(&open_from(&app, ORIGIN).await);
    let response = app
        .request(Method::POST, "/api/calls")
        .header("cookie", set.split(';').next().unwrap())
        .json(&json!({ "line": "support" }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.problem_of(403).await, "origin-not-allowed");
}
