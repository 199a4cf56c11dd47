//! SQLite: the contract, and the faults of a file.

mod opening;
mod running;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use click_to_call::{
    domain::store::Store,
    settings::DatabaseUrl,
    store::{Access, ConnectError, connect},
};
use rusqlite::Connection;
use tempfile::TempDir;

mod contract {
    crate::contract::test_contract!(crate::sqlite::open_new);
}

/// A new store, and the folder that goes away with the test.
async fn open_new() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = serve(&database_in(&folder)).await.unwrap();
    (store, folder)
}

fn database_in(folder: &TempDir) -> PathBuf {
    folder.path().join("data/click-to-call.db")
}

async fn serve(path: &Path) -> Result<Arc<dyn Store>, ConnectError> {
    let access = Access::Serve { connections: 10 };
    connect(&DatabaseUrl::Sqlite(path.to_owned()), access).await
}

/// Another program's connection to the same file.
fn stranger(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn execute(connection: &Connection, statement: &str) {
    connection.execute_batch(statement).unwrap();
}
