//! What each action of an NCCO does.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{CALLER, DESK, Reply, VONAGE_NUMBER, World, connect, desk_does};

#[tokio::test]
async fn synchronous_connect_takes_its_next_step_from_the_reply() {
    let world = World::with(desk_does(&json!([{ "does": "busy" }]))).await;
    let mut first = connect();
    first["eventType"] = json!("synchronous");
    first["eventUrl"] = json!([world.application.url("/attempt/1")]);
    world.application.reply(
        "/webhooks/answer",
        json!([
            first,
            { "action": "talk", "text": "This is never said." },
        ]),
    );
    world.application.reply(
        "/attempt/1",
        json!([{ "action": "talk", "text": "Nobody is free." }]),
    );
    let caller = world.dial_in(CALLER).await;
    let captions = world
        .state("the apology", |state| {
            let legs = state["legs"].as_array()?;
            let leg = legs.iter().find(|leg| leg["id"] == caller.as_str())?;
            (leg["over"] == true).then(|| leg["captions"].clone())
        })
        .await;
    assert_eq!(captions, json!(["Nobody is free."]));
    let at_attempt: Vec<_> = world
        .application
        .received()
        .into_iter()
        .filter(|request| request.path == "/attempt/1")
        .map(|request| request.body["status"].clone())
        .collect();
    assert_eq!(at_attempt, ["started", "busy"]);
}

#[tokio::test]
async fn an_empty_reply_lets_the_ncco_go_on() {
    let world = World::with(desk_does(&json!([{ "does": "busy" }]))).await;
    let mut first = connect();
    first["eventType"] = json!("synchronous");
    first["eventUrl"] = json!([world.application.url("/attempt/1")]);
    world.application.reply("/webhooks/answer", json!([
        first,
        { "action": "notify", "payload": { "step": 2 }, "eventUrl": [world.application.url("/step")] },
    ]));
    world.dial_in(CALLER).await;
    let step = world
        .application
        .until("the notice", |requests| {
            let found = requests.iter().find(|request| request.path == "/step")?;
            Some(found.body["payload"].clone())
        })
        .await;
    assert_eq!(step, json!({ "step": 2 }));
}

#[tokio::test]
async fn the_desk_hears_the_whisper_and_presses_a_key_before_it_is_joined() {
    let world = World::with(desk_does(&json!([{ "does": "answer", "digits": "1" }]))).await;
    let mut ncco = connect();
    ncco["endpoint"][0]["onAnswer"] = json!({ "url": world.application.url("/whisper?call=7") });
    world.application.reply("/webhooks/answer", json!([ncco]));
    world.application.reply(
        "/whisper",
        json!([
            { "action": "talk", "text": "Acme support call. Press 1.", "bargeIn": true },
            {
                "action": "input", "type": ["dtmf"], "dtmf": { "maxDigits": 1, "timeOut": 5 },
                "eventUrl": [world.application.url("/key")],
            },
        ]),
    );
    world
        .application
        .reply("/key", json!([{ "action": "talk", "text": "Connecting." }]));
    world.dial_in(CALLER).await;
    let key = world
        .application
        .until("the key", |requests| {
            requests
                .iter()
                .find(|request| request.path == "/key")
                .map(|request| request.body.clone())
        })
        .await;
    assert_eq!(key["dtmf"], json!({ "digits": "1", "timed_out": false }));
    let heard = world
        .state("the desk is joined", |state| {
            let legs = state["legs"].as_array()?;
            let desk = legs.iter().find(|leg| leg["to"] == DESK)?;
            let joined = desk["sound"]["packets_in"].as_u64()? > 0;
            joined.then(|| desk["captions"].clone())
        })
        .await;
    assert_eq!(heard, json!(["Acme support call. Press 1.", "Connecting."]));
    let fetch = world
        .application
        .received()
        .into_iter()
        .find(|request| request.path == "/whisper")
        .unwrap();
    assert_eq!(fetch.method, Method::GET);
    assert!(fetch.query.starts_with("call=7&"), "{}", fetch.query);
    assert!(fetch.token.is_none());
}

#[tokio::test]
async fn nobody_presses_a_key_and_the_input_says_so() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        json!([{
            "action": "input", "type": ["dtmf"], "dtmf": { "timeOut": 1 },
            "eventUrl": [world.application.url("/key")],
        }]),
    );
    world.application.reply("/key", Value::Null);
    world.dial_in(CALLER).await;
    let key = world
        .application
        .until("the time-out", |requests| {
            let found = requests.iter().find(|request| request.path == "/key")?;
            Some(found.body["dtmf"].clone())
        })
        .await;
    assert_eq!(key, json!({ "digits": "", "timed_out": true }));
}

#[tokio::test]
async fn a_machine_is_told_by_call_uuid_and_hung_up_on_request() {
    let world = World::with(desk_does(&json!([{ "does": "machine" }]))).await;
    let mut ncco = connect();
    ncco["machineDetection"] = json!("hangup");
    world.application.reply("/webhooks/answer", json!([ncco]));
    world.dial_in(CALLER).await;
    let machine = world.application.event(DESK, "machine").await;
    assert!(machine["call_uuid"].is_string());
    assert!(machine.get("uuid").is_none());
    world.application.event(DESK, "completed").await;
}

#[tokio::test]
async fn a_recording_ends_on_its_key_and_can_be_fetched() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        json!([
            { "action": "record", "endOnKey": "#", "beepStart": true, "format": "wav",
              "eventUrl": [world.application.url("/recording")] },
            { "action": "talk", "text": "Thank you." },
        ]),
    );
    let caller = world.dial_in(CALLER).await;
    let recording = loop {
        // The key counts only once the recording runs; until then it is lost.
        world.pull(&format!("legs/{caller}/keys?digits=%23")).await;
        let found = tokio::time::timeout(
            Duration::from_millis(100),
            world.application.until("the recording", |requests| {
                let found = requests
                    .iter()
                    .find(|request| request.path == "/recording")?;
                Some(found.body.clone())
            }),
        )
        .await;
        if let Ok(found) = found {
            break found;
        }
    };
    let address = recording["recording_url"].as_str().unwrap();
    let path = address.strip_prefix(world.simulator.base_url()).unwrap();
    let without = world.request(Method::GET, path).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    let file = world.admin(Method::GET, path).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "audio/wav");
    let bytes = file.bytes().await.unwrap();
    assert_eq!(json!(bytes.len()), recording["size"]);
    assert!(bytes.starts_with(b"RIFF"));
}

#[tokio::test]
async fn a_recording_ends_when_nobody_has_spoken_for_so_long() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "record", "endOnSilence": 3, "eventUrl": [world.application.url("/recording")] }]),
    );
    let caller = world.dial_in(CALLER).await;
    world.leg(VONAGE_NUMBER, "answered").await;
    let mute = json!({ "action": "mute" });
    let path = format!("/v1/calls/{caller}");
    let muted = world.admin(Method::PUT, &path).json(&mute).send().await;
    assert_eq!(muted.unwrap().status(), StatusCode::NO_CONTENT);
    world
        .application
        .until("the recording", |requests| {
            requests
                .iter()
                .find(|request| request.path == "/recording")
                .map(|_| ())
        })
        .await;
    // It was silence that ended it, not the end of the call.
    world.application.event(VONAGE_NUMBER, "completed").await;
    let order: Vec<_> = world
        .application
        .received()
        .into_iter()
        .map(|request| request.body)
        .collect();
    let place = |field: &str, value: Option<&str>| {
        order
            .iter()
            .position(|body| value.map_or(!body[field].is_null(), |value| body[field] == value))
            .unwrap()
    };
    assert!(place("recording_url", None) < place("status", Some("completed")));
}

#[tokio::test]
async fn a_recording_can_be_an_ogg_file() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "record", "timeOut": 3, "format": "ogg",
                 "eventUrl": [world.application.url("/recording")] }]),
    );
    world.dial_in(CALLER).await;
    let address = world
        .application
        .until("the recording", |requests| {
            let found = requests
                .iter()
                .find(|request| request.path == "/recording")?;
            found.body["recording_url"].as_str().map(str::to_owned)
        })
        .await;
    let path = address.strip_prefix(world.simulator.base_url()).unwrap();
    let file = world.admin(Method::GET, path).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "audio/ogg");
    let bytes = file.bytes().await.unwrap();
    assert!(bytes.starts_with(b"OggS"));
    // The caller chatters for three seconds: fifty packets each.
    assert!(
        bytes
            .windows(5)
            .filter(|window| *window == b"OggS\0")
            .count()
            > 100
    );
}

#[tokio::test]
async fn an_event_that_should_have_brought_an_ncco_falls_back_in_mid_call() {
    let world = World::with(desk_does(&json!([{ "does": "busy" }]))).await;
    let mut first = connect();
    first["eventType"] = json!("synchronous");
    first["eventUrl"] = json!([world.application.url("/attempt/1")]);
    world.application.reply("/webhooks/answer", json!([first]));
    world.application.reply("/attempt/1", Value::Null);
    let unavailable = Reply {
        status: 503,
        ..Value::Null.into()
    };
    world.application.reply("/attempt/1", unavailable);
    world.application.reply(
        "/webhooks/fallback",
        json!([{ "action": "notify", "payload": "apology", "eventUrl": [world.application.url("/step")] }]),
    );
    world.dial_in(CALLER).await;
    world
        .application
        .until("the apology", |requests| {
            requests
                .iter()
                .find(|request| request.path == "/step")
                .map(|_| ())
        })
        .await;
    let fallback = world
        .application
        .received()
        .into_iter()
        .find(|request| request.path == "/webhooks/fallback")
        .unwrap();
    assert_eq!(fallback.body["original_request"]["type"], "event");
    assert_eq!(fallback.body["status"], "busy");
}
