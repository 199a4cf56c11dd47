//! Calls that are played, and what is written down of them.

use click_to_call::simulator::{PlayedCall, Scenario, Visit, scenario::Behaviour};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Claims, DESK, USER, World, connect, desk_does, key_pair, other_key_pair, scenario,
};

fn visit(world: &World, destinations: Value) -> PlayedCall {
    let visit = Visit {
        token: Claims::user().sign(key_pair()),
        custom_data: json!({ "topic": "billing" }),
        destinations: serde_json::from_value(destinations).unwrap(),
    };
    world.simulator.call(visit).unwrap()
}

async fn world(scenario: Scenario) -> World {
    let world = World::with(scenario).await;
    world
        .application
        .reply("/webhooks/answer", json!([connect()]));
    world
}

#[tokio::test]
async fn a_played_visitor_calls_as_a_page_does() {
    let world = world(desk_does(&json!([{ "does": "busy" }]))).await;
    let answers = json!({ DESK: [{ "does": "answer", "hang_up_after_ms": 10 }] });
    visit(&world, answers).over().await;
    let own = world.application.event(USER, "completed").await;
    assert_eq!(own["from"], Value::Null);
    // The visitor's own telephones come first, the scenario's after them.
    world.application.event(DESK, "completed").await;
    visit(&world, json!({})).over().await;
    world.application.event(DESK, "busy").await;
    let answer = world
        .application
        .received()
        .into_iter()
        .find(|request| request.path == "/webhooks/answer")
        .unwrap();
    assert_eq!(answer.body["from_user"], USER);
    assert_eq!(answer.body["custom_data"], json!({ "topic": "billing" }));
}

#[tokio::test]
async fn a_played_visitors_token_is_judged() {
    let world = World::start().await;
    for (token, code) in [
        (
            Claims::user().sign(other_key_pair()),
            "system:error:invalid-token",
        ),
        (
            Claims::user().with("sub", json!("nobody")).sign(key_pair()),
            "user:error:invalid-user",
        ),
        (
            Claims::user()
                .with("acl", json!({ "paths": { "/*/sessions/**": {} } }))
                .sign(key_pair()),
            "system:error:permission",
        ),
    ] {
        let refused = world.simulator.call(Visit {
            token,
            custom_data: Value::Null,
            destinations: std::collections::BTreeMap::new(),
        });
        assert_eq!(refused.unwrap_err(), code);
    }
}

#[tokio::test]
async fn what_people_did_is_recorded_and_can_be_played_again() {
    let first = world(scenario(json!({}))).await;
    let call = visit(&first, json!({}));
    let desk = first.leg(DESK, "ringing").await;
    first.pull(&format!("legs/{desk}/answer")).await;
    call.answered().await;
    first.pull(&format!("legs/{desk}/keys?digits=1")).await;
    first.pull(&format!("legs/{desk}/hangup")).await;
    call.over().await;
    let call = visit(&first, json!({}));
    let desk = first.leg(DESK, "ringing").await;
    first.pull(&format!("legs/{desk}/decline")).await;
    call.over().await;
    let call = visit(&first, json!({}));
    first.leg(DESK, "ringing").await;
    call.hang_up();
    call.over().await;

    let response = first
        .request(Method::GET, "/simulator/recorded")
        .send()
        .await
        .unwrap();
    let recorded: Scenario = response.json().await.unwrap();
    assert_eq!(recorded, first.simulator.recorded());
    let ends: Vec<_> = recorded
        .visitors
        .iter()
        .map(|visitor| visitor.ends.as_deref().unwrap())
        .collect();
    assert_eq!(ends, ["completed", "declined", "cancelled"]);
    let did = |place: usize| recorded.visitors[place].destinations[DESK][0].clone();
    assert!(matches!(
        did(0),
        Behaviour::Answer { hang_up_after_ms: Some(_), digits, .. } if digits == "1"
    ));
    assert!(matches!(did(1), Behaviour::Decline { .. }));
    assert!(matches!(did(2), Behaviour::NoAnswer));
    assert!(recorded.visitors[2].give_up_after_ms.is_some());

    let second = world(recorded.clone()).await;
    let again = recorded.visitors[0].destinations.clone();
    visit(&second, serde_json::to_value(again).unwrap())
        .over()
        .await;
    let desk = second.application.event(DESK, "completed").await;
    assert_eq!(desk["disconnected_by"], "user");
}
