//! A stop: others notice first.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::helpers::{JsonOf, TestApp};

#[tokio::test]
async fn while_others_notice_a_stop_all_is_still_served() {
    let long = Duration::from_mins(2);
    let mut app = TestApp::with(|s| s.http.drain = long).await;
    assert_eq!(app.get("/readyz").await.status(), StatusCode::OK);
    app.begin_stop();
    let noticed = async {
        while app.get("/readyz").await.status() == StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed)
        .await
        .unwrap();
    // Over a new connection, as a visitor's is.
    app.http = reqwest::Client::builder().build().unwrap();
    assert_eq!(app.get("/readyz").await.problem_of(503).await, "not-ready");
    let visitor = app.visitor().await;
    let call = visitor.call().await;
    let mut stream = visitor.watch(&call.id).await;
    assert_eq!(stream.until("requested").await, None);
}

#[tokio::test]
async fn a_stop_ends_when_others_have_had_their_time() {
    let second = Duration::from_secs(1);
    let mut app = TestApp::with(|s| s.http.drain = second).await;
    let begun = Instant::now();
    app.stop().await.unwrap();
    assert!(begun.elapsed() >= second);
}
