//! Opens connections: looks before it writes, sets what durability needs, and brings the tables up to date.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{
    file::DatabaseFile,
    migrations::{self, MigrateError},
};
use crate::store::ConnectError;

/// How long a connection waits for another one's lock. Longer than any commit of ours or of a command beside us,
/// short enough that a webhook can still be refused inside Vonage's time limits.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// More than there are statements: each is prepared once.
const STATEMENTS: usize = 64;

/// `PRAGMA synchronous`: every commit is on disk before it returns.
///
/// Source: <https://www.sqlite.org/pragma.html#pragma_synchronous>
const SYNCHRONOUS_FULL: i64 = 2;

/// Opens a connection that can write, and sets nothing of how the file is kept. A missing file is not made.
pub(super) fn plain(file: &DatabaseFile) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens a connection that only reads.
pub(super) fn reading(file: &DatabaseFile) -> rusqlite::Result<Connection> {
    open(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(file: &DatabaseFile, access: OpenFlags) -> rusqlite::Result<Connection> {
    // One thread at a time uses a connection; the compiler sees to it.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file.path(), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Looks at the file through a read-only connection, so that one we can't use stays byte for byte as it is.
pub(super) fn inspect(file: &DatabaseFile) -> Result<(), ConnectError> {
    let check = || reading(file)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let finding: String = check().map_err(|error| explain(file, error))?;
    if finding != "ok" {
        return Err(ConnectError::Corrupt {
            path: file.path().to_owned(),
            finding,
        });
    }
    Ok(())
}

/// Opens a connection that writes durably to tables of this version.
pub(super) fn writing(file: &DatabaseFile) -> Result<Connection, ConnectError> {
    let failed = |error| explain(file, error);
    let mut connection = plain(file).map_err(failed)?;
    set_durable(&connection).map_err(failed)?;
    prove_durable(file, &connection)?;
    migrate(file, &mut connection)?;
    Ok(connection)
}

fn set_durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted for privacy must not stay readable in free pages.
    connection.pragma_update(None, "secure_delete", true)
}

/// Reads back what was set: SQLite ignores in silence what the file system or its build can't do.
fn prove_durable(file: &DatabaseFile, connection: &Connection) -> Result<(), ConnectError> {
    let failed = |error| explain(file, error);
    let not_durable = |setting, found| ConnectError::NotDurable {
        path: file.path().to_owned(),
        setting,
        found,
    };
    let journal_mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(failed)?;
    if journal_mode != "wal" {
        return Err(not_durable("journal_mode", journal_mode));
    }
    for (setting, wanted) in [("synchronous", SYNCHRONOUS_FULL), ("foreign_keys", 1)] {
        let found: i64 = connection
            .pragma_query_value(None, setting, |row| row.get(0))
            .map_err(failed)?;
        if found != wanted {
            return Err(not_durable(setting, found.to_string()));
        }
    }
    Ok(())
}

/// Applies the steps that are missing, all or none. Of two processes that open a file at the same moment the second
/// finds the work done.
fn migrate(file: &DatabaseFile, connection: &mut Connection) -> Result<(), ConnectError> {
    let failed = |error| explain(file, error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    migrations::apply(&transaction).map_err(|error| not_migrated(file, error))?;
    transaction.commit().map_err(failed)
}

pub(super) fn not_migrated(file: &DatabaseFile, error: MigrateError) -> ConnectError {
    let path = file.path().to_owned();
    if let MigrateError::Newer(version) = error {
        ConnectError::NewerSchema { path, version }
    } else {
        ConnectError::Migrate {
            path,
            source: error,
        }
    }
}

pub(super) fn explain(file: &DatabaseFile, error: rusqlite::Error) -> ConnectError {
    let path = file.path().to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => ConnectError::NotADatabase { path },
        Some(ErrorCode::DatabaseCorrupt) => ConnectError::Corrupt {
            path,
            finding: error.to_string(),
        },
        _ => ConnectError::Open {
            path,
            source: error,
        },
    }
}
