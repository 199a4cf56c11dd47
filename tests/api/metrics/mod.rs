//! What is counted: each test does something and reads the number.

mod calls;
mod webhooks;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use click_to_call::settings::Settings;
use reqwest::StatusCode;
use wiremock::ResponseTemplate;

use crate::helpers::{JsonOf, TestApp, VonageStub};

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
    let page = include_str!("../../../docs/METRICS.md");
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
