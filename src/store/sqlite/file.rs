//! The database as a file: its folder, its lock, and whether it is still the one that was opened.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::store::ConnectError;

/// Only the service's own user reads and writes: the file holds telephone numbers.
pub(super) const OWNER_ONLY: u32 = 0o600;

/// Which file a path led to at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// The path of a database.
///
/// Once a connection is open the file itself is only ever looked up, never opened, from here: POSIX drops all
/// locks that a process holds on a file as soon as it closes any descriptor of it, SQLite's among them.
#[derive(Debug, Clone)]
pub(super) struct DatabaseFile {
    path: PathBuf,
}

impl DatabaseFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file that is there now. SQLite goes on writing to a file that was deleted or replaced
    /// under it, and what is written there is lost with the last descriptor.
    pub(super) fn identity(&self) -> io::Result<Identity> {
        let metadata = fs::metadata(&self.path)?;
        Ok(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Whether nothing was ever written to it.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(fs::metadata(&self.path)?.len() == 0)
    }

    /// Whether there is a write-ahead log beside it. A server that closes in order leaves none.
    pub(super) fn has_log(&self) -> io::Result<bool> {
        match fs::metadata(self.beside("-wal")) {
            Ok(log) => Ok(log.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The path with this behind it.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Makes the folder (for its owner only, if it is new).
    pub(super) fn create_folder(&self) -> Result<(), ConnectError> {
        let Some(folder) = self.path.parent().filter(|p| !p.as_os_str().is_empty()) else {
            return Ok(());
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| ConnectError::Folder {
                path: folder.to_owned(),
                source,
            })
    }

    /// Makes an empty file where there is none. SQLite gives its `-wal` and `-shm` the same mode.
    pub(super) fn create(&self) -> Result<(), ConnectError> {
        let created = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(OWNER_ONLY)
            .open(&self.path);
        match created {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.path.is_dir() {
                    return Err(self.refused(io::ErrorKind::IsADirectory.into()));
                }
                Ok(())
            }
            Err(error) => Err(self.refused(error)),
        }
    }

    /// Takes the server's lock, held for as long as the returned file is open.
    ///
    /// It is a file of its own, so that commands beside the server, which do not take it, share the database.
    pub(super) fn lock(&self) -> Result<File, ConnectError> {
        let path = self.beside(".lock");
        let refused = |source| ConnectError::File {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(OWNER_ONLY)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ConnectError::InUse {
                path: self.path.clone(),
            }),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }

    fn refused(&self, source: io::Error) -> ConnectError {
        ConnectError::File {
            path: self.path.clone(),
            source,
        }
    }
}
