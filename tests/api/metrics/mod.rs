//! What is counted: each test does something and reads the number.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use click_to_call::settings::{Settings, SignaturePolicy};
use reqwest::{Method, StatusCode};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::helpers::{JsonOf, TestApp, VonageStub, leg_event};

fn on(settings: &mut Settings) {
    settings.metrics.port = Some(0);
}

async fn measured() -> TestApp {
    TestApp::with(on).await
}

#[tokio::test]
async fn metrics_are_shown_only_where_they_are_asked_for() {
    let app = TestApp::spawn().await;
    assert_eq!(app.metrics_url, None);
    let app = measured().await;
    assert_eq!(app.get("/metrics").await.status(), StatusCode::NOT_FOUND);

    let url = app.metrics_url.clone().unwrap();
    let shown = app.http.get(&url).send().await.unwrap();
    let kind = shown.headers()["content-type"].to_str().unwrap();
    assert_eq!(kind, click_to_call::metrics::CONTENT_TYPE);
    assert!(shown.text().await.unwrap().ends_with("# EOF\n"));
    let written = app.http.post(&url).send().await.unwrap();
    assert_eq!(written.status(), StatusCode::METHOD_NOT_ALLOWED);
    let page = app.http.get(url.replace("/metrics", "/")).send().await;
    assert_eq!(page.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_metric_is_documented_and_every_documented_one_exists() {
    let app = measured().await;
    app.get("/healthz").await;
    let shown: BTreeSet<_> = app.scrape().await.metrics().into_iter().collect();
    let page = include_str!("../../docs/METRICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            let (kind, _meaning) = rest.split_once(" | ")?;
            let is_kind = ["counter", "gauge", "histogram", "info"].contains(&kind);
            is_kind.then(|| (kind.to_owned(), name.to_owned()))
        })
        .collect();
    assert_eq!(shown, documented);
}

#[tokio::test]
async fn process_and_version_are_told() {
    let app = measured().await;
    let scrape = app.scrape().await;
    let version = env!("CARGO_PKG_VERSION");
    let build = scrape.get(&format!("build_info{{version=\"{version}\"}}"));
    assert_eq!(build, 1);
    let line = "process_start_time_seconds ";
    let started = scrape.0.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    let age = app.clock.now().timestamp() - started.parse::<i64>().unwrap();
    assert!((0..60).contains(&age), "{age}");
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_nothing_else_of_theirs_is_shown() {
    let app = measured().await;
    app.get("/auth/somebody-private").await;
    app.get("/nowhere-private?private=1").await;
    app.get("/healthz").await;
    let scrape = app.scrape().await;
    let requests = |route: &str, status: &str| {
        scrape.get(&format!(
            "http_requests_total{{route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(requests("/healthz", "2xx"), 1);
    assert_eq!(requests("/auth/{user_id:.*}", "4xx"), 1);
    assert_eq!(requests("unmatched", "4xx"), 1);
    assert_eq!(scrape.get("problems_total{problem=\"not-found\"}"), 1);
    assert_eq!(
        scrape.get("problems_total{problem=\"user-not-allowed\"}"),
        1
    );
    assert!(!scrape.0.contains("private"), "{}", scrape.0);
}

#[tokio::test]
async fn sessions_tokens_and_vonages_answers_are_counted() {
    let app = measured().await;
    let visitor = app.visitor().await;
    let again = app.open_session(Some(&visitor.session)).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    let down = ResponseTemplate::new(429);
    app.vonage.mount(1, "POST", "/v1/users$", down).await;
    app.open_session(None).await.problem_of(503).await;

    let scrape = app.scrape().await;
    assert_eq!(scrape.get("sessions_total{user=\"made\"}"), 1);
    assert_eq!(scrape.get("sessions_total{user=\"kept\"}"), 1);
    assert_eq!(
        scrape.get("ready_user_events_total{event=\"missed\"}"),
        0,
        "there is no pool"
    );
    // One for each session, and one for us.
    assert_eq!(scrape.get("token_requests_total{result=\"signed\"}"), 3);
    assert_eq!(scrape.get("token_queue_seconds_count"), 3);
    assert_eq!(scrape.get("token_queue_length"), 0);
    let asked = |outcome: &str| {
        let labels = format!("operation=\"create-user\",outcome=\"{outcome}\"");
        scrape.get(&format!("vonage_requests_total{{{labels}}}"))
    };
    assert_eq!((asked("2xx"), asked("429")), (1, 3));
    let took = "vonage_request_seconds_count{operation=\"create-user\"}";
    assert_eq!(scrape.get(took), 4);
    let problem = "problems_total{problem=\"vonage-unavailable\"}";
    assert_eq!(scrape.get(problem), 1);
}

#[tokio::test]
async fn the_pool_of_ready_users_is_counted() {
    let app = TestApp::with(|s| {
        on(s);
        s.visitors.ready_users = 1;
    })
    .await;
    app.wait_for_sample("ready_users", 1).await;
    app.vonage
        .mount(1, "POST", "/v1/users$", ResponseTemplate::new(403))
        .await;
    app.visitor().await;
    app.wait_for_sample("ready_user_events_total{event=\"failed\"}", 1)
        .await;
    let scrape = app.scrape().await;
    assert_eq!(scrape.get("ready_users"), 0);
    assert_eq!(scrape.get("ready_user_events_total{event=\"made\"}"), 1);
    assert_eq!(scrape.get("ready_user_events_total{event=\"taken\"}"), 1);
    assert_eq!(scrape.get("sessions_total{user=\"ready\"}"), 1);
}

#[tokio::test]
async fn a_visitor_who_finds_no_ready_user_is_counted() {
    let change = |s: &mut Settings| {
        on(s);
        s.visitors.ready_users = 1;
    };
    // A user made ahead lives a day longer than one made on the spot.
    let fail = async |vonage: &VonageStub| vonage.refuse_users_of(3 * 86_400).await;
    let app = TestApp::with_vonage(change, fail).await;
    app.visitor().await;
    let scrape = app.scrape().await;
    assert_eq!(scrape.get("ready_user_events_total{event=\"missed\"}"), 1);
    assert_eq!(scrape.get("sessions_total{user=\"made\"}"), 1);
}

#[tokio::test]
async fn users_that_are_deleted_are_counted() {
    let app = TestApp::with(|s| {
        on(s);
        s.visitors.ready_users = 1;
    })
    .await;
    app.wait_for_sample("ready_users", 1).await;
    app.clock.advance(TimeDelta::hours(25));
    let app = app.restart().await;
    app.wait_for_sample("users_deleted_total", 1).await;
    let deleted = "vonage_requests_total{operation=\"delete-user\",outcome=\"2xx\"}";
    assert_eq!(app.scrape().await.get(deleted), 1);
}

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

#[tokio::test]
async fn open_calls_and_how_calls_ended_are_counted() {
    let app = measured().await;
    let visitor = app.visitor().await;
    let talked = visitor.call().await;
    app.answer(&visitor.question(&talked.ticket, "talked"))
        .await;
    for status in ["answered", "completed"] {
        app.post_event(&leg_event("desk", "CON-talked", status, 1))
            .await;
    }
    // Longer than any call lasts.
    app.clock.advance(TimeDelta::hours(1));
    let open = visitor.call().await;
    app.answer(&visitor.question(&open.ticket, "open")).await;
    app.clock.advance(TimeDelta::seconds(100));

    let app = app.restart().await;
    let ended = "calls_ended_total{outcome=\"completed\"}";
    app.wait_for_sample(ended, 1).await;
    app.wait_for_sample("open_calls", 1).await;
    let age = app.scrape().await.get("oldest_open_call_age_seconds");
    assert!((100..110).contains(&age), "{age}");
}

#[tokio::test]
async fn a_hang_up_in_a_calls_first_seconds_is_not_counted_as_late() {
    let app = measured().await;
    let too_early = ResponseTemplate::new(400);
    app.vonage
        .mount_times(1, "PUT", "/v1/calls/near", too_early)
        .await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({})).await;
    app.wait_for_sample("hangups_total{result=\"done\"}", 1)
        .await;
    let scrape = app.scrape().await;
    assert_eq!(scrape.get("hangups_total{result=\"too-early\"}"), 1);
    assert_eq!(scrape.get("hangups_total{result=\"put-off\"}"), 0);
}

#[tokio::test]
async fn hang_ups_are_counted_and_show_how_late_they_are() {
    let app = measured().await;
    let down = ResponseTemplate::new(503);
    app.vonage
        .mount_times(1, "PUT", "/v1/calls/near", down)
        .await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({})).await;
    app.wait_for_sample("hangups_total{result=\"put-off\"}", 1)
        .await;
    app.clock.advance(TimeDelta::seconds(100));
    app.wait_for_sample("hangups_total{result=\"done\"}", 1)
        .await;
    let asked = |outcome: &str| {
        let labels = format!("operation=\"hang-up\",outcome=\"{outcome}\"");
        format!("vonage_requests_total{{{labels}}}")
    };
    let scrape = app.scrape().await;
    assert_eq!(scrape.get(&asked("5xx")), 1);
    assert_eq!(scrape.get(&asked("2xx")), 1);
    app.wait_for_sample("due_hangups", 0).await;
    app.wait_for_sample("oldest_due_hangup_age_seconds", 0)
        .await;
}

#[tokio::test]
async fn hang_ups_that_are_due_are_shown() {
    let app = measured().await;
    let slow = ResponseTemplate::new(204).set_delay(std::time::Duration::from_secs(3));
    app.vonage.mount(1, "PUT", "/v1/calls/near", slow).await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    visitor.hang_up(&call.id, json!({})).await;
    app.wait_for_sample("due_hangups", 1).await;
    app.wait_for_sample("oldest_due_hangup_age_seconds", 1)
        .await;
}

#[tokio::test]
async fn open_streams_are_counted() {
    let app = measured().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let stream = visitor.watch(&call.id).await;
    assert_eq!(app.scrape().await.get("event_streams"), 1);
    visitor.hang_up(&call.id, json!({})).await;
    drop(stream);
    app.wait_for_sample("event_streams", 0).await;
}
