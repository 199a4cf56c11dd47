//! `settings::load` as a function of its arguments: no process, no environment.

mod faults;

use click_to_call::settings::{
    self, DatabaseUrl, Faults, Flag, Loaded, PrivateKeySource, SourcePath, Sources, TicketPolicy,
};
use secrecy::ExposeSecret;
use tempfile::TempDir;

const REQUIRED: [(&str, &str); 5] = [
    (
        "VONAGE_APPLICATION_ID",
        "78d335fa-323d-0114-9c3d-d6f0d48968cf",
    ),
    ("VONAGE_NUMBER", "447700900000"),
    ("DESTINATION_PHONE_NUMBER", "447700900001"),
    (
        "VONAGE_SIGNATURE_SECRET",
        "a-signature-secret-of-32-letters",
    ),
    ("PUBLIC_URL", "https://calls.example.com"),
];

fn sources(variables: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (name, value) in REQUIRED.iter().chain(variables) {
        let (name, value) = ((*name).to_owned(), (*value).to_owned());
        sources.environment.insert(name, value);
    }
    sources
}

fn load(variables: &[(&str, &str)]) -> Result<Loaded, Faults> {
    settings::load(&sources(variables))
}

fn load_toml(text: &str) -> Result<Loaded, Faults> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("site.toml");
    std::fs::write(&path, text).unwrap();
    let mut sources = sources(&[]);
    sources.config.push(SourcePath {
        path,
        required: true,
    });
    settings::load(&sources)
}

#[track_caller]
fn the_fault(result: Result<Loaded, Faults>) -> String {
    let faults = result.unwrap_err().0;
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].to_string()
}

#[test]
fn what_is_required_is_enough() {
    let Loaded {
        settings,
        warnings,
        entries,
    } = load(&[]).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(entries.len(), settings::table::keys().count());
    assert_eq!(
        settings.http.public_url.as_str(),
        "https://calls.example.com/"
    );
    assert_eq!(
        settings.vonage.websocket_url.as_str(),
        "https://ws-us.vonage.com/"
    );
    assert_eq!(settings.vonage.signature_secrets.len(), 1);
    assert_eq!(settings.token.ttl.as_secs(), 86_400);
    assert_eq!(settings.token.acl_paths.len(), 11);
    assert_eq!(settings.line.words.len(), 2);
    assert_eq!(settings.line.words[0].language, "en");
    assert!(!settings.calls.phone_line);
    assert!(settings.log.json);
    assert!(
        matches!(settings.vonage.private_key, PrivateKeySource::File(path) if path.ends_with("private.key"))
    );
    let file = DatabaseUrl::Sqlite("data/click-to-call.db".into());
    assert_eq!(settings.database.url, file);
}

#[test]
fn a_database_is_shown_without_its_password() {
    let url = "postgres://ann:canary@db.example/calls?sslmode=require";
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, format!("{url}\n")).unwrap();
    let file = file.to_str().unwrap();
    for variables in [[("DATABASE_URL", url)], [("DATABASE_URL_FILE", file)]] {
        let loaded = load(&variables).unwrap();
        let entry = loaded
            .entries
            .iter()
            .find(|e| e.spec.name == "database.url");
        assert_eq!(
            entry.unwrap().value.as_deref(),
            Some("postgres://ann:[redacted]@db.example/calls?sslmode=require")
        );
        assert!(!format!("{loaded:?}").contains("canary"));
        let [warning] = loaded.warnings.as_slice() else {
            panic!("{:?}", loaded.warnings);
        };
        assert!(
            warning.contains("db.example:5432/calls, and its sslmode is require"),
            "{warning}"
        );
    }
}

#[test]
fn files_and_variables_write_lists_their_own_way() {
    let toml =
        load_toml("[visitors]\nlegacy_users = [\"ann\", \"bob\"]\n[calls]\ntickets = \"optional\"");
    let variable = load(&[
        ("CLICK_TO_CALL__VISITORS__LEGACY_USERS", "ann, bob"),
        ("CLICK_TO_CALL__CALLS__TICKETS", "optional"),
    ]);
    for loaded in [toml.unwrap(), variable.unwrap()] {
        assert_eq!(loaded.settings.visitors.legacy_users, ["ann", "bob"]);
        assert_eq!(loaded.settings.calls.tickets, TicketPolicy::Optional);
        assert_eq!(loaded.warnings, Vec::<String>::new());
    }
}

#[test]
fn text_that_looks_like_a_number_stays_as_it_is() {
    let loaded = load(&[
        ("VONAGE_API_KEY", "00123456"),
        ("VONAGE_NUMBER", "+44 7700-900000"),
    ])
    .unwrap();
    assert_eq!(loaded.settings.vonage.api_key.as_deref(), Some("00123456"));
    assert_eq!(loaded.settings.vonage.number.as_str(), "447700900000");
    let number = loaded
        .entries
        .iter()
        .find(|e| e.spec.name == "vonage.number")
        .unwrap();
    assert_eq!(number.value.as_deref(), Some("447700900000"));
    let loaded = load_toml("[page]\nphone_number = 448081570000").unwrap();
    assert_eq!(
        loaded.settings.page.phone_number.unwrap().as_str(),
        "448081570000"
    );
}

#[test]
fn empty_means_unset_but_a_greeting_in_a_file_can_be_nothing() {
    let loaded = load(&[
        ("PORT", ""),
        ("VONAGE_API_KEY", " "),
        ("CLICK_TO_CALL__LINES__SUPPORT__EN__GREETING", ""),
    ])
    .unwrap();
    assert_eq!(loaded.settings.http.port, 3000);
    assert_eq!(loaded.settings.vonage.api_key, None);
    assert!(
        loaded.settings.line.words[0]
            .greeting
            .starts_with("Thank you")
    );
    let loaded =
        load_toml("[lines.support.en]\ngreeting = \"\"\n[vonage]\napi_key = \"\"").unwrap();
    assert_eq!(loaded.settings.line.words[0].greeting, "");
    assert_eq!(loaded.settings.vonage.api_key, None);
}

#[test]
fn the_seeds_names_work_and_differing_ones_are_told() {
    let mut sources = sources(&[("NEXMO_NUMBER", "447700900009")]);
    sources.environment.remove("VONAGE_NUMBER");
    let loaded = settings::load(&sources).unwrap();
    assert_eq!(loaded.settings.vonage.number.as_str(), "447700900009");
    let loaded = load(&[("SUPPORT_PHONE_NUMBER", "447700900009")]).unwrap();
    assert_eq!(loaded.settings.vonage.number.as_str(), "447700900000");
    assert_eq!(
        loaded.warnings,
        [
            "VONAGE_NUMBER and SUPPORT_PHONE_NUMBER both set vonage.number and differ; VONAGE_NUMBER counts"
        ]
    );
}

#[test]
fn a_key_in_a_variable_has_its_line_breaks_written_out() {
    let loaded = load(&[("VONAGE_PRIVATE_KEY", "-----BEGIN\\nAAAA")]).unwrap();
    let PrivateKeySource::Text(text) = loaded.settings.vonage.private_key else {
        panic!("the key's text is not used");
    };
    assert_eq!(text.expose_secret(), "-----BEGIN\nAAAA");
    assert_eq!(loaded.entries.len(), settings::table::keys().count());
    let fault = the_fault(load(&[
        ("VONAGE_PRIVATE_KEY", "x"),
        ("VONAGE_PRIVATE_KEY_FILE", "y"),
    ]));
    assert!(fault.contains("are both set"), "{fault}");
}

#[test]
fn the_region_moves_every_host_that_is_not_set() {
    let vonage = load(&[
        ("VONAGE_REGION", "eu"),
        ("VONAGE_API_URL", "http://127.0.0.1:9"),
    ])
    .unwrap()
    .settings
    .vonage;
    assert_eq!(vonage.api_url.as_str(), "http://127.0.0.1:9/");
    assert_eq!(vonage.client_api_url.as_str(), "https://api-eu.vonage.com/");
    assert_eq!(vonage.websocket_url.as_str(), "https://ws-eu.vonage.com/");
    assert_eq!(vonage.rest_url.as_str(), "https://rest.nexmo.com/");
}

#[test]
fn what_is_probably_not_meant_is_told() {
    for (variables, words) in [
        (
            &[("PUBLIC_URL", "http://calls.example.com")][..],
            "is not https",
        ),
        (&[("VONAGE_SIGNATURE_SECRET", "short")], "has 5 characters"),
        (
            &[(
                "VONAGE_PREVIOUS_SIGNATURE_SECRET",
                "a-signature-secret-of-32-letters",
            )],
            "is the same as",
        ),
        (
            &[("VONAGE_API_URL", "http://vonage.example")],
            "not https: tokens go over the network",
        ),
        (
            &[(
                "CLICK_TO_CALL__TOKEN__ACL",
                "/*/users/**,/*/sessions/**,/*/conversations/**,/*/legs/**,/*/rtc/**",
            )],
            "lacks /*/knocking/**",
        ),
        (
            &[("CLICK_TO_CALL__VISITORS__USERS", "shared")],
            "supportuser",
        ),
        (
            &[("CLICK_TO_CALL__VISITORS__LEGACY_USERS", "ann")],
            "calls.tickets is \"required\"",
        ),
        (
            &[("CLICK_TO_CALL__TOKEN__TTL_SECONDS", "600")],
            "token.ttl_seconds is 600, less than calls.limit_seconds, 900",
        ),
        (
            &[
                ("CLICK_TO_CALL__CALLS__RING_SECONDS", "60"),
                ("CLICK_TO_CALL__CALLS__LIMIT_SECONDS", "60"),
            ],
            "calls.ring_seconds is 60",
        ),
        (
            &[("VONAGE_APPLICATON_ID", "x")],
            "did you mean VONAGE_APPLICATION_ID?",
        ),
    ] {
        let warnings = load(variables).unwrap().warnings;
        assert_eq!(warnings.len(), 1, "{variables:?}: {warnings:#?}");
        assert!(warnings[0].contains(words), "{variables:?}: {warnings:#?}");
    }
    assert_eq!(
        load(&[("VONAGE_MODE", "x"), ("CLICK_TO_CALL_SDK_DIR", "x")])
            .unwrap()
            .warnings,
        Vec::<String>::new()
    );
}

#[test]
fn signatures_can_be_switched_off_loudly() {
    let mut sources = sources(&[("CLICK_TO_CALL__WEBHOOKS__SIGNATURES", "off")]);
    let loaded = settings::load(&sources).unwrap();
    assert!(loaded.settings.vonage.signature_secrets.is_empty());
    assert!(loaded.warnings[0].contains("vonage.signature_secret is not used"));
    sources.environment.remove("VONAGE_SIGNATURE_SECRET");
    let warnings = settings::load(&sources).unwrap().warnings;
    assert!(
        warnings[0].contains("WEBHOOKS ARE NOT CHECKED"),
        "{warnings:?}"
    );
    assert!(warnings[0].contains("https://calls.example.com can be reached by anybody"));
}

#[test]
fn a_variable_twice_in_the_env_file_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(
        &path,
        "\u{feff}PORT=1\nexport PORT='2' # the last one \n VONAGE_API_SECRET='a$b#c' ",
    )
    .unwrap();
    let mut sources = sources(&[]);
    sources.env_file = Some(SourcePath {
        path,
        required: false,
    });
    let loaded = settings::load(&sources).unwrap();
    assert_eq!(loaded.settings.http.port, 2);
    assert_eq!(
        loaded.settings.vonage.api_secret.unwrap().expose_secret(),
        "a$b#c"
    );
    assert_eq!(loaded.warnings.len(), 1);
    assert!(
        loaded.warnings[0].contains("PORT stands twice"),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn a_dollar_that_the_env_file_does_not_keep_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, "VONAGE_API_SECRET=secret$canary1234\n").unwrap();
    let mut sources = sources(&[]);
    sources.env_file = Some(SourcePath {
        path,
        required: false,
    });
    let loaded = settings::load(&sources).unwrap();
    let told = loaded.warnings.join("\n");
    assert!(told.contains(".env, line 1: a $ begins"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn flags_win_over_everything() {
    let mut sources = sources(&[("PORT", "1")]);
    sources.flags.push(Flag {
        flag: "--port",
        key: "http.port",
        value: "2".to_owned(),
    });
    let loaded = settings::load(&sources).unwrap();
    assert_eq!(loaded.settings.http.port, 2);
    let entry = loaded.entries.iter().find(|e| e.spec.name == "http.port");
    assert_eq!(entry.unwrap().origin, "flag --port");
}
