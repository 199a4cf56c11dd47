//! A copy of the file as it is at one moment, made beside a running service.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    blocking::off_runtime,
    file::{DatabaseFile, OWNER_ONLY},
    open,
};
use crate::store::BackUpError;

/// Copies everything that was acknowledged until now, in one plain file without a log beside it, and returns its size
/// in bytes. It is on disk then. Readers and writers of the database are not held up.
pub(in crate::store) async fn back_up(from: PathBuf, to: PathBuf) -> Result<u64, BackUpError> {
    off_runtime(move || copy_whole(&from, &to)).await
}

fn copy_whole(from: &Path, to: &Path) -> Result<u64, BackUpError> {
    let source = DatabaseFile::new(from);
    source.identity().map_err(|error| BackUpError::Missing {
        path: from.to_owned(),
        source: error,
    })?;
    let refused = |source: io::Error| BackUpError::File {
        path: to.to_owned(),
        source,
    };
    let part = begin(to).map_err(refused)?;
    let copied = copy(&source, &part);
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied.map_err(|source| BackUpError::Copy {
        path: from.to_owned(),
        source,
    })?;
    finish(&part, to).map_err(refused)
}

/// An empty file beside `to`, under another name: half a copy must not be taken for a whole one, whatever ends this.
fn begin(to: &Path) -> io::Result<String> {
    if to.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let name = to.to_str().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidFilename,
            "SQLite takes names in UTF-8 only",
        )
    })?;
    let part = format!("{name}.part");
    // What an interrupted one has left.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // SQLite fills an empty file but would make one that everybody can read.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&part)?;
    Ok(part)
}

fn copy(source: &DatabaseFile, part: &str) -> rusqlite::Result<()> {
    open::reading(source)?.execute("VACUUM INTO ?1", [part])?;
    Ok(())
}

/// Gives a whole copy its name. SQLite does not wait for the disk when it fills a file that nobody has open yet.
fn finish(part: &str, to: &Path) -> io::Result<u64> {
    let file = File::open(part)?;
    file.sync_all()?;
    if to.try_exists()? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(part, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file.metadata()?.len())
}
