//! A stop while hundreds of requests are under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{
    load::{http::Connection, requests},
    service::Service,
    stage::{PATIENCE, address, assert_kept, ready, stored_legs},
};

const SHORT: usize = 50;
const FULL: usize = 500;
/// What `http.shutdown_timeout_seconds` promises.
const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_of_a_load_loses_nothing() {
    stop_under(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the full size: make soak"]
async fn a_stop_under_five_hundred_requests_loses_nothing() {
    stop_under(FULL).await;
}

/// Stops the service while this many senders each have an event under way.
async fn stop_under(in_flight: usize) {
    let place = ready();
    let mut service = Service::start(&place);
    let begun = Arc::new((AtomicUsize::new(0), Notify::new()));
    let mut senders = JoinSet::new();
    for _ in 0..in_flight {
        let mut connection = Connection::open(address(&service)).await.unwrap();
        let begun = Arc::clone(&begun);
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            loop {
                let leg = Uuid::new_v4().to_string();
                match connection.send(&requests::event(&leg)).await {
                    Ok(answer) if answer.status == 200 => {
                        acknowledged.push(leg);
                        if acknowledged.len() == 3 {
                            begun.0.fetch_add(1, Ordering::SeqCst);
                            begun.1.notify_one();
                        }
                    }
                    Ok(answer) => assert_eq!(answer.status, 503),
                    Err(_) => return acknowledged,
                }
            }
        });
    }
    // Each has had answers and goes on asking: as many are under way as there are senders.
    let all_begun = async {
        while begun.0.load(Ordering::SeqCst) < in_flight {
            begun.1.notified().await;
        }
    };
    timeout(PATIENCE, all_begun).await.unwrap();
    service.signal("-TERM");
    let signalled = Instant::now();
    let acknowledged: Vec<String> = senders.join_all().await.into_iter().flatten().collect();
    assert_eq!(service.end(), Some(0), "{}", service.log);
    let took = signalled.elapsed();
    assert!(took < DEADLINE, "the stop took {took:?}");
    assert!(acknowledged.len() >= in_flight * 3);
    assert_kept(&acknowledged, &stored_legs(&place));
    eprintln!(
        "stopped in {took:?} with {in_flight} in flight; {} acknowledged, none lost",
        acknowledged.len()
    );
}
