//! Vonage users made ahead.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use click_to_call::settings::UserMode;
use reqwest::StatusCode;
use serde_json::Value;
use wiremock::{Request, ResponseTemplate};

use crate::helpers::{JsonOf, TestApp, VonageStub};

const DAY: u64 = 86_400;

async fn with_ready_users(number: u32) -> TestApp {
    TestApp::with(|s| s.visitors.ready_users = number).await
}

fn bodies(created: &[Request]) -> Vec<Value> {
    let body = |request: &Request| serde_json::from_slice(&request.body).unwrap();
    created.iter().map(body).collect()
}

fn names(created: &[Request]) -> HashSet<String> {
    let name = |user: &Value| user["name"].as_str().unwrap().to_owned();
    bodies(created).iter().map(name).collect()
}

/// Waits until so many users stand in the pool.
async fn wait_for_pool(app: &TestApp, number: usize) {
    let count = "SELECT CAST(count(*) AS TEXT) FROM ready_users";
    let waiting = async {
        while app.stored(count) != number.to_string() {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, waiting).await.unwrap();
}

#[tokio::test]
async fn visitors_get_users_that_were_made_ahead_each_another() {
    let app = with_ready_users(3).await;
    wait_for_pool(&app, 3).await;
    let made = app.vonage.requests("POST", "/v1/users").await;
    for user in bodies(&made) {
        let ttl = &user["properties"]["ttl"];
        assert_eq!(ttl, 3 * DAY, "a token's life, a day, and a day in the pool");
    }
    // Nothing can be made on the spot any more.
    let down = ResponseTemplate::new(503);
    app.vonage.mount(1, "POST", "/v1/users$", down).await;
    let (one, two, three) = tokio::join!(app.visitor(), app.visitor(), app.visitor());
    let given = HashSet::from([one.user, two.user, three.user]);
    assert_eq!(given, names(&made));
}

#[tokio::test]
async fn the_pool_is_filled_up_again() {
    let app = with_ready_users(2).await;
    wait_for_pool(&app, 2).await;
    let visitor = app.visitor().await;
    let made = app.vonage.wait_for_number(3, "POST", "/v1/users").await;
    assert!(names(&made[..2]).contains(&visitor.user));
    wait_for_pool(&app, 2).await;
}

#[tokio::test]
async fn an_empty_pool_keeps_no_visitor_waiting() {
    // Those made ahead live a day longer than those made on the spot.
    let fail = async |vonage: &VonageStub| vonage.refuse_users_of(3 * DAY).await;
    let app = TestApp::with_vonage(|s| s.visitors.ready_users = 1, fail).await;
    app.vonage.wait_for("POST", "/v1/users").await;
    let visitor = app.visitor().await;
    let made = bodies(&app.vonage.requests("POST", "/v1/users").await);
    let of_visitor = made.iter().find(|user| user["name"] == visitor.user);
    assert_eq!(of_visitor.unwrap()["properties"]["ttl"], 2 * DAY);
}

#[tokio::test]
async fn users_that_waited_a_day_are_deleted_and_given_to_nobody() {
    let app = with_ready_users(1).await;
    wait_for_pool(&app, 1).await;
    let stale = app.stored("SELECT user_id FROM ready_users");
    app.clock
        .advance(TimeDelta::days(1) + TimeDelta::seconds(1));
    let visitor = app.visitor().await;
    assert_ne!(format!("USR-{}", visitor.user), stale);

    let app = app.restart().await;
    let deleted = app.vonage.wait_for("DELETE", "/v1/users/").await;
    assert!(deleted[0].url.path().ends_with(&stale));
}

#[tokio::test]
async fn while_vonage_is_away_unneeded_users_are_left_to_their_ttl() {
    let app = TestApp::with(|s| {
        s.visitors.ready_users = 3;
        s.metrics.port = Some(0);
    })
    .await;
    wait_for_pool(&app, 3).await;
    app.clock.advance(TimeDelta::hours(25));
    let away = ResponseTemplate::new(503);
    app.vonage.mount(1, "DELETE", "/v1/users/.+", away).await;
    let app = app.restart().await;
    app.wait_for_sample("ready_user_events_total{event=\"dropped\"}", 3)
        .await;
    let asked = app.vonage.requests("DELETE", "/v1/users/").await;
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn where_all_share_a_user_none_is_made_ahead() {
    let app = TestApp::with(|s| {
        s.visitors.ready_users = 3;
        s.visitors.users = UserMode::Shared;
    })
    .await;
    app.visitor().await;
    let made = app.vonage.requests("POST", "/v1/users").await;
    assert_eq!(names(&made), HashSet::from(["supportuser".to_owned()]));
}

#[tokio::test]
async fn nobody_keeps_or_gets_a_user_of_another_application() {
    let mut app = with_ready_users(1).await;
    wait_for_pool(&app, 1).await;
    let session = app.visitor().await.session;
    wait_for_pool(&app, 1).await;
    let before = names(&app.vonage.requests("POST", "/v1/users").await);

    app.settings.vonage.application_id = "bbbbbbbb-bbbb-cccc-dddd-0123456789ab".to_owned();
    let app = app.restart().await;
    let returning = app.open_session(Some(&session)).await;
    let returning = returning.json_of(StatusCode::CREATED).await;
    let now = [
        app.visitor().await.user,
        returning["user"].as_str().unwrap().to_owned(),
    ];
    assert!(now.iter().all(|user| !before.contains(user)));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_vonage() {
    let app = with_ready_users(1).await;
    wait_for_pool(&app, 1).await;
    app.clock.advance(TimeDelta::days(3));
    let slow = ResponseTemplate::new(204).set_delay(Duration::from_mins(1));
    app.vonage.mount(1, "DELETE", "/v1/users/.+", slow).await;
    let mut app = app.restart().await;
    app.vonage.wait_for("DELETE", "/v1/users/").await;
    let begun = Instant::now();
    app.stop().await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}
