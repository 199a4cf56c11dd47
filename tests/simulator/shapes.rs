//! What the simulator says has every field, of the right type, that published payloads have.
//!
//! The payloads and where each comes from: `tests/simulator/fixtures/README.md`.

use std::{fs, path::Path};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    CALLER, DESK, Received, Reply, VONAGE_NUMBER, World, connect, desk_does, other_key_pair,
    scenario,
};

fn fixture(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulator/fixtures");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What of `model` is missing in `found`, or of another type. Null stands for any type.
fn differences(path: &str, model: &Value, found: &Value) -> Vec<String> {
    match (model, found) {
        (Value::Object(model), Value::Object(found)) => model
            .iter()
            .flat_map(|(name, value)| {
                let path = format!("{path}.{name}");
                match found.get(name) {
                    Some(found) => differences(&path, value, found),
                    None => vec![format!("{path} is missing")],
                }
            })
            .collect(),
        (Value::Array(model), Value::Array(found)) => match (model.last(), found.last()) {
            (Some(model), Some(found)) => differences(&format!("{path}[]"), model, found),
            (Some(_), None) => vec![format!("{path} is empty")],
            (None, _) => Vec::new(),
        },
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        _ if std::mem::discriminant(model) == std::mem::discriminant(found) => Vec::new(),
        _ => vec![format!("{path} is {found}, should be like {model}")],
    }
}

fn assert_like(name: &str, found: &Value) {
    let found = differences(name, &fixture(name), found);
    assert!(found.is_empty(), "{found:#?}");
}

async fn reply(request: RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_account_answers_in_published_shapes() {
    let world = World::start().await;
    let get = |path: &str| reply(world.account(Method::GET, path));
    let application = json!({
        "name": "ClickToCall",
        "keys": { "public_key": other_key_pair().public },
        "privacy": { "improve_ai": false },
        "capabilities": { "voice": { "region": "na-east", "webhooks": {
            "answer_url": { "address": "https://example.com/webhooks/answer", "http_method": "GET" },
            "event_url": { "address": "https://example.com/webhooks/event", "http_method": "POST" },
        } } },
    });
    let create = world.account(Method::POST, "/v2/applications");
    assert_like(
        "applications-create-201-own-key",
        &reply(create.json(&application)).await,
    );
    let invalid = world.account(Method::POST, "/v2/applications");
    assert_like(
        "applications-error-400",
        &reply(invalid.json(&json!({}))).await,
    );
    for (name, path) in [
        ("applications-list-200", "/v2/applications"),
        ("applications-error-404", "/v2/applications/nobody"),
        ("numbers-search-200", "/number/search?country=GB"),
        ("numbers-owned-200", "/account/numbers"),
        ("account-balance-200", "/account/get-balance"),
        (
            "account-pricing-voice-200",
            "/account/get-pricing/outbound/voice?country=ZM",
        ),
    ] {
        assert_like(name, &get(path).await);
    }
    let anonymous = world.request(Method::GET, "/account/numbers");
    assert_like("numbers-error-401", &reply(anonymous).await);
}

#[tokio::test]
async fn users_answer_in_published_shapes() {
    let world = World::start().await;
    let user = json!({ "name": "visitor", "display_name": "Visitor" });
    let create = world.admin(Method::POST, "/v1/users").json(&user);
    assert_like("users-create-201", &reply(create).await);
    for (name, path) in [
        ("users-list-200-empty", "/v1/users?name=nobody"),
        ("users-error-404", "/v1/users/USR-nobody"),
    ] {
        assert_like(name, &reply(world.admin(Method::GET, path)).await);
    }
}

#[tokio::test]
async fn calls_answer_in_published_shapes() {
    let world = World::with(desk_does(
        &json!([{ "does": "answer", "hang_up_after_ms": 10 }]),
    ))
    .await;
    let call = json!({
        "to": [{ "type": "phone", "number": DESK }],
        "from": { "type": "phone", "number": VONAGE_NUMBER },
        "ncco": [{ "action": "wait", "timeout": 60 }],
    });
    let created = reply(world.admin(Method::POST, "/v1/calls").json(&call)).await;
    assert_like("calls-create-201", &created);
    world.application.event(DESK, "completed").await;
    let path = format!("/v1/calls/{}", created["uuid"].as_str().unwrap());
    assert_like(
        "calls-get-200",
        &reply(world.admin(Method::GET, &path)).await,
    );
    assert_like(
        "calls-list-200",
        &reply(world.admin(Method::GET, "/v1/calls")).await,
    );
}

#[tokio::test]
async fn a_refused_hangup_answers_in_its_published_shape() {
    let world = World::with(scenario(
        json!({ "timing": { "hangup_refused_ms": 60_000 } }),
    ))
    .await;
    world
        .application
        .reply("/webhooks/answer", json!([{ "action": "wait" }]));
    let caller = world.dial_in(CALLER).await;
    let hangup = world
        .admin(Method::PUT, &format!("/v1/calls/{caller}"))
        .json(&json!({ "action": "hangup" }));
    assert_like("calls-error-400-too-early", &reply(hangup).await);
}

#[tokio::test]
async fn events_have_published_shapes() {
    let world = World::with(desk_does(&json!([
        { "does": "decline" },
        { "does": "machine" },
    ])))
    .await;
    let event_url = json!([world.application.url("/webhooks/event")]);
    let mut detected = connect();
    detected["machineDetection"] = json!("hangup");
    let other = json!([
        connect(),
        detected,
        { "action": "input", "type": ["dtmf"], "dtmf": { "timeOut": 0 }, "eventUrl": event_url },
        { "action": "notify", "payload": { "bar": "foo" }, "eventUrl": event_url },
        { "action": "record", "timeOut": 3, "eventUrl": event_url },
        { "action": "conversation", "name": "room", "endOnExit": true },
    ]);
    world.application.reply("/webhooks/answer", other);
    let caller = world.dial_in(CALLER).await;
    for (name, field, value) in [
        ("events-pstn-started", "status", json!("started")),
        ("events-pstn-rejected-declined", "detail", json!("declined")),
        ("events-pstn-answered", "status", json!("answered")),
        ("events-pstn-machine", "status", json!("machine")),
        (
            "events-pstn-completed-2026-fields",
            "status",
            json!("completed"),
        ),
        (
            "events-other-input-dtmf",
            "dtmf",
            json!({ "digits": "", "timed_out": true }),
        ),
        ("events-other-notify", "payload", json!({ "bar": "foo" })),
    ] {
        let found = world
            .application
            .until(name, |requests| {
                let body = |request: &&Received| request.body[field] == value;
                requests
                    .iter()
                    .find(body)
                    .map(|request| request.body.clone())
            })
            .await;
        assert_like(name, &found);
    }
    for (name, field) in [
        ("events-other-record", "recording_url"),
        ("events-other-transfer", "conversation_uuid_to"),
    ] {
        let found = world
            .application
            .until(name, |requests| {
                let body = |request: &&Received| !request.body[field].is_null();
                requests
                    .iter()
                    .find(body)
                    .map(|request| request.body.clone())
            })
            .await;
        assert_like(name, &found);
    }
    world.pull(&format!("legs/{caller}/hangup")).await;
}

#[tokio::test]
async fn answer_and_fallback_requests_have_published_shapes() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        Reply {
            status: 503,
            ..json!([]).into()
        },
    );
    world
        .application
        .reply("/webhooks/fallback", json!([{ "action": "sing" }]));
    world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let received = world.application.received();
    let at = |path: &str| {
        let found = received.iter().find(|request| request.path == path);
        found.unwrap().body.clone()
    };
    assert_like("answer-post-pstn-inbound", &at("/webhooks/answer"));
    let mut fallback = fixture("answer-fallback-post-for-answer");
    // The published request is an in-app call's; this caller has a number instead of a name.
    fallback.as_object_mut().unwrap().remove("from_user");
    let found = differences("fallback", &fallback, &at("/webhooks/fallback"));
    assert!(found.is_empty(), "{found:#?}");
    let error = received
        .iter()
        .find(|request| request.body["reason"].is_string() && request.path == "/webhooks/event");
    assert_like("events-other-error-ncco", &error.unwrap().body);
}
