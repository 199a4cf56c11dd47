//! The database goes away again and again while webhooks come, which Vonage sends again when they get a 503.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    cluster::Cluster,
    world::{Door, Signed, World, leg_event},
};

/// Until a webhook that was refused comes again; Vonage waits longer.
const RETRY: Duration = Duration::from_millis(200);
/// No event takes longer, with all its tries.
const PATIENCE: Duration = Duration::from_secs(30);
const PER_SECOND: u32 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_and_goes_loses_and_doubles_nothing() {
    flow(Duration::from_secs(3), Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the full size: make soak"]
async fn a_minute_of_outages_loses_and_doubles_nothing() {
    flow(Duration::from_mins(1), Duration::from_secs(2)).await;
}

/// Events for so long, with an outage as often as this.
async fn flow(lasts: Duration, every: Duration) {
    let cluster = Cluster::start(&[]);
    let world = World::on(&cluster).await;
    let replicas = world.start_two();
    let doors = [replicas[0].door.clone(), replicas[1].door.clone()];
    let flowing = tokio::spawn(send_events(lasts, doors));
    let mut pace = tokio::time::interval(every);
    pace.tick().await;
    for outage in 0.. {
        pace.tick().await;
        if flowing.is_finished() {
            break;
        }
        if outage % 2 == 0 {
            cut_connections(&world).await;
        } else {
            let mode = if outage % 4 == 1 { "fast" } else { "immediate" };
            tokio::task::block_in_place(|| {
                cluster.stop_server(mode);
                cluster.start_server();
            });
        }
    }
    let (sent, refused) = flowing.await.unwrap();
    assert!(refused > 0, "no outage was felt");
    let kept = world.number("SELECT count(*) FROM events").await;
    let distinct = world.number("SELECT count(DISTINCT leg) FROM events");
    assert_eq!((kept, distinct.await), (sent, sent));
    for replica in &replicas {
        let getting_ready = async { while replica.readiness().await != StatusCode::OK {} };
        tokio::time::timeout(PATIENCE, getting_ready).await.unwrap();
    }
    eprintln!("{sent} events, {refused} of their requests refused: none lost, none doubled");
}

/// The number of events, all acknowledged in the end, and of the tries that were not.
async fn send_events(lasts: Duration, doors: [Door; 2]) -> (i64, usize) {
    let mut pace = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = tokio::time::Instant::now();
    let mut delivering = JoinSet::new();
    let mut sent = 0;
    while begun.elapsed() < lasts {
        pace.tick().await;
        let doors = doors.clone();
        let number = sent;
        delivering.spawn(async move {
            let delivered = deliver(&doors, number);
            tokio::time::timeout(PATIENCE, delivered).await.unwrap()
        });
        sent += 1;
    }
    let refused = delivering.join_all().await.into_iter().sum();
    (i64::try_from(sent).unwrap(), refused)
}

/// Sends an event until it is acknowledged, to the servers in turn. Returns how often it was not.
async fn deliver(doors: &[Door; 2], number: usize) -> usize {
    let event = leg_event(&format!("leg-{number}"), "near", "ringing");
    let mut refused = 0;
    loop {
        let door = &doors[(number + refused) % 2];
        let signed = Signed::new(&event);
        match door.webhook("/webhooks/event", &signed).await {
            Ok(response) => match response.status() {
                StatusCode::OK => return refused,
                // The latter: it crossed with the end of a connection that had been silent for too long.
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {}
                other => panic!("{other}"),
            },
            // So does Vonage after a time-out and a closed or reset connection: this one may have been silent too long.
            // A server that lets nobody connect is dead.
            Err(error) => {
                let is_closed = error.is_request() && !error.is_connect();
                assert!(error.is_timeout() || is_closed, "{error:?}");
            }
        }
        refused += 1;
        tokio::time::sleep(RETRY).await;
    }
}

async fn cut_connections(world: &World<'_>) {
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE usename = 'calls' AND datname = current_database()";
    world.number(cut).await;
}
