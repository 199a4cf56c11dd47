//! A visitor's way to a token, and the shared user.

use axum::http::{Method, StatusCode};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_gets_no_good_token() {
    let world = World::start().await;
    for (status, words, remedy) in [
        (StatusCode::UNAUTHORIZED, "refuses a token", "token inspect"),
        (
            StatusCode::FORBIDDEN,
            "does not let it read its own user",
            "token.acl",
        ),
    ] {
        world.vonage.answering(move |answer| {
            if answer.is(&Method::GET, "/v0.3/users/") {
                answer.status = status;
            }
        });
        let report = world.doctor().await;
        report.fails("users", words, remedy);
    }
    world.vonage.answering(|answer| {
        if answer.is(&Method::GET, "/v0.3/users/") {
            answer.status = StatusCode::NOT_FOUND;
        }
    });
    let report = world.doctor().await;
    report.warns("users", "answers 404", "VONAGE_CLIENT_API_URL");
    world.vonage.answering(|answer| {
        if answer.is(&Method::DELETE, "/v1/users/") {
            answer.status = StatusCode::FORBIDDEN;
        }
    });
    let report = world.doctor().await;
    report.warns("users", "but not deleted", "Vonage forgets them");
    world.vonage.answering(|answer| {
        if answer.is(&Method::POST, "/v1/users") {
            answer.status = StatusCode::FORBIDDEN;
            answer.body = b"{\"title\": \"Forbidden\"}".to_vec();
        }
    });
    let report = world.doctor().await;
    report.fails("users", "not allowed to", "dashboard");
    world.vonage.answering(|answer| {
        if answer.path.starts_with("/v1/users") {
            answer.status = StatusCode::UNAUTHORIZED;
        }
    });
    let report = world.doctor().await;
    report.fails(
        "users",
        "does not accept the application's token",
        "VONAGE_APPLICATION_ID",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_user_who_is_not_there() {
    let world = World::start().await;
    let report = world
        .doctor_with(&[("CLICK_TO_CALL__VISITORS__USERS", "shared")])
        .await;
    report.fails(
        "users",
        "the shared user \"supportuser\" is not there",
        "doctor --fix",
    );
}
