//! Who gets a token, and for whom.

use chrono::TimeDelta;
use click_to_call::settings::UserMode;
use reqwest::{Method, Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::helpers::{JsonOf, TestApp};

/// The service's own address.
pub(crate) const ORIGIN: &str = "https://call.example";
const SERVICE_KEY: &str = "a-service-key-of-more-than-32-characters";

pub(crate) async fn open_from(app: &TestApp, origin: &str) -> Response {
    app.request(Method::POST, "/api/sessions")
        .header("origin", origin)
        .json(&json!({}))
        .send()
        .await
        .unwrap()
}

pub(crate) fn cookie(response: &Response) -> String {
    response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn every_visitor_is_a_user_of_their_own_made_before_the_token() {
    let app = TestApp::spawn().await;
    let (one, two) = (app.visitor().await, app.visitor().await);
    assert_ne!(one.user, two.user);
    let created = app.vonage.requests("POST", "/v1/users").await;
    let bodies: Vec<Value> = created
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(bodies[0]["name"], one.user);
    assert_eq!(bodies[1]["name"], two.user);
    assert_eq!(
        bodies[0]["properties"]["ttl"],
        2 * 86_400,
        "a token's life and a day"
    );
    assert!(one.user.starts_with("visitor-") && one.user.len() == "visitor-".len() + 22);
}

#[tokio::test]
async fn vonage_is_asked_with_an_application_token() {
    let app = TestApp::spawn().await;
    app.visitor().await;
    let created = app.vonage.requests("POST", "/v1/users").await;
    let authorization = created[0].headers["authorization"].to_str().unwrap();
    let claims = authorization.split('.').nth(1).unwrap();
    let claims =
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert!(
        claims.get("sub").is_none() && claims.get("acl").is_none(),
        "{claims}"
    );
}

#[tokio::test]
async fn our_own_page_keeps_its_session_in_a_cookie() {
    let app = TestApp::spawn().await;
    let response = open_from(&app, ORIGIN).await;
    let set = cookie(&response);
    for part in [
        "__Host-click-to-call=",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let first = response.json_of(StatusCode::CREATED).await;
    assert_eq!(first["session"], Value::Null, "scripts never see it");

    let kept = set.split(';').next().unwrap();
    let again = app
        .request(Method::POST, "/api/sessions")
        .header("origin", ORIGIN)
        .header("cookie", kept)
        .json(&json!({}))
        .send()
        .await
        .unwrap()
        .json_of(StatusCode::CREATED)
        .await;
    assert_eq!(again["user"], first["user"]);
    assert_ne!(again["token"], first["token"]);
    assert_eq!(app.vonage.requests("POST", "/v1/users").await.len(), 1);
}

#[tokio::test]
async fn on_plain_http_the_cookie_has_a_plain_name() {
    let app = TestApp::with(|s| s.http.public_url = "http://localhost:3000".parse().unwrap()).await;
    let set = cookie(&open_from(&app, "http://localhost:3000").await);
    assert!(
        set.starts_with("click-to-call=") && !set.contains("Secure"),
        "{set}"
    );
}

#[tokio::test]
async fn a_planted_or_expired_session_is_never_adopted() {
    let app = TestApp::spawn().await;
    let planted = "A".repeat(43);
    let opened = app
        .open_session(Some(&planted))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_ne!(opened["session"], planted);

    let visitor = app.visitor().await;
    app.clock.advance(TimeDelta::days(3));
    let later = app
        .open_session(Some(&visitor.session))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_ne!(later["user"], visitor.user);
    assert_ne!(later["session"], visitor.session);
}

#[tokio::test]
async fn a_user_that_would_end_before_its_token_is_replaced() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    app.clock.advance(TimeDelta::hours(20));
    let same = app
        .open_session(Some(&visitor.session))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_eq!(same["user"], visitor.user);
    app.clock.advance(TimeDelta::hours(20));
    let renewed = app
        .open_session(Some(&visitor.session))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_ne!(renewed["user"], visitor.user);
    assert_eq!(renewed["session"], visitor.session);
}

#[tokio::test]
async fn the_tutorials_address_gives_ones_own_token_as_a_json_string() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    for name in ["me", &visitor.user] {
        let response = visitor
            .request(Method::GET, &format!("/auth/{name}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let token: String = response.json().await.unwrap();
        assert_eq!(token.split('.').count(), 3);
    }
}

#[tokio::test]
async fn nobody_gets_a_token_for_somebody_else() {
    let app = TestApp::spawn().await;
    let (one, two) = (app.visitor().await, app.visitor().await);
    let long = "x".repeat(4_000);
    let names = [
        two.user.as_str(),
        "supportuser",
        "admin",
        "",
        "me/",
        "me%2F..%2Fsupportuser",
        "..%2Fadmin",
        "a/b/c",
        "me%0d%0aset-cookie:x=1",
        "%00",
        "%F0%9F%93%9E",
        &long,
    ];
    for name in names {
        for (header, value) in [
            ("x-nothing", "1"),
            ("origin", ORIGIN),
            ("sec-fetch-site", "same-origin"),
            ("host", "localhost"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", "call.example"),
        ] {
            let request = one
                .request(Method::GET, &format!("/auth/{name}"))
                .header(header, value);
            assert_eq!(
                request.send().await.unwrap().problem_of(403).await,
                "user-not-allowed",
                "{name} {header}"
            );
        }
        let stranger = app.get(&format!("/auth/{name}")).await;
        assert_eq!(stranger.problem_of(403).await, "user-not-allowed", "{name}");
    }
}

#[tokio::test]
async fn a_legacy_name_is_for_pages_of_allowed_origins_only() {
    let app = TestApp::with(|s| s.visitors.legacy_users = vec!["supportuser".into()]).await;
    let ask = async |header: &str, value: &str| {
        app.request(Method::GET, "/auth/supportuser")
            .header(header, value)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(ask("x-nothing", "1").await.status(), 403);
    assert_eq!(ask("origin", "https://evil.example").await.status(), 403);
    assert_eq!(ask("sec-fetch-site", "cross-site").await.status(), 403);
    assert_eq!(ask("sec-fetch-site", "same-origin").await.status(), 200);
    assert_eq!(ask("origin", ORIGIN).await.status(), 200);
    assert_eq!(
        app.vonage.requests("POST", "/v1/users").await.len(),
        1,
        "made once"
    );
}

#[tokio::test]
async fn a_service_key_opens_any_well_formed_name() {
    let app =
        TestApp::with(|s| s.visitors.service_keys = vec![SecretString::from(SERVICE_KEY)]).await;
    let ask = async |name: &str, key: &str| {
        app.request(Method::GET, &format!("/auth/{name}"))
            .bearer_auth(key)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(ask("desk-7", SERVICE_KEY).await.status(), 200);
    assert_eq!(ask("desk-7", &SERVICE_KEY[1..]).await.status(), 403);
    for name in ["a%2Fb", "%0d%0a", "%F0%9F%93%9E", &"x".repeat(65)] {
        assert_eq!(
            ask(name, SERVICE_KEY).await.problem_of(400).await,
            "bad-request",
            "{name}"
        );
    }
}

#[tokio::test]
async fn in_shared_mode_everybody_is_the_same_user() {
    let app = TestApp::with(|s| s.visitors.users = UserMode::Shared).await;
    let (one, two) = (app.visitor().await, app.visitor().await);
    assert_eq!(
        (one.user.as_str(), two.user.as_str()),
        ("supportuser", "supportuser")
    );
    assert_ne!(one.session, two.session);
    let created = app.vonage.requests("POST", "/v1/users").await;
    assert_eq!(created.len(), 1);
    let body: Value = serde_json::from_slice(&created[0].body).unwrap();
    assert!(body.get("properties").is_none(), "it stays");
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (session, user) = (visitor.session, visitor.user);
    let app = app.restart().await;
    let again = app
        .open_session(Some(&session))
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_eq!(again["user"], user);
}

#[tokio::test]
async fn users_that_live_elsewhere_are_sent_there() {
    let app = TestApp::with(|s| {
        s.vonage.client_api_url = "https://api-us.vonage.com".parse().unwrap();
        s.vonage.websocket_url = "https://ws-us.vonage.com".parse().unwrap();
    })
    .await;
    let user = json!({ "id": "USR-1", "_links": { "self": { "href": "https://api-eu-3.vonage.com/v1/users/USR-1" } } });
    app.vonage
        .mount(
            1,
            "POST",
            "/v1/users",
            wiremock::ResponseTemplate::new(201).set_body_json(user),
        )
        .await;
    let opened = app
        .open_session(None)
        .await
        .json_of(StatusCode::CREATED)
        .await;
    assert_eq!(opened["region"], "eu");
    assert_eq!(opened["api_url"], "https://api-eu.vonage.com");
    assert_eq!(opened["websocket_url"], "https://ws-eu.vonage.com");
}

#[tokio::test]
async fn two_renewals_at_once_are_one_user() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    app.clock.advance(TimeDelta::hours(30));
    let renewals = (0..8).map(|_| app.open_session(Some(&visitor.session)));
    let mut users = std::collections::HashSet::new();
    for renewal in futures_util::future::join_all(renewals).await {
        users.insert(renewal.json_of(StatusCode::CREATED).await["user"].to_string());
    }
    assert_eq!(users.len(), 1, "{users:?}");
}

#[tokio::test]
async fn a_reloaded_token_life_holds_for_users_too() {
    let mut app = TestApp::with(|s| s.token.ttl = std::time::Duration::from_hours(1)).await;
    app.visitor().await;
    app.settings.token.ttl = std::time::Duration::from_hours(24);
    app.reloader
        .reload(
            &app.settings,
            crate::helpers::application_key(&app.settings),
        )
        .unwrap();
    app.visitor().await;
    let lives: Vec<Value> = app
        .vonage
        .requests("POST", "/v1/users")
        .await
        .iter()
        .map(|request| {
            serde_json::from_slice::<Value>(&request.body).unwrap()["properties"]["ttl"].clone()
        })
        .collect();
    assert_eq!(lives, [json!(25 * 3_600), json!(48 * 3_600)]);
}

#[tokio::test]
async fn a_reload_for_another_application_is_refused() {
    let mut app = TestApp::spawn().await;
    app.settings.vonage.application_id = "99999999-bbbb-cccc-dddd-0123456789ab".into();
    let key = crate::helpers::application_key(&app.settings);
    let refused = app.reloader.reload(&app.settings, key).unwrap_err();
    assert!(refused.to_string().contains("restart"), "{refused}");
}
