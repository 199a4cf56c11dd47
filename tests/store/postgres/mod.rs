//! PostgreSQL: the contract, what is proven at the start, and the faults of a server.

mod looking;
mod opening;
mod running;
mod shared;
mod tls;

use std::sync::Arc;

use click_to_call::{
    domain::store::Store,
    settings::DatabaseUrl,
    store::{Access, ConnectError, connect},
};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::cluster::Cluster;

mod contract {
    crate::contract::test_contract!(crate::postgres::open_new);
}

/// A store in a new database of the shared cluster, and the database's name.
async fn open_new() -> (Arc<dyn Store>, String) {
    open_new_in(Cluster::shared()).await
}

async fn open_new_in(cluster: &Cluster) -> (Arc<dyn Store>, String) {
    let database = cluster.create_database().await;
    let store = serve(&cluster.url(&database)).await.unwrap();
    (store, database)
}

async fn serve(url: &str) -> Result<Arc<dyn Store>, ConnectError> {
    serve_on(url, 10).await
}

async fn serve_on(url: &str, connections: u32) -> Result<Arc<dyn Store>, ConnectError> {
    let access = Access::Serve { connections };
    connect(&DatabaseUrl::parse(url).unwrap(), access).await
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::query(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .unwrap();
}

async fn number(connection: &mut PgConnection, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Cuts all connections of the store, whatever they are doing.
async fn cut_connections(admin: &mut PgConnection) {
    execute(
        admin,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'calls' AND datname = current_database()",
    )
    .await;
}
