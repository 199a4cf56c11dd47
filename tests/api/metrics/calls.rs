//! Of calls: those that are open, how they ended, their hang-ups and streams.

use chrono::TimeDelta;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::measured;
use crate::helpers::leg_event;

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
