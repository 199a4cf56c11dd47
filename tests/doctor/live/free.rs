//! The questions that cost nothing, in each possible answer.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Live, Run};

async fn played(live: &Live, scenario: Value) -> Run {
    live.play(scenario).await;
    let run = live.run(&["--yes"]).await;
    assert_eq!(live.left_at_vonage().await, Vec::<Value>::new());
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn vonage_is_as_the_service_assumes() {
    let live = Live::start().await;
    let run = played(&live, json!({})).await;
    run.contradicts(&[])
        .says("timeout-name", "agrees", "connect_timeout")
        .says("user-region", "agrees", "no region")
        .says("user-by-name", "agrees", "?name= finds it; its name stands")
        .says("duplicate-user", "agrees", "409")
        .says("unknown-user", "agrees", "401 user:error:invalid-user")
        .says("token-reach", "agrees", "the list of users, another user")
        .says(
            "smallest-acl",
            "agrees",
            "needed: users, sessions, conversations, legs, knocking",
        );
    assert_eq!(run.json["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_whose_timeout_has_another_name_or_none() {
    let live = Live::start().await;
    let habits = |name: &str| json!({ "habits": { "timeout_name": name } });
    let run = played(&live, habits("connection_timeout")).await;
    run.contradicts(&[])
        .says("timeout-name", "agrees", "connection_timeout");
    let run = played(&live, habits("ignored")).await;
    run.contradicts(&["timeout-name"]).says(
        "timeout-name",
        "contradicts",
        "they have nothing and nothing",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_live_in_another_region() {
    let live = Live::start().await;
    for (place, contradicted) in [("us", &[][..]), ("eu", &["user-region"])] {
        live.vonage.answering(move |answer| {
            if answer.is(&Method::POST, "/v1/users") {
                answer.json(|json| {
                    json["_links"]["self"]["href"] =
                        json!(format!("https://api-{place}-3.vonage.com/v1/users/USR-1"));
                });
            }
        });
        let run = played(&live, json!({})).await;
        run.contradicts(contradicted);
        let found = run.finding("user-region")["found"].as_str().unwrap();
        assert!(found.starts_with(&format!("it names {place}")), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_are_not_found_by_name() {
    let live = Live::start().await;
    let nobody = json!({ "exactly": { "status": 200, "body": { "_embedded": { "users": [] } } } });
    let fault = json!({ "method": "GET", "path": "/v1/users", "answer": nobody });
    let run = played(&live, json!({ "requests": [fault] })).await;
    run.contradicts(&["user-by-name"]).says(
        "user-by-name",
        "contradicts",
        "?name= does not find it (200)",
    );
    let fault = json!({ "method": "GET", "path": "/v1/users/*", "answer": "not_found" });
    let run = played(&live, json!({ "requests": [fault] })).await;
    run.contradicts(&[]).says(
        "user-by-name",
        "agrees",
        "is refused (404 user:error:not-found)",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_user_of_a_name() {
    let live = Live::start().await;
    let run = played(&live, json!({ "habits": { "unique_names": false } })).await;
    run.contradicts(&["duplicate-user"]).says(
        "duplicate-user",
        "contradicts",
        "names are not unique",
    );
    for (status, standing) in [(400, "agrees"), (422, "contradicts"), (500, "untried")] {
        live.vonage.answering(move |answer| {
            if answer.status == 409 {
                answer.status = status.try_into().unwrap();
            }
        });
        let run = played(&live, json!({})).await;
        run.says("duplicate-user", standing, &status.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_nobody() {
    let live = Live::start().await;
    for (status, code, standing) in [
        (404, "user:error:not-found", "agrees"),
        (401, "system:error:invalid-token", "agrees"),
        (200, "", "contradicts"),
        (500, "system:error:internal-error", "untried"),
    ] {
        let answer = json!({ "exactly": { "status": status, "body": { "code": code } } });
        let fault = json!({ "path": "/v0.3/users/me", "answer": answer });
        let run = played(&live, json!({ "requests": [fault] })).await;
        run.says("unknown-user", standing, code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitors_token_that_opens_too_much() {
    let live = Live::start().await;
    let run = played(&live, json!({ "habits": { "acl_is_checked": false } })).await;
    run.contradicts(&["token-reach"])
        .says("token-reach", "contradicts", "the account's calls")
        .says("smallest-acl", "agrees", "not asked for: users, sessions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitors_token_that_opens_nothing_else() {
    let live = Live::start().await;
    live.vonage.answering(|answer| {
        let is_other = answer.is(&Method::GET, "/v0.3/users/USR-");
        if (is_other || answer.path == "/v1/users") && answer.method == Method::GET {
            answer.status = axum::http::StatusCode::FORBIDDEN;
        }
    });
    let run = live.run(&["--yes"]).await;
    run.says("token-reach", "agrees", "nothing that was tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_paths_that_is_too_short() {
    let mut live = Live::start().await;
    // `media` is in the documented list, and not in the short one.
    let wants = |path: &str| json!({ "habits": { "acl_wants": [path] } });
    live.folder.set("CLICK_TO_CALL__TOKEN__ACL", "call-only");
    let run = played(&live, wants("/*/media/**")).await;
    run.says(
        "smallest-acl",
        "contradicts",
        "refused with token.acl: users, sessions",
    );
    live.folder.set("CLICK_TO_CALL__TOKEN__ACL", "client-sdk");
    let run = played(&live, wants("/*/media/**")).await;
    run.contradicts(&[]);
    let run = played(&live, wants("/*/something/**")).await;
    run.contradicts(&["smallest-acl"]).says(
        "smallest-acl",
        "contradicts",
        "refused even with the whole list: users",
    );
}
