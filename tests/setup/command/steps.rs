//! The steps of the tutorial, one by one.

use serde_json::json;

use super::{
    place::Place,
    world::{API_SECRET, CHEAPEST, DEARER, SIGNATURE_SECRET, World},
};

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
async fn no_command_says_the_secret_at_any_log_level() {
    let world = World::start().await;
    let mut place = world.set_up().await;
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
