//! Whenever `setup` is killed, running it again ends in the same state, and nothing is there twice.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use super::{
    place::Place,
    proxy::{Proxy, Stop},
    world::{CHEAPEST, DESK, SIGNATURE_SECRET, World},
};

const SETUP: &[&str] = &[
    "setup",
    "--yes",
    "--public-url",
    "https://calls.example.com",
    "--destination",
    DESK,
    "--country",
    "GB",
    "--region",
    "eu",
    "--users",
    "shared",
];

/// What everything comes to, with the id that Vonage chose in words.
async fn end_state(world: &World, place: &Place) -> Value {
    let mut applications = world.applications().await;
    let id = applications[0]["id"].as_str().unwrap().to_owned();
    for application in &mut applications {
        application["keys"] = Value::Null;
    }
    let files: BTreeMap<&str, (String, u32)> = [".env", "config/local.toml"]
        .map(|name| {
            let mode = fs::metadata(place.path(name)).unwrap().permissions().mode();
            (name, (place.read(name), mode & 0o777))
        })
        .into();
    // The shared user, whose id Vonage chose.
    let mut users = place.run(&["users", "list", "--json"]).await.done().json();
    for user in users.as_array_mut().unwrap() {
        for chosen in ["id", "timestamp", "_links"] {
            user.as_object_mut().unwrap().remove(chosen);
        }
    }
    let mut names: Vec<String> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let text = json!({
        "applications": applications,
        "numbers": world.owned_numbers().await,
        "users": users,
        "files": files,
        "names": names,
    });
    serde_json::from_str(&text.to_string().replace(&id, "the application's id")).unwrap()
}

async fn uninterrupted() -> (Value, usize) {
    let world = World::start().await;
    let proxy = Proxy::start(world.simulator.base_url(), None).await;
    let mut place = World::place_at(&proxy.url);
    place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
    place.run(SETUP).await.done();
    let requests = proxy.count();
    (end_state(&world, &place).await, requests)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_request_it_ends_in_the_same_state() {
    let (expected, requests) = uninterrupted().await;
    assert!(requests >= 9, "{requests}");
    assert_eq!(expected["applications"].as_array().unwrap().len(), 1);
    assert_eq!(expected["numbers"][0]["msisdn"], CHEAPEST);
    assert_eq!(expected["users"].as_array().unwrap().len(), 1);
    assert_eq!(expected["users"][0]["name"], "supportuser");

    for at in 1..=requests {
        for carried_out in [false, true] {
            let world = World::start().await;
            let stop = Stop { at, carried_out };
            let proxy = Proxy::start(world.simulator.base_url(), Some(stop)).await;
            let mut place = World::place_at(&proxy.url);
            place.set("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET);
            let mut child = place.spawn(SETUP);
            proxy.stopped().await;
            child.kill().unwrap();
            child.wait().unwrap();

            place.run(SETUP).await.done();
            assert_eq!(end_state(&world, &place).await, expected, "{stop:?}");
            world.simulator.stop().await;
        }
    }
}
