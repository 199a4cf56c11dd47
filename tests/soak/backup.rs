//! A back-up in the middle of a load, and a restore as docs/OPERATIONS.md describes it.

use std::{fs, process::Command};

use tokio::{sync::watch, task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{
    load::{http::Connection, requests},
    service::Service,
    stage::{PATIENCE, address, assert_kept, ready, stored_legs},
};

const SENDERS: usize = 16;
const SHORT: usize = 200;
const FULL: usize = 50_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_everything_that_was_acknowledged_before_it() {
    back_up_after(SHORT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the full size: make soak"]
async fn a_backup_of_many_events_has_everything_that_was_acknowledged_before_it() {
    back_up_after(FULL).await;
}

/// Backs up when so many events are acknowledged, while more come, and restores the copy in an empty place.
async fn back_up_after(events: usize) {
    let place = ready();
    let mut service = Service::start(&place);
    let (acknowledge, mut acknowledged) = watch::channel(Vec::<String>::new());
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let mut connection = Connection::open(address(&service)).await.unwrap();
        let acknowledge = acknowledge.clone();
        senders.spawn(async move {
            loop {
                let leg = Uuid::new_v4().to_string();
                match connection.send(&requests::event(&leg)).await {
                    Ok(answer) if answer.status == 200 => {
                        acknowledge.send_modify(|legs| legs.push(leg));
                    }
                    Ok(answer) => assert_eq!(answer.status, 503),
                    Err(_) => return,
                }
            }
        });
    }
    let enough = acknowledged.wait_for(|legs| legs.len() >= events);
    let before = timeout(PATIENCE * 4, enough)
        .await
        .unwrap()
        .unwrap()
        .clone();
    let mut backup = place.command(&["backup", "copy.db"]);
    let output = tokio::task::spawn_blocking(move || backup.output());
    let output = output.await.unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let after = acknowledged.borrow().len();
    service.signal("-TERM");
    senders.join_all().await;
    assert_eq!(service.end(), Some(0), "{}", service.log);
    eprintln!(
        "{} acknowledged before the back-up, {} while it was made",
        before.len(),
        after - before.len()
    );

    let restored = ready();
    fs::create_dir(restored.path("data")).unwrap();
    let copied = Command::new("cp")
        .arg(place.path("copy.db"))
        .arg(restored.path("data/click-to-call.db"))
        .status();
    assert!(copied.unwrap().success());
    let mut service = Service::start(&restored);
    service.signal("-TERM");
    assert_eq!(service.end(), Some(0), "{}", service.log);
    assert_kept(&before, &stored_legs(&restored));
}
