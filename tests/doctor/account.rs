//! The account and the application, as Vonage has them, and the way there.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderValue, Method, StatusCode};
use serde_json::json;

use crate::world::{APPLICATION, World};

const APPLICATIONS: &str = "/v2/applications/";

#[tokio::test(flavor = "multi_thread")]
async fn without_the_accounts_key_the_rest_is_looked_at() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("VONAGE_API_KEY", ""), ("VONAGE_API_SECRET", "")])
        .await;
    report.skips(&[
        "account",
        "balance",
        "application",
        "application-key",
        "webhooks",
        "signed-callbacks",
        "privacy",
        "number",
    ]);
    assert_eq!(report.that_are("failed"), Vec::<&str>::new());
    assert_eq!(report.code, 0);
    assert_eq!(report.status("users"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_once() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("VONAGE_API_SECRET", "canary-wrong")])
        .await;
    report.fails(
        "account",
        "does not accept the API key and secret",
        "https://dashboard.nexmo.com",
    );
    report.skips(&[
        "balance",
        "application",
        "application-key",
        "webhooks",
        "signed-callbacks",
        "privacy",
        "number",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_that_is_low_or_gone() {
    let world = World::start().await;
    let balance = |value: f64, auto_reload: bool| {
        world.vonage.answering(move |answer| {
            if answer.is(&Method::GET, "/account/get-balance") {
                answer.json(|json| *json = json!({ "value": value, "autoReload": auto_reload }));
            }
        });
    };
    balance(0.0, true);
    let report = world.doctor().await;
    report.fails("balance", "EUR 0.00 left", "top it up");
    balance(4.99, false);
    let report = world.doctor().await;
    report.warns("balance", "EUR 4.99 left", "auto-reload");
    balance(4.99, true);
    world.doctor().await.is_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_vonage_asks_for_is_told_beside_the_report() {
    let world = World::start().await;
    let asked = AtomicBool::new(false);
    world.vonage.answering(move |answer| {
        if answer.is(&Method::GET, "/account/get-balance") && !asked.swap(true, Ordering::Relaxed) {
            answer.status = StatusCode::TOO_MANY_REQUESTS;
            answer
                .headers
                .insert("retry-after", HeaderValue::from_static("2"));
        }
    });
    let report = world.doctor().await;
    report.is_in_order();
    assert_eq!(
        report.err,
        "Vonage takes no more requests for now: waiting 2 s, then trying again to ask for the balance ...\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_not_the_accounts() {
    let world = World::start().await;
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, APPLICATIONS) {
            answer.status = StatusCode::NOT_FOUND;
            answer.body = b"{\"title\": \"Not Found\"}".to_vec();
        }
    });
    let report = world.doctor().await;
    report.fails("application", APPLICATION, "set VONAGE_APPLICATION_ID");
    report.skips(&["application-key", "webhooks", "signed-callbacks", "privacy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_with_another_key() {
    let world = World::start().await;
    world
        .folder
        .write_key(&crate::world::pem(&crate::world::new_key()), 0o600);
    let report = world.doctor().await;
    report.fails("application-key", "another key than yours", "--public-key");
    report.skips(&["users"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_lead_elsewhere() {
    let world = World::start().await;
    for (pointer, value, words) in [
        (
            "/capabilities/voice/webhooks/answer_url/address",
            json!("https://old.example/webhooks/answer"),
            "the answer address is POST https://old.example/webhooks/answer",
        ),
        (
            "/capabilities/voice/webhooks/event_url/http_method",
            json!("GET"),
            "the event address is GET",
        ),
        (
            "/capabilities/voice/webhooks/fallback_answer_url/socket_timeout",
            json!(5_000),
            "read 5000 ms",
        ),
        (
            "/capabilities/rtc/webhooks",
            json!(null),
            "the RTC event address is not set",
        ),
    ] {
        world.vonage.answering(move |answer| {
            if answer.is(&Method::GET, APPLICATIONS) {
                answer.json(|json| *json.pointer_mut(pointer).unwrap() = value.clone());
            }
        });
        let report = world.doctor().await;
        let is_elsewhere = words.contains("old.example");
        let remedy = if is_elsewhere {
            "app update --public-url"
        } else {
            "doctor --fix"
        };
        report.fails("webhooks", words, remedy);
        assert_eq!(report.check("webhooks")["fixable"], !is_elsewhere);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_not_signed_and_content_that_is_used() {
    let world = World::start().await;
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, APPLICATIONS) {
            answer.json(|json| json["capabilities"]["voice"]["signed_callbacks"] = json!(false));
        }
    });
    let report = world.doctor().await;
    report.fails(
        "signed-callbacks",
        "are not signed",
        "Use signed webhooks: on",
    );
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, APPLICATIONS) {
            answer.json(|json| json["capabilities"]["rtc"]["signed_callbacks"] = json!(false));
        }
    });
    let report = world.doctor().await;
    report.fails(
        "signed-callbacks",
        "RTC webhooks are not signed",
        "doctor --fix",
    );
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, APPLICATIONS) {
            answer.json(|json| json["privacy"]["improve_ai"] = json!(true));
        }
    });
    let report = world.doctor().await;
    report.warns("privacy", "to improve its AI", "doctor --fix");
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_that_differ() {
    let world = World::start().await;
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, APPLICATIONS) {
            answer.json(|json| json["capabilities"]["voice"]["region"] = json!("eu-west"));
        }
    });
    let report = world.doctor().await;
    report.fails(
        "region",
        "the application's calls are handled in eu-west",
        "VONAGE_REGION",
    );
    world.vonage.answering(|answer| {
        if answer.is(&Method::POST, "/v1/users") {
            answer.json(|json| {
                json["_links"]["self"]["href"] =
                    json!("https://api-ap-3.vonage.com/v1/users/USR-1");
            });
        }
    });
    let report = world.doctor().await;
    report.fails("region", "users live in ap", "set VONAGE_REGION=ap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_secret_that_can_not_be_one() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("VONAGE_SIGNATURE_SECRET", crate::world::API_SECRET)])
        .await;
    report.fails(
        "signature-secret",
        "the same as VONAGE_API_SECRET",
        "by hand",
    );
    let report = world
        .doctor_with(&[("VONAGE_SIGNATURE_SECRET", "canary")])
        .await;
    report.warns(
        "signature-secret",
        "has 6 characters",
        "https://dashboard.nexmo.com/settings",
    );
    let report = world
        .doctor_with(&[
            ("VONAGE_SIGNATURE_SECRET", ""),
            ("CLICK_TO_CALL__WEBHOOKS__SIGNATURES", "off"),
        ])
        .await;
    report.warns(
        "signature-secret",
        "can make the telephone ring",
        "VONAGE_SIGNATURE_SECRET",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vonage_that_can_not_be_reached() {
    let world = World::start().await;
    // Nothing listens on the discard port.
    let report = world
        .doctor_with(&[("VONAGE_API_URL", "http://127.0.0.1:9")])
        .await;
    report.fails("vonage", "can't be reached", "curl -i http://127.0.0.1:9/");
    report.skips(&[
        "clock",
        "application",
        "application-key",
        "webhooks",
        "signed-callbacks",
        "privacy",
        "users",
    ]);
    let report = world
        .doctor_with(&[("VONAGE_REST_URL", "http://127.0.0.1:9")])
        .await;
    report.fails("account", "can't be reached", "VONAGE_REST_URL");
    report.skips(&["balance", "number"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong() {
    let world = World::start().await;
    let date = |date: &'static str| {
        world.vonage.answering(move |answer| {
            answer.headers.insert("date", date.parse().unwrap());
        });
    };
    date("Fri, 01 Jan 2100 00:00:00 GMT");
    let report = world.doctor().await;
    report.fails("clock", "behind Vonage's", "timedatectl");
    date("Thu, 01 Jan 2015 00:00:00 GMT");
    let report = world.doctor().await;
    report.fails("clock", "ahead of Vonage's", "timedatectl");
}
