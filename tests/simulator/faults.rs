//! Requests that are answered wrongly on purpose.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::{DESK, VONAGE_NUMBER, World, body, scenario};

/// The status and body of a request.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn every_interface_refuses_in_its_own_shape() {
    let world = World::start().await;
    for (kind, path, status, field, value) in [
        (
            "unauthorized",
            "/v2/applications",
            401,
            "title",
            "Unauthorized",
        ),
        ("forbidden", "/v1/calls", 403, "title", "Forbidden"),
        ("low_balance", "/v1/calls", 402, "title", "Low balance"),
        (
            "account_suspended",
            "/v2/applications",
            403,
            "type",
            "https://developer.vonage.com/api-errors#account-suspended",
        ),
        (
            "too_many_requests",
            "/v1/calls",
            429,
            "title",
            "Rate Limit Hit",
        ),
        (
            "too_many_requests",
            "/v1/users",
            429,
            "code",
            "http:error:too-many-request",
        ),
        (
            "unauthorized",
            "/v1/users",
            401,
            "code",
            "system:error:invalid-token",
        ),
        (
            "internal_error",
            "/v1/users",
            500,
            "code",
            "system:error:internal-error",
        ),
        (
            "not_found",
            "/v1/users",
            404,
            "code",
            "user:error:not-found",
        ),
        (
            "unavailable",
            "/v1/calls",
            503,
            "title",
            "Service Unavailable",
        ),
        ("unauthorized", "/account/numbers", 401, "error-code", "401"),
        (
            "method_failed",
            "/number/search",
            420,
            "error-code-label",
            "method failed",
        ),
        ("low_balance", "/account/numbers", 420, "error-code", "420"),
        (
            "too_many_requests",
            "/account/get-balance",
            429,
            "error-code",
            "429",
        ),
    ] {
        fail(&world, json!({ "path": path, "times": 1, "answer": kind })).await;
        let (found, body) = answer(world.admin(Method::GET, path)).await;
        assert_eq!(
            (found, body[field].as_str()),
            (status, Some(value)),
            "{path} {kind}: {body}"
        );
    }
}

async fn fail(world: &World, fault: Value) {
    let response = world
        .request(Method::POST, "/simulator/requests")
        .json(&fault)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_fault_hits_its_requests_so_often_and_no_others() {
    let world = World::with(scenario(json!({ "requests": [
        { "method": "GET", "path": "/v1/users*", "times": 2, "answer": { "exactly": { "status": 502, "body": "?" } } },
        { "path": "/v1/calls", "percent": 0, "answer": "internal_error" },
    ] })))
    .await;
    let status = async |method: Method, path: &str| {
        let request = world.admin(method, path).json(&json!({}));
        answer(request).await.0
    };
    assert_eq!(status(Method::POST, "/v1/users").await, 201);
    assert_eq!(status(Method::GET, "/v1/calls").await, 200);
    assert_eq!(status(Method::GET, "/v1/users").await, 502);
    assert_eq!(status(Method::GET, "/v1/users?name=nobody").await, 502);
    assert_eq!(status(Method::GET, "/v1/users").await, 200);
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let world = World::with(scenario(json!({ "requests": [
        { "path": "/account/get-balance", "times": 1, "answer": { "late": 300 } },
        { "path": "/account/get-balance", "times": 1, "answer": "nothing" },
    ] })))
    .await;
    let balance = || {
        world
            .account(Method::GET, "/account/get-balance")
            .timeout(Duration::from_millis(200))
            .send()
    };
    assert!(balance().await.unwrap_err().is_timeout(), "late");
    assert!(balance().await.unwrap_err().is_timeout(), "never");
    assert_eq!(balance().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_number_is_paid_and_some_countries_want_papers_first() {
    let buy = async |world: &World, msisdn: &str| {
        let form = [("country", "GB"), ("msisdn", msisdn)];
        let request = world.account(Method::POST, "/number/buy").form(&form);
        answer(request).await.0
    };
    let world = World::with(scenario(json!({ "balance": 3.0 }))).await;
    assert_eq!(buy(&world, "447700900555").await, 200);
    let response = world.account(Method::GET, "/account/get-balance").send();
    let balance = body(response.await.unwrap(), StatusCode::OK).await;
    // The set-up price and the first month.
    assert_eq!(balance["value"], 1.25);
    assert_eq!(buy(&world, "447700900556").await, 420);

    let world = World::with(scenario(json!({ "papers": ["GB"] }))).await;
    assert_eq!(buy(&world, "447700900555").await, 420);
}

#[tokio::test]
async fn an_empty_account_makes_no_calls() {
    let world = World::with(scenario(json!({ "balance": 0.0 }))).await;
    let call = world.admin(Method::POST, "/v1/calls").json(&json!({
        "to": [{ "type": "phone", "number": DESK }],
        "from": { "type": "phone", "number": VONAGE_NUMBER },
        "ncco": [{ "action": "wait" }],
    }));
    let (status, refused) = answer(call).await;
    assert_eq!(status, 402);
    assert!(refused["type"].as_str().unwrap().ends_with("#low-balance"));
}
