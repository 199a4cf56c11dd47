use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::place::Place;

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn openssl_verifies_the_token() {
    let place = Place::ready();
    let token = place.run(&["token", "--user", "supportuser"]).done().out;
    let (message, signature) = token.trim().rsplit_once('.').unwrap();
    place.write("message", message);
    std::fs::write(
        place.path("signature"),
        URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
    .unwrap();
    let public = place.run(&["keygen", "--public"]).done().out;
    place.write("public.pem", &public);
    let said = place.openssl("dgst -sha256 -verify public.pem -signature signature message");
    assert_eq!(said.trim(), "Verified OK");
}

#[test]
fn the_token_says_what_the_settings_say() {
    let mut place = Place::ready();
    place.set(
        "CLICK_TO_CALL__TOKEN__ACL",
        "/*/users/**,/*/rtc/**,/*/users/**",
    );
    place.set("CLICK_TO_CALL__TOKEN__TTL_SECONDS", "3600");
    for (args, life) in [
        (&["token", "--user", "ann"][..], 3600),
        (&["token", "--user", "ann", "--ttl-seconds", "30"], 30),
    ] {
        let token = place.run(args).done().out;
        let parts: Vec<&str> = token.trim().split('.').collect();
        assert_eq!(decode(parts[0]), json!({"alg": "RS256", "typ": "JWT"}));
        let claims = decode(parts[1]);
        assert_eq!(
            claims["application_id"],
            "78d335fa-323d-0114-9c3d-d6f0d48968cf"
        );
        assert_eq!(claims["sub"], "ann");
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            life
        );
        assert_eq!(
            claims["acl"],
            json!({"paths": {"/*/users/**": {}, "/*/rtc/**": {}}})
        );
    }
}

#[test]
fn a_token_needs_settings_and_key() {
    Place::empty()
        .run(&["token", "--user", "ann"])
        .failed()
        .says("there are 5 faults in the settings");
}
