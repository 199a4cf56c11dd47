//! The steps of the tutorial, one by one.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;
use click_to_call::{
    domain::{
        clock::Clock,
        ids::VisitorId,
        visitor::{SessionHash, Visitor, VonageUser},
    },
    settings::DatabaseUrl,
    store::{self, Access},
};
use serde_json::json;

use super::{
    place::Place,
    tutorial::Service,
    world::{API_SECRET, CHEAPEST, DEARER, DESK, SIGNATURE_SECRET, World},
};

/// A place in which `setup` has been run.
async fn set_up(world: &World) -> Place {
    let mut place = world.place();
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    let args = [
        "setup",
        "--yes",
        "--country",
        "GB",
        "--public-url",
        "https://calls.example.com",
        "--destination",
        DESK,
    ];
    place.run(&args).await.done();
    place
}

#[tokio::test]
async fn the_tutorial_works_step_by_step() {
    let world = World::start().await;
    let mut place = world.place();
    place
        .run(&["balance"])
        .await
        .done()
        .says("the account has EUR 25.00");
    let balance = place.run(&["balance", "--json"]).await.done().json();
    assert_eq!(balance, json!({ "value": 25.0, "autoReload": false }));

    place.run(&["keygen"]).await.done();
    let create = [
        "app",
        "create",
        "--public-url",
        "https://calls.example.com",
        "--json",
    ];
    let made = place.run(&create).await.done().json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        made["keys"]["public_key"],
        place.run(&["keygen", "--public"]).await.done().out
    );
    place.set("VONAGE_APPLICATION_ID", id);
    place
        .run(&["app", "show"])
        .await
        .done()
        .says("POST https://calls.example.com/webhooks/answer (connect 500 ms, read 1500 ms)");
    place.run(&["app", "show", "--all"]).await.done().says(id);

    let found = place
        .run(&["numbers", "search", "gb", "--json"])
        .await
        .done()
        .json();
    assert_eq!(found[1]["msisdn"], CHEAPEST);
    assert_eq!(found[1]["cost"], "1.00");
    place
        .run(&["numbers", "search", "GB"])
        .await
        .done()
        .says("EUR 1.25 a month");
    place
        .run_with_input(&["numbers", "buy", "GB", "+44 2079 460001"], "yes\n")
        .await
        .done()
        .says("Buy 442079460001 (GB, landline) for EUR 1.00 a month? [y/N]")
        .says("address or identity papers");
    let again = place
        .run(&["numbers", "buy", "GB", CHEAPEST, "--yes", "--json"])
        .await
        .done()
        .json();
    assert_eq!(again["done"], false);
    place
        .run(&["numbers", "link", CHEAPEST])
        .await
        .done()
        .says("leads to the application");
    let owned = place
        .run(&["numbers", "list", "--json"])
        .await
        .done()
        .json();
    assert_eq!(owned[0]["app_id"], id);

    place
        .run(&["users", "create", "supportuser"])
        .await
        .done()
        .says("is made");
    place
        .run(&["users", "create", "supportuser"])
        .await
        .done()
        .says("is there already");
    let users = place.run(&["users", "list", "--json"]).await.done().json();
    assert_eq!(users[0]["name"], "supportuser");
    place
        .run(&["users", "delete", "supportuser", "--yes"])
        .await
        .done();
    place
        .run(&["users", "delete", "supportuser", "--yes"])
        .await
        .failed()
        .says("there is no user supportuser");
    assert_eq!(place.run(&["users", "list"]).await.done().out, "");

    place
        .run_with_input(&["numbers", "cancel", CHEAPEST], "n\n")
        .await
        .failed()
        .says("was kept");
    place
        .run(&["numbers", "cancel", CHEAPEST, "--yes"])
        .await
        .done();
    assert!(world.owned_numbers().await.is_empty());
}

#[tokio::test]
async fn what_can_not_be_had_is_said_in_words() {
    let world = World::start().await;
    let place = world.place();
    place
        .run(&["numbers", "buy", "US", CHEAPEST, "--yes"])
        .await
        .failed()
        .says("is not for sale in US");
    place
        .run_with_input(&["numbers", "buy", "GB", DEARER], "\n")
        .await
        .failed()
        .says("nothing was bought");
    place
        .run(&[
            "numbers",
            "link",
            CHEAPEST,
            "--application",
            "78d335fa-323d-0114-9c3d-d6f0d48968cf",
        ])
        .await
        .failed()
        .says("is not one of the account's numbers");
    place
        .run(&["numbers", "link", CHEAPEST])
        .await
        .failed()
        .says("VONAGE_APPLICATION_ID");
    place
        .run(&["app", "show", "78d335fa-323d-0114-9c3d-d6f0d48968cf"])
        .await
        .failed()
        .says("does not exist");
    place
        .run(&["app", "create", "--public-url", "https://calls.example.com"])
        .await
        .failed()
        .says("click-to-call keygen");
    place
        .run(&["users", "list"])
        .await
        .failed()
        .says("vonage.application_id: is not set");
    let nothing = Place::new();
    for command in [
        &["balance"][..],
        &["numbers", "list"],
        &["app", "show"],
        &["setup", "--yes"],
    ] {
        nothing.run(command).await.failed().says("VONAGE_API_KEY");
    }
    let wrong = place.run(&["numbers", "search", "Britain"]).await;
    assert_eq!(wrong.code, Some(2));
    place.run(&["number", "list"]).await.says("numbers");
}

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
async fn a_private_key_is_not_uploaded() {
    let world = World::start().await;
    let place = set_up(&world).await;
    place
        .run(&["app", "update", "--yes", "--public-key", "private.key"])
        .await
        .failed()
        .says("holds a private key, which never leaves this machine");
}

#[tokio::test]
async fn the_next_key_is_made_beside_the_one_in_use_and_switched_to() {
    let world = World::start().await;
    let place = set_up(&world).await;
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
    let place = set_up(&world).await;
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

#[tokio::test]
async fn users_of_expired_visitors_are_pruned_and_others_stay() {
    let world = World::start().await;
    let place = set_up(&world).await;
    let create = |name| {
        let place = &place;
        async move {
            let made = place.run(&["users", "create", name, "--json"]).await.done();
            made.json()["id"].as_str().unwrap().to_owned()
        }
    };
    let expired = create("visitor-expired").await;
    create("visitor-young").await;
    create("supportuser").await;
    let database = DatabaseUrl::Sqlite(place.path("data/click-to-call.db"));
    let open = || store::connect(&database, Access::Beside);
    let now = Clock::system().now();
    let over = now - TimeDelta::hours(1);
    let visitor = Visitor {
        id: VisitorId::random(),
        session: SessionHash([7; 32]),
        user: VonageUser {
            name: "visitor-expired".to_owned(),
            id: Some(expired),
            expires_at: over,
            home: "elsewhere".to_owned(),
        },
        owns_user: true,
        created_at: over - TimeDelta::days(1),
        expires_at: over,
    };
    let store = open().await.unwrap();
    store.insert_visitor(&visitor).await.unwrap();
    store.close().await;

    let prune = ["users", "prune", "--json"];
    place
        .run_with_input(&prune, "n\n")
        .await
        .failed()
        .says("Delete the users of 1 expired visitors and 0 that were left behind?");
    let agreed = [&prune[..], &["--yes"]].concat();
    let pruned = place.run(&agreed).await.done().json();
    assert_eq!(pruned, json!({ "expired_visitors": 1, "left_behind": 0 }));

    let listed = place.run(&["users", "list", "--json"]).await.done().json();
    let mut names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["name"])
        .collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["supportuser", "visitor-young"]);
    let store = open().await.unwrap();
    assert_eq!(store.list_expired_visitors(now, 10).await.unwrap(), []);
    store.close().await;
    let again = place.run(&agreed).await.done().json();
    assert_eq!(again["expired_visitors"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_follows_the_address_that_serve_is_given() {
    let world = World::start().await;
    let mut place = set_up(&world).await;
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

#[tokio::test]
async fn no_command_says_the_secret_at_any_log_level() {
    let world = World::start().await;
    let mut place = set_up(&world).await;
    place.set("RUST_LOG", "trace");
    for args in [
        &["balance"][..],
        &["numbers", "search", "GB"],
        &["numbers", "list", "--json"],
        &["numbers", "buy", "GB", DEARER, "--yes"],
        &["app", "show", "--json"],
        &["app", "update", "--yes", "--name", "other"],
        &["users", "create", "ann"],
        &["users", "list"],
        &["users", "prune", "--yes"],
        &["setup", "--yes", "--json"],
    ] {
        let said = place.run(args).await.done().said();
        assert!(
            !said.contains(API_SECRET) && !said.contains(SIGNATURE_SECRET),
            "{said}"
        );
        assert!(
            !said.contains("PRIVATE KEY") && !said.contains("eyJ"),
            "{said}"
        );
    }
}
