//! What `setup` asks a person, and what it says of the answers.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{
    place::setup,
    world::{API_SECRET, DESK, SIGNATURE_SECRET, World},
};

#[tokio::test]
async fn a_person_answers_the_questions() {
    let world = World::start().await;
    let mut place = world.place();
    place.variables.remove("VONAGE_API_KEY");
    place.variables.remove("VONAGE_API_SECRET");
    let answers = [
        "abcd1234",
        API_SECRET,
        "calls.example.com",
        "https://calls.example.com",
        "+44 7700 900001",
        "y",
        "gb",
        "2",
        "y",
        SIGNATURE_SECRET,
    ];
    let run = place
        .run_with_input(&["setup"], &(answers.join("\n") + "\n"))
        .await
        .done();
    assert!(
        run.err.contains("for EUR 1.00 a month? [y/N]"),
        "{}",
        run.err
    );
    assert!(
        run.err
            .contains("Some countries want an address or identity papers"),
        "{}",
        run.err
    );
    assert!(run.out.contains("click-to-call doctor"), "{}", run.out);
    assert!(!run.said().contains("canary"), "{}", run.said());
    let env = place.read(".env");
    assert!(
        env.contains(&format!("VONAGE_API_SECRET={API_SECRET}\n")),
        "{env}"
    );
    assert_eq!(
        fs::metadata(place.path(".env"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(place.path("private.key"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let local = place.read("config/local.toml");
    assert!(
        local.contains(&format!("destination = \"{DESK}\"")),
        "{local}"
    );
    assert!(local.contains("phone_line = \"support\""), "{local}");
}

#[tokio::test]
async fn an_address_that_vonage_can_not_reach_is_refused() {
    let world = World::start().await;
    // Vonage far away: its address leads nowhere but through the proxy of the network.
    let mut place = World::place_at("http://api.vonage.example");
    place.set("HTTP_PROXY", world.simulator.base_url());
    let words = "where Vonage can't reach it";
    for private in ["http://localhost:3000", "https://192.168.1.20"] {
        place
            .run(&["setup", "--yes", "--public-url", private])
            .await
            .failed()
            .says(&format!("{private} leads to this machine"))
            .says(words);
        assert!(!place.path(".env").exists());
    }
    let run = place
        .run_with_input(
            &["setup"],
            "http://localhost:3000\nhttps://calls.example.com\n",
        )
        .await
        .failed();
    assert!(
        run.err.contains(&format!(
            "\"http://localhost:3000\" leads to this machine or its network only, {words}"
        )),
        "{}",
        run.err
    );
    assert_eq!(place.read(".env"), "PUBLIC_URL=https://calls.example.com\n");

    // One that is set is changed where it is set: a flag beside it would be a contradiction.
    fs::write(place.path(".env"), "PUBLIC_URL=http://localhost:3000\n").unwrap();
    place
        .run(&["setup", "--yes"])
        .await
        .failed()
        .says("PUBLIC_URL is http://localhost:3000, which leads to this machine")
        .says("change it where it is set (`click-to-call config show` says where)");

    // A simulated one on this machine can reach it.
    world
        .place()
        .run(&[
            "setup",
            "--dry-run",
            "--public-url",
            "http://localhost:3000",
        ])
        .await
        .says("PUBLIC_URL in .env");
}

#[tokio::test]
async fn the_signature_secret_is_one_step_by_hand() {
    let world = World::start().await;
    let place = world.place();
    let run = place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .failed();
    assert!(
        run.out
            .contains("by hand  copy the signature secret from Vonage's dashboard"),
        "{}",
        run.out
    );
    place.write(
        ".env",
        &(place.read(".env") + "VONAGE_SIGNATURE_SECRET=" + SIGNATURE_SECRET + "\n"),
    );
    place
        .run(&["setup", "--yes"])
        .await
        .done()
        .says("Everything is set up");
}

#[tokio::test]
async fn a_wrong_secret_is_told_before_anything_is_written() {
    let world = World::start().await;
    let mut place = world.place();
    place.set("VONAGE_API_SECRET", "canary-wrong");
    let run = place
        .run(&setup(&["--yes", "--country", "GB"]))
        .await
        .failed();
    // Once: it is a sentence, not a stack of errors.
    let said = run
        .err
        .matches("Vonage does not accept the API key and secret");
    assert_eq!(said.count(), 1, "{}", run.err);
    assert!(!run.said().contains("canary"), "{}", run.said());
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_wrong_answer_is_explained_and_asked_for_again() {
    let world = World::start().await;
    let mut place = world.place();
    place.variables.remove("VONAGE_API_KEY");
    place.variables.remove("VONAGE_API_SECRET");
    place
        .run_with_input(&["setup"], "abcd1234\n\n\n\n")
        .await
        .failed()
        .says("no usable answer; set VONAGE_API_SECRET");
    assert!(!place.path(".env").exists());
    let answers = [
        "my key",
        "abcd1234",
        "",
        API_SECRET,
        "calls.example.com",
        "https://calls.example.com/path",
        "https://calls.example.com",
        "07700 900001",
        "my desk",
        "+44 7700 900001",
        "n",
        "Great Britain",
        "uk",
        "gb",
        "0",
        "GB",
        "2",
        "y",
        SIGNATURE_SECRET,
    ];
    let mut run = place
        .run_with_input(&["setup"], &(answers.join("\n") + "\n"))
        .await
        .done();
    for words in [
        "\"my key\" is no API key: it has letters and digits only",
        "nothing was given; without it nothing can be set up",
        "\"calls.example.com\" is not an address: it begins with neither https:// nor http://",
        "\"https://calls.example.com/path\" has the path /path in it",
        "\"07700 900001\" is not a telephone number to call: a number starts with its country code",
        "\"my desk\" is not a telephone number to call: only digits",
        "\"Great Britain\" is no country: write its two letters",
        "\"uk\" is no country: the United Kingdom's letters are GB",
        "\"0\" is no place in the list: write a number from 1 to 2",
        "\"GB\" is no place in the list",
    ] {
        run = run.says(words);
    }
}
