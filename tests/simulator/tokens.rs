//! Tokens on REST: the same rules that the socket applies.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Claims, World, body, key_pair, now, other_key_pair};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_broken_rule_has_its_own_refusal() {
    let world = World::start().await;
    let own = key_pair();
    let unauthorized = StatusCode::UNAUTHORIZED;
    let day = 86_400;
    for (what, token, status, code) in [
        ("a good one", Claims::user().sign(own), StatusCode::OK, ""),
        (
            "whole day",
            Claims::user()
                .with("exp", json!(now() + day))
                .with("iat", json!(now()))
                .sign(own),
            StatusCode::OK,
            "",
        ),
        (
            "no exp",
            Claims::user().without("exp").sign(own),
            StatusCode::OK,
            "",
        ),
        (
            "exp as text",
            Claims::user()
                .with("exp", json!((now() + 60).to_string()))
                .sign(own),
            StatusCode::OK,
            "",
        ),
        (
            "not a token",
            "hello".to_owned(),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "other key",
            Claims::user().sign(other_key_pair()),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "other application",
            Claims::user()
                .with(
                    "application_id",
                    json!("11111111-2222-3333-4444-555555555555"),
                )
                .sign(own),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "no iat",
            Claims::user().without("iat").sign(own),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "no jti",
            Claims::user().without("jti").sign(own),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "issued tomorrow",
            Claims::user()
                .with("iat", json!(now() + day))
                .with("exp", json!(now() + day + 60))
                .sign(own),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "over a day",
            Claims::user()
                .with("exp", json!(now() + day + 120))
                .sign(own),
            unauthorized,
            "system:error:invalid-token",
        ),
        (
            "expired",
            Claims::user()
                .with("iat", json!(now() - 100))
                .with("exp", json!(now() - 1))
                .sign(own),
            unauthorized,
            "system:error:expired-token",
        ),
        (
            "a day old, whatever exp says",
            Claims::user()
                .with("iat", json!(now() - day))
                .with("exp", json!(now() + 60))
                .sign(own),
            unauthorized,
            "system:error:expired-token",
        ),
        (
            "unknown user",
            Claims::user().with("sub", json!("nobody")).sign(own),
            unauthorized,
            "user:error:invalid-user",
        ),
        (
            "no ACL",
            Claims::user().without("acl").sign(own),
            StatusCode::FORBIDDEN,
            "system:error:permission",
        ),
        (
            "ACL without users",
            Claims::user()
                .with("acl", json!({ "paths": { "/*/sessions/**": {} } }))
                .sign(own),
            StatusCode::FORBIDDEN,
            "system:error:permission",
        ),
        (
            "ACL for another method",
            Claims::user()
                .with(
                    "acl",
                    json!({ "paths": { "/*/users/**": { "methods": ["POST"] } } }),
                )
                .sign(own),
            StatusCode::FORBIDDEN,
            "system:error:permission",
        ),
    ] {
        let response = world
            .request(Method::GET, "/v0.3/users/me")
            .bearer_auth(token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{what}");
        let refused = body(response, status).await;
        assert_eq!(refused["code"].as_str().unwrap_or_default(), code, "{what}");
    }
}

#[tokio::test]
async fn the_sdks_requests_are_open_to_every_origin() {
    let world = World::start().await;
    let response = world
        .request(Method::OPTIONS, "/v0.3/legs")
        .header("origin", "https://shop.example")
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success());
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-headers").contains("authorization"));
    assert!(header("access-control-allow-methods").contains("DELETE"));
}
