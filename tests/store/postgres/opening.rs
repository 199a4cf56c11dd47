//! What is proven before the first write.

use anyhow::Error;
use click_to_call::domain::{event::NewEvent, ids::LegId, store::Appended};
use futures_util::future::join_all;
use sqlx::{
    Connection, PgConnection, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};
use uuid::Uuid;

use super::{execute, number, open_new, serve};
use crate::{cluster::Cluster, records::event};

/// All that the operator is told.
pub(super) async fn refusal(url: &str) -> String {
    let refused = serve(url).await.map(drop).unwrap_err();
    format!("{:#}", Error::from(refused))
}

async fn refusal_after(change: &str) -> String {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let change = change.replace("DATABASE calls", &format!("DATABASE {database}"));
    execute(&mut cluster.admin(&database).await, &change).await;
    refusal(&cluster.url(&database)).await
}

#[track_caller]
pub(super) fn assert_says(refusal: &str, words: &[&str]) {
    for words in words {
        assert!(refusal.contains(words), "{words:?} is not in {refusal}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_with_the_place() {
    let refusal = refusal("postgres://calls:canary@%2Fno%2Fsuch%2Ffolder/calls").await;
    assert_says(&refusal, &["cannot reach", "/no/such/folder:5432/calls"]);
    assert!(!refusal.contains("canary"), "{refusal}");
}

#[tokio::test]
async fn missing_database_is_told() {
    let refusal = refusal(&Cluster::shared().url("nothing")).await;
    assert_says(&refusal, &["there is no database", "/nothing", "createdb"]);
}

#[tokio::test]
async fn wrong_password_is_told_without_it() {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let role = format!("locked_{}", Uuid::new_v4().simple());
    let mut admin = cluster.admin(&database).await;
    execute(
        &mut admin,
        &format!("CREATE ROLE {role} LOGIN PASSWORD 'right'"),
    )
    .await;
    execute(
        &mut admin,
        &format!("GRANT CREATE ON SCHEMA public TO {role}"),
    )
    .await;
    cluster.admit(&format!("local all {role} scram-sha-256"));
    let refusal = refusal(&cluster.url_as(&format!("{role}:canary"), &database)).await;
    assert_says(&refusal, &["does not let", &role, "pg_hba.conf"]);
    assert!(!refusal.contains("canary"), "{refusal}");
    let right = cluster.url_as(&format!("{role}:right"), &database);
    serve(&right).await.unwrap().close().await;
}

#[tokio::test]
async fn commits_that_are_not_durable_are_refused() {
    let refusal = refusal_after("ALTER DATABASE calls SET synchronous_commit = off").await;
    assert_says(
        &refusal,
        &["synchronous_commit is off", "power cut", "ALTER ROLE"],
    );
}

#[tokio::test]
async fn disk_that_is_not_waited_for_is_refused() {
    let cluster = Cluster::start(&["fsync = off"]);
    let database = cluster.create_database().await;
    let refusal = refusal(&cluster.url(&database)).await;
    assert_says(&refusal, &["fsync is off", "restart PostgreSQL"]);
}

#[tokio::test]
async fn read_only_database_is_refused() {
    let change = "ALTER DATABASE calls SET default_transaction_read_only = on";
    assert_says(&refusal_after(change).await, &["read-only"]);
}

#[tokio::test]
async fn standby_is_refused_until_it_is_the_primary() {
    let primary = Cluster::start(&[]);
    let database = primary.create_database().await;
    let standby = primary.start_standby();
    let url = standby.url(&database);
    assert_says(
        &refusal(&url).await,
        &["it is a standby", "name the primary in DATABASE_URL"],
    );
    standby.promote();
    let store = serve(&url).await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn encoding_that_can_not_keep_all_texts_is_refused() {
    let cluster = Cluster::shared();
    let database = cluster
        .create_database_with("ENCODING 'LATIN1' TEMPLATE template0")
        .await;
    let refusal = refusal(&cluster.url(&database)).await;
    assert_says(&refusal, &["encoding is LATIN1", "UTF8"]);
}

#[tokio::test]
async fn missing_rights_are_told() {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let role = format!("guest_{}", Uuid::new_v4().simple());
    let mut admin = cluster.admin(&database).await;
    execute(&mut admin, &format!("CREATE ROLE {role} LOGIN")).await;
    let refusal = refusal(&cluster.url_as(&role, &database)).await;
    assert_says(&refusal, &["the right to make tables", "permission denied"]);
}

#[tokio::test]
async fn newer_schema_is_left_alone() {
    let (store, database) = open_new().await;
    store.close().await;
    let cluster = Cluster::shared();
    let mut admin = cluster.admin(&database).await;
    execute(
        &mut admin,
        "INSERT INTO _sqlx_migrations VALUES (99, 'future', now(), true, '', 0)",
    )
    .await;
    let refusal = refusal(&cluster.url(&database)).await;
    assert_says(&refusal, &["newer version", "step 99"]);
}

#[tokio::test]
async fn altered_schema_step_is_refused() {
    let (store, database) = open_new().await;
    store.close().await;
    let cluster = Cluster::shared();
    let mut admin = cluster.admin(&database).await;
    execute(&mut admin, "UPDATE _sqlx_migrations SET checksum = 'x'").await;
    let refusal = refusal(&cluster.url(&database)).await;
    assert_says(&refusal, &["cannot bring the tables", "migration 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_start_at_once_on_an_empty_database_all_start() {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let url = cluster.url(&database);
    let stores = join_all((0..8).map(|_| serve(&url))).await;
    for store in stores {
        let store = store.unwrap();
        let appended = store.append_event(&event()).await.unwrap();
        assert_eq!(appended, Appended::New(None));
        store.close().await;
    }
    let mut admin = cluster.admin(&database).await;
    assert_eq!(number(&mut admin, "SELECT count(*) FROM events").await, 8);
}

/// As version 0.1.0 has left it before its events became lean.
#[tokio::test]
async fn database_of_an_older_version_is_brought_up_to_date() {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let mut calls = PgConnection::connect(&cluster.url(&database))
        .await
        .unwrap();
    let steps = [
        (
            1,
            "core",
            include_str!("../../../migrations/postgres/0001_core.sql"),
        ),
        (
            2,
            "ready users",
            include_str!("../../../migrations/postgres/0002_ready_users.sql"),
        ),
        (
            3,
            "homes",
            include_str!("../../../migrations/postgres/0003_homes.sql"),
        ),
    ];
    let steps = steps.map(|(version, name, sql)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(steps.to_vec())
        .run_direct(None, &mut calls, false)
        .await
        .unwrap();
    let events = "
        INSERT INTO events (digest, kind, leg, conversation, status, timestamp, was_answered, raw, received_at) VALUES
            (decode(repeat('00', 32), 'hex'), 'status', 'leg-1', 'CON-1', 'ringing', 'now', false, '{}', 1),
            (decode(repeat('01', 32), 'hex'), 'other', NULL, NULL, NULL, NULL, false, '{}', 1)";
    execute(&mut calls, events).await;

    let store = serve(&cluster.url(&database)).await.unwrap();
    let complete = NewEvent {
        leg: LegId::parse("leg-1"),
        timestamp: Some("now".to_owned()),
        ..event()
    };
    let other = NewEvent {
        digest: [1; 32],
        leg: None,
        ..event()
    };
    for again in [complete, other] {
        assert_eq!(store.append_event(&again).await.unwrap(), Appended::Repeat);
    }
    assert_eq!(number(&mut calls, "SELECT count(*) FROM events").await, 2);
    store.close().await;
}
