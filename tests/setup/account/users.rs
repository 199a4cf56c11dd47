use std::{sync::OnceLock, time::Duration};

use click_to_call::{
    domain::clock::Clock,
    vonage::{
        account::{Cause, users::UsersClient},
        key::ApplicationKey,
    },
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::OsRng,
};
use serde_json::json;
use wiremock::ResponseTemplate;

use super::{APPLICATION, Stub, fixture};

fn key() -> ApplicationKey {
    static PEM: OnceLock<String> = OnceLock::new();
    let pem = PEM.get_or_init(|| {
        let key = RsaPrivateKey::new(&mut OsRng, 2_048).unwrap();
        key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    });
    ApplicationKey::parse(pem).unwrap()
}

fn client(stub: &Stub) -> UsersClient {
    UsersClient::new(stub.url(), APPLICATION.to_owned(), key(), Clock::system()).unwrap()
}

#[tokio::test]
async fn each_error_of_the_users_api_is_a_sentence() {
    for (status, name, sentence) in [
        (
            400,
            "users/error-400.json",
            "Vonage finds fault with it: name must be a string",
        ),
        (
            401,
            "users/error-401.json",
            "VONAGE_APPLICATION_ID and the private key must belong to the same application",
        ),
        (
            409,
            "users/error-409-duplicate-name.json",
            "there is one of that name already",
        ),
        (
            429,
            "users/error-429.json",
            "Vonage takes no more requests for now; wait a minute",
        ),
        (
            500,
            "users/error-500.json",
            "may have been done all the same",
        ),
    ] {
        let stub = Stub::start().await;
        stub.answer("POST", "/v1/users", status, name).await;
        let error = client(&stub)
            .create("ann", None)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("could not create the user \"ann\": "),
            "{error}"
        );
        assert!(error.contains(sentence), "{error}");
    }
}

#[tokio::test]
async fn a_user_that_is_not_there_is_no_error_where_none_is_wanted() {
    let stub = Stub::start().await;
    stub.answer("DELETE", "/v1/users/.*", 404, "users/error-404.json")
        .await;
    stub.answer("GET", "/v1/users", 200, "users/list-200-empty.json")
        .await;
    client(&stub).delete("USR-1").await.unwrap();
    assert_eq!(client(&stub).find("ann").await.unwrap(), None);
}

#[tokio::test]
async fn a_user_is_made_with_its_end() {
    let stub = Stub::start().await;
    stub.answer("POST", "/v1/users", 201, "users/create-201.json")
        .await;
    let day = Duration::from_hours(24);
    let made = client(&stub).create("ann", Some(day)).await.unwrap();
    assert!(made.created().is_some());
    assert_eq!(json!(made), fixture("users/create-201.json"));
    assert_eq!(stub.last_body().await["properties"]["ttl"], 86_400);
}

#[tokio::test]
async fn the_token_never_follows_the_address_of_the_next_page() {
    let other = Stub::start().await;
    let stub = Stub::start().await;
    let mut first = fixture("users/list-200.json");
    let address = format!("{}v1/users?page_size=100&cursor=a%2Bb", other.url());
    first["_links"]["next"] = json!({ "href": address });
    let first = ResponseTemplate::new(200).set_body_json(first);
    stub.mount("GET", "/v1/users", first, 1).await;
    stub.answer("GET", "/v1/users", 200, "users/list-200-empty.json")
        .await;

    let users = client(&stub);
    let page = users.page(None).await.unwrap();
    assert_eq!(page.users.len(), 2);
    assert_eq!(page.next.as_deref(), Some("a+b"));
    let last = users.page(page.next.as_deref()).await.unwrap();
    assert_eq!(last.next, None);
    assert_eq!(
        stub.requests().await[1].url.query(),
        Some("page_size=100&cursor=a%2Bb")
    );
    assert!(other.requests().await.is_empty());
}

#[tokio::test]
async fn an_application_that_lost_its_key_is_told_so() {
    let stub = Stub::start().await;
    stub.answer("GET", "/v1/users", 401, "users/error-401.json")
        .await;
    let error = client(&stub).page(None).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Token), "{error}");
}
