use crate::place::Place;

#[test]
fn help_names_every_command() {
    let run = Place::empty().run(&["--help"]).done();
    for command in [
        "serve",
        "doctor",
        "setup",
        "numbers",
        "app",
        "balance",
        "users",
        "completions",
        "man",
        "config",
        "token",
        "keygen",
        "backup",
        "fallback-ncco",
        "healthcheck",
        "--config",
        "--env-file",
    ] {
        assert!(run.out.contains(command), "{command} is not in {}", run.out);
    }
}

#[test]
fn every_command_has_help() {
    for args in [
        &["config", "--help"][..],
        &["config", "check", "--help"],
        &["config", "show", "--help"],
        &["config", "manual", "--help"],
        &["token", "--help"],
        &["token", "inspect", "--help"],
        &["keygen", "--help"],
        &["doctor", "--help"],
        &["setup", "--help"],
        &["numbers", "search", "--help"],
        &["numbers", "buy", "--help"],
        &["numbers", "link", "--help"],
        &["numbers", "list", "--help"],
        &["numbers", "cancel", "--help"],
        &["app", "create", "--help"],
        &["app", "show", "--help"],
        &["app", "update", "--help"],
        &["balance", "--help"],
        &["backup", "--help"],
        &["users", "create", "--help"],
        &["users", "list", "--help"],
        &["users", "delete", "--help"],
        &["users", "prune", "--help"],
        &["serve", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        Place::empty().run(args).done().says("Usage:");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &["telephone"][..],
        &["config"],
        &["config", "chekc"],
        &["token"],
        &["token", "--user", ""],
        &["token", "--user", "ann", "--ttl-seconds", "29"],
        &["token", "--user", "ann", "--ttl-seconds", "86401"],
        &["keygen", "--bits", "1024"],
        &["keygen", "--public", "--bits", "2048"],
        &["backup"],
        &["--port"],
    ] {
        let run = Place::ready().run(args);
        assert_eq!(run.code, 2, "{args:?}: {run:#?}");
        assert!(run.out.is_empty(), "{run:#?}");
    }
}

#[cfg(not(feature = "simulator"))]
#[test]
fn the_released_program_has_no_simulator() {
    let run = Place::empty().run(&["demo"]);
    assert_eq!(run.code, 2, "{run:#?}");
    let program = std::fs::read(env!("CARGO_BIN_EXE_click-to-call")).unwrap();
    let has = |text: &str| {
        program
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has("/webhooks/answer"), "the search works");
    for trace in ["/simulator/state", "Desk phone", "str0m"] {
        assert!(!has(trace), "{trace} is in the program");
    }
}
