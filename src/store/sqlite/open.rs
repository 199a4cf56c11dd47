//! Opens connections: looks before it writes, sets what durability needs, and brings the tables up to date.

use std::time::Duration;

use sqlx::{
    Connection, SqlSafeStr, SqliteConnection,
    error::DatabaseError,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::file::DatabaseFile;
use crate::store::ConnectError;

/// How long a connection waits for another one's lock. Longer than any commit of ours or of a command beside us,
/// short enough that a webhook can still be refused inside Vonage's time limits.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// SQLite's result codes, the low byte of an extended one.
///
/// Source: <https://www.sqlite.org/rescode.html>
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

/// `PRAGMA synchronous`: every commit is on disk before it returns.
///
/// Source: <https://www.sqlite.org/pragma.html#pragma_synchronous>
const SYNCHRONOUS_FULL: i64 = 2;

/// All that a connection that writes needs to be told.
pub(super) fn writing(file: &DatabaseFile) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // What is deleted for privacy must not stay readable in free pages.
        .pragma("secure_delete", "ON")
}

/// The same for one that only reads.
pub(super) fn reading(file: &DatabaseFile) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// Looks at the file through a read-only connection, so that one we can't use stays byte for byte as it is.
pub(super) async fn inspect(file: &DatabaseFile) -> Result<(), ConnectError> {
    let failed = |error| explain(file, error);
    let mut connection = SqliteConnection::connect_with(&reading(file))
        .await
        .map_err(failed)?;
    let finding: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    if finding != "ok" {
        return Err(ConnectError::Corrupt {
            path: file.path().to_owned(),
            finding,
        });
    }
    connection.close().await.map_err(failed)
}

/// Opens a connection that writes durably to tables of this version.
pub(super) async fn connect(
    file: &DatabaseFile,
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, ConnectError> {
    let mut connection = SqliteConnection::connect_with(options)
        .await
        .map_err(|error| explain(file, error))?;
    prove_durable(file, &mut connection).await?;
    migrate(file, &mut connection).await?;
    Ok(connection)
}

/// Reads back what was set: SQLite ignores in silence what the file system or its build can't do.
async fn prove_durable(
    file: &DatabaseFile,
    connection: &mut SqliteConnection,
) -> Result<(), ConnectError> {
    let failed = |error| explain(file, error);
    let not_durable = |setting, found| ConnectError::NotDurable {
        path: file.path().to_owned(),
        setting,
        found,
    };
    let journal_mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if journal_mode != "wal" {
        return Err(not_durable("journal_mode", journal_mode));
    }
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if synchronous != SYNCHRONOUS_FULL {
        return Err(not_durable("synchronous", synchronous.to_string()));
    }
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if foreign_keys != 1 {
        return Err(not_durable("foreign_keys", foreign_keys.to_string()));
    }
    Ok(())
}

/// Every step of the schema, in order. A step that was released never changes.
pub(super) fn migrations() -> Vec<Migration> {
    let step = |version, description: &'static str, sql: &'static str| {
        let (sql, kind) = (sql.into_sql_str(), MigrationType::Simple);
        Migration::new(version, description.into(), kind, sql, false)
    };
    vec![
        step(
            1,
            "core",
            include_str!("../../../migrations/sqlite/0001_core.sql"),
        ),
        step(
            2,
            "ready users",
            include_str!("../../../migrations/sqlite/0002_ready_users.sql"),
        ),
        step(
            3,
            "homes",
            include_str!("../../../migrations/sqlite/0003_homes.sql"),
        ),
    ]
}

/// Applies the steps that are missing, all or none.
///
/// sqlx takes no lock on SQLite while it migrates. The transaction around it is one: of two processes that
/// open a file at the same moment the second finds the work done.
async fn migrate(
    file: &DatabaseFile,
    connection: &mut SqliteConnection,
) -> Result<(), ConnectError> {
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(|error| explain(file, error))?;
    let path = || file.path().to_owned();
    // `run_direct` and not `run`: the latter's bounds make a future that cannot be spawned.
    match Migrator::with_migrations(migrations())
        .run_direct(None, &mut *transaction, false)
        .await
    {
        Ok(()) => transaction
            .commit()
            .await
            .map_err(|error| explain(file, error)),
        Err(MigrateError::VersionMissing(version)) => Err(ConnectError::NewerSchema {
            path: path(),
            version,
        }),
        Err(source) => Err(ConnectError::Migrate {
            path: path(),
            source,
        }),
    }
}

pub(super) fn explain(file: &DatabaseFile, error: sqlx::Error) -> ConnectError {
    let path = file.path().to_owned();
    let code = error
        .as_database_error()
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse::<i32>().ok());
    match code.map(|extended| extended & 0xff) {
        Some(SQLITE_NOTADB) => ConnectError::NotADatabase { path },
        Some(SQLITE_CORRUPT) => ConnectError::Corrupt {
            path,
            finding: error.to_string(),
        },
        _ => ConnectError::Open {
            path,
            source: error,
        },
    }
}
