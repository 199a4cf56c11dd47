//! Running statements. Each is prepared once for a connection and kept with it.

use rusqlite::{Connection, Params, Row};

use crate::domain::store::StoreError;

/// Runs a statement and returns how many rows it has changed.
pub(super) fn execute(
    connection: &Connection,
    statement: &str,
    values: impl Params,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(statement)?.execute(values)
}

/// The first row, read by `read`.
pub(super) fn find<T>(
    connection: &Connection,
    statement: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(read).transpose()
}

/// All rows, read by `read`.
pub(super) fn list<T>(
    connection: &Connection,
    statement: &str,
    values: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(values)?;
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next()? {
        read_rows.push(read(row)?);
    }
    Ok(read_rows)
}

/// The one value of a statement that always has one row.
pub(super) fn value<T: rusqlite::types::FromSql>(
    connection: &Connection,
    statement: &str,
    values: impl Params,
) -> rusqlite::Result<T> {
    connection
        .prepare_cached(statement)?
        .query_row(values, |row| row.get(0))
}
