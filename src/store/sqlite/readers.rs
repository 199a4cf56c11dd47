//! The connections that read, beside the writer: a write-ahead log lets them see the last commit without waiting.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

use super::{
    file::{DatabaseFile, Identity},
    open,
};
use crate::domain::store::StoreError;

/// Connections, each with a thread of its own. Reads are by key and short.
const CONNECTIONS: u32 = 4;

/// How long a read waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);

/// A pool for the file that is there now.
#[derive(Debug)]
pub(super) struct Readers {
    file: DatabaseFile,
    current: Mutex<(Identity, SqlitePool)>,
}

impl Readers {
    pub(super) fn new(file: DatabaseFile) -> io::Result<Self> {
        let current = Mutex::new((file.identity()?, pool(&file)));
        Ok(Self { file, current })
    }

    /// The pool to read from. A file that was put in the old one's place gets connections of its own;
    /// the old ones would go on reading what was deleted.
    pub(super) fn pool(&self) -> Result<SqlitePool, StoreError> {
        let found = self.file.identity().map_err(|error| {
            StoreError::Unavailable(format!("{}: {error}", self.file.path().display()))
        })?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != found && !current.1.is_closed() {
            *current = (found, pool(&self.file));
        }
        Ok(current.1.clone())
    }

    /// Waits for the reads under way, and takes no more.
    pub(super) async fn close(&self) {
        let pool = {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            current.1.clone()
        };
        pool.close().await;
    }
}

fn pool(file: &DatabaseFile) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(open::reading(file))
}
