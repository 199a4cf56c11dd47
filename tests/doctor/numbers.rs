//! The number that callers see, and the telephone that rings.

use axum::http::Method;
use serde_json::json;

use crate::world::{NUMBER, OTHER_APPLICATION, World};

const NUMBERS: &str = "/account/numbers";

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_does_not_lead_to_the_application() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("VONAGE_NUMBER", "442079460001")])
        .await;
    report.fails(
        "number",
        "the account has no number 442079460001",
        "numbers list",
    );
    for (key, value, words, remedy) in [
        (
            "app_id",
            json!(OTHER_APPLICATION),
            "leads to another application",
            "numbers link",
        ),
        (
            "app_id",
            json!(null),
            "leads to no application",
            "numbers link",
        ),
        (
            "features",
            json!(["SMS"]),
            "it has no VOICE feature",
            "VONAGE_NUMBER",
        ),
    ] {
        world.vonage.answering(move |answer| {
            if answer.is(&Method::GET, NUMBERS) {
                answer.json(|json| json["numbers"][0][key] = value.clone());
            }
        });
        let report = world.doctor().await;
        report.fails("number", &format!("{NUMBER} "), remedy);
        report.says("number", words, remedy);
        // A number that somebody else uses is not taken from them.
        assert_eq!(report.check("number")["fixable"], words.contains("to no"));
    }
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, NUMBERS) {
            answer.json(|json| {
                json["numbers"][0]["voiceCallbackType"] = json!("sip");
                json["numbers"][0]["voiceCallbackValue"] = json!("sip:desk@example.com");
            });
        }
    });
    let report = world.doctor().await;
    report.warns("number", "go to a sip address", "numbers link");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_no_countrys() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("DESTINATION_PHONE_NUMBER", "+881 612345678")])
        .await;
    report.fails(
        "destination",
        "satellite networks",
        "DESTINATION_PHONE_NUMBER",
    );
}
