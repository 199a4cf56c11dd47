//! Of webhooks: what they were taken for, and what became of them.

use chrono::TimeDelta;
use click_to_call::settings::SignaturePolicy;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{measured, on};
use crate::helpers::{JsonOf, TestApp, leg_event};

#[tokio::test]
async fn every_verdict_on_a_webhook_is_counted() {
    let app = measured().await;
    let body = leg_event("near", "CON-near", "ringing", 1).to_string();
    let send = async |authorization: &str| {
        app.post_webhook("/webhooks/event", authorization, body.clone())
            .await;
    };
    let forge = |key: &str, value: serde_json::Value| {
        let forgery = |_: &mut _, claims: &mut serde_json::Value| claims[key] = value.clone();
        app.signer
            .forge(body.as_bytes(), crate::helpers::SECRET, &forgery)
    };
    send("nonsense").await;
    send(
        &app.signer
            .forge(body.as_bytes(), "another secret", &|_, _| {}),
    )
    .await;
    send(&forge("iat", json!(app.clock.now().timestamp() - 3_600))).await;
    send(&forge("iss", json!("Nobody"))).await;
    send(&forge("api_key", json!("another"))).await;
    send(&forge("application_id", json!("another"))).await;
    send(&forge("payload_hash", json!("00"))).await;
    send(&app.signer.body(&body)).await;
    app.request(Method::POST, "/webhooks/event")
        .body(body.clone())
        .send()
        .await
        .unwrap();

    let scrape = app.scrape().await;
    for verdict in [
        "form",
        "secret",
        "time",
        "issuer",
        "account",
        "application",
        "payload",
        "genuine",
        "missing",
    ] {
        let sample = format!("webhook_verdicts_total{{verdict=\"{verdict}\"}}");
        assert_eq!(scrape.get(&sample), 1, "{verdict}");
    }
    assert_eq!(scrape.get("webhook_seconds_count{webhook=\"event\"}"), 9);
    let problem = "problems_total{problem=\"webhook-signature\"}";
    assert_eq!(scrape.get(problem), 7);
}

#[tokio::test]
async fn without_signatures_webhooks_are_counted_as_unchecked() {
    let app = TestApp::with(|s| {
        on(s);
        s.webhooks.signatures = SignaturePolicy::Off;
    })
    .await;
    app.get("/webhooks/answer").await;
    let verdict = "webhook_verdicts_total{verdict=\"unchecked\"}";
    assert_eq!(app.scrape().await.get(verdict), 1);
}

#[tokio::test]
async fn a_get_with_another_hash_and_the_clocks_distance_are_counted_not_refused() {
    let app = measured().await;
    let query = "from=447700900111&uuid=leg-1&status=ringing";
    let ask = async |authorization: String| {
        let request = app.request(Method::GET, &format!("/webhooks/event?{query}"));
        let request = request.header("authorization", authorization);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    };
    ask(app.signer.body(query)).await;
    let mismatches = "webhook_query_hash_mismatches_total";
    assert_eq!(app.scrape().await.get(mismatches), 0);
    let late = app.signer.query();
    app.clock.advance(TimeDelta::seconds(100));
    ask(late).await;
    let scrape = app.scrape().await;
    assert_eq!(scrape.get(mismatches), 1);
    let skew = scrape.get("webhook_clock_skew_seconds");
    assert!((100..110).contains(&skew), "{skew}");
}

#[tokio::test]
async fn answers_and_events_are_counted_by_what_became_of_them() {
    let app = measured().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let question = visitor.question(&call.ticket, "near");
    app.answer(&question).await;
    app.answer(&visitor.question(&call.ticket, "other")).await;
    let mut without = question.clone();
    without.as_object_mut().unwrap().remove("custom_data");
    app.answer(&without).await;
    app.get("/webhooks/answer").await;

    let event = leg_event("near", "CON-near", "ringing", 1).to_string();
    let authorization = app.signer.body(&event);
    for _ in 0..2 {
        app.post_webhook("/webhooks/event", &authorization, event.clone())
            .await;
    }
    // A token that is used again for a GET, whose hash binds it to nothing.
    let query = app.signer.query();
    for path in ["/webhooks/event?status=a", "/webhooks/event?status=b"] {
        let request = app.request(Method::GET, path);
        request
            .header("authorization", &query)
            .send()
            .await
            .unwrap();
    }

    let scrape = app.scrape().await;
    for (result, number) in [
        ("connect", 1),
        ("ticket-used", 1),
        ("no-ticket", 1),
        ("signature", 1),
        ("apology", 0),
    ] {
        let sample = format!("answers_total{{result=\"{result}\"}}");
        assert_eq!(scrape.get(&sample), number, "{result}");
    }
    for (result, number) in [("kept", 2), ("repeated", 1), ("replayed", 1)] {
        let sample = format!("events_total{{result=\"{result}\"}}");
        assert_eq!(scrape.get(&sample), number, "{result}");
    }
    assert_eq!(scrape.get("calls_permitted_total"), 1);
    assert_eq!(scrape.get("webhook_seconds_count{webhook=\"answer\"}"), 4);
    // Three questions that were signed, four events.
    assert_eq!(scrape.get("store_commit_seconds_count"), 7);
}

#[tokio::test]
async fn events_that_the_store_did_not_take_are_counted() {
    let app = measured().await;
    std::fs::remove_file(app.database()).unwrap();
    let event = leg_event("near", "CON-near", "ringing", 1);
    app.post_event(&event).await.problem_of(503).await;
    let visitor_call = json!({ "from": "447700900111", "uuid": "leg" });
    app.answer(&visitor_call).await;
    let scrape = app.scrape().await;
    assert_eq!(scrape.get("events_total{result=\"failed\"}"), 1);
    assert_eq!(scrape.get("store_commit_seconds_count"), 0);
}
