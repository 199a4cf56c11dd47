//! Signatures and disturbances of webhooks.

use aws_lc_rs::digest::{SHA256, digest};
use click_to_call::simulator::HttpMethod;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    API_KEY, APPLICATION_ID, CALLER, Received, SIGNATURE_SECRET, VONAGE_NUMBER, World, scenario,
};

fn claims(request: &Received, secret: &str) -> Option<Value> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(secret.as_bytes());
    let token = decode::<Value>(request.token.as_ref()?, &key, &validation);
    token.ok().map(|token| token.claims)
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A world in which one call came and went, with these disturbances.
async fn after_a_call(disturbances: Value) -> World {
    let world = World::with(scenario(json!({ "webhooks": disturbances }))).await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "talk", "text": "Hello." }]),
    );
    world.dial_in(CALLER).await;
    world
        .state("the call is over", |state| {
            (state["legs"][0]["over"] == true).then_some(())
        })
        .await;
    world
}

#[tokio::test]
async fn every_post_is_signed_over_its_raw_body() {
    let world = after_a_call(json!([])).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let requests = world.application.received();
    assert_eq!(requests.len(), 5);
    let mut seen = Vec::new();
    for request in &requests {
        let claims = claims(request, SIGNATURE_SECRET).unwrap();
        assert_eq!(claims["iss"], "Vonage");
        assert_eq!(claims["api_key"], API_KEY);
        assert_eq!(claims["application_id"], APPLICATION_ID);
        assert_eq!(claims["payload_hash"], sha256(&request.raw_body));
        assert!(claims.get("exp").is_none());
        seen.push(claims["jti"].clone());
    }
    seen.dedup();
    assert_eq!(seen.len(), requests.len());
}

#[tokio::test]
async fn a_get_is_signed_over_its_parameters_in_their_order() {
    let world = World::build(scenario(json!({})), HttpMethod::Get).await;
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "talk", "text": "Hello." }]),
    );
    world.dial_in(CALLER).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let requests = world.application.received();
    let answer = requests
        .iter()
        .find(|request| request.path == "/webhooks/answer")
        .unwrap();
    assert_eq!(answer.method, Method::GET);
    let pairs: Vec<String> = url::form_urlencoded::parse(answer.query.as_bytes())
        .map(|(name, value)| format!("{}:{}", json!(name), json!(value)))
        .collect();
    let hashed = format!("{{{}}}", pairs.join(","));
    let claims = claims(answer, SIGNATURE_SECRET).unwrap();
    assert_eq!(claims["payload_hash"], sha256(hashed.as_bytes()));
}

#[tokio::test]
async fn lost_swapped_and_repeated_events() {
    let world = after_a_call(json!([
        { "when": { "kind": "event", "status": "started" }, "effect": "swap" },
        { "when": { "kind": "event", "status": "answered" }, "effect": "lose" },
        { "when": { "kind": "event", "status": "completed" }, "effect": { "repeat": 2 } },
    ]))
    .await;
    let completed = |requests: &[Received]| -> Option<Vec<Received>> {
        let found: Vec<Received> = requests
            .iter()
            .filter(|request| request.body["status"] == "completed")
            .cloned()
            .collect();
        (found.len() == 3).then_some(found)
    };
    let repeated = world.application.until("three times", completed).await;
    assert!(
        repeated
            .iter()
            .all(|request| request.token == repeated[0].token)
    );
    assert_eq!(
        world.application.events(),
        [
            "442079460000 ringing",
            "442079460000 started",
            "442079460000 completed",
            "442079460000 completed",
            "442079460000 completed",
        ]
    );
}

#[tokio::test]
async fn a_late_event_is_overtaken() {
    let world = after_a_call(json!([
        { "when": { "kind": "event", "status": "ringing" }, "effect": { "late": 300 } },
    ]))
    .await;
    world.application.event(VONAGE_NUMBER, "ringing").await;
    let order = world.application.events();
    let place = |event: &str| order.iter().position(|seen| seen.ends_with(event)).unwrap();
    assert!(place("answered") < place("ringing"), "{order:?}");
}

#[tokio::test]
async fn a_second_failure_event_can_follow_the_first() {
    let world = after_a_call(json!([{
        "when": { "kind": "event", "status": "answered" },
        "effect": { "followed_by": { "status": "unanswered" } },
    }]))
    .await;
    world.application.event(VONAGE_NUMBER, "unanswered").await;
}

#[tokio::test]
async fn signatures_can_be_wrong_in_every_way() {
    let event =
        |status: &str, effect: &str| json!({ "when": { "status": status }, "effect": effect });
    let world = after_a_call(json!([
        event("started", "wrong_signature"),
        event("ringing", "unsigned"),
        event("answered", "wrong_hash"),
        event("completed", "stale"),
    ]))
    .await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let requests = world.application.received();
    let of = |status: &str| {
        requests
            .iter()
            .find(|request| request.body["status"] == status)
            .unwrap()
    };
    assert!(of("started").token.is_some() && claims(of("started"), SIGNATURE_SECRET).is_none());
    assert!(of("ringing").token.is_none());
    let hashed = claims(of("answered"), SIGNATURE_SECRET).unwrap();
    assert_ne!(hashed["payload_hash"], sha256(&of("answered").raw_body));
    let stale = claims(of("completed"), SIGNATURE_SECRET).unwrap();
    let fresh = claims(of("answered"), SIGNATURE_SECRET).unwrap();
    assert!(stale["iat"].as_i64().unwrap() < fresh["iat"].as_i64().unwrap() - 3_000);
}

#[tokio::test]
async fn a_disturbance_happens_as_often_as_it_is_allowed() {
    let world =
        after_a_call(json!([{ "when": { "kind": "event" }, "times": 2, "effect": "lose" }])).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    assert_eq!(
        world.application.events(),
        ["442079460000 answered", "442079460000 completed"]
    );
}

#[tokio::test]
async fn an_rtc_event_url_is_told_what_the_sdk_is_told() {
    let world = World::start().await;
    let path = format!("/v2/applications/{APPLICATION_ID}");
    let response = world.account(Method::GET, &path).send().await.unwrap();
    let mut application: Value = response.json().await.unwrap();
    application["capabilities"]["rtc"]["webhooks"]["event_url"] = json!({
        "address": world.application.url("/webhooks/rtc"),
        "http_method": "POST",
    });
    world
        .account(Method::PUT, &path)
        .json(&application)
        .send()
        .await
        .unwrap();
    world.application.reply(
        "/webhooks/answer",
        json!([{ "action": "talk", "text": "Hello." }]),
    );
    world.dial_in(CALLER).await;
    let joined = world
        .application
        .until("member:joined", |requests| {
            requests
                .iter()
                .find(|request| request.body["type"] == "member:joined")
                .cloned()
        })
        .await;
    assert_eq!(joined.path, "/webhooks/rtc");
    assert!(claims(&joined, SIGNATURE_SECRET).is_some());
}

#[tokio::test]
async fn the_journal_keeps_what_was_sent_and_replied() {
    let world = after_a_call(json!([])).await;
    world.application.event(VONAGE_NUMBER, "completed").await;
    let journal: Value = world
        .request(Method::GET, "/simulator/webhooks")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let answer = journal
        .as_array()
        .unwrap()
        .iter()
        .find(|delivery| delivery["kind"] == "answer")
        .unwrap();
    assert_eq!(answer["status"], 200);
    assert_eq!(answer["method"], "POST");
    assert!(answer["reply"].as_str().unwrap().contains("talk"));
}
