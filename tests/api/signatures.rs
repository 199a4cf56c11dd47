//! Only Vonage is believed, only what it says to us, and only once.

use chrono::TimeDelta;
use click_to_call::settings::SignaturePolicy;
use reqwest::{Method, StatusCode};
use rsa::pkcs8::EncodePublicKey;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    answers::is_refusal,
    helpers::{JsonOf, SECRET, TestApp, fixture, leg_event, public_key},
};

type BoxedForgery = Box<dyn Fn(&mut Value, &mut Value)>;

/// Each makes a signed request wrong in one way.
fn forgeries() -> Vec<(&'static str, BoxedForgery)> {
    fn claims(change: impl Fn(&mut Value) + 'static) -> BoxedForgery {
        Box::new(move |_, claims| change(claims))
    }
    fn header(change: impl Fn(&mut Value) + 'static) -> BoxedForgery {
        Box::new(move |header, _| change(header))
    }
    fn later(seconds: i64) -> BoxedForgery {
        claims(move |c| c["iat"] = json!(c["iat"].as_i64().unwrap() + seconds))
    }
    fn without(name: &'static str) -> BoxedForgery {
        claims(move |c| {
            c.as_object_mut().unwrap().remove(name);
        })
    }
    let mut table = vec![
        ("stale", later(-303)),
        ("from the future", later(303)),
        (
            "of another account",
            claims(|c| c["api_key"] = json!("ffffffff")),
        ),
        (
            "of another application",
            claims(|c| c["application_id"] = json!("99999999-bbbb-cccc-dddd-0123456789ab")),
        ),
        ("of another issuer", claims(|c| c["iss"] = json!("Nexmo"))),
        (
            "of another body",
            claims(|c| c["payload_hash"] = json!("0".repeat(64))),
        ),
        ("without hash", without("payload_hash")),
        ("without time", without("iat")),
        ("without id", without("jti")),
        ("without issuer", without("iss")),
        (
            "time as text",
            claims(|c| c["iat"] = json!(c["iat"].to_string())),
        ),
        (
            "time as fraction",
            claims(|c| c["iat"] = json!(c["iat"].as_f64().unwrap() + 0.5)),
        ),
        ("id as number", claims(|c| c["jti"] = json!(1))),
        (
            "ended",
            claims(|c| c["exp"] = json!(c["iat"].as_i64().unwrap() - 400)),
        ),
        (
            "not begun",
            claims(|c| c["nbf"] = json!(c["iat"].as_i64().unwrap() + 400)),
        ),
        ("end as text", claims(|c| c["exp"] = json!("9999999999"))),
    ];
    for algorithm in [
        "none", "None", "nOnE", "", "RS256", "HS384", "HS512", "ES256", "EdDSA",
    ] {
        table.push((
            "another algorithm",
            header(move |h| h["alg"] = json!(algorithm)),
        ));
    }
    table.push((
        "an algorithm that is a list",
        header(|h| h["alg"] = json!(["HS256"])),
    ));
    table.push(("no algorithm", header(|h| *h = json!({ "typ": "JWT" }))));
    table
}

async fn refused_everywhere(app: &TestApp, name: &str, authorization: &str, body: &str) {
    let event = app
        .post_webhook("/webhooks/event", authorization, body.to_owned())
        .await;
    assert_eq!(event.problem_of(401).await, "webhook-signature", "{name}");
    let answer = app
        .post_webhook("/webhooks/answer", authorization, body.to_owned())
        .await;
    assert!(is_refusal(&answer.json_of(StatusCode::OK).await), "{name}");
    assert_eq!(app.stored_events(), 0, "{name}");
}

#[tokio::test]
async fn a_wrong_signature_is_refused_whatever_is_wrong_with_it() {
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    let body = fixture("answer/post-pstn-inbound.json").to_string();
    for (name, forgery) in forgeries() {
        let authorization = app.signer.forge(body.as_bytes(), SECRET, &*forgery);
        refused_everywhere(&app, name, &authorization, &body).await;
    }
    let good = app.signer.body(&body);
    let token = good.strip_prefix("Bearer ").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let doubled = {
        let claims = format!(
            "{{\"jti\":\"a\",\"jti\":\"b\",\"iss\":\"Vonage\",\"iat\":{}}}",
            app.clock.now().timestamp()
        );
        crate::webhook_signature::bearer(r#"{"alg":"HS256"}"#, &claims, SECRET)
    };
    for (name, authorization) in [
        (
            "another secret",
            app.signer
                .forge(body.as_bytes(), &SECRET.replace('f', "g"), &|_, _| {}),
        ),
        ("no signature", format!("Bearer {signed}.")),
        ("two parts", format!("Bearer {signed}")),
        ("another scheme", format!("Basic {token}")),
        ("no scheme", token.to_owned()),
        ("nothing", String::new()),
        (
            "longer than any",
            format!("Bearer {}{token}", "A".repeat(9_000)),
        ),
        ("a claim twice", doubled),
    ] {
        refused_everywhere(&app, name, &authorization, &body).await;
    }
    for place in 0..signature.len() {
        // The last character's low bits are padding, so flip one of its high bits.
        let mut flipped = signature.as_bytes().to_vec();
        flipped[place] = if flipped[place] == b'A' { b'Q' } else { b'A' };
        let authorization = format!("Bearer {signed}.{}", String::from_utf8(flipped).unwrap());
        let event = app
            .post_webhook("/webhooks/event", &authorization, body.clone())
            .await;
        assert_eq!(event.status(), 401, "character {place}");
    }
    assert_eq!(
        app.post_webhook("/webhooks/event", &good, body)
            .await
            .status(),
        200,
        "and the good one is taken"
    );
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let app = TestApp::spawn().await;
    let pem = public_key()
        .to_public_key_pem(rsa::pkcs8::LineEnding::LF)
        .unwrap();
    let authorization = app
        .signer
        .forge(b"{}", &pem, &|header, _| header["alg"] = json!("RS256"));
    refused_everywhere(&app, "confusion", &authorization, "{}").await;
    let authorization = app.signer.forge(b"{}", &pem, &|_, _| {});
    refused_everywhere(&app, "confusion", &authorization, "{}").await;
}

#[tokio::test]
async fn every_flipped_bit_of_the_body_is_noticed() {
    let app = TestApp::spawn().await;
    let body = leg_event("leg-1", "CON-1", "ringing", 1).to_string();
    let authorization = app.signer.body(&body);
    for bit in (0..body.len() * 8).step_by(7) {
        let mut changed = body.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        let response = app
            .post_webhook("/webhooks/event", &authorization, changed)
            .await;
        assert_eq!(response.status(), 401, "bit {bit}");
    }
    let spaced = body.replacen(':', ": ", 1);
    assert_eq!(
        app.post_webhook("/webhooks/event", &authorization, spaced)
            .await
            .status(),
        401
    );
    assert_eq!(
        app.post_webhook("/webhooks/event", &authorization, body)
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn unsigned_events_are_asked_for_again_and_unsigned_answers_hear_a_sentence() {
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    let event = app
        .request(Method::POST, "/webhooks/event")
        .json(&leg_event("leg-1", "CON-1", "ringing", 1))
        .send()
        .await
        .unwrap();
    assert!(event.headers().contains_key("retry-after"));
    assert_eq!(event.problem_of(503).await, "webhook-unsigned");
    let answer = app
        .request(Method::POST, "/webhooks/answer")
        .json(&fixture("answer/post-pstn-inbound.json"))
        .send()
        .await
        .unwrap();
    assert!(is_refusal(&answer.json_of(StatusCode::OK).await));
    let answer = app
        .get("/webhooks/answer?from=447700900111&uuid=1&conversation_uuid=CON-1")
        .await;
    assert!(is_refusal(&answer.json_of(StatusCode::OK).await));
    assert_eq!(app.stored_events(), 0);
}

#[tokio::test]
async fn the_window_is_five_minutes_either_way() {
    let app = TestApp::spawn().await;
    for (index, (distance, status)) in [(-298, 200), (298, 200), (-303, 401), (303, 401)]
        .into_iter()
        .enumerate()
    {
        let body =
            leg_event("leg-1", "CON-1", "ringing", u32::try_from(index).unwrap()).to_string();
        let authorization = app.signer.forge(body.as_bytes(), SECRET, &|_, claims| {
            claims["iat"] = json!(claims["iat"].as_i64().unwrap() + distance);
        });
        assert_eq!(
            app.post_webhook("/webhooks/event", &authorization, body)
                .await
                .status(),
            status,
            "{distance}"
        );
    }
}

#[tokio::test]
async fn a_token_is_good_for_one_request() {
    let app = TestApp::spawn().await;
    let reused = |_: &mut Value, claims: &mut Value| claims["jti"] = json!("the-same");
    let (one, two) = (
        leg_event("leg-1", "CON-1", "ringing", 1).to_string(),
        leg_event("leg-1", "CON-1", "answered", 2).to_string(),
    );
    let send = async |body: &str| {
        let authorization = app.signer.forge(body.as_bytes(), SECRET, &reused);
        app.post_webhook("/webhooks/event", &authorization, body.to_owned())
            .await
            .status()
    };
    assert_eq!(send(&one).await, 200);
    assert_eq!(send(&one).await, 200, "a retry");
    assert_eq!(send(&two).await, 401, "a replay");
    assert_eq!(app.stored_events(), 1);
}

#[tokio::test]
async fn a_get_token_is_bound_to_its_query() {
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    let authorization = app.signer.query();
    let ask = async |query: &str| {
        let request = app.request(Method::GET, &format!("/webhooks/answer?{query}"));
        let response = request
            .header("authorization", &authorization)
            .send()
            .await
            .unwrap();
        response.json_of(StatusCode::OK).await
    };
    let first = ask("from=447700900111&uuid=one&conversation_uuid=CON-1").await;
    assert!(!is_refusal(&first));
    assert_eq!(
        ask("from=447700900111&uuid=one&conversation_uuid=CON-1").await,
        first,
        "a retry"
    );
    assert!(
        is_refusal(&ask("from=447700900111&uuid=two&conversation_uuid=CON-2").await),
        "a replay"
    );
}

#[tokio::test]
async fn two_secrets_are_good_while_one_is_being_changed() {
    let next = "the-next-signature-secret-0123456789abcdef";
    let app = TestApp::with(|s| s.vonage.signature_secrets.push(SecretString::from(next))).await;
    for (second, secret) in [SECRET, next].into_iter().enumerate() {
        let body =
            leg_event("leg-1", "CON-1", "ringing", u32::try_from(second).unwrap()).to_string();
        let authorization = app.signer.forge(body.as_bytes(), secret, &|_, _| {});
        assert_eq!(
            app.post_webhook("/webhooks/event", &authorization, body)
                .await
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn recorded_requests_verify_at_their_time() {
    for (name, accepted) in [
        ("post-event", true),
        ("post-event-tampered-body", false),
        ("post-event-other-api-key", false),
        ("post-event-other-application", false),
    ] {
        let recorded = fixture(&format!("signed-webhooks/{name}.json"));
        let app = TestApp::spawn().await;
        let signed_at = fixture("signed-webhooks/post-event.json")["claims"]["iat"]
            .as_i64()
            .unwrap();
        app.clock
            .advance(TimeDelta::seconds(signed_at - app.clock.now().timestamp()));
        let parts: Vec<&str> = recorded["token_parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p.as_str().unwrap())
            .collect();
        let authorization = format!("Bearer {}", parts.join("."));
        let body = recorded["raw_body"].as_str().unwrap().to_owned();
        let response = app
            .post_webhook("/webhooks/event", &authorization, body)
            .await;
        assert_eq!(
            response.status(),
            if accepted { 200 } else { 401 },
            "{name}"
        );
    }
}

#[tokio::test]
async fn with_signatures_off_everybody_is_believed() {
    let app = TestApp::with(|s| s.webhooks.signatures = SignaturePolicy::Off).await;
    let event = app
        .request(Method::POST, "/webhooks/event")
        .json(&leg_event("leg-1", "CON-1", "ringing", 1))
        .send()
        .await
        .unwrap();
    assert_eq!(event.status(), 200);
    assert_eq!(app.stored_events(), 1);
}

#[tokio::test]
async fn a_get_is_judged_as_strictly_but_for_the_hash() {
    let app = TestApp::with(|s| s.calls.phone_line = true).await;
    let query = "from=447700900111&uuid=leg-1&conversation_uuid=CON-1&status=ringing&timestamp=1";
    let ask = async |path: &str, authorization: &str| {
        let request = app.request(Method::GET, &format!("{path}?{query}"));
        request
            .header("authorization", authorization)
            .send()
            .await
            .unwrap()
    };
    for (name, forgery) in forgeries() {
        if name == "of another body" || name == "without hash" {
            continue;
        }
        let authorization = app.signer.forge(b"{}", SECRET, &*forgery);
        let event = ask("/webhooks/event", &authorization).await;
        assert_eq!(event.problem_of(401).await, "webhook-signature", "{name}");
        let answer = ask("/webhooks/answer", &authorization).await;
        assert!(is_refusal(&answer.json_of(StatusCode::OK).await), "{name}");
    }
    assert_eq!(app.stored_events(), 0);
    assert_eq!(
        ask("/webhooks/event", &app.signer.query()).await.status(),
        200
    );
}
