//! What callers are told.

use std::collections::HashSet;

use chrono::TimeDelta;
use click_to_call::settings::TicketPolicy;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::helpers::{DESTINATION, JsonOf, NUMBER, TestApp, fixture, fixtures};

pub(crate) fn is_connect(ncco: &Value) -> bool {
    ncco.as_array()
        .unwrap()
        .iter()
        .any(|action| action["action"] == "connect")
}

/// A sentence, and nothing that could be dialled.
pub(crate) fn is_refusal(ncco: &Value) -> bool {
    let text = ncco.to_string();
    let actions = ncco.as_array().unwrap();
    actions.len() == 1
        && actions[0]["action"] == "talk"
        && !actions[0]["text"].as_str().unwrap().is_empty()
        && !text.contains(DESTINATION)
        && !text.contains(NUMBER)
        && !text.chars().any(|c| c.is_ascii_digit())
}

#[tokio::test]
async fn a_ticket_connects_its_visitor_to_the_configured_telephone() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let ncco = app.answer(&visitor.question(&call.ticket, "leg-1")).await;
    assert_eq!(
        ncco,
        json!([
            { "action": "talk", "text": "Thank you for calling Acme support. Transferring you now.", "language": "en-US" },
            { "action": "connect", "from": NUMBER, "timeout": 30, "limit": 900,
              "endpoint": [{ "type": "phone", "number": DESTINATION }] },
        ])
    );
}

#[tokio::test]
async fn a_japanese_visitor_hears_japanese() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call_in("ja").await;
    let ncco = app.answer(&visitor.question(&call.ticket, "leg-1")).await;
    assert_eq!(ncco[0]["language"], "ja-JP");
    assert!(!ncco[0]["text"].as_str().unwrap().is_ascii());
}

#[tokio::test]
async fn get_and_json_text_work_as_well() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut question = visitor.question(&call.ticket, "leg-1");
    question["custom_data"] = Value::String(json!({ "ticket": call.ticket }).to_string());
    let query: Vec<(String, String)> = question
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let response = app
        .request(Method::GET, "/webhooks/answer")
        .query(&query)
        .header("authorization", app.signer.query())
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(is_connect(&response.json_of(StatusCode::OK).await));
    assert!(
        is_connect(&app.answer(&question).await),
        "POST with JSON text"
    );
}

#[tokio::test]
async fn a_retry_gets_the_same_answer_and_another_leg_none() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let first = app.answer(&visitor.question(&call.ticket, "leg-1")).await;
    app.clock.advance(TimeDelta::minutes(2));
    assert_eq!(
        app.answer(&visitor.question(&call.ticket, "leg-1")).await,
        first
    );
    assert!(is_refusal(
        &app.answer(&visitor.question(&call.ticket, "leg-2")).await
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_legs_with_one_ticket_one_is_connected() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    for round in 0..10 {
        let call = visitor.call().await;
        let mut legs = JoinSet::new();
        for leg in 0..8 {
            let question = visitor.question(&call.ticket, &format!("leg-{round}-{leg}"));
            let body = question.to_string();
            let request = app
                .request(Method::POST, "/webhooks/answer")
                .header("authorization", app.signer.body(&body))
                .body(body);
            legs.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
        }
        let connected = legs
            .join_all()
            .await
            .iter()
            .filter(|ncco| is_connect(ncco))
            .count();
        assert_eq!(connected, 1);
    }
}

#[tokio::test]
async fn everything_but_a_good_ticket_of_ones_own_is_refused() {
    let app = TestApp::spawn().await;
    let (one, two) = (app.visitor().await, app.visitor().await);
    let call = one.call().await;
    let good = one.question(&call.ticket, "leg-1");

    let mut other_user = good.clone();
    other_user["from_user"] = json!(two.user);
    let mut both = good.clone();
    both["from"] = json!("447700900111");
    let mut neither = good.clone();
    neither.as_object_mut().unwrap().remove("from_user");
    let mut no_leg = good.clone();
    no_leg.as_object_mut().unwrap().remove("uuid");
    let mut none = good.clone();
    none.as_object_mut().unwrap().remove("custom_data");
    let mut forged = good.clone();
    let other = if call.ticket.starts_with('A') {
        'B'
    } else {
        'A'
    };
    forged["custom_data"]["ticket"] = json!(format!("{other}{}", &call.ticket[1..]));
    let mut nested = good.clone();
    nested["custom_data"] = json!({ "ticket": { "ticket": call.ticket } });
    for (name, question) in [
        ("other user", other_user),
        ("both", both),
        ("neither", neither),
        ("no leg", no_leg),
        ("none", none),
        ("forged", forged),
        ("nested", nested),
    ] {
        assert!(is_refusal(&app.answer(&question).await), "{name}");
    }
    assert!(
        is_connect(&app.answer(&good).await),
        "and the good one still works"
    );
}

#[tokio::test]
async fn a_ticket_is_good_for_a_minute() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (early, late) = (visitor.call().await, visitor.call().await);
    app.clock.advance(TimeDelta::seconds(58));
    assert!(is_connect(
        &app.answer(&visitor.question(&early.ticket, "leg-1")).await
    ));
    app.clock.advance(TimeDelta::seconds(3));
    assert!(is_refusal(
        &app.answer(&visitor.question(&late.ticket, "leg-2")).await
    ));
}

#[tokio::test]
async fn the_destination_never_comes_from_the_request() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let mut answers = HashSet::new();
    for (index, to) in [
        "",
        "4479000000001",
        "sip:evil@evil.example",
        "supportuser",
        "<speak>x</speak>",
        "\u{0}",
    ]
    .iter()
    .enumerate()
    {
        let call = visitor.call().await;
        let mut question = visitor.question(&call.ticket, &format!("leg-{index}"));
        question["to"] = json!(to);
        question["custom_data"]["destination"] = json!("4479000000001");
        question["custom_data"]["eventUrl"] = json!("https://evil.example");
        answers.insert(app.answer(&question).await.to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn telephone_callers_are_refused_unless_they_are_wanted() {
    let question = fixture("answer/post-pstn-inbound.json");
    let app = TestApp::spawn().await;
    assert!(is_refusal(&app.answer(&question).await));
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    let first = app.answer(&question).await;
    assert!(is_connect(&first));
    assert_eq!(app.answer(&question).await, first, "a retry");
}

#[tokio::test]
async fn without_tickets_only_known_users_are_connected() {
    let app = TestApp::with(|s| {
        s.calls.tickets = TicketPolicy::Optional;
        s.visitors.legacy_users = vec!["supportuser".into()];
    })
    .await;
    let visitor = app.visitor().await;
    let question = |user: &str, leg: &str| json!({ "from_user": user, "to": user, "uuid": leg, "conversation_uuid": "CON-1" });
    assert!(is_connect(
        &app.answer(&question("supportuser", "leg-1")).await
    ));
    assert!(is_connect(
        &app.answer(&question(&visitor.user, "leg-2")).await
    ));
    assert!(is_refusal(&app.answer(&question("Alice", "leg-3")).await));
}

#[tokio::test]
async fn every_form_of_the_request_gets_a_valid_answer_and_is_kept() {
    let app = TestApp::spawn().await;
    let names = fixtures("answer");
    for name in &names {
        let request = fixture(name);
        let response = if let Some(query) = request["query_string"].as_str() {
            app.request(Method::GET, &format!("/webhooks/answer?{query}"))
                .header("authorization", app.signer.query())
        } else {
            let body = request.to_string();
            app.request(Method::POST, "/webhooks/answer")
                .header("authorization", app.signer.body(&body))
                .body(body)
        };
        let ncco = response.send().await.unwrap().json_of(StatusCode::OK).await;
        assert!(is_refusal(&ncco), "{name}: nobody here has a ticket");
    }
    assert_eq!(app.stored_events(), names.len());
    let kinds = app.stored("SELECT group_concat(DISTINCT kind) FROM events");
    assert_eq!(kinds, "answer");
}

#[tokio::test]
async fn the_fallback_is_a_constant_that_needs_no_signature() {
    let app = TestApp::spawn().await;
    let get = app
        .get("/webhooks/fallback?anything=1")
        .await
        .json_of(StatusCode::OK)
        .await;
    assert!(is_refusal(&get));
    for name in [
        "answer/fallback-post-for-answer.json",
        "answer/fallback-post-for-event.json",
    ] {
        let post = app
            .request(Method::POST, "/webhooks/fallback")
            .json(&fixture(name))
            .send()
            .await
            .unwrap();
        assert_eq!(post.json_of(StatusCode::OK).await, get);
    }
}
