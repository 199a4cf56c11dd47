//! Ending a call from here: at once, late, when a page goes away, and when Vonage is in the way.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::{
    answers::{is_connect, is_refusal},
    helpers::{TestApp, leg_event},
};

#[tokio::test]
async fn hanging_up_ends_the_callers_leg_at_vonage() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    assert_eq!(visitor.hang_up(&call.id, json!({})).await, 202);
    let sent = app.vonage.wait_for("PUT", "/v1/calls/near").await;
    assert_eq!(
        serde_json::from_slice::<Value>(&sent[0].body).unwrap(),
        json!({ "action": "hangup" })
    );
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.until("ended").await.as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn a_hang_up_before_vonage_asks_voids_the_ticket_and_ends_the_late_leg() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    assert_eq!(visitor.hang_up(&call.id, json!({})).await, 202);
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.until("ended").await.as_deref(), Some("cancelled"));
    assert!(is_refusal(
        &app.answer(&visitor.question(&call.ticket, "late")).await
    ));
    app.vonage.wait_for("PUT", "/v1/calls/late").await;
}

#[tokio::test]
async fn a_leg_too_young_to_be_hung_up_is_tried_again() {
    let app = TestApp::spawn().await;
    app.vonage
        .mount_times(1, "PUT", "/v1/calls/.+", ResponseTemplate::new(400))
        .await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({})).await;
    app.vonage.wait_for("PUT", "/v1/calls/near").await;
    app.clock.advance(TimeDelta::seconds(2));
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.until("ended").await.as_deref(), Some("cancelled"));
    assert_eq!(app.vonage.requests("PUT", "/v1/calls/near").await.len(), 2);
}

#[tokio::test]
async fn a_page_that_leaves_is_hung_up_after_fifteen_seconds_unless_it_comes_back() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (stays, goes) = (visitor.call().await, visitor.call().await);
    for (call, leg) in [(&stays, "stays"), (&goes, "goes")] {
        app.answer(&visitor.question(&call.ticket, leg)).await;
        // A closing page sends a beacon: plain text, no session.
        let beacon = json!({ "leaving": true, "ticket": call.ticket }).to_string();
        let path = format!("/api/calls/{}/hangup", call.id);
        let request = app
            .request(Method::POST, &path)
            .header("content-type", "text/plain")
            .body(beacon);
        assert_eq!(request.send().await.unwrap().status(), 202);
    }
    let back = visitor.watch(&stays.id).await;
    app.clock.advance(TimeDelta::seconds(16));
    app.vonage.wait_for("PUT", "/v1/calls/goes").await;
    assert!(
        app.vonage
            .requests("PUT", "/v1/calls/stays")
            .await
            .is_empty()
    );
    drop(back);
}

#[tokio::test]
async fn a_hang_up_survives_a_restart() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({ "leaving": true })).await;
    drop(visitor);
    let app = app.restart().await;
    app.clock.advance(TimeDelta::seconds(16));
    app.vonage.wait_for("PUT", "/v1/calls/near").await;
}

#[tokio::test]
async fn the_token_for_hanging_up_goes_to_no_foreign_host() {
    let foreign = wiremock::MockServer::start().await;
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut question = visitor.question(&call.ticket, "near");
    question["region_url"] = json!(foreign.uri());
    app.answer(&question).await;
    visitor.hang_up(&call.id, json!({})).await;
    app.vonage.wait_for("PUT", "/v1/calls/near").await;
    assert!(foreign.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_hang_up_is_not_given_up_while_the_call_can_run() {
    let app = TestApp::spawn().await;
    app.vonage
        .mount(1, "PUT", "/v1/calls/.+", ResponseTemplate::new(503))
        .await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    app.post_event(&leg_event("far", "CON-near", "answered", 1))
        .await;
    visitor.hang_up(&call.id, json!({})).await;
    for tries in 1..16 {
        app.vonage
            .wait_for_number(tries, "PUT", "/v1/calls/near")
            .await;
        app.clock.advance(TimeDelta::minutes(2));
    }
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(
        stream.next().await.unwrap().0,
        "answered",
        "it still costs money"
    );
}

#[tokio::test]
async fn a_retry_of_the_answer_after_a_hang_up_hears_a_refusal() {
    for (name, at_vonage) in [("done", 204), ("put off", 400)] {
        let app = TestApp::spawn().await;
        app.vonage
            .mount(1, "PUT", "/v1/calls/.+", ResponseTemplate::new(at_vonage))
            .await;
        let visitor = app.visitor().await;
        let call = visitor.call().await;
        let question = visitor.question(&call.ticket, "near");
        assert!(is_connect(&app.answer(&question).await));
        visitor.hang_up(&call.id, json!({})).await;
        app.vonage.wait_for("PUT", "/v1/calls/near").await;
        assert!(is_refusal(&app.answer(&question).await), "{name}");
    }
}

#[tokio::test]
async fn a_slow_hang_up_delays_no_other() {
    let app = TestApp::spawn().await;
    let slow = ResponseTemplate::new(204).set_delay(std::time::Duration::from_mins(1));
    app.vonage.mount(1, "PUT", "/v1/calls/slow", slow).await;
    let visitor = app.visitor().await;
    for leg in ["slow", "quick"] {
        let call = visitor.call().await;
        app.answer(&visitor.question(&call.ticket, leg)).await;
        visitor.hang_up(&call.id, json!({})).await;
        app.vonage
            .wait_for("PUT", &format!("/v1/calls/{leg}"))
            .await;
    }
}

#[tokio::test]
async fn a_hang_up_that_was_asked_for_is_sent_before_the_service_ends() {
    let mut app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    assert!(is_connect(
        &app.answer(&visitor.question(&call.ticket, "near")).await
    ));
    assert_eq!(visitor.hang_up(&call.id, json!({})).await, 202);
    drop(visitor);
    app.stop().await.unwrap();
    assert_eq!(app.vonage.requests("PUT", "/v1/calls/near").await.len(), 1);
}

#[tokio::test]
async fn asking_for_the_head_of_a_stream_takes_nothing_back_and_ends() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({ "leaving": true })).await;
    let path = format!("/api/calls/{}/events", call.id);
    let head = visitor.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    app.clock.advance(TimeDelta::seconds(16));
    app.vonage.wait_for("PUT", "/v1/calls/near").await;
}
