//! Events that are acknowledged when they are on disk.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use click_to_call::{
    domain::{
        clock::Clock,
        store::{Appended, ReplayKey},
    },
    settings::DatabaseUrl,
    store::{self, Access},
    vonage::{signature::Payload, webhook},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    append_log,
    cluster::Cluster,
    load::{http::Connection, requests},
    slow_disk,
    stage::Stage,
    table::{Row, median, median_ratio, number},
};

const ROUNDS: usize = 5;
const SENDERS: usize = 64;
/// Events in a round: a second or so.
const EVENTS: usize = 8_000;
/// Time for the store that commits each event by itself.
const SINGLY: Duration = Duration::from_secs(1);
/// PostgreSQL's own defaults: the clusters of the tests are smaller.
const USUAL: &[&str] = &["shared_buffers = 128MB", "max_wal_size = 1GB"];

pub(crate) fn rows() -> Vec<Row> {
    let stage = Stage::set();
    let cluster = installed_cluster();
    let postgres = cluster.as_ref().map(on_postgres);
    let log = append_log::start(&stage.place.path("append.log"));
    let single_store = stage.place.path("single.db");
    stage.runtime.block_on(async {
        let (mut stored, mut appended, mut singly) = (Vec::new(), Vec::new(), Vec::new());
        let mut in_postgres = Vec::new();
        for _ in 0..ROUNDS {
            stored.push(events_per_second(stage.address()).await);
            appended.push(events_per_second(log).await);
            if let Some(postgres) = &postgres {
                in_postgres.push(events_per_second(postgres.address()).await);
            }
            singly.push(singly_per_second(&single_store).await);
        }
        // The goals are shares of what a log does while a flush takes its time.
        let judged = |bounds: [f64; 2]| slow_disk::is_here().then_some(bounds);
        let beside_log = |name: &str, rates: &[f64], bounds| {
            Row::share(
                &format!("durable events/s from 64 senders{name} / an append-only log"),
                number(median(rates)),
                number(median(&appended)),
                median_ratio(rates, &appended),
                judged(bounds),
            )
        };
        let mut rows = vec![beside_log("", &stored, [1.0, 0.6])];
        if postgres.is_some() {
            rows.push(beside_log(" on PostgreSQL", &in_postgres, [0.9, 0.5]));
        }
        rows.push(Row::share(
            "durable events/s from 64 senders / one transaction each",
            number(median(&stored)),
            number(median(&singly)),
            median_ratio(&stored, &singly),
            judged([10.0, 5.0]),
        ));
        rows
    })
}

fn installed_cluster() -> Option<Cluster> {
    if Cluster::is_installed() {
        return Some(Cluster::start(USUAL));
    }
    eprintln!(
        "without the row on PostgreSQL, which is missing: apt-get install postgresql, or set POSTGRES_BIN"
    );
    None
}

/// The service with a new database of this cluster.
fn on_postgres(cluster: &Cluster) -> Stage {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(cluster.create_database());
    Stage::with(&[("DATABASE_URL", &cluster.url(&database))])
}

/// Each sender sends its share, one after the other.
async fn events_per_second(address: SocketAddr) -> f64 {
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        let share: Vec<Vec<u8>> = (0..EVENTS / SENDERS)
            .map(|_| requests::event(&Uuid::new_v4().to_string()))
            .collect();
        senders.push((Connection::open(address).await.unwrap(), share));
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for (mut connection, share) in senders {
        running.spawn(async move {
            for event in share {
                assert_eq!(connection.send(&event).await.unwrap().status, 200);
            }
        });
    }
    running.join_all().await;
    f64::from(u32::try_from(EVENTS).unwrap()) / begun.elapsed().as_secs_f64()
}

/// The same events in the same tables, each on disk before the next is looked at, without HTTP before it.
async fn singly_per_second(path: &Path) -> f64 {
    let url = DatabaseUrl::Sqlite(path.to_owned());
    let access = Access::Serve { connections: 10 };
    let store = store::connect(&url, access).await.unwrap();
    let clock = Clock::system();
    let begun = Instant::now();
    let mut done = 0_u32;
    while begun.elapsed() < SINGLY {
        let id = Uuid::new_v4().to_string();
        let body = requests::event_body(&id).to_string().into_bytes();
        let payload = Payload::Body(&body);
        let replay = ReplayKey {
            jti: id,
            issued_at: clock.now(),
            digest: payload.digest(),
        };
        let event = webhook::event(payload, Some(replay), clock.now());
        assert_eq!(
            store.append_event(&event).await.unwrap(),
            Appended::New(None)
        );
        done += 1;
    }
    let rate = f64::from(done) / begun.elapsed().as_secs_f64();
    store.close().await;
    rate
}
