//! A copy of the file as it is at one moment, made beside a running service.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use sqlx::{Connection, SqliteConnection, query};

use super::{
    file::{DatabaseFile, OWNER_ONLY},
    open,
};
use crate::store::BackUpError;

/// Copies everything that was acknowledged until now, in one plain file without a log beside it, and returns its size
/// in bytes. It is on disk then. Readers and writers of the database are not held up.
pub(in crate::store) async fn back_up(from: &Path, to: &Path) -> Result<u64, BackUpError> {
    let source = DatabaseFile::new(from);
    source.identity().map_err(|error| BackUpError::Missing {
        path: from.to_owned(),
        source: error,
    })?;
    let refused = |source: io::Error| BackUpError::File {
        path: to.to_owned(),
        source,
    };
    // SQLite fills an empty file but would make one that everybody can read.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(to)
        .map_err(refused)?;
    let copied = copy(&source, to).await;
    if copied.is_err() {
        // Half a copy must not be taken for one. It is ours: it was not there before.
        let _ = fs::remove_file(to);
    }
    copied.map_err(|source| BackUpError::Copy {
        path: from.to_owned(),
        source,
    })?;
    sync(to).map_err(refused)
}

async fn copy(source: &DatabaseFile, to: &Path) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(&open::reading(source)).await?;
    query("VACUUM INTO ?1")
        .bind(to.to_string_lossy().as_ref())
        .execute(&mut connection)
        .await?;
    connection.close().await
}

/// SQLite does not wait for the disk when it fills a file that nobody has open yet.
fn sync(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file.metadata()?.len())
}
