use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeZone, Utc};
use click_to_call::{
    cli::{
        Handles, Outcome,
        inspect::{self, InspectArgs},
    },
    domain::clock::Clock,
};
use serde_json::{Value, json};

use crate::{place::Place, webhook_signature};

/// When the tokens of these tests are looked at.
fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 15, 0, 0).unwrap()
}

/// A good user's token, changed as the test needs it.
fn claims(change: Value) -> Value {
    let iat = now().timestamp() - 180;
    let mut claims = json!({
        "application_id": "78d335fa-323d-0114-9c3d-d6f0d48968cf",
        "sub": "ann",
        "iat": iat,
        "exp": iat + 3600,
        "jti": "b2c1f0fa-8d4e-4b0f-9b0a-1f2f3f4f5f6f",
        "acl": {"paths": {
            "/*/sessions/**": {}, "/*/users/**": {}, "/*/conversations/**": {},
            "/*/knocking/**": {}, "/*/legs/**": {}, "/*/rtc/**": {},
        }},
    });
    let Value::Object(change) = change else {
        panic!("a change is an object");
    };
    let members = claims.as_object_mut().unwrap();
    for (name, value) in change {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims
}

fn token(algorithm: &str, claims: &Value) -> String {
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let header = json!({"alg": algorithm, "typ": "JWT"}).to_string();
    let signature = [7; 256];
    [
        encode(header.as_bytes()),
        encode(claims.to_string().as_bytes()),
        encode(&signature),
    ]
    .join(".")
}

fn inspect(text: &str) -> (anyhow::Result<Outcome>, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = InspectArgs {
        token: "-".to_owned(),
        ours: false,
    };
    let no_sources = || panic!("no settings are needed");
    let mut handles = Handles {
        input: &mut text.as_bytes(),
        out: &mut out,
        err: &mut err,
    };
    let outcome = inspect::run(&args, &no_sources, now(), &mut handles);
    (outcome, String::from_utf8(out).unwrap())
}

#[test]
fn a_token_of_ours_is_told_in_words() {
    let place = Place::ready();
    let token = place.run(&["token", "--user", "ann"]).done().out;
    // No settings are needed to read it, and it can come in any of three ways.
    let elsewhere = Place::empty();
    for run in [
        elsewhere.run(&["token", "inspect", token.trim()]),
        elsewhere.run_with_input(&["token", "inspect", "-"], &token),
        elsewhere.run_with_input(&["token", "inspect"], &format!("\"{}\"", token.trim())),
        elsewhere.run_with_input(&["token", "inspect"], &format!("Bearer {token}")),
    ] {
        let run = run.done().says("Nothing is wrong with it");
        for words in [
            "a user's token",
            "\"ann\"",
            "1 day",
            "what token.acl = \"client-sdk\" opens",
            "sends and receives sound",
        ] {
            assert!(run.out.contains(words), "{words:?} is not in {}", run.out);
        }
        assert!(!run.out.contains(token.trim().rsplit('.').next().unwrap()));
    }
}

#[test]
fn times_are_told_in_words() {
    let (outcome, said) = inspect(&token("RS256", &claims(json!({}))));
    assert_eq!(outcome.unwrap(), Outcome::Done);
    assert!(
        said.contains("issued       2026-11-22T14:57:00Z, 3 min ago"),
        "{said}"
    );
    assert!(
        said.contains("ends         2026-11-22T15:57:00Z, in 57 min"),
        "{said}"
    );
    assert!(said.contains("life         1 h\n"), "{said}");
}

#[test]
fn what_is_wrong_is_told() {
    let now = now().timestamp();
    for (change, words) in [
        (
            json!({"iat": now - 7200, "exp": now - 3600}),
            "it has ended (system:error:expired-token)",
        ),
        (
            json!({"iat": now, "exp": now + 86_401}),
            "more than 24 hours",
        ),
        (json!({"iat": now, "exp": now + 29}), "less than 30 seconds"),
        (
            json!({"iat": now - 90_000, "exp": now + 3600}),
            "issued more than 24 hours ago",
        ),
        (
            json!({"iat": now + 600, "exp": now + 1200}),
            "issued in the future",
        ),
        (json!({"iat": null}), "iat is missing"),
        (json!({"nbf": now + 60}), "it has not begun"),
        (
            json!({"exp": (now + 60).to_string()}),
            "a whole number of seconds belongs",
        ),
        (json!({"iat": now - 901, "exp": null}), "it has ended"),
        (json!({"application_id": null}), "application_id is missing"),
        (
            json!({"application_id": "my-app"}),
            "application_id is no UUID",
        ),
        (json!({"sub": "USR-1234"}), "sub is the user's id"),
        (json!({"sub": 7}), "sub must be the user's name"),
        (json!({"jti": null}), "jti is missing"),
        (json!({"acl": null}), "acl is missing"),
        (
            json!({"acl": {"/*/users/**": {}}}),
            "acl has no paths in it",
        ),
        (
            json!({"acl": {"paths": {"/*/users/**": {}}}}),
            "/*/legs/** is missing",
        ),
        (
            json!({"acl": {"paths": {"/**": {}}}}),
            "\"/**\" names nothing",
        ),
        (
            json!({"acl": {"paths": {"/*/calls/**": {}}}}),
            "names calls",
        ),
    ] {
        let (outcome, said) = inspect(&token("RS256", &claims(change.clone())));
        assert_eq!(outcome.unwrap(), Outcome::Failed, "{change}");
        assert!(said.contains(words), "{change}: {said}");
    }
    let (_, said) = inspect(&token("HS512", &claims(json!({}))));
    assert!(said.contains("Vonage takes RS256 only"), "{said}");
}

#[test]
fn ours_is_known_from_others() {
    let mut place = Place::ready();
    let token = place.run(&["token", "--user", "ann"]).done().out;
    place
        .run_with_input(&["token", "inspect", "--ours"], &token)
        .done()
        .says("It is of this installation");

    place.set(
        "VONAGE_APPLICATION_ID",
        "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    );
    let other_key = Place::empty();
    other_key.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.key");
    place.set(
        "VONAGE_PRIVATE_KEY_FILE",
        other_key.path("private.key").to_str().unwrap(),
    );
    place
        .run_with_input(&["token", "inspect", "--ours"], &token)
        .failed()
        .says("it is for another application")
        .says("not signed with this installation's key");

    place.set("VONAGE_NUMBER", "nonsense");
    place
        .run_with_input(&["token", "inspect", "--ours"], &token)
        .failed()
        .says("vonage.number");
}

#[test]
fn a_webhooks_signature_is_judged_by_our_secret() {
    let mut place = Place::ready();
    let secret = place.variables["VONAGE_SIGNATURE_SECRET"].clone();
    let now = Clock::system().now().timestamp();
    let application = &place.variables["VONAGE_APPLICATION_ID"];
    let claims = webhook_signature::claims(b"{}", now, "abcd1234", application).to_string();
    let token = webhook_signature::bearer(r#"{"alg":"HS256","typ":"JWT"}"#, &claims, &secret);
    let inspect = |place: &Place| place.run_with_input(&["token", "inspect", "--ours"], &token);
    inspect(&place).done().says("It is of this installation");
    place.set("VONAGE_API_KEY", "other123");
    inspect(&place).failed().says("compare VONAGE_API_KEY");
    place.set(
        "VONAGE_SIGNATURE_SECRET",
        "another-secret-of-at-least-32-letters",
    );
    inspect(&place)
        .failed()
        .says("not signed with our signature secret");
}

#[test]
fn extreme_times_are_told_too() {
    for extreme in [i64::MIN, i64::MAX] {
        for (algorithm, change) in [
            (
                "RS256",
                json!({"iat": extreme, "exp": -extreme.saturating_add(1)}),
            ),
            ("HS256", json!({"iat": extreme, "payload_hash": "00"})),
        ] {
            let (outcome, said) = inspect(&token(algorithm, &claims(change)));
            assert_eq!(outcome.unwrap(), Outcome::Failed);
            assert!(said.contains("which is no time"), "{said}");
        }
    }
}

#[test]
fn an_applications_own_token_is_known() {
    let (outcome, said) = inspect(&token("RS256", &claims(json!({"sub": null, "acl": null}))));
    assert_eq!(outcome.unwrap(), Outcome::Done);
    assert!(said.contains("an application's own token"), "{said}");
}

#[test]
fn a_webhooks_token_is_known() {
    let claims = |iat: i64| json!({"iat": iat, "jti": "a", "iss": "Vonage", "payload_hash": "00", "api_key": "abcd1234"});
    let now = now().timestamp();
    let (outcome, said) = inspect(&token("HS256", &claims(now - 5)));
    assert_eq!(outcome.unwrap(), Outcome::Done);
    assert!(
        said.contains("a webhook's signature") && said.contains("abcd1234"),
        "{said}"
    );
    let (outcome, said) = inspect(&token("HS256", &claims(now - 301)));
    assert_eq!(outcome.unwrap(), Outcome::Failed);
    assert!(said.contains("webhooks.tolerance_seconds"), "{said}");
}

#[test]
fn what_is_no_token_is_told() {
    for (text, words) in [
        ("", "it has 0 parts"),
        ("hello", "it has 1 parts"),
        ("a.b", "it has 2 parts"),
        ("a.b.", "no signature"),
        ("e30.e30.!", "not base64url"),
        ("!.e30.AAAA", "the header can't be read"),
        ("e30.W10.AAAA", "the claims can't be read"),
    ] {
        let (outcome, said) = inspect(text);
        let error = format!("{:#}", outcome.unwrap_err());
        assert!(error.contains(words), "{text:?}: {error}");
        assert_eq!(said, "");
    }
}

#[test]
fn a_token_can_not_write_to_the_terminal() {
    let (_, said) = inspect(&token(
        "RS256",
        &claims(json!({"sub": "a\u{1b}[31m\u{202e}b"})),
    ));
    assert!(
        !said.contains('\u{1b}') && !said.contains('\u{202e}'),
        "{said:?}"
    );
}
