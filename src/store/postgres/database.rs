//! The connections of a server's requests, and how an operation is put through to PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{
    PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::{fault::Fault, open};
use crate::domain::store::StoreError;

/// How long an operation waits for a connection: in a crowd, or for a server that is starting again. An answer request
/// gives up sooner by itself.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest that an operation takes with its connection. The server gives up sooner, see [`open::options`];
/// this is for one that can't be reached any more.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// How many times an operation is begun, the first included.
pub(super) const ATTEMPTS: u32 = 3;

/// Something to ask or change. Begun anew when its connection breaks: done twice it must be as if done once.
#[async_trait]
pub(super) trait Operation: Send + Sync + 'static {
    /// What the caller learns.
    type Output: Send + 'static;

    /// Runs on a connection of its own. One that needs several statements to be one makes a transaction.
    async fn run(&self, connection: &mut PgConnection) -> Result<Self::Output, Fault>;
}

/// The pool.
#[derive(Debug)]
pub(super) struct Database {
    pool: PgPool,
    tasks: TaskTracker,
}

impl Database {
    /// So many connections by these options, opened when they are needed. An operation holds one for a millisecond or a
    /// commit, so that few are many requests' worth.
    pub(super) fn new(options: PgConnectOptions, connections: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // Another server may be behind the name by now.
            .after_connect(|connection, _| {
                Box::pin(async move {
                    open::prove_fit(connection)
                        .await
                        .map_err(|fault| sqlx::Error::Configuration(fault.to_string().into()))
                })
            })
            .connect_lazy_with(options);
        Self {
            pool,
            tasks: TaskTracker::new(),
        }
    }

    /// Puts an operation through. A caller that stops waiting loses the answer, not the operation.
    pub(super) async fn run<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let pool = self.pool.clone();
        let task = self.tasks.spawn(async move {
            let mut attempt = 1;
            loop {
                match run_once(&pool, &operation).await {
                    Err(fault) if attempt < ATTEMPTS && fault.is_worth_another_try() => {
                        debug!(%fault, attempt, "a database operation is begun anew");
                        attempt += 1;
                    }
                    result => return result.map_err(StoreError::from),
                }
            }
        });
        task.await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("its task has ended".to_owned())))
    }

    /// Waits for what is under way, and takes no more.
    pub(super) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.pool.close().await;
    }
}

async fn run_once<O: Operation>(pool: &PgPool, operation: &O) -> Result<O::Output, Fault> {
    let mut connection = pool.acquire().await?;
    let result = tokio::time::timeout(PATIENCE, operation.run(&mut connection))
        .await
        .unwrap_or(Err(Fault::Slow(PATIENCE)));
    if result.as_ref().is_err_and(Fault::ends_connection) {
        connection.close_on_drop();
    }
    result
}
