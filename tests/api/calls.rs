//! A visitor's call, from the press to the end.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    answers::is_connect,
    helpers::{JsonOf, TestApp, leg_event},
};

#[tokio::test]
async fn permission_names_call_code_ticket_and_limits() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let response = visitor
        .request(Method::POST, "/api/calls")
        .json(&json!({ "line": "support" }))
        .send()
        .await
        .unwrap();
    let call = response.json_of(StatusCode::CREATED).await;
    assert_eq!(call["limit_seconds"], 900);
    assert_eq!(call["ticket"].as_str().unwrap().len(), 43);
    let code = call["code"].as_str().unwrap();
    assert!(code.len() == 7 && code.as_bytes()[2] == b'-', "{code}");
    let other = visitor.call().await;
    assert_ne!(other.code, code);
    let expires =
        chrono::DateTime::parse_from_rfc3339(call["expires_at"].as_str().unwrap()).unwrap();
    let left = (expires.to_utc() - app.clock.now()).num_seconds();
    assert!((57..=60).contains(&left), "{left}");
}

#[tokio::test]
async fn a_call_needs_a_session_a_known_line_and_a_flat_context() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let stranger = app
        .request(Method::POST, "/api/calls")
        .json(&json!({ "line": "support" }))
        .send()
        .await
        .unwrap();
    assert_eq!(stranger.problem_of(401).await, "session-required");
    let ask = async |wish: Value| {
        visitor
            .request(Method::POST, "/api/calls")
            .json(&wish)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(
        ask(json!({ "line": "premium" }))
            .await
            .problem_of(404)
            .await,
        "unknown-line"
    );
    assert_eq!(
        ask(json!({ "context": { "a": { "b": 1 } } }))
            .await
            .problem_of(400)
            .await,
        "bad-request"
    );
    assert_eq!(
        ask(json!({ "context": "text" }))
            .await
            .problem_of(400)
            .await,
        "bad-request"
    );
}

#[tokio::test]
async fn the_stream_tells_every_state_of_the_far_end() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut stream = visitor.watch(&call.id).await;
    let mut next = async || stream.next().await.unwrap();
    assert_eq!(next().await, ("requested".into(), None));
    assert!(is_connect(
        &app.answer(&visitor.question(&call.ticket, "near")).await
    ));
    assert_eq!(next().await, ("connecting".into(), None));
    for (status, state) in [("ringing", "ringing"), ("answered", "answered")] {
        app.post_event(&leg_event("far", "CON-near", status, 1))
            .await;
        assert_eq!(next().await.0, state);
    }
    app.post_event(&leg_event("near", "CON-near", "answered", 1))
        .await;
    app.post_event(&leg_event("far", "CON-near", "completed", 9))
        .await;
    assert_eq!(next().await, ("ended".into(), Some("completed".into())));
    assert_eq!(stream.next().await, None, "and then it ends");
}

#[tokio::test]
async fn events_that_come_before_the_answer_count_as_well() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.post_event(&leg_event("far", "CON-near", "ringing", 1))
        .await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.next().await.unwrap().0, "ringing");
}

#[tokio::test]
async fn a_stream_opened_late_or_after_a_restart_shows_the_state_as_it_is() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    app.post_event(&leg_event("far", "CON-near", "busy", 1))
        .await;
    let session = visitor.session;
    let app = app.restart().await;
    let path = format!("/api/calls/{}/events", call.id);
    let response = app
        .request(Method::GET, &path)
        .bearer_auth(session)
        .send()
        .await
        .unwrap();
    let mut stream = crate::helpers::CallStream::new(response);
    assert_eq!(
        stream.next().await,
        Some(("ended".into(), Some("busy".into())))
    );
}

#[tokio::test]
async fn a_call_belongs_to_its_visitor() {
    let app = TestApp::spawn().await;
    let (owner, other) = (app.visitor().await, app.visitor().await);
    let call = owner.call().await;
    let path = format!("/api/calls/{}/events", call.id);
    assert_eq!(
        other
            .request(Method::GET, &path)
            .send()
            .await
            .unwrap()
            .problem_of(404)
            .await,
        "not-found"
    );
    assert_eq!(
        app.get(&path).await.problem_of(401).await,
        "session-required"
    );
    assert_eq!(other.hang_up(&call.id, json!({})).await, 404);
    let stolen = other.call().await;
    assert_eq!(
        other
            .hang_up(&call.id, json!({ "ticket": stolen.ticket }))
            .await,
        404
    );
    for id in ["x", "00000000-0000-4000-8000-000000000000", "%00", "..%2f"] {
        let response = owner
            .request(Method::GET, &format!("/api/calls/{id}/events"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 404, "{id}");
    }
    assert!(
        is_connect(&app.answer(&owner.question(&call.ticket, "near")).await),
        "still good"
    );
}

#[tokio::test]
async fn an_unused_ticket_ends_the_call_by_itself() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.clock.advance(TimeDelta::seconds(61));
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.until("ended").await.as_deref(), Some("expired"));
}

#[tokio::test]
async fn the_permission_says_who_may_use_it_when_another_tab_has_renewed() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    app.clock.advance(TimeDelta::hours(30));
    let renewed = app
        .open_session(Some(&visitor.session))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_ne!(renewed["user"], visitor.user);
    let wish = json!({ "line": "support" });
    let call = visitor
        .request(Method::POST, "/api/calls")
        .json(&wish)
        .send()
        .await
        .unwrap();
    assert_eq!(
        call.json_of(StatusCode::CREATED).await["user"],
        renewed["user"]
    );
}

#[tokio::test]
async fn a_call_has_so_many_streams_and_no_more() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(visitor.watch(&call.id).await);
    }
    let path = format!("/api/calls/{}/events", call.id);
    let refused = visitor.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(refused.problem_of(429).await, "rate-limited");
}
