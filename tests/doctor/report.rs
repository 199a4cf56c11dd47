//! What is told, and how; and what never is.

use std::collections::BTreeSet;

use crate::world::{self, World};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong() {
    let world = World::start().await;
    let report = world.doctor().await;
    report.is_in_order();
    let checks = report.json["checks"].as_array().unwrap();
    let names: BTreeSet<&str> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), checks.len(), "names are not used twice");
    for check in checks.iter().filter(|check| check["status"] == "ok") {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["fixable", "found", "name", "status"]);
    }
    // Nothing but the report: what reads it reads nothing else.
    assert_eq!(report.err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_check_is_in_the_documentation() {
    let world = World::start().await;
    let report = world.doctor().await;
    let page = include_str!("../../docs/DOCTOR.md");
    for check in report.json["checks"].as_array().unwrap() {
        let row = format!("| `{}` |", check["name"].as_str().unwrap());
        assert!(page.contains(&row), "docs/DOCTOR.md lacks {row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_what_why_and_how() {
    let mut world = World::start().await;
    world.folder.set("VONAGE_NUMBER", "442079460001");
    let (code, out, err) =
        world::run(world.folder.path(), &world.folder.variables, &["doctor"]).await;
    assert_eq!(code, 1);
    assert_eq!(err, "");
    let lines: Vec<&str> = out.lines().collect();
    let place = lines
        .iter()
        .position(|line| line.starts_with("failed   number "))
        .unwrap();
    assert!(
        lines[place].contains("the account has no number 442079460001"),
        "{out}"
    );
    assert!(lines[place + 1].contains("why "), "{out}");
    assert!(lines[place + 2].contains("mend "), "{out}");
    assert!(out.contains("1 failed"), "{out}");
}

/// Every secret of the world has this word in it, and the key file is a secret as a whole.
const CANARY: &str = "canary";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_told() {
    let world = World::start().await;
    let key = std::fs::read_to_string(world.folder.path().join("private.key")).unwrap();
    let key = key.lines().nth(3).unwrap().to_owned();
    let tokens = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&tokens);
    world.vonage.asking(move |request| {
        if let Some(value) = request.headers.get("authorization") {
            let token = value
                .to_str()
                .unwrap()
                .split(' ')
                .nth(1)
                .unwrap()
                .to_owned();
            seen.lock().unwrap().push(token);
        }
    });
    // Every refusal, and every way of saying it.
    for status in [200, 400, 401, 403, 404, 420, 500] {
        world.vonage.answering(move |answer| {
            if status != 200 {
                answer.status = axum::http::StatusCode::from_u16(status).unwrap();
            }
        });
        for args in [&["doctor"][..], &["doctor", "--json"], &["doctor", "--fix"]] {
            let mut variables = world.folder.variables.clone();
            variables.insert("RUST_LOG".to_owned(), "trace".to_owned());
            let (_, out, err) = world::run(world.folder.path(), &variables, args).await;
            let said = format!("{out}{err}");
            assert!(!said.to_lowercase().contains(CANARY), "{said}");
            assert!(!said.contains(&key), "{said}");
            for token in tokens.lock().unwrap().iter() {
                assert!(!said.contains(token.as_str()), "{said}");
            }
        }
    }
    assert!(!tokens.lock().unwrap().is_empty());
}
