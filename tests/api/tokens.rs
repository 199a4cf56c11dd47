//! What is signed, checked by others than those who signed it.

use std::{collections::HashSet, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::StatusCode;
use rsa::{
    RsaPublicKey,
    pkcs1v15::{Signature, VerifyingKey},
    pkcs8::EncodePublicKey,
    sha2::Sha256,
    signature::Verifier,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::helpers::{APPLICATION, JsonOf, TestApp, application_key, new_key, public_key};

fn parts(token: &str) -> (Value, Value) {
    let decode =
        |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let mut parts = token.split('.');
    (decode(parts.next().unwrap()), decode(parts.next().unwrap()))
}

fn verifies(token: &str, key: &RsaPublicKey) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signature = Signature::try_from(signature.as_slice()).unwrap();
    VerifyingKey::<Sha256>::new(key.clone())
        .verify(signed.as_bytes(), &signature)
        .is_ok()
}

#[tokio::test]
async fn a_token_says_exactly_what_the_contract_says() {
    let app = TestApp::spawn().await;
    let opened = app
        .open_session(None)
        .await
        .json_of(StatusCode::CREATED)
        .await;
    let token = opened["token"].as_str().unwrap();

    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    assert_eq!(
        header,
        br#"{"alg":"RS256","typ":"JWT"}"#.as_slice(),
        "{}",
        String::from_utf8_lossy(&header)
    );

    let (_, mut claims) = parts(token);
    let (iat, exp) = (
        claims["iat"].as_i64().unwrap(),
        claims["exp"].as_i64().unwrap(),
    );
    assert_eq!(exp - iat, 86_400);
    assert!(iat.abs_diff(app.clock.now().timestamp()) <= 2);
    let jti = claims["jti"].as_str().unwrap();
    assert_eq!(uuid::Uuid::parse_str(jti).unwrap().get_version_num(), 4);
    let names = [
        "users",
        "conversations",
        "sessions",
        "devices",
        "image",
        "media",
        "applications",
        "push",
        "knocking",
        "legs",
        "rtc",
    ];
    let paths: serde_json::Map<_, _> = names
        .iter()
        .map(|name| (format!("/*/{name}/**"), json!({})))
        .collect();
    let claims = claims.as_object_mut().unwrap();
    for varying in ["iat", "exp", "jti"] {
        claims.remove(varying);
    }
    let expected =
        json!({ "application_id": APPLICATION, "sub": opened["user"], "acl": { "paths": paths } });
    assert_eq!(Value::Object(claims.clone()), expected);
}

#[tokio::test]
async fn openssl_agrees() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (signed, signature) = visitor.token.rsplit_once('.').unwrap();
    let file = |name: &str| app.folder.path().join(name);
    std::fs::write(file("signed"), signed).unwrap();
    std::fs::write(
        file("signature"),
        URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
    .unwrap();
    let pem = public_key()
        .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap();
    std::fs::write(file("public.pem"), pem).unwrap();

    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-verify"])
        .arg(file("public.pem"))
        .arg("-signature")
        .args([file("signature"), file("signed")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tokens_under_64_clients_all_verify() {
    const CLIENTS: usize = 64;
    const EACH: usize = 157;
    let app = TestApp::spawn().await;
    let session = app.visitor().await.session;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let request = app
            .request(reqwest::Method::GET, "/auth/me")
            .bearer_auth(&session);
        clients.spawn(async move {
            let mut tokens = Vec::with_capacity(EACH);
            for _ in 0..EACH {
                let response = request.try_clone().unwrap().send().await.unwrap();
                tokens.push(response.json::<String>().await.unwrap());
            }
            tokens
        });
    }
    let tokens: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    assert!(tokens.len() >= 10_000);
    let key = public_key();
    assert!(tokens.iter().all(|token| verifies(token, &key)));
    let ids: HashSet<String> = tokens
        .iter()
        .map(|token| parts(token).1["jti"].to_string())
        .collect();
    assert_eq!(ids.len(), tokens.len(), "a jti was used twice");
}

#[tokio::test]
async fn a_new_key_is_used_from_the_reload_on() {
    let mut app = TestApp::spawn().await;
    let session = app.visitor().await.session;
    let token = async |app: &TestApp| -> String {
        let request = app
            .request(reqwest::Method::GET, "/auth/me")
            .bearer_auth(&session);
        request.send().await.unwrap().json().await.unwrap()
    };
    assert!(verifies(&token(&app).await, &public_key()));

    let key = new_key();
    app.replace_key(&key);
    app.reloader
        .reload(&app.settings, application_key(&app.settings))
        .unwrap();
    assert!(verifies(&token(&app).await, &key.to_public_key()));
}
