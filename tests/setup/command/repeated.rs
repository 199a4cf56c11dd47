//! `setup` looks before it does anything, and leaves alone what is there.

use std::fs;

use click_to_call::simulator::{HttpMethod, SeededApplication, WebhookUrl};
use serde_json::json;

use super::{
    place::setup,
    world::{CHEAPEST, DESK, SIGNATURE_SECRET, World, number},
};

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let world = World::start().await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .done();
    let before = (
        place.read(".env"),
        place.read("private.key"),
        world.applications().await,
    );
    // Even with nothing to go by but the files.
    let run = place.run(&["setup", "--yes", "--json"]).await.done();
    assert_eq!(
        (
            place.read(".env"),
            place.read("private.key"),
            world.applications().await
        ),
        before
    );
    let summary = run.json();
    assert_eq!(summary["complete"], true);
    assert_eq!(summary["number"], CHEAPEST);
    for step in summary["steps"].as_array().unwrap() {
        assert_eq!(step["standing"], "already-there", "{step}");
    }
}

#[tokio::test]
async fn a_dry_run_does_nothing() {
    let world = World::start().await;
    let place = world.place();
    let run = place
        .run(&setup(&["--yes", "--country", "GB", "--dry-run"]))
        .await
        .done();
    for what in [
        "make the key pair",
        "create the application",
        &format!("buy the number {CHEAPEST}"),
    ] {
        assert!(run.out.contains(&format!("will do  {what}")), "{}", run.out);
    }
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 0);
    assert!(world.applications().await.is_empty());
    assert!(world.owned_numbers().await.is_empty());
}

#[tokio::test]
async fn what_is_set_is_never_overwritten() {
    let world = World::start().await;
    let mut place = world.place();
    let env = "# mine\nPUBLIC_URL=https://mine.example.com\nVONAGE_REGION=ap\n";
    place.write(".env", env);
    place.write(
        "config/local.toml",
        "[lines.support]\ndestination = \"447700900009\"\n[visitors]\nusers = \"per-visitor\"\n",
    );
    for (flags, setting) in [
        (
            &["--public-url", "https://other.example.com"][..],
            "PUBLIC_URL is https://mine.example.com",
        ),
        (
            &["--destination", DESK],
            "lines.support.destination is +447700900009",
        ),
        (&["--region", "us"], "VONAGE_REGION is ap"),
        (&["--api-key", "other"], "VONAGE_API_KEY is abcd1234"),
        (
            &["--users", "shared"],
            "visitors.users is per-visitor already",
        ),
    ] {
        let args = [&["setup", "--yes", "--country", "GB"], flags].concat();
        place
            .run(&args)
            .await
            .failed()
            .says(setting)
            .says("setup overwrites nothing");
    }
    assert_eq!(place.read(".env"), env);
    assert!(world.applications().await.is_empty());
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place
        .run(&["setup", "--yes", "--country", "GB"])
        .await
        .done();
    assert!(place.read(".env").starts_with(env));
    assert_eq!(
        world.applications().await[0]["capabilities"]["voice"]["region"],
        "apac-sng"
    );
}

fn owners_application() -> SeededApplication {
    SeededApplication {
        id: "78d335fa-323d-0114-9c3d-d6f0d48968cf".to_owned(),
        name: "click-to-call".to_owned(),
        public_key: "-----BEGIN PUBLIC KEY-----\nsomebody's\n-----END PUBLIC KEY-----\n".to_owned(),
        answer_url: Some(WebhookUrl {
            address: "https://owner.example/answer".to_owned(),
            http_method: HttpMethod::Get,
        }),
        fallback_url: None,
        event_url: None,
        signed_callbacks: true,
        users: Vec::new(),
    }
}

#[tokio::test]
async fn an_application_of_the_owners_is_changed_only_with_consent() {
    let world = World::with(vec![number(CHEAPEST, "1.00")], vec![owners_application()]).await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    let before = world.applications().await;
    place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .failed()
        .says("say --application 78d335fa-323d-0114-9c3d-d6f0d48968cf to use it");
    let id = owners_application().id;
    place
        .run_with_input(&setup(&["--application", &id]), "n\nn\n")
        .await
        .failed()
        .says("answer address: GET https://owner.example/answer")
        .says("was left as it is");
    assert_eq!(world.applications().await, before);

    place
        .run(&setup(&["--yes", "--country", "GB", "--application", &id]))
        .await
        .done();
    let after = world.applications().await;
    assert_eq!(after.len(), 1);
    let webhooks = &after[0]["capabilities"]["voice"]["webhooks"];
    assert_eq!(
        webhooks["answer_url"],
        json!({
            "address": "https://calls.example.com/webhooks/answer",
            "http_method": "POST",
            "connect_timeout": 500,
            "socket_timeout": 1_500,
        })
    );
    assert_eq!(after[0]["privacy"]["improve_ai"], false);
    assert_eq!(world.owned_numbers().await[0]["app_id"], id.as_str());
}

#[tokio::test]
async fn the_region_of_the_owners_application_is_taken_over() {
    let world = World::start().await;
    let owners = world.place();
    owners.run(&["keygen"]).await.done();
    let create = ["app", "create", "--region", "eu", "--json", "--public-url"];
    let create = [&create[..], &["https://owner.example"]].concat();
    let made = owners.run(&create).await.done().json();
    let id = made["id"].as_str().unwrap().to_owned();

    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    let adopt = setup(&["--yes", "--country", "GB", "--application", &id]);
    place.run(&adopt).await.done();
    let region =
        || async { world.applications().await[0]["capabilities"]["voice"]["region"].clone() };
    assert_eq!(region().await, "eu-west");
    let env = place.read(".env");
    assert!(env.contains("VONAGE_REGION=eu\n"), "{env}");
    place.run(&["setup", "--yes"]).await.done();
    assert_eq!(place.read(".env"), env);
    assert_eq!(region().await, "eu-west");
}

#[tokio::test]
async fn no_secret_is_said_at_any_log_level() {
    let world = World::start().await;
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place.set("RUST_LOG", "trace");
    let run = place
        .run(&setup(&["--yes", "--country", "GB", "--users", "shared"]))
        .await
        .done();
    let key = place.read("private.key");
    let said = run.said();
    assert!(!said.contains("canary"), "{said}");
    assert!(
        !key.lines().skip(1).take(20).any(|line| said.contains(line)),
        "{said}"
    );
}
