//! The account's side: applications, users, numbers, balance and prices.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    APPLICATION_ID, Claims, USER, VONAGE_NUMBER, World, body, key_pair, other_key_pair, scenario,
};

#[tokio::test]
async fn account_requests_need_key_and_secret() {
    let world = World::start().await;
    for path in [
        "/v2/applications",
        "/account/get-balance",
        "/account/numbers",
        "/number/search?country=GB",
    ] {
        let without = world.request(Method::GET, path).send().await.unwrap();
        assert_eq!(without.status(), StatusCode::UNAUTHORIZED, "{path}");
        let wrong = world
            .request(Method::GET, path)
            .basic_auth("abcd1234", Some("wrong"))
            .send()
            .await
            .unwrap();
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED, "{path}");
        let right = world.account(Method::GET, path).send().await.unwrap();
        assert_eq!(right.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn application_keeps_our_key_and_never_shows_a_private_one() {
    let world = World::start().await;
    let request = json!({
        "name": "Own key",
        "keys": { "public_key": other_key_pair().public },
        "capabilities": { "voice": { "webhooks": {
            "answer_url": { "address": "https://example.com/answer", "http_method": "GET" },
        } } },
    });
    let response = world
        .account(Method::POST, "/v2/applications")
        .json(&request)
        .send()
        .await
        .unwrap();
    let made = body(response, StatusCode::CREATED).await;
    assert_eq!(made["keys"]["public_key"], other_key_pair().public);
    assert!(made["keys"].get("private_key").is_none());
    let voice = &made["capabilities"]["voice"];
    assert_eq!(voice["signed_callbacks"], true);
    assert_eq!(voice["webhooks"]["answer_url"]["socket_timeout"], 5_000);

    let path = format!("/v2/applications/{}", made["id"].as_str().unwrap());
    let response = world.account(Method::GET, &path).send().await.unwrap();
    assert_eq!(body(response, StatusCode::OK).await, made);
}

#[tokio::test]
async fn private_key_made_by_vonage_is_shown_once() {
    let world = World::start().await;
    let response = world
        .account(Method::POST, "/v2/applications")
        .json(&json!({ "name": "Their key" }))
        .send()
        .await
        .unwrap();
    let made = body(response, StatusCode::CREATED).await;
    let private = made["keys"]["private_key"].as_str().unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----"));
    let path = format!("/v2/applications/{}", made["id"].as_str().unwrap());
    let response = world.account(Method::GET, &path).send().await.unwrap();
    let shown = body(response, StatusCode::OK).await;
    assert!(shown["keys"].get("private_key").is_none());
}

#[tokio::test]
async fn put_replaces_the_whole_application() {
    let world = World::start().await;
    let path = format!("/v2/applications/{APPLICATION_ID}");
    let response = world
        .account(Method::PUT, &path)
        .json(&json!({ "name": "Renamed" }))
        .send()
        .await
        .unwrap();
    let shown = body(response, StatusCode::OK).await;
    assert_eq!(shown["name"], "Renamed");
    assert_eq!(shown["keys"]["public_key"], key_pair().public);
    assert!(shown["capabilities"].get("voice").is_none());
}

#[tokio::test]
async fn what_the_simulator_does_not_know_of_an_application_is_kept() {
    let world = World::start().await;
    let path = format!("/v2/applications/{APPLICATION_ID}");
    let sent = json!({
        "name": "Whole",
        "privacy": { "improve_ai": false, "keep_days": 3 },
        "security": { "auth": "basic" },
        "capabilities": {
            "voice": {
                "webhooks": {
                    "answer_url": {
                        "address": "https://example.com/answer", "http_method": "POST",
                        "connect_timeout": 500, "socket_timeout": 3_000, "later": true,
                    },
                    "event_url": { "address": "https://example.com/event", "socket_timeout": 9_000 },
                },
                "signed_callbacks": false, "conversations_ttl": 12, "leg_persistence_time": 7,
                "region": "eu-west", "payments": { "gateways": [] },
            },
            "messages": { "version": "v1" },
        },
    });
    let put = world.account(Method::PUT, &path).json(&sent).send();
    let shown = body(put.await.unwrap(), StatusCode::OK).await;
    assert_eq!(shown["privacy"], sent["privacy"]);
    assert_eq!(shown["security"], sent["security"]);
    assert_eq!(
        shown["capabilities"]["messages"],
        sent["capabilities"]["messages"]
    );
    let (voice, sent) = (
        &shown["capabilities"]["voice"],
        &sent["capabilities"]["voice"],
    );
    for field in [
        "signed_callbacks",
        "conversations_ttl",
        "leg_persistence_time",
        "region",
        "payments",
    ] {
        assert_eq!(voice[field], sent[field], "{field}");
    }
    assert_eq!(
        voice["webhooks"]["answer_url"],
        sent["webhooks"]["answer_url"]
    );
    assert_eq!(voice["webhooks"]["event_url"]["socket_timeout"], 9_000);
    assert_eq!(voice["webhooks"]["event_url"]["connect_timeout"], 1_000);
    let response = world.account(Method::GET, &path).send().await.unwrap();
    assert_eq!(body(response, StatusCode::OK).await, shown);
}

#[tokio::test]
async fn faulty_application_is_refused_field_by_field() {
    let world = World::start().await;
    let response = world
        .account(Method::POST, "/v2/applications")
        .json(&json!({
            "keys": { "public_key": "no key" },
            "capabilities": { "voice": { "webhooks": {
                "answer_url": { "address": "nowhere", "http_method": "PUT", "socket_timeout": 6000 },
            } } },
        }))
        .send()
        .await
        .unwrap();
    let refused = body(response, StatusCode::BAD_REQUEST).await;
    let names: Vec<&str> = refused["invalid_parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "name",
            "keys.public_key",
            "capabilities.voice.webhooks.answer_url.address",
            "capabilities.voice.webhooks.answer_url.http_method",
            "capabilities.voice.webhooks.answer_url.socket_timeout",
        ]
    );
}

#[tokio::test]
async fn a_number_is_searched_bought_and_linked() {
    let world = World::start().await;
    let get = async |path: &str| {
        let response = world.account(Method::GET, path).send().await.unwrap();
        body(response, StatusCode::OK).await
    };
    let post = async |path: &str, form: &[(&str, &str)]| {
        let response = world
            .account(Method::POST, path)
            .form(form)
            .send()
            .await
            .unwrap();
        response.status()
    };
    let found = get("/number/search?country=GB&features=VOICE").await;
    assert_eq!(found["count"], 2);
    assert_eq!(found["numbers"][0]["cost"], "1.25");
    assert_eq!(found["numbers"][0]["initialPrice"], "0.50");

    let order = [("country", "GB"), ("msisdn", "447700900555")];
    assert_eq!(post("/number/buy", &order).await, StatusCode::OK);
    assert_eq!(post("/number/buy", &order).await.as_u16(), 420);
    let linked = [order[0], order[1], ("app_id", APPLICATION_ID)];
    assert_eq!(post("/number/update", &linked).await, StatusCode::OK);

    let owned = get(&format!("/account/numbers?application_id={APPLICATION_ID}")).await;
    assert_eq!(owned["count"], 2);
    assert_eq!(owned["numbers"][0]["msisdn"], VONAGE_NUMBER);
    assert_eq!(owned["numbers"][1]["app_id"], APPLICATION_ID);
    assert_eq!(get("/account/numbers?country=US").await, json!({}));
}

#[tokio::test]
async fn balance_and_prices_are_told() {
    let world = World::start().await;
    let get = async |path: &str| {
        let response = world.account(Method::GET, path).send().await.unwrap();
        body(response, StatusCode::OK).await
    };
    assert_eq!(get("/account/get-balance").await["value"], 25.0);
    let prices = get("/account/get-pricing/outbound/voice?country=GB").await;
    assert_eq!(prices["defaultPrice"], "0.10000000");
    assert_eq!(prices["currency"], "EUR");
}

#[tokio::test]
async fn users_are_made_found_changed_and_deleted() {
    let world = World::start().await;
    let create = async |user: Value| {
        world
            .admin(Method::POST, "/v1/users")
            .json(&user)
            .send()
            .await
            .unwrap()
    };
    let user = json!({ "name": "visitor-1", "properties": { "ttl": 86_400 } });
    let made = body(create(user.clone()).await, StatusCode::CREATED).await;
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("USR-"));
    let path = format!("/v1/users/{id}");
    assert_eq!(
        made["_links"]["self"]["href"],
        format!("{}{path}", world.simulator.base_url())
    );
    let duplicate = body(create(user).await, StatusCode::CONFLICT).await;
    assert_eq!(duplicate["code"], "user:error:duplicate-name");
    let nameless = body(create(json!({})).await, StatusCode::CREATED).await;
    assert!(nameless["name"].as_str().unwrap().starts_with("NAM-"));
    let faulty = body(create(json!({ "name": 1 })).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(faulty["code"], "http:error:validation-fail");

    let response = world
        .admin(Method::GET, "/v1/users?name=visitor-1")
        .send()
        .await
        .unwrap();
    let list = body(response, StatusCode::OK).await;
    assert_eq!(list["_embedded"]["users"].as_array().unwrap().len(), 1);

    let response = world
        .admin(Method::PATCH, &path)
        .json(&json!({ "display_name": "Visitor" }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        body(response, StatusCode::OK).await["display_name"],
        "Visitor"
    );
    let response = world.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let response = world.admin(Method::GET, &path).send().await.unwrap();
    let gone = body(response, StatusCode::NOT_FOUND).await;
    assert_eq!(gone["code"], "user:error:not-found");
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world
            .admin(Method::POST, "/v1/users")
            .json(&json!({ "name": name }))
            .send()
            .await
            .unwrap();
    }
    let mut path = "/v1/users?page_size=2".to_owned();
    let mut names = Vec::new();
    for _ in 0..2 {
        let response = world.admin(Method::GET, &path).send().await.unwrap();
        let page = body(response, StatusCode::OK).await;
        for user in page["_embedded"]["users"].as_array().unwrap() {
            names.push(user["name"].as_str().unwrap().to_owned());
        }
        path = page["_links"]["next"]["href"]
            .as_str()
            .unwrap_or_default()
            .replace(world.simulator.base_url(), "");
    }
    assert_eq!(names, ["supportuser", "a", "b", "c"]);
    assert_eq!(path, "");
}

#[tokio::test]
async fn a_new_key_ends_every_token_of_the_old_one() {
    let world = World::start().await;
    let path = format!("/v2/applications/{APPLICATION_ID}");
    let response = world.account(Method::GET, &path).send().await.unwrap();
    let mut application = body(response, StatusCode::OK).await;
    application["keys"]["public_key"] = json!(other_key_pair().public);
    world
        .account(Method::PUT, &path)
        .json(&application)
        .send()
        .await
        .unwrap();
    let status = async |token: String| {
        let request = world.request(Method::GET, "/v1/users").bearer_auth(token);
        request.send().await.unwrap().status()
    };
    assert_eq!(
        status(Claims::admin().sign(key_pair())).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(Claims::admin().sign(other_key_pair())).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_user_without_anybody_ends_with_its_ttl() {
    let world = World::start().await;
    for (name, properties) in [
        ("short", json!({ "ttl": 3_600 })),
        ("long", json!({ "ttl": 86_400 })),
        ("for-ever", json!({})),
    ] {
        let user = json!({ "name": name, "properties": properties });
        let request = world.admin(Method::POST, "/v1/users").json(&user);
        body(request.send().await.unwrap(), StatusCode::CREATED).await;
    }
    let token = Claims::user().with("sub", json!("short")).sign(key_pair());
    let me = async || {
        let request = world
            .request(Method::GET, "/v0.3/users/me")
            .bearer_auth(&token);
        request.send().await.unwrap().status()
    };
    assert_eq!(me().await, StatusCode::OK);
    let later = scenario(json!({ "timing": { "users_older_by_s": 3_600 } }));
    world.simulator.play(later);
    assert_eq!(me().await, StatusCode::UNAUTHORIZED);
    let response = world.admin(Method::GET, "/v1/users").send().await.unwrap();
    let listed = body(response, StatusCode::OK).await;
    let names: Vec<_> = listed["_embedded"]["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [USER, "long", "for-ever"]);
}
