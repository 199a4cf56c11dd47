//! The Voice API: calls made, read, redirected and ended by a server.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{CALLER, DESK, VONAGE_NUMBER, World, body, desk_does, scenario};

#[tokio::test]
async fn an_agent_called_over_rest_meets_the_caller_in_a_conversation() {
    let world = World::with(scenario(json!({
        "destinations": { DESK: [{ "does": "answer", "hang_up_after_ms": 300 }] },
        "timing": { "call_setup_ms": 10, "speech_ms_per_character": 1 },
    })))
    .await;
    let wait = json!([{
        "action": "conversation", "name": "call-7", "startOnEnter": false, "endOnExit": true,
        "musicOnHoldUrl": ["https://example.com/music.mp3"],
    }]);
    world.application.reply("/webhooks/answer", wait);
    let caller = world.dial_in(CALLER).await;
    world
        .state("music is heard", |state| {
            let legs = state["legs"].as_array()?;
            let leg = legs.iter().find(|leg| leg["id"] == caller.as_str())?;
            (leg["sound"]["packets_out"].as_u64()? > 5).then_some(())
        })
        .await;
    let response = world
        .admin(Method::POST, "/v1/calls")
        .json(&json!({
            "to": [{ "type": "phone", "number": DESK }],
            "from": { "type": "phone", "number": VONAGE_NUMBER },
            "ncco": [{ "action": "conversation", "name": "call-7", "endOnExit": true }],
        }))
        .send()
        .await
        .unwrap();
    let agent = body(response, StatusCode::CREATED).await;
    assert_eq!(agent["status"], "started");
    world
        .state("the caller hears the agent", |state| {
            let legs = state["legs"].as_array()?;
            let leg = legs.iter().find(|leg| leg["id"] == agent["uuid"])?;
            (leg["conversation_name"] == "call-7" && leg["sound"]["packets_in"].as_u64()? > 5)
                .then_some(())
        })
        .await;
    // The agent leaves, which ends the conversation, and with it the caller's leg.
    world.application.event(DESK, "completed").await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let moved = world.application.received().into_iter().find(|request| {
        request.body["uuid"] == caller.as_str() && request.body["conversation_uuid_to"].is_string()
    });
    assert!(moved.is_some());
}

#[tokio::test]
async fn calls_are_listed_read_redirected_and_ended_over_rest() {
    let world = World::start().await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "wait", "timeout": 60 }]),
    );
    let caller = world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "answered").await;
    let path = format!("/v1/calls/{caller}");
    let response = world.admin(Method::GET, &path).send().await.unwrap();
    assert_eq!(body(response, StatusCode::OK).await["status"], "answered");

    let put = async |modification: Value| {
        let request = world.admin(Method::PUT, &path).json(&modification);
        request.send().await.unwrap().status()
    };
    let ncco = json!([{ "action": "talk", "text": "Moved." }, { "action": "wait", "timeout": 60 }]);
    let transfer = json!({ "action": "transfer", "destination": { "type": "ncco", "ncco": ncco } });
    assert_eq!(put(transfer).await, StatusCode::NO_CONTENT);
    world
        .state("the new NCCO is followed", |state| {
            let legs = state["legs"].as_array()?;
            legs.iter()
                .any(|leg| leg["captions"] == json!(["Moved."]))
                .then_some(())
        })
        .await;
    assert_eq!(
        put(json!({ "action": "dance" })).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        put(json!({ "action": "hangup" })).await,
        StatusCode::NO_CONTENT
    );
    world.application.event(VONAGE_NUMBER, "completed").await;
    assert_eq!(
        put(json!({ "action": "hangup" })).await,
        StatusCode::NOT_FOUND
    );
    let response = world
        .admin(Method::GET, "/v1/calls?status=completed")
        .send()
        .await
        .unwrap();
    assert_eq!(body(response, StatusCode::OK).await["count"], 1);
}

#[tokio::test]
async fn a_call_cannot_be_ended_in_its_first_moment() {
    let world = World::with(scenario(json!({
        "timing": { "hangup_refused_ms": 60_000 },
    })))
    .await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "wait", "timeout": 60 }]),
    );
    let caller = world.dial_in(CALLER).await;
    let response = world
        .admin(Method::PUT, &format!("/v1/calls/{caller}"))
        .json(&json!({ "action": "hangup" }))
        .send()
        .await
        .unwrap();
    let refused = body(response, StatusCode::BAD_REQUEST).await;
    assert_eq!(refused["type"], "BAD_REQUEST");
}

#[tokio::test]
async fn more_than_three_calls_a_second_are_refused() {
    let world = World::with(desk_does(&json!([{ "does": "answer" }]))).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let response = world
            .admin(Method::POST, "/v1/calls")
            .json(&json!({
                "to": [{ "type": "phone", "number": DESK }],
                "from": { "type": "phone", "number": VONAGE_NUMBER },
                "ncco": [{ "action": "wait" }],
            }))
            .send()
            .await
            .unwrap();
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses, [201, 201, 201, 429]);
}

#[tokio::test]
async fn three_in_a_conversation_hear_each_other_mixed() {
    let world = World::with(scenario(json!({
        "otherwise": { "does": "answer" },
        "limits": { "calls_per_second": 10, "voice_requests_per_second": 1000 },
    })))
    .await;
    let meeting = json!([{ "action": "conversation", "name": "meeting" }]);
    for number in ["447700900001", "447700900002", "447700900003"] {
        let response = world
            .admin(Method::POST, "/v1/calls")
            .json(&json!({
                "to": [{ "type": "phone", "number": number }],
                "from": { "type": "phone", "number": VONAGE_NUMBER },
                "ncco": meeting,
            }))
            .send()
            .await
            .unwrap();
        body(response, StatusCode::CREATED).await;
        world.leg(number, "answered").await;
    }
    let sound = |state: &Value| -> Option<Vec<(u64, u64)>> {
        let legs = state["legs"].as_array()?;
        let meeting = legs
            .iter()
            .filter(|leg| leg["conversation_name"] == "meeting");
        let counts = meeting.map(|leg| {
            let count = |name: &str| leg["sound"][name].as_u64();
            Some((count("packets_in")?, count("packets_out")?))
        });
        counts
            .collect::<Option<Vec<_>>>()
            .filter(|found| found.len() == 3)
    };
    let before = world.state("all three are in", &sound).await;
    // All three speak without a pause. Passed on as they are, each would get two packets for one of its own.
    world
        .state("each hears one stream, not two", |state| {
            let now = sound(state)?;
            let grown = |place: usize| {
                (
                    now[place].0 - before[place].0,
                    now[place].1 - before[place].1,
                )
            };
            (0..3)
                .map(grown)
                .all(|(said, heard)| said > 60 && heard > 30 && heard < said * 3 / 2)
                .then_some(())
        })
        .await;
}
