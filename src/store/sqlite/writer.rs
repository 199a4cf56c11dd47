//! The one writer: a thread that owns the connection that writes, and commits in groups.
//!
//! It takes the first write that waits and all that have queued behind it, and puts them on disk in one transaction:
//! as many writes as fit into the time of the commit before share one flush. There is no timer, so a
//! write that comes alone does not wait. Only after the commit does any caller hear of its result.

use std::{fs::File, thread};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    checkpoints::Checkpoints,
    clean_stop,
    file::{DatabaseFile, Identity},
    open,
};
use crate::{domain::store::StoreError, error_chain::with_causes, store::ConnectError};

/// Writes that may wait at a time. One more is refused at once: at the measured rate of some thousands a second
/// this is under a second's work, and memory stays bounded (64 KiB a webhook at most).
const QUEUE: usize = 2048;

/// Writes in one transaction, so that the first of them does not wait for an endless train.
const BATCH: usize = 512;

/// Something that changes the store. Run again from the start when its transaction was rolled back.
pub(super) trait Write: Send + 'static {
    /// What the caller learns when it is on disk.
    type Output: Send + 'static;

    /// Runs inside a transaction that others share: an error must mean that this write can't be done.
    fn apply(&self, transaction: &Connection) -> Result<Self::Output, StoreError>;
}

/// The way to the writing thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Queued>,
    ended: CancellationToken,
}

impl Writer {
    /// Opens the connection and starts the thread. `lock` is held until the thread has ended. Waits for the disk.
    pub(super) fn start(file: DatabaseFile, lock: Option<File>) -> Result<Self, ConnectError> {
        let mut task = Task {
            file,
            session: None,
            lock,
        };
        task.session = Some(task.open()?);
        let (queue, jobs) = mpsc::channel(QUEUE);
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        let path = task.file.path().to_owned();
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                task.run(jobs);
                drop(end);
            })
            .map_err(|source| ConnectError::File { path, source })?;
        Ok(Self { queue, ended })
    }

    /// Puts a write on disk. A caller that stops waiting loses the answer, not the write.
    pub(super) async fn write<W: Write>(&self, write: W) -> Result<W::Output, StoreError> {
        let (reply, outcome) = oneshot::channel();
        let pending = Pending {
            write,
            output: None,
            reply,
        };
        self.queue
            .try_send(Queued::Job(Box::new(pending)))
            .map_err(|refused| {
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
        // An error means that it is closed already.
        drop(self.queue.send(Queued::Close).await);
        self.ended.cancelled().await;
    }
}

/// A [`Write`] on its way, whatever its output.
trait Job: Send {
    /// Runs it, and keeps its output back until that is on disk.
    fn run(&mut self, transaction: &Connection) -> Result<(), StoreError>;
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

impl<W: Write> Job for Pending<W> {
    fn run(&mut self, transaction: &Connection) -> Result<(), StoreError> {
        self.output = Some(self.write.apply(transaction)?);
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

enum Queued {
    Job(Box<dyn Job>),
    /// Nothing may come behind it.
    Close,
}

/// An open connection, and the file that it writes to.
struct Session {
    connection: Connection,
    identity: Identity,
    checkpoints: Checkpoints,
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
    /// `None` after a failure: the next batch opens it anew.
    session: Option<Session>,
    lock: Option<File>,
}

impl Task {
    fn run(mut self, mut queue: mpsc::Receiver<Queued>) {
        let mut taken = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut taken, BATCH) > 0 {
            let mut batch = Vec::with_capacity(taken.len());
            for queued in taken.drain(..) {
                match queued {
                    Queued::Job(job) => batch.push(job),
                    Queued::Close => queue.close(),
                }
            }
            if !batch.is_empty() {
                self.commit(batch);
            }
        }
        self.close();
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let result = match self.write_together(&mut batch) {
            Ok(()) => Ok(Vec::new()),
            Err(Failure::Write(error)) => {
                warn!(%error, writes = batch.len(), "a write failed; its batch is taken apart");
                self.write_apart(&mut batch)
            }
            Err(Failure::Store(cause)) => Err(cause),
        };
        match result {
            Ok(mut failed) => {
                for (index, job) in batch.into_iter().enumerate() {
                    match failed.pop_if(|(at, _)| *at == index) {
                        Some((_, error)) => job.refuse(error),
                        None => job.acknowledge(),
                    }
                }
                if let Some(session) = &mut self.session {
                    session.checkpoints.after_commit(&session.connection);
                }
            }
            Err(cause) => {
                warn!(error = %cause, writes = batch.len(), "the store is not available; nothing was written");
                self.session = None;
                for job in batch {
                    job.refuse(StoreError::Unavailable(cause.clone()));
                }
            }
        }
    }

    /// All in one transaction, as fast as it goes.
    fn write_together(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        let transaction = self.begin().map_err(Failure::Store)?;
        for job in batch {
            if let Err(error) = job.run(&transaction) {
                // A full disk has rolled back already; then this fails, and the cause is the first error.
                return Err(match transaction.rollback() {
                    Ok(()) => Failure::Write(error),
                    Err(_) => Failure::Store(error.to_string()),
                });
            }
        }
        transaction
            .commit()
            .map_err(|error| Failure::Store(error.to_string()))?;
        self.prove_in_place().map_err(Failure::Store)
    }

    /// Again in one transaction, but each behind a savepoint, so that one that can't be done
    /// (a damaged row, a broken constraint) does not fail its neighbours.
    /// Returns the failed ones by their place in the batch, the last first.
    fn write_apart(
        &mut self,
        batch: &mut [Box<dyn Job>],
    ) -> Result<Vec<(usize, StoreError)>, String> {
        let unavailable = |error: rusqlite::Error| error.to_string();
        let mut transaction = self.begin()?;
        let mut failed = Vec::new();
        for (index, job) in batch.iter_mut().enumerate() {
            let mut savepoint = transaction.savepoint().map_err(unavailable)?;
            match job.run(&savepoint) {
                Ok(()) => savepoint.commit().map_err(unavailable)?,
                Err(error) => {
                    if savepoint.rollback().is_err() {
                        return Err(error.to_string());
                    }
                    failed.push((index, error));
                }
            }
        }
        transaction.commit().map_err(unavailable)?;
        self.prove_in_place()?;
        failed.reverse();
        Ok(failed)
    }

    fn begin(&mut self) -> Result<Transaction<'_>, String> {
        self.session()?
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| error.to_string())
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
    fn session(&mut self) -> Result<&mut Session, String> {
        if let Err(cause) = self.prove_in_place() {
            warn!(error = %cause, "the store is opened anew");
            self.session = None;
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open().map_err(|error| with_causes(&error))?,
        };
        Ok(self.session.insert(session))
    }

    /// A missing file is not made anew here: an empty store in place of one that was moved away
    /// for a moment would be a loss that nobody notices.
    fn open(&self) -> Result<Session, ConnectError> {
        // Looked up first: if the file is replaced between the two, the next proof fails.
        let identity = self.file.identity().map_err(|source| ConnectError::File {
            path: self.file.path().to_owned(),
            source,
        })?;
        let connection = open::writing(&self.file)?;
        let checkpoints = Checkpoints::of(self.file.clone(), &connection);
        Ok(Session {
            connection,
            identity,
            checkpoints,
        })
    }

    /// Leaves one plain file behind, without a write-ahead log.
    fn close(&mut self) {
        let Some(Session {
            connection,
            checkpoints,
            ..
        }) = self.session.take()
        else {
            return;
        };
        checkpoints.stop();
        let checkpointed = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = checkpointed.and(connection.close().map_err(|(_, error)| error)) {
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
