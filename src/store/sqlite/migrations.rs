//! The steps of the schema, and which of them a file has seen.
//!
//! They are noted in the table `_sqlx_migrations`, of the form that sqlx gives it: the first files were made by sqlx, as
//! the tables of PostgreSQL still are.

use aws_lc_rs::digest::{SHA384, digest};
use rusqlite::{Connection, params};

/// Why the tables can't be brought up to date. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A later version of this program has been here.
    #[error("the schema has step {0}, which is not known here")]
    Newer(i64),
    /// A step that was released never changes, so somebody has changed it here or there.
    #[error("step {0} of the schema was applied with another text")]
    Differs(i64),
    /// A step failed.
    #[error("step {version} of the schema failed")]
    Step {
        /// The step.
        version: i64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The list of steps can't be read or written.
    #[error("the list of the schema's steps can't be used")]
    List(#[from] rusqlite::Error),
}

struct Step {
    version: i64,
    description: &'static str,
    sql: &'static str,
}

/// In order. A step that was released never changes.
const STEPS: &[Step] = &[
    Step {
        version: 1,
        description: "core",
        sql: include_str!("../../../migrations/sqlite/0001_core.sql"),
    },
    Step {
        version: 2,
        description: "ready users",
        sql: include_str!("../../../migrations/sqlite/0002_ready_users.sql"),
    },
    Step {
        version: 3,
        description: "homes",
        sql: include_str!("../../../migrations/sqlite/0003_homes.sql"),
    },
    Step {
        version: 4,
        description: "lean events",
        sql: include_str!("../../../migrations/sqlite/0004_lean_events.sql"),
    },
];

const CREATE_LIST: &str = "
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version        BIGINT PRIMARY KEY,
        description    TEXT NOT NULL,
        installed_on   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success        BOOLEAN NOT NULL,
        checksum       BLOB NOT NULL,
        execution_time BIGINT NOT NULL
    )";

const HAS_LIST: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations')";

const LIST: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";

/// How long it took is of no use to anybody.
const NOTE: &str = "
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (?1, ?2, TRUE, ?3, 0)";

/// Applies the steps that are missing, in the caller's transaction.
pub(super) fn apply(transaction: &Connection) -> Result<(), MigrateError> {
    let missing = missing(transaction)?;
    if missing.is_empty() {
        return Ok(());
    }
    transaction.execute_batch(CREATE_LIST)?;
    for Step {
        version,
        description,
        sql,
    } in missing
    {
        let failed = |source| MigrateError::Step {
            version: *version,
            source,
        };
        transaction.execute_batch(sql).map_err(failed)?;
        transaction.execute(NOTE, params![version, description, checksum(sql)])?;
    }
    Ok(())
}

/// What tables there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    None,
    OfOlderVersion,
    OfThisVersion,
}

pub(super) fn tables(connection: &Connection) -> Result<Tables, MigrateError> {
    let missing = missing(connection)?.len();
    Ok(if missing == STEPS.len() {
        Tables::None
    } else if missing > 0 {
        Tables::OfOlderVersion
    } else {
        Tables::OfThisVersion
    })
}

fn missing(connection: &Connection) -> Result<Vec<&'static Step>, MigrateError> {
    let mut missing: Vec<&Step> = STEPS.iter().collect();
    if !connection.query_row(HAS_LIST, [], |row| row.get(0))? {
        return Ok(missing);
    }
    let mut list = connection.prepare(LIST)?;
    let mut applied = list.query([])?;
    while let Some(row) = applied.next()? {
        let (version, found): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let known = missing.iter().position(|step| step.version == version);
        let step = missing.remove(known.ok_or(MigrateError::Newer(version))?);
        if found != checksum(step.sql) {
            return Err(MigrateError::Differs(version));
        }
    }
    Ok(missing)
}

/// As sqlx makes it: SHA-384 of the text.
fn checksum(sql: &str) -> Vec<u8> {
    digest(&SHA384, sql.as_bytes()).as_ref().to_vec()
}
