//! The page and its files, as a browser gets them.

use reqwest::{Method, StatusCode};

use crate::helpers::{JsonOf, TestApp};

async fn page(app: &TestApp, path: &str, accept_language: &str) -> String {
    let response = app
        .request(Method::GET, path)
        .header("accept-language", accept_language)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

#[tokio::test]
async fn the_page_speaks_the_visitors_language() {
    let app = TestApp::spawn().await;
    assert!(page(&app, "/", "en-GB").await.contains("<html lang=\"en\""));
    assert!(
        page(&app, "/", "ja-JP,en;q=0.5")
            .await
            .contains("<html lang=\"ja\"")
    );
    assert!(
        page(&app, "/?lang=ja", "en")
            .await
            .contains("<html lang=\"ja\"")
    );
    assert!(
        page(&app, "/?lang=xx", "fr")
            .await
            .contains("<html lang=\"en\"")
    );
}

#[tokio::test]
async fn the_policy_names_ourselves_and_vonage_only() {
    let app = TestApp::with(|s| {
        s.vonage.client_api_url = "https://api-us.vonage.com".parse().unwrap();
        s.vonage.websocket_url = "https://ws-us.vonage.com".parse().unwrap();
    })
    .await;
    let response = app.get("/").await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "wss://ws-us.vonage.com",
        "https://api-us.vonage.com",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(
        !policy.contains('*') && !policy.contains("unsafe"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_telephone_link_is_shown_only_when_there_is_a_number_to_show() {
    let app = TestApp::spawn().await;
    assert!(!page(&app, "/", "en").await.contains("tel:"));
    let app = TestApp::with(|s| s.page.phone_number = Some("442079460999".parse().unwrap())).await;
    assert!(
        page(&app, "/", "en")
            .await
            .contains("href=\"tel:+442079460999\"")
    );
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    assert!(
        page(&app, "/", "en")
            .await
            .contains("href=\"tel:+442079460000\"")
    );
}

#[tokio::test]
async fn an_unknown_line_is_not_a_page() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/?line=support").await.status(), 200);
    assert_eq!(
        app.get("/?line=premium").await.problem_of(404).await,
        "unknown-line"
    );
}

#[tokio::test]
async fn the_script_that_websites_include_leads_to_versioned_files() {
    let app = TestApp::spawn().await;
    let embed = app.get("/embed.js").await;
    assert_eq!(embed.headers()["access-control-allow-origin"], "*");
    assert_eq!(embed.headers()["cache-control"], "no-cache");
    let script = embed.text().await.unwrap();
    let module = script
        .split('"')
        .nth(1)
        .unwrap()
        .strip_prefix('.')
        .unwrap()
        .to_owned();

    let file = app
        .request(Method::GET, &module)
        .header("accept-encoding", "gzip, br")
        .send()
        .await
        .unwrap();
    assert_eq!(file.headers()["content-encoding"], "br");
    assert_eq!(
        file.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert!(
        file.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert_eq!(file.headers()["vary"], "accept-encoding");
    let etag = file.headers()["etag"].clone();
    let again = app
        .request(Method::GET, &module)
        .header("accept-encoding", "gzip, br")
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());

    let old = app
        .get("/static/0000000000000000/js/click-to-call.js")
        .await;
    assert_eq!(old.status(), 200);
    assert_eq!(old.headers()["cache-control"], "no-cache");
    for path in [
        "/static/x/../../Cargo.toml",
        "/static/x/%2e%2e/%2e%2e/Cargo.toml",
        "/static/x/nothing.js",
        "/static/x/",
    ] {
        assert_eq!(app.get(path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn every_problem_is_explained_where_its_type_leads() {
    let app = TestApp::spawn().await;
    let page = page(&app, "/problems", "en").await;
    for kind in click_to_call::routes::error::ProblemKind::ALL {
        assert!(
            page.contains(&format!("id=\"{}\"", kind.slug())),
            "{}",
            kind.slug()
        );
    }
}
