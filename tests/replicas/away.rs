//! The database is away for a while: load balancers are told, callers hear an apology at once, and all is well by
//! itself when it is back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::{
    cluster::Cluster,
    world::{Replica, World},
};

/// No answer takes longer: it gives the store 1.2 s, which itself would wait 3 s for a connection. The rest is left to a
/// machine that does other things meanwhile.
const SILENCE: Duration = Duration::from_millis(2_700);
/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_database_is_told_and_apologised_for() {
    absence(
        |cluster| cluster.stop_server("fast"),
        |cluster, ()| cluster.start_server(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_database_is_told_and_apologised_for() {
    absence(Cluster::freeze, |_, frozen| drop(frozen)).await;
}

/// The database goes `away`, and comes `back`.
async fn absence<T>(away: impl FnOnce(&Cluster) -> T, back: impl FnOnce(&Cluster, T)) {
    let cluster = Cluster::start(&[]);
    let world = World::on(&cluster).await;
    let replica = world.start("one");
    assert_eq!(replica.readiness().await, StatusCode::OK);
    let mut questions = Vec::new();
    for leg in ["first", "second"] {
        let visitor = replica.visitor().await;
        let call = replica.call(&visitor).await;
        questions.push(world.question(&visitor, &call, leg));
    }

    let gone = tokio::task::block_in_place(|| away(&cluster));
    for question in &questions {
        let asked = Instant::now();
        let actions = replica.answer(question).await;
        assert!(asked.elapsed() < SILENCE, "{:?}", asked.elapsed());
        assert_eq!(actions, ["talk"]);
    }
    let says = readiness_becomes(&replica, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(says.contains("the store "), "{says}");

    tokio::task::block_in_place(|| back(&cluster, gone));
    readiness_becomes(&replica, StatusCode::OK).await;
    let visitor = replica.visitor().await;
    let call = replica.call(&visitor).await;
    let question = world.question(&visitor, &call, "third");
    assert!(replica.connects(&question).await);
}

/// Asks until the answer has this status, and returns what it says.
async fn readiness_becomes(replica: &Replica, status: StatusCode) -> String {
    let becoming = async {
        loop {
            let (now, says) = replica.readyz().await;
            if now == status {
                return says;
            }
        }
    };
    tokio::time::timeout(PATIENCE, becoming).await.unwrap()
}
