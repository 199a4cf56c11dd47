//! Faults that need a hand inside: a full disk, a full queue, a write that can't be done.

use std::{
    fs,
    sync::{Mutex, mpsc},
};

use futures_util::future::{join, join_all};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{
    file::DatabaseFile,
    open,
    server::{Beat, ServerSecret},
    writer::{Write, Writer},
};
use crate::domain::store::StoreError;

fn writer() -> (Writer, DatabaseFile, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = DatabaseFile::new(&folder.path().join("test.db"));
    file.create().unwrap();
    let writer = Writer::start(file.clone(), None).unwrap();
    (writer, file, folder)
}

/// Holds the writer up, so that what comes meanwhile stands in its queue together.
struct HoldUp {
    reached: Mutex<Option<oneshot::Sender<()>>>,
    released: Mutex<mpsc::Receiver<()>>,
}

impl Write for HoldUp {
    type Output = ();

    fn apply(&self, _: &Connection) -> Result<(), StoreError> {
        let reached = self.reached.lock().unwrap().take().unwrap();
        reached.send(()).unwrap();
        self.released.lock().unwrap().recv().unwrap();
        Ok(())
    }
}

/// Runs `meanwhile` while the writer is held up, until `meanwhile` waits for it.
async fn while_held_up<T>(writer: &Writer, meanwhile: impl Future<Output = T>) -> T {
    let (reached, is_reached) = oneshot::channel();
    let (release, released) = mpsc::channel();
    let holding = writer.write(HoldUp {
        reached: Mutex::new(Some(reached)),
        released: Mutex::new(released),
    });
    let queue_and_wait = async {
        is_reached.await.unwrap();
        // The first poll of the two puts everything in the queue.
        join(meanwhile, async { release.send(()).unwrap() }).await.0
    };
    let (held, result) = join(holding, queue_and_wait).await;
    held.unwrap();
    result
}

/// Makes a disk of this file's pages of 4 KiB, until the connection is opened anew.
struct SmallDisk(u32);

impl Write for SmallDisk {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        Ok(connection.pragma_update(None, "max_page_count", self.0)?)
    }
}

/// An event of this size.
struct Fill(usize);

impl Write for Fill {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        connection.execute(
            "INSERT INTO events (digest, kind, was_answered, raw, received_at)
             VALUES (randomblob(32), 'other', 0, ?1, 1)",
            [vec![7; self.0]],
        )?;
        Ok(())
    }
}

fn count_events(connection: &Connection) -> i64 {
    let count = "SELECT count(*) FROM events";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn full_disk_acknowledges_nothing_and_recovers() {
    let (writer, file, _folder) = writer();
    let beside = open::writing(&file).unwrap();
    for _ in 0..3 {
        writer.write(SmallDisk(60)).await.unwrap();
        let mut kept = count_events(&beside);
        let refused = loop {
            match writer.write(Fill(10_000)).await {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
            assert!(kept < 60, "the disk never filled");
        };
        assert!(
            matches!(&refused, StoreError::Unavailable(cause) if cause.contains("full")),
            "{refused:?}"
        );
        assert_eq!(count_events(&beside), kept);

        beside.execute_batch("DELETE FROM events").unwrap();
        writer.write(Fill(10_000)).await.unwrap();
    }
    writer.close().await;
}

struct Impossible;

impl Write for Impossible {
    type Output = ();

    fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        Beat.apply(connection)?;
        connection
            .execute_batch("INSERT INTO secrets (name, value) VALUES ('half', 'of a secret')")?;
        Ok(())
    }
}

#[tokio::test]
async fn impossible_write_fails_alone() {
    let (writer, file, _folder) = writer();
    let secret = |name: &str| {
        writer.write(ServerSecret {
            name: name.to_owned(),
            fresh: [1; 32],
        })
    };
    let sound = join_all(["a", "b", "c"].map(secret));
    let both = join(sound, writer.write(Impossible));
    let (sound, impossible) = while_held_up(&writer, both).await;
    assert!(sound.into_iter().all(|result| result.is_ok()));
    assert!(matches!(impossible, Err(StoreError::Unavailable(_))));
    writer.close().await;

    let after = open::reading(&file).unwrap();
    let count = "SELECT (SELECT count(*) FROM secrets), (SELECT count(*) FROM heartbeat)";
    let kept: (i64, i64) = after.query_row(count, [], |row| row.try_into()).unwrap();
    assert_eq!(kept, (3, 0), "the impossible write left a part of itself");
}

#[tokio::test]
async fn full_queue_refuses_at_once_and_keeps_what_it_took() {
    let (writer, _file, _folder) = writer();
    let crowd = join_all((0..2_100).map(|_| writer.write(Beat)));
    let results = while_held_up(&writer, crowd).await;
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(refused, 2_100 - 2_048);
    assert!(results.iter().take(2_048).all(Result::is_ok));
    writer.write(Beat).await.unwrap();
    writer.close().await;
}

#[tokio::test]
async fn closing_twice_is_closing() {
    let (writer, _file, _folder) = writer();
    join(writer.close(), writer.close()).await;
    writer.close().await;
    assert!(matches!(
        writer.write(Beat).await,
        Err(StoreError::Unavailable(_))
    ));
}

/// The bytes of the log beside the file.
fn log_length(file: &DatabaseFile) -> u64 {
    let log = file.path().with_extension("db-wal");
    fs::metadata(log).unwrap().len()
}

#[tokio::test]
async fn long_log_is_moved_beside_the_writer() {
    let (writer, file, _folder) = writer();
    // Three thousand pages: far from where the writer would do it.
    writer.write(Fill(12_000_000)).await.unwrap();
    let is_begun_anew = async || {
        let before = log_length(&file);
        writer.write(Beat).await.unwrap();
        log_length(&file) == before
    };
    let mut beats = 0;
    while !is_begun_anew().await {
        beats += 1;
        assert!(beats < 2_000, "the log goes on growing");
    }
    let length = fs::metadata(file.path()).unwrap().len();
    assert!(length > 12_000_000, "{length}");
    writer.close().await;
}

#[tokio::test]
async fn log_stays_bounded_however_much_is_written() {
    let (writer, file, _folder) = writer();
    let mut longest = 0;
    for _ in 0..60 {
        writer.write(Fill(2_000_000)).await.unwrap();
        longest = longest.max(log_length(&file));
    }
    // Of 120 MB 8,000 pages, and what comes until the other thread has done its last two pieces.
    assert!(longest < 100_000_000, "{longest}");
    writer.close().await;
}
