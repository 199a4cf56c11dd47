//! Looks at a file that somebody else may be using, and leaves it as it is.

use std::path::Path;

use sqlx::{Connection, SqliteConnection, query, query_scalar, sqlite::SqliteConnectOptions};

use super::{
    columns::Columns,
    file::DatabaseFile,
    open::{self, BUSY_TIMEOUT},
    server::{BEAT, FIND_SECRET},
};
use crate::store::{ConnectError, Looked};

/// Tries a write that is taken back, and reads the version of the tables and a secret.
pub(in crate::store) async fn look(path: &Path, secret: &str) -> Result<Looked, ConnectError> {
    let file = &DatabaseFile::new(path);
    let failed = |error| open::explain(file, error);
    // Nothing of how the file is kept is set here: its server does that.
    let options = SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT);
    let mut connection = SqliteConnection::connect_with(&options)
        .await
        .map_err(failed)?;
    let mut trial = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(failed)?;
    let has_tables: bool =
        query_scalar("SELECT count(*) > 0 FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *trial)
            .await
            .map_err(failed)?;
    let mut looked = Looked::default();
    if has_tables {
        let step: Option<i64> = query_scalar("SELECT max(version) FROM _sqlx_migrations")
            .fetch_one(&mut *trial)
            .await
            .map_err(failed)?;
        let known = open::migrations().last().map(|step| step.version);
        if let Some(version) = step.filter(|step| Some(*step) > known) {
            return Err(ConnectError::NewerSchema {
                path: file.path().to_owned(),
                version,
            });
        }
        looked.is_current = step == known;
        query(BEAT).execute(&mut *trial).await.map_err(failed)?;
        let row = query(FIND_SECRET)
            .bind(secret)
            .fetch_optional(&mut *trial)
            .await
            .map_err(failed)?;
        if let Some(row) = row {
            let value = row
                .bytes32("value")
                .map_err(|error| ConnectError::Corrupt {
                    path: file.path().to_owned(),
                    finding: error.to_string(),
                })?;
            looked.secret = Some(value.into());
        }
    }
    trial.rollback().await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(looked)
}
