//! Whose users `users prune` deletes at Vonage.

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

use super::{place::Place, proxy::Proxy, world::World};

/// The names of the application's users, in order.
async fn names(place: &Place) -> Vec<String> {
    let listed = place.run(&["users", "list", "--json"]).await.done().json();
    let mut names: Vec<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn users_of_expired_visitors_are_pruned_and_others_stay() {
    let world = World::start().await;
    let place = world.set_up().await;
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

    assert_eq!(names(&place).await, ["supportuser", "visitor-young"]);
    let store = open().await.unwrap();
    assert_eq!(store.list_expired_visitors(now, 10).await.unwrap(), []);
    store.close().await;
    let again = place.run(&agreed).await.done().json();
    assert_eq!(again["expired_visitors"], 0);
}

#[tokio::test]
async fn users_that_were_left_behind_are_found_by_their_age() {
    let world = World::start().await;
    let old = ["visitor-left", "supportuser"];
    let proxy = Proxy::aging(world.simulator.base_url(), &old).await;
    let mut place = world.set_up().await;
    place
        .set("VONAGE_API_URL", &proxy.url)
        .set("VONAGE_REST_URL", &proxy.url);
    for name in old.into_iter().chain(["visitor-young"]) {
        place.run(&["users", "create", name]).await.done();
    }
    let prune = ["users", "prune", "--json"];
    place
        .run_with_input(&prune, "n\n")
        .await
        .failed()
        .says("Delete the users of 0 expired visitors and 1 that were left behind?");
    assert_eq!(
        names(&place).await,
        ["supportuser", "visitor-left", "visitor-young"]
    );
    let agreed = [&prune[..], &["--yes"]].concat();
    let pruned = place.run(&agreed).await.done().json();
    assert_eq!(pruned, json!({ "expired_visitors": 0, "left_behind": 1 }));
    assert_eq!(names(&place).await, ["supportuser", "visitor-young"]);
}
