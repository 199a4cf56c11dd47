//! Moving what stands in the write-ahead log into the file, beside the writer.
//!
//! SQLite would do it inside the commit that makes the log long: two flushes and a thousand pages all over the file, for
//! which a caller would wait. Here another thread does it. A log that is moved as a whole is begun anew by the next
//! commit; one that always grows meanwhile is finished by the writer, so that it stays bounded.
//!
//! Source: <https://www.sqlite.org/wal.html#ckpt>

use std::{
    cell::Cell,
    sync::mpsc::{self, Receiver, SyncSender},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tracing::warn;

use super::{file::DatabaseFile, open};

/// Pages in the log from which on it is moved: what SQLite takes by itself.
const DUE: u32 = 1_000;

/// Pages in the log at which the writer finishes it: 32 MiB.
const MOST: u32 = 8_000;

thread_local! {
    /// Pages in the log after the last commit on this thread, which is the writer's.
    static PAGES: Cell<u32> = const { Cell::new(0) };
}

/// Who moves the log of one connection that writes.
pub(super) struct Checkpoints {
    file: DatabaseFile,
    /// Started when there is something to move.
    side: Option<Side>,
}

impl Checkpoints {
    /// Takes the place of SQLite's own checkpoints. The connection is used on one thread, with no other of its kind.
    pub(super) fn of(file: DatabaseFile, connection: &Connection) -> Self {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(u32::try_from(pages).unwrap_or(0));
            Ok(())
        }));
        Self { file, side: None }
    }

    /// To be called after each commit.
    pub(super) fn after_commit(&mut self, connection: &Connection) {
        match PAGES.get() {
            ..DUE => {}
            // If the other thread is at it, this does nothing; it is not asked again, so a later commit finds it free.
            MOST.. => checkpoint(connection),
            DUE.. => {
                let side = self
                    .side
                    .get_or_insert_with(|| Side::start(self.file.clone()));
                side.ask();
            }
        }
    }

    /// Waits for what is under way. Nothing of it is left open then.
    pub(super) fn stop(self) {
        if let Some(Side { ask, thread }) = self.side {
            drop(ask);
            // An error means that it has panicked, and so does nothing any more.
            drop(thread.map(JoinHandle::join));
        }
    }
}

struct Side {
    ask: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Side {
    fn start(file: DatabaseFile) -> Self {
        // What is committed while it is at work is the next piece.
        let (ask, asked) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || serve(&file, &asked));
        let thread = thread
            .inspect_err(|error| warn!(%error, "the writer moves its log itself"))
            .ok();
        Self { ask, thread }
    }

    fn ask(&self) {
        // One that was asked already needs no more; for one that has failed the writer does it.
        let _ = self.ask.try_send(());
    }
}

fn serve(file: &DatabaseFile, asked: &Receiver<()>) {
    match open::plain(file) {
        Ok(connection) => {
            while asked.recv().is_ok() {
                checkpoint(&connection);
            }
        }
        Err(error) => warn!(%error, "the writer moves its log itself"),
    }
}

/// As much as can be moved without waiting for anybody. The file is flushed before the log may be overwritten.
fn checkpoint(connection: &Connection) {
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = moved {
        warn!(%error, "the write-ahead log could not be moved into the file; it grows");
    }
}
