//! What breaks around the service: nothing acknowledged is lost, nobody hangs, nobody learns a secret.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::{
    answers::{is_connect, is_refusal},
    helpers::{JsonOf, TestApp, fixture, leg_event},
};

/// Holds the store's write lock until dropped.
fn lock(app: &TestApp) -> Connection {
    let connection = app.store();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

#[tokio::test]
async fn with_the_store_locked_nothing_is_acknowledged_and_callers_hear_an_apology() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let locked = lock(&app);

    let begun = Instant::now();
    let ncco = app.answer(&visitor.question(&call.ticket, "near")).await;
    assert!(is_refusal(&ncco), "{ncco}");
    assert!(begun.elapsed() < Duration::from_secs(4), "Vonage waits 5 s");
    let event = app
        .post_event(&leg_event("near", "CON-near", "ringing", 1))
        .await;
    assert!(event.headers().contains_key("retry-after"));
    assert_eq!(event.problem_of(503).await, "store-unavailable");
    assert_eq!(app.get("/readyz").await.problem_of(503).await, "not-ready");
    assert_eq!(
        app.open_session(None).await.problem_of(503).await,
        "store-unavailable"
    );

    drop(locked);
    assert_eq!(
        app.post_event(&leg_event("near", "CON-near", "ringing", 1))
            .await
            .status(),
        200
    );
    assert_eq!(app.get("/readyz").await.status(), 200);
    let again = visitor.call().await;
    assert!(is_connect(
        &app.answer(&visitor.question(&again.ticket, "near-2")).await
    ));
}

#[tokio::test]
async fn a_broken_schema_is_an_apology_not_a_crash() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.store()
        .execute_batch("ALTER TABLE calls RENAME TO gone; ALTER TABLE events RENAME TO gone_too;")
        .unwrap();
    assert!(is_refusal(
        &app.answer(&visitor.question(&call.ticket, "near")).await
    ));
    assert_eq!(
        app.post_event(&leg_event("near", "CON-near", "ringing", 1))
            .await
            .status(),
        503
    );
    let problem = visitor
        .request(Method::POST, "/api/calls")
        .json(&json!({}))
        .send()
        .await
        .unwrap();
    let problem = problem
        .json_of(StatusCode::SERVICE_UNAVAILABLE)
        .await
        .to_string();
    assert!(
        !problem.contains("calls"),
        "the cause is for the log: {problem}"
    );
    assert_eq!(app.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn whatever_vonage_answers_the_visitor_gets_a_token_or_a_clear_no() {
    let unauthorized = fixture("api/common/error-401.json");
    for (name, answer) in [
        (
            "401",
            ResponseTemplate::new(401).set_body_json(unauthorized),
        ),
        ("403", ResponseTemplate::new(403)),
        (
            "500",
            ResponseTemplate::new(500).set_body_json(fixture("api/users/error-500.json")),
        ),
        ("503", ResponseTemplate::new(503)),
        (
            "429, for long",
            ResponseTemplate::new(429).insert_header("retry-after", "30"),
        ),
        (
            "garbage",
            ResponseTemplate::new(201).set_body_string("<html>"),
        ),
        ("an empty answer", ResponseTemplate::new(201)),
        (
            "another shape",
            ResponseTemplate::new(201).set_body_json(json!([1, 2])),
        ),
        (
            "a redirect",
            ResponseTemplate::new(302).insert_header("location", "https://evil.example/"),
        ),
    ] {
        let app = TestApp::spawn().await;
        app.vonage.mount(1, "POST", "/v1/users", answer).await;
        let response = app.open_session(None).await;
        assert!(response.headers().contains_key("retry-after"), "{name}");
        assert!(response.headers().get("set-cookie").is_none(), "{name}");
        let text = response
            .json_of(StatusCode::SERVICE_UNAVAILABLE)
            .await
            .to_string();
        assert!(
            text.contains("vonage-unavailable") && !text.contains("eyJ"),
            "{name}: {text}"
        );
        assert_eq!(
            app.stored("SELECT CAST(count(*) AS TEXT) FROM visitors"),
            "0",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_short_pause_and_a_lost_answer_are_waited_for() {
    let app = TestApp::spawn().await;
    app.vonage
        .mount_times(
            1,
            "POST",
            "/v1/users",
            ResponseTemplate::new(429).insert_header("retry-after", "1"),
        )
        .await;
    app.vonage
        .mount_times(1, "POST", "/v1/users", ResponseTemplate::new(502))
        .await;
    let begun = Instant::now();
    assert_eq!(app.open_session(None).await.status(), 201);
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "Retry-After is honoured"
    );
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_success() {
    for status in [409, 400] {
        let app = TestApp::with(|s| s.visitors.legacy_users = vec!["supportuser".into()]).await;
        let taken = fixture("api/users/error-409-duplicate-name.json");
        app.vonage
            .mount_times(
                1,
                "GET",
                "/v1/users",
                ResponseTemplate::new(200).set_body_json(fixture("api/users/list-200-empty.json")),
            )
            .await;
        app.vonage
            .mount(
                1,
                "POST",
                "/v1/users",
                ResponseTemplate::new(status).set_body_json(taken),
            )
            .await;
        let found = json!({ "_embedded": { "users": [{ "id": "USR-1", "name": "supportuser" }] } });
        app.vonage
            .mount(
                2,
                "GET",
                "/v1/users",
                ResponseTemplate::new(200).set_body_json(found),
            )
            .await;
        let request = app
            .request(Method::GET, "/auth/supportuser")
            .header("sec-fetch-site", "same-origin");
        assert_eq!(request.send().await.unwrap().status(), 200, "{status}");
    }
}

#[tokio::test]
async fn a_vonage_that_cannot_be_reached_is_a_quick_and_clear_no() {
    let app = TestApp::with(|s| s.vonage.api_url = "http://127.0.0.1:9".parse().unwrap()).await;
    let begun = Instant::now();
    assert_eq!(
        app.open_session(None).await.problem_of(503).await,
        "vonage-unavailable"
    );
    assert!(begun.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_slow_vonage_does_not_delay_its_own_webhooks() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.vonage
        .mount(
            1,
            "POST",
            "/v1/users",
            ResponseTemplate::new(201).set_delay(Duration::from_secs(4)),
        )
        .await;
    let waiting = futures_util::future::join_all((0..50).map(|_| app.open_session(None)));
    let answered = async {
        let begun = Instant::now();
        let ncco = app.answer(&visitor.question(&call.ticket, "near")).await;
        (ncco, begun.elapsed())
    };
    let (visits, (ncco, took)) = tokio::join!(waiting, answered);
    assert!(is_connect(&ncco));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(visits.iter().all(|visit| visit.status() == 503));
}

#[tokio::test]
async fn a_call_whose_last_event_never_comes_is_closed() {
    for (at_vonage, ended) in [(404, true), (200, false)] {
        let app = TestApp::spawn().await;
        let running = json!({ "uuid": "near", "status": "answered" });
        app.vonage
            .mount(
                1,
                "GET",
                "/v1/calls/near",
                ResponseTemplate::new(at_vonage).set_body_json(running),
            )
            .await;
        let visitor = app.visitor().await;
        let call = visitor.call().await;
        app.answer(&visitor.question(&call.ticket, "near")).await;
        app.post_event(&leg_event("far", "CON-near", "answered", 1))
            .await;
        app.clock.advance(chrono::TimeDelta::minutes(20));
        let session = visitor.session.clone();
        drop(visitor);
        // The sweeper looks when the service starts.
        let app = app.restart().await;
        app.vonage.wait_for("GET", "/v1/calls/near").await;
        let path = format!("/api/calls/{}/events", call.id);
        let response = app
            .request(Method::GET, &path)
            .bearer_auth(session)
            .send()
            .await
            .unwrap();
        let mut stream = crate::helpers::CallStream::new(response);
        if ended {
            assert_eq!(stream.until("ended").await.as_deref(), Some("lost"));
        } else {
            assert_eq!(stream.next().await.unwrap().0, "answered");
        }
    }
}

#[tokio::test]
async fn visitors_whose_time_is_over_are_forgotten_however_many_without_asking_vonage() {
    let app = TestApp::spawn().await;
    for _ in 0..120 {
        app.visitor().await;
    }
    app.clock.advance(chrono::TimeDelta::days(3));
    let app = app.restart().await;
    let count = "SELECT CAST(count(*) AS TEXT) FROM visitors";
    let emptied = async {
        while app.stored(count) != "0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), emptied)
        .await
        .unwrap();
    let deleted = app.vonage.requests("DELETE", "/v1/users/").await;
    assert!(deleted.is_empty(), "their ttl ends them");
}

#[tokio::test]
async fn a_stop_ends_streams_and_keeps_everything() {
    let mut app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.next().await.unwrap().0, "requested");
    drop(visitor);
    let begun = Instant::now();
    app.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(stream.next().await, None);
    assert_eq!(app.stored("SELECT CAST(count(*) AS TEXT) FROM calls"), "1");
}

#[tokio::test]
async fn no_answer_carries_a_secret() {
    let app = TestApp::spawn().await;
    let mut seen = String::new();
    for path in [
        "/",
        "/embed.js",
        "/problems",
        "/readyz",
        "/nowhere",
        "/auth/x",
        "/webhooks/answer",
        "/webhooks/event",
        "/webhooks/fallback",
    ] {
        let response = app.get(path).await;
        write!(seen, "{:?}", response.headers()).unwrap();
        seen.push_str(&response.text().await.unwrap());
    }
    for secret in [
        crate::helpers::SECRET,
        crate::helpers::DESTINATION,
        crate::helpers::NUMBER,
        "PRIVATE KEY",
    ] {
        assert!(!seen.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_vonage_that_never_answers_costs_a_visitor_eight_seconds_at_most() {
    let app = TestApp::spawn().await;
    let never = ResponseTemplate::new(201).set_delay(Duration::from_mins(1));
    app.vonage.mount(1, "POST", "/v1/users", never).await;
    let begun = Instant::now();
    let response = app.open_session(None).await;
    assert_eq!(response.problem_of(503).await, "vonage-unavailable");
    assert!(begun.elapsed() < Duration::from_secs(12));
}

#[tokio::test]
async fn a_store_that_fails_is_said_so_everywhere() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.store()
        .execute_batch("ALTER TABLE visitors RENAME TO gone")
        .unwrap();
    let token = visitor
        .request(Method::GET, "/auth/me")
        .send()
        .await
        .unwrap();
    assert_eq!(token.problem_of(503).await, "store-unavailable");
    assert_eq!(visitor.hang_up(&call.id, json!({})).await, 503);
}
