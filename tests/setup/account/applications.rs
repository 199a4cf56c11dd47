use click_to_call::vonage::{
    account::applications::{Wanted, WebhookKind},
    hosts::Region,
};
use serde_json::json;
use url::Url;
use wiremock::ResponseTemplate;

use super::{APPLICATION, Stub, fixture};

fn wanted() -> Wanted {
    Wanted::for_service(
        "-----BEGIN PUBLIC KEY-----\nours\n-----END PUBLIC KEY-----\n".to_owned(),
        Url::parse("https://calls.example.com").unwrap(),
        Region::Us,
    )
}

#[tokio::test]
async fn nothing_of_the_owners_is_lost_when_an_application_is_written_back() {
    let mut owners = fixture("applications/get-200.json");
    owners["capabilities"]["messages"] =
        json!({ "webhooks": { "inbound_url": { "address": "https://owner.example" } } });
    owners["capabilities"]["voice"]["conversations_ttl"] = json!(12);
    owners["capabilities"]["voice"]["webhooks"]["answer_url"]["note"] = json!("kept");
    owners["of_tomorrow"] = json!([1, { "two": null }]);
    let stub = Stub::start().await;
    let found = ResponseTemplate::new(200).set_body_json(&owners);
    stub.mount("GET", "/v2/applications/.*", found, u64::MAX)
        .await;
    stub.answer(
        "PUT",
        "/v2/applications/.*",
        200,
        "applications/update-200.json",
    )
    .await;

    let client = stub.client();
    let mut application = client.application(APPLICATION).await.unwrap();
    let changes = wanted().apply(&mut application);
    client.replace_application(&application).await.unwrap();

    let mut expected = owners;
    for decided_by_vonage in ["id", "_links"] {
        expected.as_object_mut().unwrap().remove(decided_by_vonage);
    }
    expected["keys"]["public_key"] = json!(wanted().public_key);
    let webhooks = &mut expected["capabilities"]["voice"]["webhooks"];
    for (name, path) in [
        ("answer_url", "answer"),
        ("fallback_answer_url", "fallback"),
    ] {
        webhooks[name]["address"] = json!(format!("https://calls.example.com/webhooks/{path}"));
        webhooks[name]["http_method"] = json!("POST");
        webhooks[name]["connect_timeout"] = json!(500);
        webhooks[name]["socket_timeout"] = json!(1_500);
    }
    webhooks["event_url"]["address"] = json!("https://calls.example.com/webhooks/event");
    expected["capabilities"]["rtc"] = json!({ "webhooks": { "event_url": {
        "address": "https://calls.example.com/webhooks/event",
        "http_method": "POST",
    } }, "signed_callbacks": true });
    assert_eq!(stub.last_body().await, expected);
    let what: Vec<_> = changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "public key",
            "answer address",
            "fallback address",
            "event address",
            "RTC event address",
            "signed RTC callbacks"
        ]
    );
}

#[tokio::test]
async fn an_application_that_is_as_wanted_is_left_alone() {
    let stub = Stub::start().await;
    stub.answer(
        "GET",
        "/v2/applications/.*",
        200,
        "applications/get-200.json",
    )
    .await;
    let mut application = stub.client().application(APPLICATION).await.unwrap();
    assert!(!wanted().differences(&application).is_empty());
    wanted().apply(&mut application);
    assert_eq!(wanted().differences(&application), []);
    // Wherever in the region its calls are handled, and however its key is broken into lines.
    let pem = "-----BEGIN PUBLIC KEY-----ours-----END PUBLIC KEY-----".to_owned();
    let same = Wanted {
        public_key: Some(pem),
        ..wanted()
    };
    assert_eq!(same.differences(&application), []);
    let elsewhere = Wanted {
        region: Some(Region::Eu),
        ..wanted()
    };
    assert_eq!(elsewhere.differences(&application)[0].to, "eu-west");
}

#[tokio::test]
async fn the_time_to_connect_is_read_under_both_of_its_names() {
    let mut application = fixture("applications/get-200.json");
    let answer = &mut application["capabilities"]["voice"]["webhooks"]["answer_url"];
    answer.as_object_mut().unwrap().remove("connect_timeout");
    answer["connection_timeout"] = json!(700);
    let stub = Stub::start().await;
    let found = ResponseTemplate::new(200).set_body_json(application);
    stub.mount("GET", "/v2/applications/.*", found, u64::MAX)
        .await;
    stub.answer(
        "PUT",
        "/v2/applications/.*",
        200,
        "applications/update-200.json",
    )
    .await;

    let client = stub.client();
    let mut application = client.application(APPLICATION).await.unwrap();
    let answer = application.webhook(WebhookKind::Answer).unwrap();
    assert_eq!(answer.connect_timeout, Some(700));
    wanted().apply(&mut application);
    client.replace_application(&application).await.unwrap();
    let sent = stub.last_body().await["capabilities"]["voice"]["webhooks"]["answer_url"].clone();
    assert_eq!(sent["connect_timeout"], 500);
    assert_eq!(sent.get("connection_timeout"), None);
}

#[tokio::test]
async fn a_new_application_has_everything_that_the_service_needs() {
    let stub = Stub::start().await;
    stub.answer(
        "POST",
        "/v2/applications",
        201,
        "applications/create-201-own-key.json",
    )
    .await;
    let made = stub
        .client()
        .create_application("Click to call", &wanted())
        .await
        .unwrap();
    assert_eq!(made.id(), APPLICATION);
    let sent = stub.last_body().await;
    assert_eq!(sent["name"], "Click to call");
    assert_eq!(sent["privacy"], json!({ "improve_ai": false }));
    assert_eq!(sent["capabilities"]["rtc"]["signed_callbacks"], true);
    let voice = &sent["capabilities"]["voice"];
    assert_eq!(voice["signed_callbacks"], true);
    assert_eq!(voice["region"], "na-east");
    assert!(!sent.to_string().contains("PRIVATE"));
}

#[tokio::test]
async fn all_pages_are_read() {
    let page = |number: u64, id: &str| {
        let mut page = fixture("applications/list-200.json");
        page["page"] = json!(number);
        page["total_pages"] = json!(2);
        page["_embedded"]["applications"][0]["id"] = json!(id);
        ResponseTemplate::new(200).set_body_json(page)
    };
    let stub = Stub::start().await;
    stub.mount("GET", "/v2/applications", page(1, "first"), 1)
        .await;
    stub.mount("GET", "/v2/applications", page(2, "second"), 1)
        .await;
    let all = stub.client().applications().await.unwrap();
    let ids: Vec<_> = all
        .iter()
        .map(|application| application.id().to_owned())
        .collect();
    assert_eq!(ids, ["first", "second"]);
}
