//! What can be wrong, and how it is told.

use click_to_call::settings::{self, SourcePath};
use tempfile::TempDir;

use super::{load, load_toml, sources, the_fault};

/// A wrong variable, the key it sets, and words of the fault.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("PORT", "70000", "http.port", "a port from 0 to 65535"),
    (
        "CLICK_TO_CALL__HTTP__BIND",
        "localhost",
        "http.bind",
        "an IP address",
    ),
    (
        "PUBLIC_URL",
        "https://example.com/calls",
        "http.public_url",
        "has the path /calls",
    ),
    (
        "PUBLIC_URL",
        "https://example.com?a=b",
        "http.public_url",
        "query",
    ),
    (
        "PUBLIC_URL",
        "https://ann:pw@example.com",
        "http.public_url",
        "user name",
    ),
    (
        "PUBLIC_URL",
        "example.com",
        "http.public_url",
        "is not an address",
    ),
    (
        "PUBLIC_URL",
        "ftp://example.com",
        "http.public_url",
        "https://",
    ),
    (
        "CLICK_TO_CALL__HTTP__TRUSTED_PROXIES",
        "10.0.0.1, 0.0.0.0/0",
        "http.trusted_proxies",
        "at item 2: is everybody",
    ),
    (
        "VONAGE_APPLICATION_ID",
        "00000000-0000-0000-0000-000000000000",
        "vonage.application_id",
        "placeholder",
    ),
    (
        "VONAGE_APPLICATION_ID",
        "my-app",
        "vonage.application_id",
        "is not a UUID",
    ),
    (
        "VONAGE_NUMBER",
        "07700 900000",
        "vonage.number",
        "country code",
    ),
    (
        "VONAGE_REGION",
        "us-east",
        "vonage.region",
        "\"us\" or \"eu\" or \"ap\"",
    ),
    (
        "VONAGE_API_URL",
        "https://api.example.com/v1",
        "vonage.api_url",
        "has the path /v1",
    ),
    (
        "CLICK_TO_CALL__VONAGE__USERS_PER_SECOND",
        "0",
        "vonage.users_per_second",
        "is less than 1",
    ),
    (
        "CLICK_TO_CALL__TOKEN__TTL_SECONDS",
        "90000",
        "token.ttl_seconds",
        "is more than 86400",
    ),
    (
        "CLICK_TO_CALL__TOKEN__TTL_SECONDS",
        "29",
        "token.ttl_seconds",
        "is less than 30",
    ),
    (
        "CLICK_TO_CALL__TOKEN__TTL_SECONDS",
        "1h",
        "token.ttl_seconds",
        "is not a whole number",
    ),
    (
        "CLICK_TO_CALL__TOKEN__TTL_SECONDS",
        "99999999999999999999",
        "token.ttl_seconds",
        "is more than",
    ),
    (
        "CLICK_TO_CALL__TOKEN__ACL",
        "/*/users/**,/*/calls/**",
        "token.acl",
        "at item 2: names calls",
    ),
    (
        "CLICK_TO_CALL__TOKEN__ACL",
        "/**",
        "token.acl",
        "everything",
    ),
    (
        "CLICK_TO_CALL__VISITORS__USERS",
        "one",
        "visitors.users",
        "per-visitor",
    ),
    (
        "CLICK_TO_CALL__VISITORS__LEGACY_USERS",
        "me",
        "visitors.legacy_users",
        "uses itself",
    ),
    (
        "CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS",
        "https://a.example/",
        "visitors.allowed_origins",
        "send it as https://a.example;",
    ),
    (
        "CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS",
        "*",
        "visitors.allowed_origins",
        "wildcards",
    ),
    (
        "CLICK_TO_CALL__VISITORS__ALLOWED_ORIGINS",
        "null",
        "visitors.allowed_origins",
        "sandboxed",
    ),
    (
        "CLICK_TO_CALL__VISITORS__SERVICE_KEYS",
        "short",
        "visitors.service_keys",
        "item 1: has 5 characters",
    ),
    (
        "SESSION_SECRET",
        "short",
        "visitors.session_secret",
        "too short",
    ),
    (
        "CLICK_TO_CALL__CALLS__TICKETS",
        "none",
        "calls.tickets",
        "\"required\" or \"optional\"",
    ),
    (
        "CLICK_TO_CALL__CALLS__TICKET_SECONDS",
        "61",
        "calls.ticket_seconds",
        "5 to 60",
    ),
    (
        "CLICK_TO_CALL__CALLS__PHONE_LINE",
        "sales",
        "calls.phone_line",
        "\"support\"",
    ),
    (
        "CLICK_TO_CALL__CALLS__RING_SECONDS",
        "4",
        "calls.ring_seconds",
        "5 to 120",
    ),
    (
        "CLICK_TO_CALL__CALLS__LIMIT_SECONDS",
        "7201",
        "calls.limit_seconds",
        "60 to 7200",
    ),
    (
        "CLICK_TO_CALL__LINES__SUPPORT__EN__GREETING",
        "<speak>hi</speak>",
        "lines.support.en.greeting",
        "is SSML",
    ),
    (
        "CLICK_TO_CALL__LINES__SUPPORT__JA__TTS_LANGUAGE",
        "Japanese",
        "lines.support.ja.tts_language",
        "language code",
    ),
    (
        "CLICK_TO_CALL__WEBHOOKS__SIGNATURES",
        "no",
        "webhooks.signatures",
        "\"required\" or \"off\"",
    ),
    (
        "DATABASE_URL",
        "postgres://db/calls",
        "database.url",
        "names no user",
    ),
    (
        "DATABASE_URL",
        "mysql://ann@db/calls",
        "database.url",
        "begins with neither sqlite:// nor postgres://",
    ),
    (
        "CLICK_TO_CALL__DATABASE__CONNECTIONS",
        "1",
        "database.connections",
        "is less than 2",
    ),
    (
        "CLICK_TO_CALL__RETENTION__DAYS",
        "0",
        "retention.days",
        "is less than 1",
    ),
    (
        "CLICK_TO_CALL__PAGE__VIEWS_DIR",
        "/no/such/folder",
        "page.views_dir",
        "is not a folder",
    ),
    (
        "CLICK_TO_CALL__LOG__FORMAT",
        "xml",
        "log.format",
        "\"auto\" or \"text\" or \"json\"",
    ),
    (
        "RUST_LOG",
        "click_to_call=loud",
        "log.filter",
        "is no log filter",
    ),
    (
        "VONAGE_SIGNATURE_SECRET",
        "a secret with a blank at its end ",
        "vonage.signature_secret",
        "begins or ends with a blank",
    ),
    (
        "DESTINATION_PHONE_NUMBER",
        "+44 7700 900000",
        "lines.support.destination",
        "the same as vonage.number",
    ),
];

#[test]
fn each_kind_of_fault_names_key_source_and_form() {
    for (name, value, key, words) in FAULTS {
        let fault = the_fault(load(&[(*name, *value)]));
        assert!(fault.starts_with(key), "{name}={value}: {fault}");
        assert!(fault.contains(words), "{name}={value}: {fault}");
        assert!(!fault.contains('\n'), "{fault}");
        if !key.contains("secret") && !key.contains("keys") && *key != "lines.support.destination" {
            assert!(fault.contains(&format!("variable {name}")), "{fault}");
            assert!(fault.contains("expected "), "{fault}");
        }
    }
}

#[test]
fn three_faults_are_told_together() {
    let faults = load(&[
        ("PORT", "x"),
        ("VONAGE_NUMBER", "12"),
        ("CLICK_TO_CALL__HTPP__PORT", "1"),
    ]);
    let text = faults.unwrap_err().to_string();
    assert!(
        text.starts_with("there are 3 faults in the settings\n"),
        "{text}"
    );
    for words in [
        "http.port: \"x\" (variable PORT) is not a port; expected",
        "vonage.number: \"12\" (variable VONAGE_NUMBER) is no number",
        "CLICK_TO_CALL__HTPP__PORT: is no variable of this service; did you mean CLICK_TO_CALL__HTTP__PORT?",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[test]
fn a_file_can_be_wrong_in_its_own_ways() {
    for (text, words) in [
        ("[http]\nprot = 1", "http.prot: is no key of the settings"),
        ("[server]\nport = 1", "did you mean http.port?"),
        (
            "[http]\nport = [1, 2]",
            "is a list, where one value belongs",
        ),
        ("[http]\nport = 3.5", "is not a port"),
        ("[http.port]\nx = 1", "http.port: is a key, not a section"),
        ("http = 3", "http: is a section, not a key"),
        ("[http\nport = 1", "is not TOML: TOML parse error at line 1"),
    ] {
        let fault = the_fault(load_toml(text));
        assert!(fault.contains(words), "{text:?}: {fault}");
        assert!(fault.contains("site.toml"), "{text:?}: {fault}");
    }
}

#[test]
fn a_broken_env_file_is_a_fault_without_its_content() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, "A=1\nVONAGE_API_SECRET=canary word\n").unwrap();
    let mut sources = sources(&[]);
    sources.env_file = Some(SourcePath {
        path,
        required: false,
    });
    let fault = the_fault(settings::load(&sources));
    assert!(fault.contains("can't be read (line 2)"), "{fault}");
    assert!(!fault.contains("canary"), "{fault}");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    // What `Sources::from_process` makes of other bytes.
    let fault = the_fault(load(&[("VONAGE_API_SECRET", "can\u{fffd}ary")]));
    assert!(
        fault.contains("(variable VONAGE_API_SECRET) is not UTF-8 text"),
        "{fault}"
    );
}
