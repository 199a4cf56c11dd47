//! `app` and `serve --update-application`: the application is made, and follows key and address.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{tutorial::Service, world::World};

#[tokio::test]
async fn an_application_is_made_once() {
    let world = World::start().await;
    let place = world.place();
    place.run(&["keygen"]).await.done();
    let create = ["app", "create", "--json", "--public-url"];
    let at = |address| [&create[..], &[address]].concat();
    let first = place.run(&at("https://calls.example.com")).await.done();
    let before = world.applications().await;
    // As after an answer that was lost.
    let again = place.run(&at("https://calls.example.com")).await.done();
    assert_eq!(again.json()["id"], first.json()["id"]);
    assert!(!again.err.contains("differs"), "{}", again.err);
    place
        .run(&at("https://other.example.com"))
        .await
        .done()
        .says("click-to-call app update")
        .says("-> POST https://other.example.com/webhooks/answer");
    assert_eq!(world.applications().await, before);
}

#[tokio::test]
async fn webhooks_are_not_led_where_vonage_can_not_reach_them() {
    let world = World::start().await;
    let mut place = world.set_up().await;
    let before = world.applications().await;
    // Vonage far away: its address leads nowhere but through the proxy of the network.
    place.set("VONAGE_API_URL", "http://api.vonage.example");
    place.set("HTTP_PROXY", world.simulator.base_url());
    let refused = |private: &str| {
        format!("{private} leads to this machine or its network only, where Vonage can't reach it")
    };
    for private in ["http://localhost:3000", "https://10.0.0.7"] {
        for command in ["create", "update"] {
            let args = ["app", command, "--public-url", private];
            place.run(&args).await.failed().says(&refused(private));
        }
    }
    place.set("PUBLIC_URL", "https://desk.internal");
    place
        .run(&["app", "create"])
        .await
        .failed()
        .says(&refused("https://desk.internal"));
    place
        .run(&["serve", "--update-application"])
        .await
        .failed()
        .says(&refused("https://desk.internal"));
    // What is not led anywhere needs no address.
    place
        .run(&["app", "update", "--yes", "--name", "Desk"])
        .await
        .done();
    let named = |mut all: Vec<serde_json::Value>| {
        all[0]["name"] = "Desk".into();
        all
    };
    assert_eq!(world.applications().await, named(before));
}

#[tokio::test]
async fn a_private_key_is_not_uploaded() {
    let world = World::start().await;
    let place = world.set_up().await;
    place
        .run(&["app", "update", "--yes", "--public-key", "private.key"])
        .await
        .failed()
        .says("holds a private key, which never leaves this machine");
}

#[tokio::test]
async fn the_next_key_is_made_beside_the_one_in_use_and_switched_to() {
    let world = World::start().await;
    let place = world.set_up().await;
    let before = place.read("private.key");
    let run = place.run(&["keygen", "--next"]).await.done();
    assert_eq!(place.read("private.key"), before);
    assert_eq!(place.read("private.key.next.pub"), run.out);
    assert_eq!(
        fs::metadata(place.path("private.key.next"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    place
        .run(&["keygen", "--next"])
        .await
        .failed()
        .says("never overwritten");

    place.run(&["users", "list"]).await.done();
    place
        .run(&[
            "app",
            "update",
            "--yes",
            "--public-key",
            "private.key.next.pub",
        ])
        .await
        .done()
        .says("public key: another key -> the public half of your private key");
    place
        .run(&["users", "list"])
        .await
        .failed()
        .says("must belong to the same application");
    fs::rename(place.path("private.key.next"), place.path("private.key")).unwrap();
    place.run(&["users", "list"]).await.done();
}

#[tokio::test]
async fn an_application_follows_a_new_address_and_keeps_the_rest() {
    let world = World::start().await;
    let place = world.set_up().await;
    let before = world.applications().await.remove(0);
    let update = ["app", "update", "--public-url", "https://b.tunnel.example"];
    place
        .run_with_input(&update, "n\n")
        .await
        .failed()
        .says("was left as it is");
    place
        .run_with_input(&update, "y\n")
        .await
        .done()
        .says("is changed");
    place.run(&update).await.done().says("is so already");
    let after = world.applications().await.remove(0);
    let moved = after
        .to_string()
        .replace("https://b.tunnel.example", "https://calls.example.com");
    assert_eq!(moved, before.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_follows_the_address_that_serve_is_given() {
    let world = World::start().await;
    let mut place = world.set_up().await;
    place.set("PORT", "0");
    let address = "https://b.tunnel.example";
    let serve = ["serve", "--public-url", address, "--update-application"];
    let _service = Service::start(&place, &serve).await;
    let webhooks = world.applications().await[0]["capabilities"]["voice"]["webhooks"].clone();
    for (name, path) in [
        ("answer_url", "answer"),
        ("fallback_answer_url", "fallback"),
        ("event_url", "event"),
    ] {
        assert_eq!(
            webhooks[name]["address"],
            format!("{address}/webhooks/{path}")
        );
    }
    place.variables.remove("VONAGE_API_SECRET");
    place.run(&serve).await.failed().says("VONAGE_API_SECRET");
}
