//! Whether the database is still as the last server left it, so that a start need not read all of it.
//!
//! Damage happens to a file that is being written (a crash, a power cut) or is changed from outside (a bad copy, a
//! restored half of a back-up). A file that a server has closed in order, without a write-ahead log, and that has not
//! changed since can have neither. Its length and time of change are noted in the lock file at the end of a stop.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
};

use super::file::DatabaseFile;

/// A note is far shorter. A longer one is none of ours.
const MAX_NOTE: u64 = 200;

/// Notes how the file is now. To be called when the last connection is closed, with the server's lock.
pub(super) fn note(file: &DatabaseFile, mut lock: &File) -> io::Result<()> {
    let note = appearance(&fs::metadata(file.path())?);
    lock.set_len(0)?;
    lock.rewind()?;
    lock.write_all(note.as_bytes())
}

/// Whether the file is as it was noted. A note that can't be read is none.
pub(super) fn is_unchanged(file: &DatabaseFile, lock: &File) -> bool {
    compare(file, lock).unwrap_or(false)
}

fn compare(file: &DatabaseFile, mut lock: &File) -> io::Result<bool> {
    let mut noted = Vec::new();
    lock.rewind()?;
    lock.take(MAX_NOTE).read_to_end(&mut noted)?;
    let found = appearance(&fs::metadata(file.path())?);
    Ok(noted == found.as_bytes() && !file.has_log()?)
}

fn appearance(metadata: &Metadata) -> String {
    format!(
        "closed {} bytes, inode {}, changed {}.{:09}\n",
        metadata.len(),
        metadata.ino(),
        metadata.mtime(),
        metadata.mtime_nsec()
    )
}
