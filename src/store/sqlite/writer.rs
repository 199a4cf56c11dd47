//! The one writer: a task that owns the connection that writes, and commits in groups.
//!
//! It takes the first write that waits and all that have queued behind it, and puts them on disk in one transaction:
//! as many writes as fit into the time of the commit before share one flush. There is no timer, so a
//! write that comes alone does not wait. Only after the commit does any caller hear of its result.

use std::fs::File;

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    clean_stop, events,
    file::{DatabaseFile, Identity},
    open,
};
use crate::{
    domain::{
        event::NewEvent,
        store::{Appended, StoreError},
    },
    error_chain::with_causes,
    store::ConnectError,
};

/// Writes that may wait at a time. One more is refused at once: at the measured rate of some thousands a second
/// this is under a second's work, and memory stays bounded (64 KiB a webhook at most).
const QUEUE: usize = 2048;

/// Writes in one transaction, so that the first of them does not wait for an endless train.
const BATCH: usize = 512;

/// Something that changes the store. Run again from the start when its transaction was rolled back.
#[async_trait]
pub(super) trait Write: Send + Sync + 'static {
    /// What the caller learns when it is on disk.
    type Output: Send + 'static;

    /// Runs inside a transaction that others share: an error must mean that this write can't be done.
    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Self::Output, StoreError>;
}

/// The way to the writing task.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Queued>,
    closing: CancellationToken,
    task: TaskTracker,
}

impl Writer {
    /// Opens the connection and starts the task. `lock` is held until the task has ended.
    pub(super) async fn start(
        file: DatabaseFile,
        options: SqliteConnectOptions,
        lock: Option<File>,
    ) -> Result<Self, ConnectError> {
        let mut task = Task {
            file,
            options,
            session: None,
            lock,
        };
        task.session = Some(task.open().await?);
        let (queue, jobs) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let tracker = TaskTracker::new();
        tracker.spawn(task.run(jobs, closing.clone()));
        tracker.close();
        Ok(Self {
            queue,
            closing,
            task: tracker,
        })
    }

    /// Puts a write on disk. A caller that stops waiting loses the answer, not the write.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        self.queue(write, |pending| Queued::Other(Box::new(pending)))
            .await
    }

    /// The same for an event: those that wait are put on disk together.
    pub(super) async fn append(&self, event: NewEvent) -> Result<Appended, StoreError> {
        self.queue(event, |pending| Queued::Event(Box::new(pending)))
            .await
    }

    async fn queue<W: Write>(
        &self,
        write: W,
        queued: impl FnOnce(Pending<W>) -> Queued,
    ) -> Result<W::Output, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let pending = queued(Pending {
            write,
            output: None,
            reply,
        });
        self.queue.try_send(pending).map_err(|refused| {
            StoreError::Unavailable(match refused {
                mpsc::error::TrySendError::Full(_) => {
                    format!("{QUEUE} writes are waiting already")
                }
                mpsc::error::TrySendError::Closed(_) => "it is closed".to_owned(),
            })
        })?;
        outcome
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("its writer has stopped".to_owned())))
    }

    /// Takes no more, and waits until all that was taken is on disk.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

/// A [`Write`] on its way, whatever its output.
#[async_trait]
trait Job: Send {
    /// Runs it, and keeps its output back until that is on disk.
    async fn run(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError>;
    /// Hands the output to the caller.
    fn acknowledge(self: Box<Self>);
    /// Tells the caller that nothing was changed.
    fn refuse(self: Box<Self>, error: StoreError);
}

struct Pending<W: Write> {
    write: W,
    output: Option<W::Output>,
    reply: oneshot::Sender<Result<W::Output, StoreError>>,
}

#[async_trait]
impl<W: Write> Job for Pending<W> {
    async fn run(&mut self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        self.output = Some(self.write.apply(connection).await?);
        Ok(())
    }

    fn acknowledge(self: Box<Self>) {
        // A caller that has gone away needs no answer.
        if let Some(output) = self.output {
            drop(self.reply.send(Ok(output)));
        }
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        drop(self.reply.send(Err(error)));
    }
}

/// What waits to be written.
enum Queued {
    /// An event: most of what comes, and the only thing that comes in crowds.
    Event(Box<Pending<NewEvent>>),
    /// Anything else.
    Other(Box<dyn Job>),
}

impl Queued {
    fn job(&mut self) -> &mut dyn Job {
        match self {
            Self::Event(event) => &mut **event,
            Self::Other(job) => &mut **job,
        }
    }

    fn into_job(self) -> Box<dyn Job> {
        match self {
            Self::Event(event) => event,
            Self::Other(job) => job,
        }
    }
}

/// Runs them all. Events come last, so that one finds the call which a write beside it has made known.
async fn run_all(
    batch: &mut [Queued],
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    for queued in batch {
        match queued {
            Queued::Event(event) => events.push(event),
            Queued::Other(job) => job.run(connection).await?,
        }
    }
    let new: Vec<&NewEvent> = events.iter().map(|event| &event.write).collect();
    let appended = events::append(connection, &new).await?;
    for (event, appended) in events.into_iter().zip(appended) {
        event.output = Some(appended);
    }
    Ok(())
}

/// An open connection, and the file that it writes to.
struct Session {
    connection: SqliteConnection,
    identity: Identity,
}

/// Why a transaction did not come about.
enum Failure {
    /// One of its writes failed; the transaction was rolled back cleanly.
    Write(StoreError),
    /// The store did: what the connection is good for is unknown.
    Store(String),
}

struct Task {
    file: DatabaseFile,
    options: SqliteConnectOptions,
    /// `None` after a failure: the next batch opens it anew.
    session: Option<Session>,
    lock: Option<File>,
}

impl Task {
    async fn run(mut self, mut jobs: mpsc::Receiver<Queued>, closing: CancellationToken) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut batch, BATCH) => match taken {
                    0 => break,
                    _ => self.commit(batch).await,
                },
            }
        }
        self.close().await;
    }

    async fn commit(&mut self, mut batch: Vec<Queued>) {
        let result = match self.write_together(&mut batch).await {
            Ok(()) => Ok(Vec::new()),
            Err(Failure::Write(error)) => {
                warn!(%error, writes = batch.len(), "a write failed; its batch is taken apart");
                self.write_apart(&mut batch).await
            }
            Err(Failure::Store(cause)) => Err(cause),
        };
        match result {
            Ok(mut failed) => {
                for (index, queued) in batch.into_iter().enumerate() {
                    let job = queued.into_job();
                    match failed.pop_if(|(at, _)| *at == index) {
                        Some((_, error)) => job.refuse(error),
                        None => job.acknowledge(),
                    }
                }
            }
            Err(cause) => {
                warn!(error = %cause, writes = batch.len(), "the store is not available; nothing was written");
                self.abandon_session().await;
                for queued in batch {
                    queued
                        .into_job()
                        .refuse(StoreError::Unavailable(cause.clone()));
                }
            }
        }
    }

    /// All in one transaction, as fast as it goes.
    async fn write_together(&mut self, batch: &mut [Queued]) -> Result<(), Failure> {
        let session = self.session().await.map_err(Failure::Store)?;
        let unavailable = |error: sqlx::Error| Failure::Store(error.to_string());
        let mut transaction = session
            .connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(unavailable)?;
        if let Err(error) = run_all(batch, &mut transaction).await {
            // A full disk has rolled back already; then this fails, and the cause is the first error.
            return Err(match transaction.rollback().await {
                Ok(()) => Failure::Write(error),
                Err(_) => Failure::Store(error.to_string()),
            });
        }
        transaction.commit().await.map_err(unavailable)?;
        self.prove_in_place().map_err(Failure::Store)
    }

    /// Again in one transaction, but each behind a savepoint, so that one that can't be done
    /// (a damaged row, a broken constraint) does not fail its neighbours.
    /// Returns the failed ones by their place in the batch, the last first.
    async fn write_apart(
        &mut self,
        batch: &mut [Queued],
    ) -> Result<Vec<(usize, StoreError)>, String> {
        let session = self.session().await?;
        let unavailable = |error: sqlx::Error| error.to_string();
        let mut failed = Vec::new();
        let mut transaction = session
            .connection
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(unavailable)?;
        for (index, queued) in batch.iter_mut().enumerate() {
            let mut savepoint = transaction.begin().await.map_err(unavailable)?;
            match queued.job().run(&mut savepoint).await {
                Ok(()) => savepoint.commit().await.map_err(unavailable)?,
                Err(error) => {
                    if savepoint.rollback().await.is_err() {
                        return Err(error.to_string());
                    }
                    failed.push((index, error));
                }
            }
        }
        transaction.commit().await.map_err(unavailable)?;
        self.prove_in_place()?;
        failed.reverse();
        Ok(failed)
    }

    /// What is written counts only if it went to the file that the next start will find.
    fn prove_in_place(&self) -> Result<(), String> {
        let path = self.file.path().display();
        let found = self
            .file
            .identity()
            .map_err(|error| format!("{path}: {error}"))?;
        match &self.session {
            Some(session) if session.identity != found => {
                Err(format!("{path} was replaced while it was in use"))
            }
            _ => Ok(()),
        }
    }

    /// The open connection, opened anew if there is none or its file has gone.
    async fn session(&mut self) -> Result<&mut Session, String> {
        if let Err(cause) = self.prove_in_place() {
            warn!(error = %cause, "the store is opened anew");
            self.abandon_session().await;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open().await.map_err(|error| with_causes(&error))?,
        };
        Ok(self.session.insert(session))
    }

    async fn abandon_session(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(error) = session.connection.close().await
        {
            debug!(%error, "a failed connection did not close cleanly");
        }
    }

    /// A missing file is not made anew here: an empty store in place of one that was moved away
    /// for a moment would be a loss that nobody notices.
    async fn open(&self) -> Result<Session, ConnectError> {
        // Looked up first: if the file is replaced between the two, the next proof fails.
        let identity = self.file.identity().map_err(|source| ConnectError::File {
            path: self.file.path().to_owned(),
            source,
        })?;
        let connection = open::connect(&self.file, &self.options).await?;
        Ok(Session {
            connection,
            identity,
        })
    }

    /// Leaves one plain file behind, without a write-ahead log.
    async fn close(&mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        let checkpointed = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut session.connection)
            .await;
        if let Err(error) = checkpointed.and(session.connection.close().await) {
            warn!(%error, "the store was not closed cleanly; nothing is lost, the next start reads its log");
            return;
        }
        if let Some(lock) = &self.lock
            && let Err(error) = clean_stop::note(&self.file, lock)
        {
            debug!(%error, "the clean stop was not noted; the next start reads the whole file");
        }
    }
}
