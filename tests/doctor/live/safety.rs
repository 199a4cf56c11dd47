//! What must never happen: something made without leave, left behind, or told.

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use axum::http::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Live, calls::well, files};
use crate::world::{self, API_SECRET};

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_nothing_is_made() {
    let live = Live::start().await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    live.vonage.asking(move |request| {
        let asked = format!("{} {}", request.method, request.uri.path());
        seen.lock().unwrap().push(asked);
    });
    // Nobody is there to answer.
    let run = live.run(&[]).await;
    assert_eq!(run.code, 1);
    assert!(run.err.contains("say --yes"), "{}", run.err);
    // Somebody says no.
    let args = ["doctor", "--live", "--budget", "0", "--traces", "traces"];
    let mut child = world::command(live.folder.path(), &live.folder.variables, &args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"n\n").unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = output.await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("nothing was made"), "{err}");
    // The questions were shown before.
    assert!(err.contains("smallest-acl"), "{err}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        ["GET /account/get-balance", "GET /account/get-balance"]
    );
    assert_eq!(live.traces().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_missing_is_told_at_once() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    variables.retain(|name, _| {
        !["VONAGE_API_KEY", "VONAGE_API_SECRET", "PUBLIC_URL"].contains(&&**name)
    });
    let run = live.run_with(&variables, &["--yes"]).await;
    assert_eq!(run.code, 1);
    for name in ["VONAGE_API_KEY", "VONAGE_API_SECRET", "PUBLIC_URL"] {
        assert!(run.err.contains(name), "{name}: {}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_and_an_application_that_is_not_made() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    variables.insert("VONAGE_API_SECRET".to_owned(), "canary-wrong".to_owned());
    let run = live.run_with(&variables, &["--yes"]).await;
    assert_eq!(run.code, 1);
    assert!(run.err.contains("copy both again"), "{}", run.err);
    let fault = json!({ "method": "POST", "path": "/v2/applications", "answer": "forbidden" });
    live.play(json!({ "requests": [fault] })).await;
    let run = live.run(&["--yes"]).await;
    assert_eq!(run.code, 1);
    assert!(
        run.err
            .contains("does not make the temporary application: 403"),
        "{}",
        run.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_deleted_is_named_with_the_command_that_does() {
    let live = Live::start().await;
    let fault =
        json!({ "method": "DELETE", "path": "/v2/applications/*", "answer": "internal_error" });
    live.play(json!({ "requests": [fault] })).await;
    let run = live.run(&["--yes"]).await;
    assert_eq!(run.code, 1);
    let left = live.left_at_vonage().await;
    assert_eq!(left.len(), 1);
    assert!(left[0]["name"].as_str().unwrap().contains("may be deleted"));
    let told = run.json["left_behind"][0].as_str().unwrap();
    let command = format!(
        "-X DELETE {}/v2/applications/{}",
        live.vonage.url,
        left[0]["id"].as_str().unwrap()
    );
    assert!(told.contains(&command), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_fails_once_is_tried_again() {
    let live = Live::start().await;
    let fault = json!({ "method": "DELETE", "path": "/v2/applications/*", "times": 2, "answer": "internal_error" });
    live.play(json!({ "requests": [fault] })).await;
    live.run(&["--yes"]).await.contradicts(&[]);
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_deletes_what_was_made() {
    let live = Live::start().await;
    let (reached, mut is_reached) = mpsc::unbounded_channel();
    live.vonage.asking(move |request| {
        if request.uri.path() == "/v0.3/users/me" {
            let _ = reached.send(());
        }
    });
    let fault = json!({ "path": "/v0.3/users/me", "answer": "nothing" });
    live.play(json!({ "requests": [fault] })).await;
    let args = [
        "doctor", "--live", "--yes", "--budget", "0", "--traces", "traces",
    ];
    let child = world::command(live.folder.path(), &live.folder.variables, &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    is_reached.recv().await.unwrap();
    assert_eq!(live.left_at_vonage().await.len(), 1);
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = output.await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("everything that was made is deleted"), "{err}");
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
}

/// Whose users and calls Vonage lists for a token is not said anywhere: they may be the visitors'.
#[tokio::test(flavor = "multi_thread")]
async fn users_and_calls_of_others_are_left_alone_even_if_vonage_lists_them() {
    let live = Live::start().await;
    live.vonage.answering(|answer| {
        if answer.is(&Method::GET, "/v1/users") || answer.is(&Method::GET, "/v1/calls") {
            answer.json(|body| {
                let others = [
                    ("users", json!({ "id": "USR-other", "name": "supportuser" })),
                    (
                        "calls",
                        json!({ "uuid": "leg-other", "status": "answered" }),
                    ),
                ];
                for (kind, other) in others {
                    if let Some(list) = body["_embedded"][kind].as_array_mut() {
                        list.push(other);
                    }
                }
            });
        }
    });
    let changed = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changed);
    live.vonage.asking(move |request| {
        if request.method != Method::GET {
            seen.lock().unwrap().push(request.uri.path().to_owned());
        }
    });
    assert_eq!(live.call(&well(), &["--yes"]).await.code, 0);
    for (name, trace) in live.traces() {
        assert!(!trace.contains("supportuser"), "{name}: {trace}");
    }
    let changed = changed.lock().unwrap().clone();
    assert!(!changed.is_empty());
    assert!(
        !changed.iter().any(|path| path.ends_with("-other")),
        "{changed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_stay_are_named() {
    let live = Live::start().await;
    let fault = json!({ "method": "DELETE", "path": "/v1/users/*", "answer": "internal_error" });
    live.play(json!({ "requests": [fault] })).await;
    let run = live.run(&["--yes"]).await;
    assert_eq!(run.code, 1);
    let left = run.json["left_behind"].as_array().unwrap();
    assert!(!left.is_empty());
    for user in left {
        let user = user.as_str().unwrap();
        assert!(
            user.starts_with("the user USR-") && user.contains("(500"),
            "{user}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn place_where_no_traces_can_be_kept_is_told_before_anything_is_made() {
    let live = Live::start().await;
    std::fs::write(live.folder.path().join("file"), "").unwrap();
    let args = [
        "doctor",
        "--live",
        "--yes",
        "--budget",
        "0",
        "--traces",
        "file/traces",
    ];
    let (code, _, err) = world::run(live.folder.path(), &live.folder.variables, &args).await;
    assert_eq!(code, 1);
    assert!(err.contains("cannot make the folder file/traces"), "{err}");
    assert!(!err.contains("not whole"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_faulty_are_told() {
    let live = Live::start().await;
    let mut variables = live.folder.variables.clone();
    let acl = "CLICK_TO_CALL__TOKEN__ACL".to_owned();
    variables.insert(acl, "garbage".to_owned());
    let run = live.run_with(&variables, &["--yes"]).await;
    assert!(run.err.contains("token.acl"), "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stop_waits_for_nothing_and_says_what_is_left() {
    let live = Live::start().await;
    let (reached, mut is_reached) = mpsc::unbounded_channel();
    live.vonage.asking(move |request| {
        if request.method == "DELETE" && request.uri.path().starts_with("/v2/applications/") {
            let _ = reached.send(());
        }
    });
    let fault = json!({ "method": "DELETE", "path": "/v2/applications/*", "answer": "nothing" });
    live.play(json!({ "requests": [fault] })).await;
    let args = [
        "doctor", "--live", "--yes", "--budget", "0", "--traces", "traces",
    ];
    let child = world::command(live.folder.path(), &live.folder.variables, &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    is_reached.recv().await.unwrap();
    let pid = child.id().to_string();
    let finished = tokio::task::spawn_blocking(move || child.wait_with_output());
    // One signal may be taken for another that is not handled yet, so they go on until it ends.
    while !finished.is_finished() {
        let _ = Command::new("kill").args(["-INT", &pid]).output();
        tokio::task::yield_now().await;
    }
    let output = finished.await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    let left = live.left_at_vonage().await;
    let id = left[0]["id"].as_str().unwrap();
    assert!(out.contains(&format!("/v2/applications/{id}")), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_in_traces_or_words() {
    let live = Live::start().await;
    let private = Arc::new(Mutex::new(vec![
        API_SECRET.to_owned(),
        "abcd1234:".to_owned(),
        "canary".to_owned(),
        "-----BEGIN".to_owned(),
    ]));
    let seen = Arc::clone(&private);
    live.vonage.asking(move |request| {
        let authorization = request.headers["authorization"].to_str().unwrap();
        let token = authorization.split(' ').nth(1).unwrap();
        seen.lock().unwrap().push(token.to_owned());
        // Ids of users, conversations and applications stand in paths.
        let ids = request
            .uri
            .path()
            .split('/')
            .filter(|part| part.len() >= 32);
        seen.lock().unwrap().extend(ids.map(str::to_owned));
    });
    // Vonage's answers may hold anything, and the owner's own applications, should a visitor's token open them.
    live.vonage.answering(|answer| {
        if answer.is(&Method::GET, "/v2/applications") {
            answer.status = axum::http::StatusCode::OK;
            answer.body = b"{\"name\": \"canary-owner\"}".to_vec();
        }
        let is_object = answer.body.starts_with(b"{");
        if answer.path.starts_with("/v0.3") && is_object {
            answer.json(|json| {
                json["detail"] = json!("canary canary-api-secret-of-more-than-32-letters");
            });
        }
    });
    let run = live.run(&["--yes"]).await;
    let traces = live.traces();
    assert!(traces.len() > 20, "{:?}", traces.keys());
    // The words of somebody else are not ours to know: what the settings know goes.
    let mut told: Vec<String> = traces
        .into_values()
        .map(|trace| trace.replace("canary [secret]", ""))
        .collect();
    told.push(run.json.to_string());
    told.push(run.err);
    for text in told {
        for private in private.lock().unwrap().iter() {
            assert!(!text.contains(private.as_str()), "{private} is in {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_json_in_order_and_never_mixed_with_others() {
    let live = Live::start().await;
    live.run(&["--yes"]).await.contradicts(&[]);
    let traces = live.traces();
    let (first, content) = traces.first_key_value().unwrap();
    assert_eq!(first, "001-api-application-201.json");
    let content: Value = serde_json::from_str(content).unwrap();
    assert_eq!(content["request"]["method"], "POST");
    assert_eq!(content["body"]["keys"]["public_key"], "[key]");
    let (last, _) = traces.last_key_value().unwrap();
    assert!(
        last.ends_with("-api-application-deletion-204.json"),
        "{last}"
    );
    // A second run does not write into the same folder.
    let args = [
        "doctor", "--live", "--yes", "--budget", "0", "--traces", "traces",
    ];
    let (code, _, err) = world::run(live.folder.path(), &live.folder.variables, &args).await;
    assert_eq!(code, 1);
    assert!(err.contains("there already"), "{err}");
    assert_eq!(
        files(&live.folder.path().join("traces")).len(),
        traces.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_each_question_what_vonage_did_and_what_that_means() {
    let live = Live::start().await;
    live.play(json!({ "habits": { "unique_names": false } }))
        .await;
    let args = ["doctor", "--live", "--yes", "--budget", "0"];
    let (code, out, _) = world::run(live.folder.path(), &live.folder.variables, &args).await;
    assert_eq!(code, 1);
    let place = out
        .find("contradicts  duplicate-user: What does Vonage say")
        .unwrap();
    let rest = out.get(place..).unwrap();
    assert!(
        rest.contains("names are not unique") && rest.contains("-> a token for a name"),
        "{out}"
    );
    assert!(
        out.contains(
            "6 as the service assumes, 1 otherwise, 0 not found out; traces in live-traces/20"
        ),
        "{out}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_is_in_the_documentation() {
    let live = Live::start().await;
    let run = live.call(&well(), &["--yes", "--budget", "0.01"]).await;
    let page = include_str!("../../../docs/DOCTOR.md");
    for finding in run.json["findings"].as_array().unwrap() {
        let row = format!("| `{}` |", finding["name"].as_str().unwrap());
        assert!(page.contains(&row), "docs/DOCTOR.md lacks {row}");
    }
}
