//! `--fix`: what is mended, what is left alone, and that it is enough.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
};

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::world::{API_SECRET, APPLICATION, NUMBER, OTHER_APPLICATION, Report, World};

fn mended(report: &Report) -> String {
    let done: Vec<&str> = report.json["mended"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mended| {
            assert_eq!(mended["done"], true, "{mended}");
            mended["what"].as_str().unwrap()
        })
        .collect();
    done.join("\n")
}

/// A request of the account's owner, past doctor.
fn owner(world: &World, method: Method, path: &str) -> reqwest::RequestBuilder {
    let http = reqwest::Client::builder().build().unwrap();
    http.request(method, format!("{}{path}", world.simulator.base_url()))
        .basic_auth("abcd1234", Some(API_SECRET))
}

async fn done(request: reqwest::RequestBuilder) {
    let answer = request.send().await.unwrap();
    assert!(
        answer.status().is_success(),
        "{}",
        answer.text().await.unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_can_be_mended_is_and_nothing_of_the_owners_is_lost() {
    let mut world = World::start().await;
    world.folder.set("CLICK_TO_CALL__VISITORS__USERS", "shared");
    let document = json!({
        "name": "The owner's name",
        "capabilities": {
            "voice": {
                "webhooks": {
                    "answer_url": { "address": format!("{}/answer", world.front.url), "http_method": "GET" },
                },
                "signed_callbacks": false,
                "conversations_ttl": 24,
            },
            "messages": {
                "webhooks": {
                    "inbound_url": { "address": "https://owner.example/in", "http_method": "POST" },
                },
            },
        },
    });
    let path = format!("/v2/applications/{APPLICATION}");
    done(owner(&world, Method::PUT, &path).json(&document)).await;
    let account = world.account();
    // A link is taken away by an update that names none.
    let unlink = [("country", "GB"), ("msisdn", NUMBER)];
    done(owner(&world, Method::POST, "/number/update").form(&unlink)).await;
    let key = world.folder.path().join("private.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();

    let report = world.doctor().await;
    assert_eq!(
        report.that_are("failed"),
        ["webhooks", "signed-callbacks", "number", "users"]
    );
    let report = world.folder.doctor(&["--fix"]).await;
    let done = mended(&report);
    for words in [
        "mode 0600",
        &format!("instead of GET {}/answer", world.front.url),
        "signed callbacks: on instead of off",
        "RTC event address",
        &format!("{NUMBER} is linked to the application {APPLICATION}"),
        "the user \"supportuser\" was made",
    ] {
        assert!(done.contains(words), "{words:?} is not in {done}");
    }
    assert_eq!(report.json["mended"].as_array().unwrap().len(), 6, "{done}");
    assert_eq!(
        fs::metadata(key).unwrap().permissions().mode() & 0o777,
        0o600
    );

    report.is_in_order_but_for_the_shared_user();
    let document = account.application(APPLICATION).await.unwrap().to_json();
    assert_eq!(document["name"], "The owner's name");
    assert_eq!(document["capabilities"]["voice"]["conversations_ttl"], 24);
    assert_eq!(
        document["capabilities"]["messages"]["webhooks"]["inbound_url"]["address"],
        "https://owner.example/in"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_user_needs_stays_readable() {
    let mut world = World::start().await;
    let key = world.folder.path().join("private.key");
    let mode = || fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    // Root's folder: the service's user, unless it is root who runs this test and has to give the key away.
    world.folder.set("DATABASE_URL", "sqlite:///not-there.db");
    let _ = chown(&key, Some(4_711), Some(4_712));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o646)).unwrap();
    let report = world.folder.doctor(&["--fix"]).await;
    assert!(mended(&report).contains("mode 0644"));
    assert_eq!(mode(), 0o644);
    report.warns("key", "can be read by others (mode 0644)", "chown 0:0");
    assert_eq!(report.check("key")["fixable"], false);

    let _ = chown(&key, None, Some(0));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o440)).unwrap();
    let report = world.folder.doctor(&["--fix"]).await;
    assert_eq!(mode(), 0o440);
    assert_eq!(report.status("key"), "ok");

    world.folder.set(
        "DATABASE_URL",
        "postgres://calls@127.0.0.1:1/calls?sslmode=disable",
    );
    let report = world.folder.doctor(&["--fix"]).await;
    assert_eq!(mode(), 0o440);
    assert_eq!(report.status("key"), "warning");
    report.says("key", "can be read by its group (mode 0440)", "chmod 640");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_not_closed_before_the_services_folder_is_made() {
    let mut world = World::start().await;
    let folder = world.folder.path().to_owned();
    let key = folder.join("private.key");
    let database = folder.join("not-there/calls.db");
    // The folder above it is the key's owner's, and says nothing of the service's user.
    world
        .folder
        .set("DATABASE_URL", &format!("sqlite://{}", database.display()));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let report = world.folder.doctor(&["--fix"]).await;
    report.warns("key", "can be read by its group (mode 0640)", "chmod 640");
    let mode = fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_without_rtc_has_one_fault_and_is_mended_in_one_run() {
    let world = World::start().await;
    let account = world.account();
    let mut document = account.application(APPLICATION).await.unwrap().to_json();
    let capabilities = document["capabilities"].as_object_mut().unwrap();
    capabilities.remove("rtc").unwrap();
    let path = format!("/v2/applications/{APPLICATION}");
    done(owner(&world, Method::PUT, &path).json(&document)).await;

    let report = world.doctor().await;
    assert_eq!(report.that_are("failed"), ["webhooks"]);
    let report = world.folder.doctor(&["--fix"]).await;
    let done = mended(&report);
    assert!(
        done.contains("signed RTC callbacks: on") && done.contains("RTC event address"),
        "{done}"
    );
    report.is_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_led_to_no_address_that_vonage_can_not_reach() {
    let mut world = World::start().await;
    let account = world.account();
    let mut document = account.application(APPLICATION).await.unwrap().to_json();
    document["capabilities"]["voice"]["webhooks"] = json!({});
    let path = format!("/v2/applications/{APPLICATION}");
    done(owner(&world, Method::PUT, &path).json(&document)).await;
    let before = account.application(APPLICATION).await.unwrap();
    // Vonage far away: its address leads nowhere but through the proxy of the network.
    for name in ["VONAGE_API_URL", "VONAGE_REST_URL"] {
        world.folder.set(name, "http://api.vonage.example");
    }
    world.folder.set("HTTP_PROXY", world.simulator.base_url());
    world.folder.set("NO_PROXY", "127.0.0.1");

    for private in ["http://localhost:3000", "http://192.168.1.20:3000"] {
        world.folder.set("PUBLIC_URL", private);
        let report = world.folder.doctor(&["--fix"]).await;
        assert_eq!(report.status("application"), "ok", "{:#}", report.json);
        assert_eq!(report.status("webhooks"), "failed");
        report.says("webhooks", "which Vonage can't reach", "a tunnel");
        assert_eq!(report.check("webhooks")["fixable"], false);
        assert_eq!(report.json["mended"], json!([]));
    }
    assert_eq!(account.application(APPLICATION).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_order_is_left_alone() {
    let world = World::start().await;
    let account = world.account();
    let before = account.application(APPLICATION).await.unwrap();
    let report = world.folder.doctor(&["--fix"]).await;
    report.is_in_order();
    assert_eq!(report.json["mended"], json!([]));
    assert_eq!(account.application(APPLICATION).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_uses_is_left_alone() {
    let world = World::start().await;
    let account = world.account();
    let number = account.owned_number(NUMBER).await.unwrap().unwrap();
    account
        .link_number(&number, OTHER_APPLICATION)
        .await
        .unwrap();
    let report = world.folder.doctor(&["--fix"]).await;
    report.fails("number", "leads to another application", "numbers link");
    let number = account.owned_number(NUMBER).await.unwrap().unwrap();
    assert_eq!(number.app_id.as_deref(), Some(OTHER_APPLICATION));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_another_deployment_are_left_alone() {
    let world = World::start().await;
    let document = json!({
        "name": "Support",
        "keys": { "public_key": world.account().application(APPLICATION).await.unwrap().public_key() },
        "capabilities": {
            "voice": {
                "webhooks": {
                    "answer_url": { "address": "https://production.example/webhooks/answer", "http_method": "GET" },
                },
                "signed_callbacks": false,
            },
        },
        "privacy": { "improve_ai": true },
    });
    let path = format!("/v2/applications/{APPLICATION}");
    done(owner(&world, Method::PUT, &path).json(&document)).await;

    let report = world.folder.doctor(&["--fix"]).await;
    let done = mended(&report);
    assert!(done.contains("AI: off instead of on"), "{done}");
    assert!(done.contains("event address"), "{done}");
    assert_eq!(report.json["mended"].as_array().unwrap().len(), 2, "{done}");
    report.says("webhooks", "production.example", "app update --public-url");
    assert_eq!(report.check("webhooks")["fixable"], false);
    assert_eq!(report.check("signed-callbacks")["fixable"], false);
    let document = world.account().application(APPLICATION).await.unwrap();
    let voice = &document.to_json()["capabilities"]["voice"];
    let answer = &voice["webhooks"]["answer_url"];
    assert_eq!(
        answer["address"],
        "https://production.example/webhooks/answer"
    );
    assert_eq!(answer["http_method"], "GET");
    assert_eq!(voice["signed_callbacks"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_mended_is_told() {
    let world = World::start().await;
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, "/v2/applications/") {
            answer.json(|json| json["capabilities"]["voice"]["signed_callbacks"] = json!(false));
        }
        if answer.is(&Method::PUT, "/v2/applications/") {
            answer.status = StatusCode::FORBIDDEN;
        }
    });
    let report = world.folder.doctor(&["--fix"]).await;
    report.fails("signed-callbacks", "are not signed", "dashboard");
    let mended = report.json["mended"].as_array().unwrap();
    assert_eq!(mended.len(), 1);
    assert_eq!(mended[0]["done"], false);
    let what = mended[0]["what"].as_str().unwrap();
    assert!(what.contains("could not update the application"), "{what}");
}
