//! What Vonage reports, kept durably and once.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::helpers::{JsonOf, TestApp, fixture, fixture_bytes, fixtures, leg_event};

#[tokio::test]
async fn every_known_event_is_kept() {
    let app = TestApp::spawn().await;
    let names: Vec<String> = [fixtures("events"), fixtures("rtc-events")].concat();
    for name in &names {
        let body = fixture_bytes(name);
        let authorization = app.signer.body(&body);
        let response = app
            .post_webhook("/webhooks/event", &authorization, body)
            .await;
        assert_eq!(response.status(), 200, "{name}");
    }
    let unreadable =
        app.stored("SELECT CAST(count(*) AS TEXT) FROM events WHERE kind = 'unreadable'");
    assert_eq!(unreadable, "0");
}

#[tokio::test]
async fn every_kind_is_told_from_the_others() {
    for (kind, name) in [
        ("status", "events/pstn/completed.json"),
        ("status", "events/pstn/machine.json"),
        ("status", "events/other/unknown-status.json"),
        ("error", "events/other/error-ncco.json"),
        ("other", "events/other/record.json"),
        ("other", "events/other/transcription.json"),
        ("rtc", "rtc-events/rtc-hangup.json"),
    ] {
        let app = TestApp::spawn().await;
        let body = fixture_bytes(name);
        let authorization = app.signer.body(&body);
        app.post_webhook("/webhooks/event", &authorization, body.clone())
            .await;
        assert_eq!(app.stored("SELECT kind FROM events"), kind, "{name}");
        assert_eq!(
            app.stored("SELECT CAST(raw AS TEXT) FROM events")
                .as_bytes(),
            body,
            "{name}"
        );
    }
}

#[tokio::test]
async fn every_sequence_can_come_twice_and_backwards() {
    for name in fixtures("sequences") {
        let app = TestApp::spawn().await;
        let events = fixture(&name);
        let events = events.as_array().unwrap();
        for event in events.iter().chain(events.iter().rev()) {
            assert_eq!(app.post_event(event).await.status(), 200, "{name}");
        }
        let distinct: std::collections::HashSet<_> = events
            .iter()
            .map(|e| {
                (
                    e["uuid"].to_string(),
                    e["status"].to_string(),
                    e["timestamp"].to_string(),
                )
            })
            .collect();
        assert_eq!(app.stored_events(), distinct.len(), "{name}");
    }
}

#[tokio::test]
async fn an_event_may_come_as_a_get() {
    let app = TestApp::spawn().await;
    let request = app
        .request(
            Method::GET,
            "/webhooks/event?uuid=leg-1&conversation_uuid=CON-1&status=ringing&timestamp=2026",
        )
        .header("authorization", app.signer.query());
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(app.stored("SELECT status FROM events"), "ringing");
}

#[tokio::test]
async fn the_same_event_signed_anew_is_kept_once() {
    let app = TestApp::spawn().await;
    for _ in 0..50 {
        assert_eq!(
            app.post_event(&leg_event("leg-1", "CON-1", "ringing", 1))
                .await
                .status(),
            200
        );
    }
    let mut reworded = leg_event("leg-1", "CON-1", "ringing", 1);
    reworded["network"] = json!("GB-FIXED");
    assert_eq!(app.post_event(&reworded).await.status(), 200);
    assert_eq!(app.stored_events(), 1);
}

#[tokio::test]
async fn what_cannot_be_understood_is_kept_all_the_same() {
    let app = TestApp::spawn().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let odd: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"not json".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"{\"status\":\"completed\"".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"status\":\"\xc3\x28\"}".to_vec(),
        b"\xef\xbb\xbf{\"status\":\"completed\"}".to_vec(),
        b"{\"price\":1e400}".to_vec(),
        b"{\"status\":\"\\ud800\"}".to_vec(),
        b"{\"status\":\"a\",\"status\":\"b\"}".to_vec(),
        b"{\"uuid\":{\"a\":1},\"status\":7,\"timestamp\":[]}".to_vec(),
        b"{\"uuid\":\"\\u0000\",\"status\":\"x\\u0000y\"}".to_vec(),
        deep.into_bytes(),
    ];
    for (index, body) in odd.iter().enumerate() {
        let authorization = app.signer.body(body);
        let response = app
            .post_webhook("/webhooks/event", &authorization, body.clone())
            .await;
        assert_eq!(response.status(), 200, "number {index}");
    }
    assert_eq!(app.stored_events(), odd.len());
}

#[tokio::test]
async fn prices_and_durations_may_be_text_number_or_null() {
    for (duration, reason) in [
        (json!("5"), "completed"),
        (json!(5), "completed"),
        (json!("0"), "cancelled"),
        (Value::Null, "cancelled"),
        (json!(-1), "cancelled"),
    ] {
        let app = TestApp::spawn().await;
        let visitor = app.visitor().await;
        let call = visitor.call().await;
        app.answer(&visitor.question(&call.ticket, "near")).await;
        let mut completed = leg_event("far", "CON-near", "completed", 9);
        completed["duration"] = duration.clone();
        completed["price"] = duration.clone();
        completed["rate"] = duration.clone();
        app.post_event(&completed).await;
        let mut stream = visitor.watch(&call.id).await;
        assert_eq!(
            stream.until("ended").await.as_deref(),
            Some(reason),
            "{duration}"
        );
    }
}

#[tokio::test]
async fn digits_that_a_caller_types_are_never_kept() {
    let app = TestApp::spawn().await;
    let events = [
        json!({ "uuid": "leg-1", "timestamp": "1", "dtmf": { "digits": "4929135791", "timed_out": false } }),
        json!({ "uuid": "leg-1", "timestamp": "2", "dtmf": "4929135791" }),
        json!({ "type": "audio:dtmf", "timestamp": "3", "body": { "digit": "4929135791" } }),
        json!({ "type": "audio:dtmf:done", "timestamp": "4", "body": { "digits": "4929135791" } }),
    ];
    for event in &events {
        assert_eq!(app.post_event(event).await.status(), 200);
        assert_eq!(app.post_event(event).await.status(), 200);
    }
    assert_eq!(app.stored_events(), events.len());
    let kept = app.stored("SELECT group_concat(CAST(raw AS TEXT)) FROM events");
    assert!(!kept.contains("4929135791"), "{kept}");
    assert!(kept.contains("timed_out"), "and everything else is");
    let digests = app.stored("SELECT group_concat(lower(hex(digest))) FROM events");
    for event in &events {
        let sum =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, event.to_string().as_bytes());
        let guess: String = format!("{sum:?}").rsplit(':').next().unwrap().into();
        assert!(
            !digests.contains(&guess),
            "a digest gives short digits away"
        );
    }
}

#[tokio::test]
async fn an_answer_and_a_receipt_are_json_and_nothing() {
    let app = TestApp::spawn().await;
    let receipt = app
        .post_event(&leg_event("leg-1", "CON-1", "ringing", 1))
        .await;
    assert_eq!(receipt.status(), StatusCode::OK);
    assert_eq!(receipt.text().await.unwrap(), "");
    let answer = app
        .request(Method::POST, "/webhooks/answer")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json_of(StatusCode::OK).await;
}
