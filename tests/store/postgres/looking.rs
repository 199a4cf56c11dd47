//! A look at a database that may be in use, which leaves it as it is.

use click_to_call::{
    settings::DatabaseUrl,
    store::{ConnectError, Looked, look},
};
use uuid::Uuid;

use super::{execute, number, open_new};
use crate::cluster::Cluster;

const SECRET: &str = "test";
const VALUE: [u8; 32] = [7; 32];

async fn look_at(url: &str) -> Result<Looked, ConnectError> {
    look(&DatabaseUrl::parse(url).unwrap(), SECRET).await
}

/// A look that finds something, and makes and drops no table.
async fn look_quietly(database: &str) -> Looked {
    let cluster = Cluster::shared();
    let mut admin = cluster.admin(database).await;
    let tables = "SELECT count(*) FROM pg_class";
    let before = number(&mut admin, tables).await;
    let looked = look_at(&cluster.url(database)).await.unwrap();
    assert_eq!(number(&mut admin, tables).await, before);
    looked
}

/// What the owner of this database is told instead.
async fn refusal(database: &str) -> String {
    let refused = look_at(&Cluster::shared().url(database)).await;
    format!("{:#}", anyhow::Error::from(refused.unwrap_err()))
}

/// A database in which a server keeps its secret, and which nobody uses any more.
async fn used() -> String {
    let (store, database) = open_new().await;
    store.server_secret(SECRET, VALUE).await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    database
}

async fn change(database: &str, statement: &str) {
    execute(&mut Cluster::shared().admin(database).await, statement).await;
}

#[tokio::test]
async fn tables_of_this_version_and_the_secret_are_seen_beside_a_server() {
    let (store, database) = open_new().await;
    store.server_secret(SECRET, VALUE).await.unwrap();
    store.ping().await.unwrap();
    let beats = "SELECT beat FROM heartbeat";
    let mut admin = Cluster::shared().admin(&database).await;
    let before = number(&mut admin, beats).await;
    let looked = look_quietly(&database).await;
    assert!(looked.is_current);
    assert_eq!(looked.secret.as_deref(), Some(&VALUE));
    assert_eq!(number(&mut admin, beats).await, before);
    store.ping().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn secret_that_was_never_kept_is_none() {
    let (store, database) = open_new().await;
    store.close().await;
    let looked = look_quietly(&database).await;
    assert!(looked.is_current && looked.secret.is_none());
    let mut admin = Cluster::shared().admin(&database).await;
    assert_eq!(number(&mut admin, "SELECT count(*) FROM secrets").await, 0);
}

#[tokio::test]
async fn older_tables_are_not_brought_up_to_date() {
    let database = used().await;
    let forget = "DELETE FROM _sqlx_migrations WHERE version > 1";
    change(&database, forget).await;
    let looked = look_quietly(&database).await;
    assert!(!looked.is_current);
    assert_eq!(looked.secret.as_deref(), Some(&VALUE));
    let mut admin = Cluster::shared().admin(&database).await;
    let steps = "SELECT count(*) FROM _sqlx_migrations";
    assert_eq!(number(&mut admin, steps).await, 1);
}

#[tokio::test]
async fn tables_are_not_made() {
    let database = Cluster::shared().create_database().await;
    let looked = look_quietly(&database).await;
    assert!(!looked.is_current && looked.secret.is_none());
}

#[tokio::test]
async fn newer_tables_are_told() {
    let database = used().await;
    let future = "INSERT INTO _sqlx_migrations VALUES (99, 'future', now(), true, '', 0)";
    change(&database, future).await;
    let refusal = refusal(&database).await;
    assert!(refusal.contains("newer version"), "{refusal}");
}

#[tokio::test]
async fn secret_of_another_length_is_told_without_it() {
    let database = used().await;
    change(
        &database,
        "ALTER TABLE secrets DROP CONSTRAINT IF EXISTS secrets_value_check",
    )
    .await;
    change(&database, "UPDATE secrets SET value = 'canary'").await;
    let refusal = refusal(&database).await;
    assert!(refusal.contains("value"), "{refusal}");
    assert!(!refusal.contains("canary"), "{refusal}");
}

#[tokio::test]
async fn reader_who_may_not_write_is_told() {
    let database = used().await;
    let role = format!("reader_{}", Uuid::new_v4().simple());
    change(&database, &format!("CREATE ROLE {role} LOGIN")).await;
    let grant = format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
    change(&database, &grant).await;
    let refused = look_at(&Cluster::shared().url_as(&role, &database)).await;
    let refusal = refused.unwrap_err().to_string();
    assert!(refusal.contains("takes no write"), "{refusal}");
    assert!(refusal.contains("permission denied"), "{refusal}");
}
