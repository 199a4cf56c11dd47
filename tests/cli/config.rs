use std::{collections::HashMap, fs, process::Command};

use serde_json::Value;

use crate::place::{Place, Run};

fn shown(run: &Run) -> HashMap<String, Value> {
    let entries: Vec<Value> = serde_json::from_str(&run.out).unwrap();
    let named = |entry: Value| (entry["key"].as_str().unwrap().to_owned(), entry);
    entries.into_iter().map(named).collect()
}

#[test]
fn settings_in_order_are_told_so() {
    let run = Place::ready().run(&["config", "check"]).done();
    assert_eq!(
        run.out,
        "the settings are in order; the application's key has 2048 bits\n"
    );
    assert_eq!(run.err, "");
}

#[test]
fn the_operations_page_leads_to_settings_in_order() {
    let page = include_str!("../../docs/OPERATIONS.md");
    let (_, compose) = page.split_once("### With Docker Compose").unwrap();
    let (_, block) = compose.split_once("```sh\n").unwrap();
    let (commands, _) = block.split_once("```").unwrap();
    let place = Place::ready();
    place.write(".env.example", include_str!("../../.env.example"));
    let ours = commands
        .lines()
        .filter(|line| !line.starts_with("cargo") && !line.starts_with("docker"));
    for command in ours {
        let done = Command::new("sh")
            .args(["-ec", command])
            .current_dir(place.path(""))
            .status();
        assert!(done.unwrap().success(), "{command}");
    }
    fs::remove_file(place.path("private.key")).unwrap();
    place.run(&["config", "check"]).done().says("2048 bits");
}

#[test]
fn nothing_set_is_told_at_once_with_the_key() {
    let run = Place::empty().run(&["config", "check"]).failed();
    assert_eq!(run.out, "");
    for subject in [
        "there are 5 faults",
        "vonage.application_id: is not set",
        "set VONAGE_NUMBER, or number under [vonage]",
        "vonage.signature_secret: is not set",
        "lines.support.destination: is not set",
        "private key file private.key: there is no such file",
    ] {
        assert!(
            run.err.contains(subject),
            "{subject:?} is not in {}",
            run.err
        );
    }
}

#[test]
fn later_sources_win_and_are_named() {
    let mut place = Place::ready();
    place.write(
        "config/10-first.toml",
        "[calls]\nring_seconds = 10\nlimit_seconds = 100\n",
    );
    place.write("config/20-second.toml", "[calls]\nring_seconds = 11\n");
    place.write("config/default.toml", "[calls]\nring_seconds = 99\n");
    place.write("config/other.toml.example", "not TOML");
    place.write(
        ".env",
        "CLICK_TO_CALL__CALLS__TICKET_SECONDS=20\nPORT=4000\n",
    );
    place.set("PORT", "5000");
    let entries = shown(&place.run(&["config", "show", "--json"]).done());
    for (key, value, origin) in [
        ("calls.limit_seconds", "100", "config/10-first.toml"),
        ("calls.ring_seconds", "11", "config/20-second.toml"),
        (
            "calls.ticket_seconds",
            "20",
            "variable CLICK_TO_CALL__CALLS__TICKET_SECONDS in .env",
        ),
        ("http.port", "5000", "variable PORT"),
        ("http.bind", "127.0.0.1", "default"),
        (
            "vonage.api_url",
            "https://api-us-3.vonage.com",
            "follows from vonage.region",
        ),
    ] {
        assert_eq!(entries[key]["value"], value, "{key}");
        assert_eq!(entries[key]["origin"], origin, "{key}");
    }
    assert_eq!(entries["page.views_dir"]["value"], Value::Null);
    assert_eq!(entries["vonage.signature_secret"]["value"], "[redacted]");
}

#[test]
fn named_files_take_the_place_of_the_usual_ones() {
    let place = Place::ready();
    place.write("config/site.toml", "[http]\nport = 1\n");
    place.write(".env", "PORT=2\n");
    place.write("elsewhere/a.toml", "[log]\nfilter = \"warn\"\n");
    place.write("b.toml", "[log]\nfilter = \"error\"\n");
    place.write("other.env", "CLICK_TO_CALL__HTTP__PORT=3\n");
    let args = [
        "--config",
        "elsewhere",
        "--config",
        "b.toml",
        "--env-file",
        "other.env",
    ];
    let run = place.run(&[&args[..], &["config", "show", "--json"]].concat());
    let entries = shown(&run.done());
    assert_eq!(entries["http.port"]["value"], "3");
    assert_eq!(entries["log.filter"]["value"], "error");
}

#[test]
fn named_files_must_be_there() {
    Place::ready()
        .run(&[
            "--config",
            "absent.toml",
            "--env-file",
            "absent.env",
            "config",
            "check",
        ])
        .failed()
        .says("absent.toml: can't be read")
        .says("absent.env: can't be read");
}

#[test]
fn the_manual_is_the_default_file_and_can_be_loaded() {
    let mut place = Place::ready();
    let manual = place.run(&["config", "manual"]).done().out;
    assert_eq!(manual, include_str!("../../config/default.toml"));
    place.write("manual.toml", &manual);
    place
        .run(&["--config", "manual.toml", "config", "check"])
        .done();

    // Every line of it is a key with an example that could stand there.
    let uncommented: String = manual
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| !rest.starts_with(' '))
                .unwrap_or(line)
        })
        .filter(|line| !line.starts_with("private_key ") && !line.starts_with("views_dir"))
        .map(|line| line.replace("\"…\"", "\"a-secret-text-of-more-than-32-letters\"") + "\n")
        .collect();
    place.write("all.toml", &uncommented);
    place.variables.clear();
    place
        .run(&["--config", "all.toml", "config", "check"])
        .done();
}

#[test]
fn shipped_examples_can_be_loaded() {
    let mut place = Place::ready();
    place.write(
        "production.toml",
        include_str!("../../config/production.toml.example"),
    );
    place
        .run(&["--config", "production.toml", "config", "show"])
        .done();
    place.write(".env", include_str!("../../.env.example"));
    place.run(&["config", "check"]).done();
    place.variables.clear();
    place
        .run(&["config", "check"])
        .failed()
        .says("there are 4 faults");
}

#[test]
fn secrets_come_from_files_too() {
    let mut place = Place::ready();
    place.variables.remove("VONAGE_SIGNATURE_SECRET");
    let path = place.write("secret", "a-signature-secret-of-32-letters\n");
    place.set("VONAGE_SIGNATURE_SECRET_FILE", path.to_str().unwrap());
    let entries = shown(&place.run(&["config", "show", "--json"]).done());
    let origin = entries["vonage.signature_secret"]["origin"]
        .as_str()
        .unwrap();
    assert!(
        origin.ends_with("secret, named by variable VONAGE_SIGNATURE_SECRET_FILE"),
        "{origin}"
    );

    place.set("VONAGE_SIGNATURE_SECRET", "another");
    place
        .run(&["config", "check"])
        .failed()
        .says("is set twice");
    place.variables.remove("VONAGE_SIGNATURE_SECRET");
    place.set("VONAGE_SIGNATURE_SECRET_FILE", "absent");
    place
        .run(&["config", "check"])
        .failed()
        .says("can't be read from its file (variable VONAGE_SIGNATURE_SECRET_FILE)");
}
