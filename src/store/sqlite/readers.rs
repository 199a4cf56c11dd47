//! The connections that read, beside the writer: a write-ahead log lets them see the last commit without waiting.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    blocking::off_runtime,
    file::{DatabaseFile, Identity},
    open,
};
use crate::domain::store::StoreError;

/// Reads at a time. They are by key and short.
const PLACES: u8 = 4;

/// How long a read waits for its place.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections to the file that is there now.
#[derive(Debug)]
pub(super) struct Readers {
    places: Arc<Semaphore>,
    connections: Arc<Connections>,
}

impl Readers {
    pub(super) fn new(file: DatabaseFile) -> io::Result<Self> {
        let idle = Idle {
            identity: file.identity()?,
            waiting: Vec::new(),
        };
        Ok(Self {
            places: Arc::new(Semaphore::new(PLACES.into())),
            connections: Arc::new(Connections {
                file,
                idle: Mutex::new(idle),
            }),
        })
    }

    /// Reads. A caller that stops waiting leaves the read to its end.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_elapsed| StoreError::Unavailable("too many reads are under way".to_owned()))?
            .map_err(|_closed| StoreError::Unavailable("it is closed".to_owned()))?;
        let connections = Arc::clone(&self.connections);
        off_runtime(move || {
            let result = connections.read(read);
            drop(place);
            result
        })
        .await
    }

    /// Waits for the reads under way, and takes no more.
    pub(super) async fn close(&self) {
        // An error means that it is closed already.
        let all = self.places.acquire_many(PLACES.into()).await;
        self.places.close();
        drop(all);
        self.connections.idle().waiting.clear();
    }
}

/// One for each read under way, and those that wait for the next.
#[derive(Debug)]
struct Connections {
    file: DatabaseFile,
    idle: Mutex<Idle>,
}

#[derive(Debug)]
struct Idle {
    /// The file that they lead to.
    identity: Identity,
    waiting: Vec<Connection>,
}

impl Connections {
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Looked up first: if the file is replaced meanwhile, the connection does not stay.
        let identity = self.file.identity().map_err(|error| {
            StoreError::Unavailable(format!("{}: {error}", self.file.path().display()))
        })?;
        let connection = match self.take(identity) {
            Some(connection) => connection,
            None => open::reading(&self.file)?,
        };
        let read = read(&connection)?;
        let mut idle = self.idle();
        if idle.identity == identity {
            idle.waiting.push(connection);
        }
        Ok(read)
    }

    /// A file that was put in the old one's place gets connections of its own;
    /// the old ones would go on reading what was deleted.
    fn take(&self, identity: Identity) -> Option<Connection> {
        let mut idle = self.idle();
        if idle.identity != identity {
            *idle = Idle {
                identity,
                waiting: Vec::new(),
            };
        }
        idle.waiting.pop()
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
