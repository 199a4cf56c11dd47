//! `simulate` against a real service, and `demo --record`.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    place::{Place, Run},
    service::Service,
};

const DESK: &str = "447700900001";

/// The service of this place, set up for a simulated Vonage that is yet to start, and its address.
fn service(place: &mut Place) -> (Service, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let vonage = free.local_addr().unwrap().to_string();
    drop(free);
    for name in [
        "VONAGE_API_URL",
        "VONAGE_REST_URL",
        "VONAGE_CLIENT_API_URL",
        "VONAGE_WEBSOCKET_URL",
    ] {
        place.set(name, &format!("http://{vonage}"));
    }
    place.set("CLICK_TO_CALL__HTTP__TRUSTED_PROXIES", "127.0.0.1");
    place.set("CLICK_TO_CALL__VONAGE__USERS_PER_SECOND", "100");
    let public_key = place.run(&["keygen", "--public"]).done().out;
    place.write("public.key", &public_key);
    (Service::start(place), vonage)
}

fn simulate(
    place: &Place,
    service: &Service,
    vonage: &str,
    scenario: &Value,
    more: &[&str],
) -> Run {
    place.write("scenario.json", &scenario.to_string());
    let mut args = vec![
        "simulate",
        "--against",
        &service.url,
        "--listen",
        vonage,
        "--public-key",
        "public.key",
        "--scenario",
        "scenario.json",
        "--json",
    ];
    args.extend(more);
    place.run(&args)
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:#?}"))
}

/// Nothing takes long, and nothing is too much for the account.
fn scenario(changes: Value) -> Value {
    let mut scenario = json!({
        "timing": { "call_setup_ms": 10, "speech_ms_per_character": 1, "hangup_refused_ms": 0 },
        "limits": { "calls_per_second": 1000 },
    });
    if let Value::Object(changes) = changes {
        for (name, value) in changes {
            scenario[name] = value;
        }
    }
    scenario
}

#[test]
fn visitors_are_played_to_the_end_that_the_scenario_expects() {
    let mut place = Place::ready();
    let (service, vonage) = service(&mut place);
    let desk = |does: Value| json!({ DESK: [does] });
    let scenario = scenario(json!({
        "webhooks": [
            { "when": { "kind": "answer" }, "effect": { "repeat": 1 } },
            { "when": { "kind": "event", "status": "ringing" }, "effect": "swap" },
            { "when": { "kind": "event", "status": "started" }, "effect": "wrong_signature" },
        ],
        "visitors": [
            { "ends": "completed", "destinations": desk(json!({ "does": "answer", "hang_up_after_ms": 50 })) },
            { "ends": "completed", "hang_up_after_ms": 50, "destinations": desk(json!({ "does": "answer" })) },
            { "ends": "busy", "destinations": desk(json!({ "does": "busy" })) },
            { "ends": "declined", "destinations": desk(json!({ "does": "decline" })) },
            { "ends": "cancelled", "give_up_after_ms": 500, "destinations": desk(json!({ "does": "no_answer" })) },
            { "ends": "unknown-line", "line": "nowhere" },
        ],
        "expect": { "event_p99_ms": 10_000 },
    }));
    let run = simulate(&place, &service, &vonage, &scenario, &[]).done();
    let report = report(&run);
    assert_eq!(
        report["ends"],
        json!({ "completed": 2, "busy": 1, "declined": 1, "cancelled": 1 })
    );
    assert_eq!(report["refusals"], json!({ "call: unknown-line": 1 }));
    assert_eq!(report["forgeries_refused"], 10, "{report:#}");
    assert_eq!(report["faults"], json!([]));
    assert_eq!(report["latency_ms"]["session"]["count"], 6);
    assert_eq!(report["latency_ms"]["answer"]["count"], 10);
}

#[test]
fn an_end_that_is_not_as_expected_is_exit_code_1() {
    let mut place = Place::ready();
    let (service, vonage) = service(&mut place);
    let scenario = scenario(json!({
        "otherwise": { "does": "busy" },
        "visitors": [{ "ends": "completed" }],
    }));
    let run = simulate(&place, &service, &vonage, &scenario, &[]).failed();
    assert_eq!(
        report(&run)["faults"],
        json!(["visitor 1 should have ended with `completed`, not `busy`"])
    );
}

#[test]
fn a_load_comes_at_its_pace_and_ends_by_itself() {
    let mut place = Place::ready();
    let (service, vonage) = service(&mut place);
    let scenario = scenario(json!({
        "visitors": [
            { "ends": "completed", "destinations": { DESK: [{ "does": "answer", "hang_up_after_ms": 20 }] } },
            { "ends": "busy", "destinations": { DESK: [{ "does": "busy" }] } },
        ],
    }));
    let load = ["--visitors-per-second", "10", "--for", "2"];
    let run = simulate(&place, &service, &vonage, &scenario, &load).done();
    let report = report(&run);
    assert_eq!(report["visitors"], 20);
    assert_eq!(report["ends"], json!({ "completed": 10, "busy": 10 }));
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let place = Place::ready();
    place.write("scenario.json", "{}");
    place.write("wrong.json", r#"{ "visitor": [] }"#);
    let run = |against: &str, scenario: &str, more: &[&str]| {
        let mut args = vec![
            "simulate",
            "--against",
            against,
            "--scenario",
            scenario,
            "--public-key",
            "public.key",
        ];
        args.extend(more);
        place.run(&args)
    };
    let here = "http://127.0.0.1:3000";
    run("https://calls.example.com", "scenario.json", &[])
        .failed()
        .says("--against-another-machine");
    run(here, "wrong.json", &[]).failed().says("visitor");
    run(here, "scenario.json", &[]).failed().says("public.key");
    for load in [
        &["--visitors-per-second", "101", "--for", "1"][..],
        &["--visitors-per-second", "1", "--for", "3601"],
        &["--visitors-per-second", "1"],
        &["--for", "1"],
    ] {
        assert_eq!(run(here, "scenario.json", load).code, 2, "{load:?}");
    }
}

#[test]
fn a_demonstration_is_recorded_when_it_ends() {
    let place = Place::empty();
    place.write("scenario.json", r#"{ "name": "Rehearsal" }"#);
    let mut demo = place
        .command(&[
            "demo",
            "--port",
            "0",
            "--vonage-port",
            "0",
            "--scenario",
            "scenario.json",
            "--record",
            "recorded.json",
        ])
        .spawn()
        .unwrap();
    let out = BufReader::new(demo.stdout.take().unwrap());
    let ready = out
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("The desk phone"));
    assert!(ready);
    let stopped = Command::new("kill")
        .args(["-TERM", &demo.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    assert!(demo.wait().unwrap().success());
    let recorded = std::fs::read_to_string(place.path("recorded.json")).unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(recorded["name"], "Rehearsal");
}
