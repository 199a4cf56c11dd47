//! What calls cost and leave behind: never more than the budget, nothing without leave, nothing private.

use std::{
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    Live,
    calls::{DESTINATION, well, with_habits},
};
use crate::world::{NUMBER, SIGNATURE_SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn no_call_goes_over_the_budget() {
    let live = Live::start().await;
    let run = live.call(&well(), &["--yes", "--budget", "0.09"]).await;
    run.contradicts(&[])
        .says("get-signature", "untried", "it could cost EUR 0.1000")
        .says("caller-id", "untried", "was not made");
    assert_eq!(live.legs().await, Vec::<Value>::new());
    // The first fits in, and both do not.
    let scenario = with_habits(&json!({ "tells_prices": false }));
    let run = live.call(&scenario, &["--yes", "--budget", "0.25"]).await;
    run.says("press-1", "agrees", "").says(
        "patience",
        "untried",
        "it could cost EUR 0.2000, and of the budget of EUR 0.2500 EUR 0.1000 is spent",
    );
    assert_eq!(live.legs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_not_known_is_reckoned_to_be_high() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    variables.insert(
        "DESTINATION_PHONE_NUMBER".to_owned(),
        "33612345678".to_owned(),
    );
    live.play(json!({ "otherwise": { "does": "busy" } })).await;
    let calling = live.start_calling(&variables, &["--yes"], "").await;
    let run = calling.done().await;
    assert!(run.err.contains("Vonage tells no price"), "{}", run.err);
    assert!(run.err.contains("EUR 1.5000 at most"), "{}", run.err);
    run.says("press-1", "untried", "not answered (busy)");
    let calling = live
        .start_calling(&variables, &["--yes", "--budget", "0.4"], "")
        .await;
    let run = calling.done().await;
    run.says("press-1", "untried", "it could cost EUR 0.5000");
    assert_eq!(live.legs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_spent_where_vonage_would_not_get_through() {
    let live = Live::start().await;
    // A public address behind which somebody else is.
    let mut variables = live.folder.variables.clone();
    variables.insert(
        "VONAGE_PRIVATE_KEY_FILE".to_owned(),
        live.folder.path().join("private.key").display().to_string(),
    );
    variables.insert("PUBLIC_URL".to_owned(), live.vonage.url.clone());
    let err = live.fails(&variables, "0").await;
    assert!(err.contains("something else answers there (404)"), "{err}");
    // A port that somebody has.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let err = live.fails(&variables, &port).await;
    assert!(
        err.contains("cannot listen on 127.0.0.1:") && err.contains("--live-port"),
        "{err}"
    );
    // A number of somebody else's; and everything that is missing, at once.
    variables.insert("VONAGE_NUMBER".to_owned(), "442079460009".to_owned());
    let err = live.fails(&variables, "0").await;
    assert!(err.contains("not one of the account's numbers"), "{err}");
    let missing = [
        "VONAGE_NUMBER",
        "DESTINATION_PHONE_NUMBER",
        "VONAGE_SIGNATURE_SECRET",
    ];
    variables.retain(|name, _| !missing.contains(&&**name));
    let err = live.fails(&variables, "0").await;
    for name in missing {
        assert!(err.contains(name), "{name}: {err}");
    }
    assert_eq!(live.legs().await, Vec::<Value>::new());
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_a_call_hangs_up_and_deletes() {
    let live = Live::start().await;
    let mut scenario = well();
    scenario["destinations"][DESTINATION] = json!([{ "does": "no_answer" }]);
    live.play(scenario).await;
    let calling = live
        .start_calling(&live.folder.variables, &["--yes"], "")
        .await;
    loop {
        let legs = live.legs().await;
        if legs.iter().any(|leg| leg["status"] == "ringing") {
            break;
        }
        let url = format!("{}/simulator/state?after=0", live.simulator.base_url());
        let http = reqwest::Client::builder().build().unwrap();
        http.get(url).send().await.unwrap();
    }
    let pid = calling.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let run = calling.done().await;
    assert_eq!(run.code, 1);
    assert!(
        run.err.contains("everything that was made is deleted"),
        "{}",
        run.err
    );
    assert!(live.legs().await.iter().all(|leg| leg["over"] == true));
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_in_the_traces_of_calls() {
    let live = Live::start().await;
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tokens);
    live.vonage.asking(move |request| {
        let authorization = request.headers["authorization"].to_str().unwrap();
        seen.lock()
            .unwrap()
            .push(authorization.split(' ').nth(1).unwrap().to_owned());
    });
    let run = live.call(&well(), &["--yes"]).await;
    run.contradicts(&[]);
    let mut private = tokens.lock().unwrap().clone();
    private.extend([
        NUMBER.to_owned(),
        DESTINATION.to_owned(),
        SIGNATURE_SECRET.to_owned(),
        "canary".to_owned(),
    ]);
    let url = format!("{}/simulator/webhooks", live.simulator.base_url());
    let http = reqwest::Client::builder().build().unwrap();
    let journal: Value = http.get(url).send().await.unwrap().json().await.unwrap();
    for delivery in journal.as_array().unwrap() {
        for name in ["uuid", "conversation_uuid", "recording_uuid"] {
            private.extend(delivery["payload"][name].as_str().map(str::to_owned));
        }
        // The random path of our own webhooks.
        let url = delivery["url"].as_str().unwrap();
        private.push(url.split('/').nth(3).unwrap().to_owned());
    }
    let traces = live.traces();
    let has = |part: &str| traces.keys().any(|name| name.contains(part));
    for part in [
        "webhook-answer-1",
        "webhook-event-1",
        "webhook-input-1",
        "webhook-recording-1",
        "webhook-connect-2",
        "api-call-201",
    ] {
        assert!(has(part), "{part}: {:?}", traces.keys());
    }
    for (name, trace) in &traces {
        for private in &private {
            assert!(
                !trace.contains(private.as_str()),
                "{private} is in {name}: {trace}"
            );
        }
    }
    let answer = traces
        .iter()
        .find(|(name, _)| name.contains("webhook-answer-1"))
        .unwrap()
        .1;
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["method"], "GET");
    assert_eq!(answer["token"]["claims"]["iss"], "Vonage");
    assert_eq!(answer["token"]["claims"]["payload_hash"], "[sha-256]");
    assert!(
        answer["query_string"]
            .as_str()
            .unwrap()
            .contains("conversation_uuid=CON-aaaaaaaa")
    );
}

/// A fault of a gateway does not say that the telephone does not ring.
#[tokio::test(flavor = "multi_thread")]
async fn call_that_vonage_does_not_confirm_is_hung_up_and_counted() {
    let live = Live::start().await;
    let asked = AtomicUsize::new(0);
    live.vonage.answering(move |answer| {
        if answer.is(&Method::POST, "/v1/calls") && asked.fetch_add(1, Ordering::SeqCst) == 1 {
            answer.status = StatusCode::GATEWAY_TIMEOUT;
        }
    });
    let mut scenario = well();
    scenario["destinations"][DESTINATION] =
        json!([{ "does": "answer", "digits": "1111" }, { "does": "no_answer" }]);
    let run = live.call(&scenario, &["--yes"]).await;
    run.says(
        "patience",
        "untried",
        "whether the call was made is not known: 504",
    );
    assert!(!run.err.contains("spent: EUR 0.1000"), "{}", run.err);
    let legs = live.legs().await;
    assert_eq!(legs.len(), 2);
    assert!(legs.iter().all(|leg| leg["over"] == true), "{legs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn call_of_which_nothing_is_known_is_named() {
    let live = Live::start().await;
    let mut scenario = well();
    scenario["requests"] =
        json!([{ "method": "POST", "path": "/v1/calls", "answer": "internal_error" }]);
    let run = live.call(&scenario, &["--yes"]).await;
    assert_eq!(run.code, 1);
    let left = run.json["left_behind"][0].as_str().unwrap();
    assert!(left.starts_with("a call that was asked for"), "{left}");
    assert!(!run.err.contains("spent: EUR 0.0000"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn call_of_which_vonage_does_not_say_that_it_is_over_is_hung_up_and_named() {
    let live = Live::start().await;
    live.vonage.answering(|answer| {
        if answer.method == Method::GET && answer.path.starts_with("/v1/calls/") {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
        }
    });
    let hung_up = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&hung_up);
    live.vonage.asking(move |request| {
        if request.method == Method::PUT && request.uri.path().starts_with("/v1/calls/") {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    let run = live.call(&well(), &["--yes", "--budget", "0.1"]).await;
    assert_eq!(run.code, 1);
    assert!(hung_up.load(Ordering::SeqCst) > 0);
    let left = run.json["left_behind"][0].as_str().unwrap();
    assert!(
        left.starts_with("the call ") && left.contains("500") && left.contains("within 85 seconds"),
        "{left}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn destination_that_costs_anything_is_not_called() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    variables.insert(
        "DESTINATION_PHONE_NUMBER".to_owned(),
        "881612345678".to_owned(),
    );
    variables.insert(
        "PUBLIC_URL".to_owned(),
        "https://calls.example.com".to_owned(),
    );
    let err = live.fails(&variables, "0").await;
    assert!(err.contains("+881, satellite networks"), "{err}");
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn address_that_vonage_can_not_reach_is_refused_before_anything_is_asked() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    variables.retain(|name, _| !["VONAGE_API_URL", "VONAGE_REST_URL"].contains(&&**name));
    variables.insert("PUBLIC_URL".to_owned(), "http://localhost:3000".to_owned());
    let err = live.fails(&variables, "0").await;
    assert!(
        err.contains("http.public_url: http://localhost:3000 leads to this machine"),
        "{err}"
    );
}
