//! Calls without a browser: somebody dials the linked number, and the NCCO is walked.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    CALLER, DESK, Reply, VONAGE_NUMBER, World, connect, desk_does, scenario, talk_and_connect,
};

#[tokio::test]
async fn answered_call_tells_of_both_legs_in_true_order_with_prices() {
    let world = World::with(desk_does(&json!([
        { "does": "answer", "after_ms": 20, "hang_up_after_ms": 100 }
    ])))
    .await;
    world
        .application
        .reply("/webhooks/answer", talk_and_connect());
    let uuid = world.dial_in(CALLER).await;
    let desk = world.application.event(DESK, "completed").await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    assert_eq!(
        world.application.events(),
        [
            "442079460000 started",
            "442079460000 ringing",
            "442079460000 answered",
            "447700900000 started",
            "447700900000 ringing",
            "447700900000 answered",
            "447700900000 completed",
            "442079460000 completed",
        ]
    );
    assert_eq!(desk["direction"], "outbound");
    assert_eq!(desk["from"], VONAGE_NUMBER);
    assert_eq!(desk["duration"], "1");
    assert_eq!(desk["rate"], "0.10000000");
    assert_eq!(desk["price"], "0.00166666");
    assert_eq!(desk["disconnected_by"], "user");
    assert_ne!(desk["uuid"], uuid.as_str());

    let answer = world
        .application
        .received()
        .into_iter()
        .find(|request| request.path == "/webhooks/answer")
        .unwrap();
    assert_eq!(answer.body["from"], CALLER);
    assert_eq!(answer.body["to"], VONAGE_NUMBER);
    assert_eq!(answer.body["endpoint_type"], "phone");
    assert_eq!(answer.body["uuid"], uuid.as_str());
    assert_eq!(answer.body["conversation_uuid"], desk["conversation_uuid"]);
    assert_eq!(answer.body["region_url"], world.simulator.base_url());
    assert!(answer.body.get("from_user").is_none());
}

#[tokio::test]
async fn every_failure_of_a_telephone_has_its_event() {
    for (does, status, detail) in [
        (json!({ "does": "busy" }), "busy", None),
        (json!({ "does": "decline" }), "rejected", Some("declined")),
        (
            json!({ "does": "invalid_number" }),
            "rejected",
            Some("invalid_number"),
        ),
        (
            json!({ "does": "restricted" }),
            "rejected",
            Some("restricted"),
        ),
        (
            json!({ "does": "unavailable" }),
            "unanswered",
            Some("unavailable"),
        ),
        (
            json!({ "does": "carrier_timeout" }),
            "unanswered",
            Some("carrier_timeout"),
        ),
        (
            json!({ "does": "out_of_service" }),
            "failed",
            Some("number_out_of_service"),
        ),
        (
            json!({ "does": "cannot_route" }),
            "failed",
            Some("cannot_route"),
        ),
        (
            json!({ "does": "internal_error" }),
            "failed",
            Some("internal_error"),
        ),
    ] {
        let world = World::with(desk_does(&json!([does]))).await;
        world
            .application
            .reply("/webhooks/answer", json!([connect()]));
        world.dial_in(CALLER).await;
        let event = world.application.event(DESK, status).await;
        assert_eq!(event["detail"].as_str(), detail, "{does}");
        let caller = world.application.event(VONAGE_NUMBER, "completed").await;
        assert_eq!(caller["disconnected_by"], "platform", "{does}");
    }
}

#[tokio::test]
async fn ringing_ends_after_the_timeout_of_the_ncco() {
    let world = World::with(desk_does(&json!([{ "does": "no_answer" }]))).await;
    let mut ncco = connect();
    ncco["timeout"] = json!(3);
    world.application.reply("/webhooks/answer", json!([ncco]));
    world.dial_in(CALLER).await;
    world.application.event(DESK, "timeout").await;
}

#[tokio::test]
async fn a_call_lasts_no_longer_than_its_limit() {
    let world = World::with(desk_does(&json!([{ "does": "answer" }]))).await;
    let mut ncco = connect();
    ncco["limit"] = json!(1);
    world.application.reply("/webhooks/answer", json!([ncco]));
    world.dial_in(CALLER).await;
    let desk = world.application.event(DESK, "completed").await;
    assert_eq!(desk["disconnected_by"], "platform");
}

#[tokio::test]
async fn stopping_ends_running_calls_and_frees_the_port() {
    let world = World::with(desk_does(&json!([{ "does": "answer" }]))).await;
    world
        .application
        .reply("/webhooks/answer", json!([connect()]));
    world.dial_in(CALLER).await;
    world.leg(DESK, "answered").await;
    let address = world
        .simulator
        .base_url()
        .trim_start_matches("http://")
        .to_owned();
    world.simulator.stop().await;
    tokio::net::TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn a_person_answers_and_hangs_up_at_the_desk() {
    let world = World::start().await;
    world
        .application
        .reply("/webhooks/answer", json!([connect()]));
    world.dial_in(CALLER).await;
    let leg = world.leg(DESK, "ringing").await;
    world.pull(&format!("legs/{leg}/answer")).await;
    world.leg(DESK, "answered").await;
    world.pull(&format!("legs/{leg}/hangup")).await;
    let desk = world.application.event(DESK, "completed").await;
    assert_eq!(desk["disconnected_by"], "user");
}

#[tokio::test]
async fn a_caller_who_gives_up_cancels_the_ringing() {
    let world = World::start().await;
    world
        .application
        .reply("/webhooks/answer", json!([connect()]));
    let caller = world.dial_in(CALLER).await;
    world.leg(DESK, "ringing").await;
    world.pull(&format!("legs/{caller}/hangup")).await;
    world.application.event(DESK, "cancelled").await;
    let own = world.application.event(VONAGE_NUMBER, "completed").await;
    assert_eq!(own["disconnected_by"], "user");
}

#[tokio::test]
async fn an_invalid_ncco_ends_the_call_with_an_error_event() {
    for ncco in [json!({ "action": "talk" }), json!([{ "action": "sing" }])] {
        let world = World::start().await;
        world.application.reply("/webhooks/answer", ncco);
        world.dial_in(CALLER).await;
        let error = world
            .application
            .until("the error event", |requests| {
                let found = requests
                    .iter()
                    .find(|request| request.body["reason"].is_string())?;
                Some(found.body.clone())
            })
            .await;
        assert!(
            error["reason"]
                .as_str()
                .unwrap()
                .starts_with("Syntax error in NCCO.")
        );
        assert!(error.get("status").is_none());
        world.application.event(VONAGE_NUMBER, "completed").await;
    }
}

#[tokio::test]
async fn a_slow_answer_is_tried_again_then_the_fallback_is_asked() {
    let world = World::start().await;
    let unavailable = Reply {
        status: 503,
        body: String::new(),
        after: Duration::ZERO,
    };
    world.application.reply("/webhooks/answer", unavailable);
    world.application.reply(
        "/webhooks/fallback",
        json!([{ "action": "talk", "text": "Please call again later." }]),
    );
    let caller = world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let paths: Vec<String> = world
        .application
        .received()
        .into_iter()
        .filter(|request| request.body["status"].is_null())
        .map(|request| request.path)
        .collect();
    assert_eq!(
        paths,
        ["/webhooks/answer", "/webhooks/answer", "/webhooks/fallback"]
    );
    let fallback = world
        .application
        .received()
        .into_iter()
        .find(|request| request.path == "/webhooks/fallback")
        .unwrap();
    assert_eq!(fallback.body["uuid"], caller.as_str());
    assert_eq!(fallback.body["original_request"]["type"], "answer");
    assert_eq!(
        fallback.body["original_request"]["url"],
        world.application.url("/webhooks/answer")
    );
    assert!(fallback.body["reason"].as_str().unwrap().contains("503"));
}

#[tokio::test]
async fn a_lost_answer_request_leads_to_the_fallback() {
    let world = World::with(scenario(json!({
        "webhooks": [{ "when": { "kind": "answer" }, "times": 1, "effect": "lose" }],
    })))
    .await;
    world.application.reply(
        "/webhooks/fallback",
        json!([{ "action": "talk", "text": "Please call again later." }]),
    );
    world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let asked: Vec<String> = world
        .application
        .received()
        .into_iter()
        .filter(|request| request.body["status"].is_null())
        .map(|request| request.path)
        .collect();
    assert_eq!(asked, ["/webhooks/fallback"]);
}

#[tokio::test]
async fn an_app_endpoint_rings_at_the_desk_and_costs_nothing() {
    let world = World::with(scenario(json!({
        "destinations": { "Alice": [{ "does": "answer", "hang_up_after_ms": 10 }] },
    })))
    .await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "connect", "endpoint": [{ "type": "app", "user": "Alice" }] }]),
    );
    world.dial_in(CALLER).await;
    let alice = world.application.event("Alice", "completed").await;
    assert_eq!(alice["price"], "0");
    assert_eq!(alice["network"], Value::Null);
    assert_eq!(alice["from"], "Unknown");
}

#[tokio::test]
async fn an_answer_of_500_is_not_tried_again_but_falls_back() {
    let world = World::start().await;
    let broken = Reply {
        status: 500,
        ..json!({}).into()
    };
    world.application.reply("/webhooks/answer", broken);
    world.application.reply(
        "/webhooks/fallback",
        json!([{ "action": "talk", "text": "Please call again later." }]),
    );
    world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let asked: Vec<String> = world
        .application
        .received()
        .into_iter()
        .filter(|request| request.body["status"].is_null())
        .map(|request| request.path)
        .collect();
    assert_eq!(asked, ["/webhooks/answer", "/webhooks/fallback"]);
}
