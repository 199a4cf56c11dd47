//! The task that keeps events: it takes what has queued while the last commit was under way, and commits it as one.

use std::collections::HashSet;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    columns::text,
    database::{ATTEMPTS, PATIENCE},
    events::{self, Unassigned},
    fault::Fault,
    open,
};
use crate::domain::{
    event::NewEvent,
    store::{Appended, StoreError},
};

/// Events that may wait at a time. One more is refused at once: at the measured rate of some thousands a second
/// this is under a second's work, and memory stays bounded (64 KiB a webhook at most).
const QUEUE: usize = 2048;

/// Events in one commit, so that the first of them does not wait for an endless train.
const BATCH: usize = 512;

/// Batches that come before the calls of earlier ones are looked for again.
const PUT_OFF: u8 = 8;

/// The way to the writing task.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Pending>,
    closing: CancellationToken,
    task: TaskTracker,
}

/// An event on its way.
struct Pending {
    event: NewEvent,
    reply: oneshot::Sender<Result<Appended, StoreError>>,
}

impl Pending {
    fn answer(self, result: Result<Appended, StoreError>) {
        // A caller that has gone away needs no answer.
        drop(self.reply.send(result));
    }
}

impl Writer {
    /// Starts the task. It connects with the first event.
    pub(super) fn start(options: PgConnectOptions) -> Self {
        let (queue, pending) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let tracker = TaskTracker::new();
        let task = Task {
            options,
            connection: None,
            unassigned: HashSet::new(),
        };
        tracker.spawn(task.run(pending, closing.clone()));
        tracker.close();
        Self {
            queue,
            closing,
            task: tracker,
        }
    }

    /// Keeps an event. A caller that stops waiting loses the answer, not the event.
    pub(super) async fn append(&self, event: NewEvent) -> Result<Appended, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.queue
            .try_send(Pending { event, reply })
            .map_err(|refused| {
                StoreError::Unavailable(match refused {
                    mpsc::error::TrySendError::Full(_) => {
                        format!("{QUEUE} events are waiting already")
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

struct Task {
    options: PgConnectOptions,
    /// `None` after a failure: the next batch opens it anew.
    connection: Option<PgConnection>,
    /// Events that are kept, and whose calls are to be looked for again.
    unassigned: HashSet<Unassigned>,
}

impl Task {
    async fn run(mut self, mut pending: mpsc::Receiver<Pending>, closing: CancellationToken) {
        let mut put_off = 0_u8;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = closing.cancelled(), if !pending.is_closed() => pending.close(),
                taken = pending.recv_many(&mut batch, BATCH) => match taken {
                    0 => break,
                    _ => self.commit(batch).await,
                },
            }
            // Nobody waits for it; while others do, they come first a few times.
            put_off += 1;
            if pending.is_empty() || put_off >= PUT_OFF {
                put_off = 0;
                self.tell_calls().await;
            }
        }
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            debug!(%error, "the writer's connection did not close cleanly");
        }
    }

    /// In the order of their coming, as far as they have anything to do with each other.
    async fn commit(&mut self, mut batch: Vec<Pending>) {
        while !batch.is_empty() {
            let (distinct, later) = split_distinct(batch);
            self.commit_distinct(distinct).await;
            batch = later;
        }
    }

    async fn commit_distinct(&mut self, batch: Vec<Pending>) {
        let events: Vec<&NewEvent> = batch.iter().map(|pending| &pending.event).collect();
        match self.append(&events).await {
            Ok(appended) => {
                for (pending, appended) in batch.into_iter().zip(appended) {
                    self.answer(pending, appended);
                }
            }
            Err(fault) if fault.may_be_of_one_row() && batch.len() > 1 => {
                warn!(%fault, events = batch.len(), "an event failed; its batch is taken apart");
                for pending in batch {
                    let appended = self.append(&[&pending.event]).await;
                    match appended.map(|appended| appended.first().copied()) {
                        Ok(Some(appended)) => self.answer(pending, appended),
                        Ok(None) => {
                            let nothing = "it said nothing".to_owned();
                            pending.answer(Err(StoreError::Unavailable(nothing)));
                        }
                        Err(fault) => pending.answer(Err(fault.into())),
                    }
                }
            }
            Err(fault) => {
                warn!(%fault, events = batch.len(), "the store is not available; events are refused");
                let error = StoreError::from(fault).to_string();
                for pending in batch {
                    pending.answer(Err(StoreError::Unavailable(error.clone())));
                }
            }
        }
    }

    fn answer(&mut self, pending: Pending, appended: Appended) {
        if appended == Appended::New(None) {
            self.unassigned.extend(Unassigned::of(&pending.event));
        }
        pending.answer(Ok(appended));
    }

    /// After a failure it is tried again with the next batch. Should none come, the streams' own connection is likely
    /// to have failed as well, and they read the store when it is back.
    async fn tell_calls(&mut self) {
        if self.unassigned.is_empty() {
            return;
        }
        match self.tell_calls_once().await {
            Ok(()) => self.unassigned.clear(),
            Err(fault) => {
                debug!(%fault, "the streams of new calls were not told of their events");
                if self.unassigned.len() >= QUEUE {
                    self.unassigned.clear();
                }
            }
        }
    }

    async fn tell_calls_once(&mut self) -> Result<(), Fault> {
        let mut connection = self.take_connection().await?;
        let telling = events::tell_calls(&mut connection, &self.unassigned);
        tokio::time::timeout(PATIENCE, telling)
            .await
            .unwrap_or(Err(Fault::Slow(PATIENCE)))?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Begun anew when the connection breaks: whether the commit had come about is unknown then, and events that
    /// are there already are repeats.
    async fn append(&mut self, events: &[&NewEvent]) -> Result<Vec<Appended>, Fault> {
        let mut attempt = 1;
        loop {
            match self.append_once(events).await {
                Err(fault) if attempt < ATTEMPTS && fault.is_worth_another_try() => {
                    debug!(%fault, attempt, "a batch of events is begun anew");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// Whatever happens to the connection but success leaves none behind.
    async fn append_once(&mut self, events: &[&NewEvent]) -> Result<Vec<Appended>, Fault> {
        let mut connection = self.take_connection().await?;
        let appended = tokio::time::timeout(PATIENCE, events::append(&mut connection, events))
            .await
            .unwrap_or(Err(Fault::Slow(PATIENCE)))?;
        self.connection = Some(connection);
        Ok(appended)
    }

    async fn take_connection(&mut self) -> Result<PgConnection, Fault> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => open::connect(&self.options).await,
        }
    }
}

/// The events that have no identity and no token in common with one before them, and the others.
fn split_distinct(batch: Vec<Pending>) -> (Vec<Pending>, Vec<Pending>) {
    let mut digests = HashSet::new();
    let mut statuses = HashSet::new();
    let mut tokens = HashSet::new();
    batch.into_iter().partition(|Pending { event, .. }| {
        let status = event
            .leg
            .as_ref()
            .zip(event.status.as_deref())
            .zip(event.timestamp.as_deref())
            .map(|((leg, status), time)| {
                (
                    leg.clone(),
                    text(status).into_owned(),
                    text(time).into_owned(),
                )
            });
        let token = event.replay.as_ref().map(|key| text(&key.jti).into_owned());
        let is_new_digest = digests.insert(event.digest);
        let is_new_status = status.is_none_or(|status| statuses.insert(status));
        let is_new_token = token.is_none_or(|token| tokens.insert(token));
        is_new_digest && is_new_status && is_new_token
    })
}
