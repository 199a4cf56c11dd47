//! No secret comes out again, whatever goes wrong.

use crate::place::{Place, Run, set_mode};

const CANARY: &str = "canary";

#[track_caller]
fn keeps_its_secrets(run: &Run) {
    let said = format!("{}{}", run.out, run.err).to_lowercase();
    assert!(!said.contains(CANARY), "{said}");
}

#[test]
fn secrets_are_never_echoed_right_or_wrong() {
    let long = format!("{CANARY}-{CANARY}-{CANARY}-{CANARY}-{CANARY}");
    for value in [
        long.clone(),
        CANARY.to_owned(),
        format!(" {long}"),
        format!("-----BEGIN PRIVATE KEY-----\\n{CANARY}\\n-----END PRIVATE KEY-----"),
    ] {
        let mut place = Place::ready();
        place.set("RUST_LOG", "trace");
        for name in [
            "VONAGE_PRIVATE_KEY",
            "VONAGE_SIGNATURE_SECRET",
            "VONAGE_PREVIOUS_SIGNATURE_SECRET",
            "VONAGE_API_SECRET",
            "SESSION_SECRET",
            "CLICK_TO_CALL__VISITORS__SERVICE_KEYS",
        ] {
            place.set(name, &value);
        }
        place.set("DATABASE_URL", &format!("postgres://ann:{CANARY}@db/calls"));
        for args in [
            &["config", "check"][..],
            &["config", "show"],
            &["config", "show", "--json"],
            &["token", "--user", "ann"],
        ] {
            keeps_its_secrets(&place.run(args));
        }
    }
}

#[test]
fn secrets_in_the_wrong_place_are_not_echoed() {
    for (name, value) in [
        ("DATABASE_URL", "postgres://ann:canary@db/"),
        ("DATABASE_URL", "postgres://ann@db/calls?password=canary"),
        ("DATABASE_URL", "postgres://ann:can#canary@db/calls"),
        ("PUBLIC_URL", "https://ann:canary@calls.example.com"),
        ("VONAGE_NUMBER", "-----BEGIN PRIVATE KEY-----canary"),
        (
            "VONAGE_PRIVATE_KEY_FILE",
            "-----BEGIN PRIVATE KEY-----\ncanary",
        ),
        ("CLICK_TO_CALL__VONAGE__SECRET", "canary"),
        ("SESSION_SECRET_FILE", "canary"),
    ] {
        let mut place = Place::ready();
        place.set(name, value);
        keeps_its_secrets(&place.run(&["config", "check"]).failed());
    }
}

#[test]
fn broken_files_do_not_show_their_lines() {
    let place = Place::ready();
    place.write(
        "config/a.toml",
        "[vonage]\napi_secret = \"canary\nnumber = 1\n",
    );
    place.write("config/b.toml", "[vonage]\napi_secret = \"canary\" x\n");
    place.write("config/c.toml", "[vonage]\nsecret = \"canary\"\n");
    place.write(
        "config/d.toml",
        "[vonage]\napi_secret = { canary = \"canary\" }\n",
    );
    place.write(".env", "VONAGE_API_SECRET=\"canary\n");
    let run = place.run(&["config", "check"]).failed();
    assert!(run.err.contains("there are 5 faults"), "{}", run.err);
    keeps_its_secrets(&run);
}

#[test]
fn key_files_are_not_echoed() {
    for text in [
        "canary",
        "/etc/canary.key",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "-----BEGIN CANARY-----\n",
    ] {
        let place = Place::ready();
        set_mode(&place.write_key(text), 0o600);
        keeps_its_secrets(&place.run(&["config", "check"]).failed());
        keeps_its_secrets(&place.run(&["keygen", "--public"]).failed());
    }
}
