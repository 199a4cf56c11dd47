//! The proof that an address leads to this installation.

use click_to_call::domain::installation::{AddressSource, InstallationSeal, Nonce, Presence};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;

use crate::helpers::{JsonOf, TestApp};

const SECRET: &str = "a-session-secret-of-more-than-32-characters";

async fn app(trusted_proxies: &[&str]) -> (TestApp, InstallationSeal) {
    let trusted = trusted_proxies
        .iter()
        .map(|net| net.parse().unwrap())
        .collect();
    let app = TestApp::with(|settings| {
        settings.visitors.session_secret = Some(SecretString::from(SECRET));
        settings.http.trusted_proxies = trusted;
    })
    .await;
    (app, InstallationSeal::new(SECRET.as_bytes()))
}

fn path(nonce: &str) -> String {
    format!("/.well-known/click-to-call/{nonce}")
}

async fn ask(app: &TestApp, nonce: &Nonce, question: &str, forwarded: Option<&str>) -> Value {
    let mut request = app
        .request(Method::GET, &path(nonce.as_str()))
        .bearer_auth(question);
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    request.send().await.unwrap().json_of(StatusCode::OK).await
}

#[tokio::test]
async fn strangers_get_the_proof_and_nothing_else() {
    let (app, seal) = app(&[]).await;
    let nonce = Nonce::random();
    let response = app.get(&path(nonce.as_str())).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let answer = response.json_of(StatusCode::OK).await;
    let proof = answer["proof"].as_str().unwrap();
    assert!(seal.is_proof(&nonce, None, proof));
    assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    assert!(!seal.is_proof(&Nonce::random(), None, proof));
    // A wrong question, and the right one for another nonce, are strangers' too.
    for question in ["guess".to_owned(), seal.question(&Nonce::random())] {
        let answer = ask(&app, &nonce, &question, None).await;
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn holders_of_the_secret_are_told_how_their_request_came() {
    for (trusted, forwarded, client) in [
        (&[][..], None, AddressSource::Connection),
        (&[], Some("192.0.2.7"), AddressSource::Untrusted),
        (&["127.0.0.1/32"], None, AddressSource::Missing),
        (
            &["127.0.0.1/32"],
            Some("192.0.2.7"),
            AddressSource::Forwarded,
        ),
    ] {
        let (app, seal) = app(trusted).await;
        let nonce = Nonce::random();
        let answer = ask(&app, &nonce, &seal.question(&nonce), forwarded).await;
        let presence: Presence = serde_json::from_value(answer.clone()).unwrap();
        assert_eq!(presence.client, client);
        assert_eq!(presence.version, env!("CARGO_PKG_VERSION"));
        assert!(presence.peer.is_loopback());
        let proof = answer["proof"].as_str().unwrap();
        assert!(seal.is_proof(&nonce, Some(&presence), proof));
    }
}

#[tokio::test]
async fn without_a_secret_in_the_settings_the_stores_own_is_used() {
    let app = TestApp::spawn().await;
    let nonce = Nonce::random();
    let answer = app
        .get(&path(nonce.as_str()))
        .await
        .json_of(StatusCode::OK)
        .await;
    let app = app.restart().await;
    let again = app
        .get(&path(nonce.as_str()))
        .await
        .json_of(StatusCode::OK)
        .await;
    assert_eq!(answer["proof"], again["proof"]);
}

#[tokio::test]
async fn anything_but_a_nonce_is_not_there() {
    let (app, _seal) = app(&[]).await;
    for nonce in [
        "abc",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdef0",
    ] {
        let problem = app.get(&path(nonce)).await.problem_of(404).await;
        assert_eq!(problem, "not-found");
    }
}

#[tokio::test]
async fn one_address_can_not_ask_for_ever() {
    let (app, _seal) = app(&[]).await;
    let nonce = Nonce::random();
    let mut refused = None;
    for _ in 0..100 {
        let response = app.get(&path(nonce.as_str())).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("a limit");
    assert!(refused.headers().contains_key("retry-after"));
}
