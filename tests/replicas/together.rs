//! A call whose every step reaches another server than the one before.

use std::{collections::HashSet, thread, time::Duration};

use reqwest::StatusCode;
use wiremock::ResponseTemplate;

use crate::world::{World, leg_event};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_both_and_its_streams_on_either_show_everything() {
    let world = World::new().await;
    let [a, b] = world.start_two();
    let visitor = a.visitor().await;
    let call = a.call(&visitor).await;
    let mut streams = [
        a.watch(&visitor, &call).await,
        b.watch(&visitor, &call).await,
    ];
    let question = world.question(&visitor, &call, "near");
    assert!(b.connects(&question).await);
    // A stream that heard nothing would fail before its keep-alive looks.
    a.event(&leg_event("far", "near", "ringing")).await;
    for stream in &mut streams {
        stream.until("ringing").await;
    }
    b.event(&leg_event("far", "near", "answered")).await;
    for stream in &mut streams {
        stream.until("answered").await;
    }
    a.hang_up(&visitor, &call).await;
    for stream in &mut streams {
        stream.until("ended").await;
    }
    assert_eq!(world.hangups("near").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_on_an_empty_database_all_come_up() {
    let world = World::new().await;
    let replicas: Vec<_> = thread::scope(|scope| {
        let world = &world;
        let starting =
            ["a", "b", "c", "d", "e", "f"].map(|name| scope.spawn(move || world.start(name)));
        starting
            .into_iter()
            .map(|started| started.join().unwrap())
            .collect()
    });
    let visitor = replicas[0].visitor().await;
    for replica in &replicas {
        assert_eq!(replica.readiness().await, StatusCode::OK);
        // They share what signs tickets as well.
        let call = replica.call(&visitor).await;
        let question = world.question(&visitor, &call, &format!("leg-{}", call.id));
        assert!(replicas[5].connects(&question).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_made_ahead_is_given_once() {
    const USERS: usize = 10;
    let mut world = World::new().await;
    world
        .place
        .set("CLICK_TO_CALL__VISITORS__READY_USERS", &USERS.to_string());
    let [a, b] = world.start_two();
    let filling = async {
        while world.number("SELECT count(*) FROM ready_users").await < 10 {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, filling).await.unwrap();
    // Nothing can be made on the spot any more.
    let down = ResponseTemplate::new(503);
    world.vonage.mount(1, "POST", "/v1/users$", down).await;
    let mut users = HashSet::new();
    for _ in 0..USERS / 2 {
        let (one, other) = tokio::join!(a.visitor(), b.visitor());
        users.extend([one.user, other.user]);
    }
    assert_eq!(users.len(), USERS);
}
