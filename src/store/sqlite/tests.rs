//! Faults that need a hand inside: a full disk, a full queue, a write that can't be done.

use async_trait::async_trait;
use futures_util::future::{join, join_all};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use super::{
    file::DatabaseFile,
    open,
    server::{Beat, ServerSecret},
    writer::{Write, Writer},
};
use crate::domain::store::StoreError;

/// A writer whose file may have this many pages of 4 KiB.
async fn writer_on_disk_of(pages: u32) -> (Writer, DatabaseFile, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = DatabaseFile::new(&folder.path().join("test.db"));
    file.create().unwrap();
    let options = open::writing(&file).pragma("max_page_count", pages.to_string());
    let writer = Writer::start(file.clone(), options, None).await.unwrap();
    (writer, file, folder)
}

/// An event of this size.
struct Fill(usize);

#[async_trait]
impl Write for Fill {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO events (digest, kind, was_answered, raw, received_at)
             VALUES (randomblob(32), 'other', 0, ?1, 1)",
        )
        .bind(vec![7; self.0])
        .execute(connection)
        .await?;
        Ok(())
    }
}

async fn count_events(connection: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events")
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn full_disk_acknowledges_nothing_and_recovers() {
    let (writer, file, _folder) = writer_on_disk_of(60).await;
    let mut beside = SqliteConnection::connect_with(&open::writing(&file))
        .await
        .unwrap();
    for _ in 0..3 {
        let mut kept = count_events(&mut beside).await;
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
        assert_eq!(count_events(&mut beside).await, kept);

        sqlx::query("DELETE FROM events")
            .execute(&mut beside)
            .await
            .unwrap();
        writer.write(Fill(10_000)).await.unwrap();
    }
    writer.close().await;
}

struct Impossible;

#[async_trait]
impl Write for Impossible {
    type Output = ();

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        Beat.apply(connection).await?;
        sqlx::query("INSERT INTO secrets (name, value) VALUES ('half', 'of a secret')")
            .execute(connection)
            .await?;
        Ok(())
    }
}

#[tokio::test]
async fn impossible_write_fails_alone() {
    let (writer, file, _folder) = writer_on_disk_of(1_000).await;
    // On one thread nothing is taken from the queue before all of them stand in it: one batch.
    let secret = |name: &str| {
        writer.write(ServerSecret {
            name: name.to_owned(),
            fresh: [1; 32],
        })
    };
    let sound = join_all(["a", "b", "c"].map(secret));
    let (sound, impossible) = join(sound, writer.write(Impossible)).await;
    assert!(sound.into_iter().all(|result| result.is_ok()));
    assert!(matches!(impossible, Err(StoreError::Unavailable(_))));
    writer.close().await;

    let mut after = SqliteConnection::connect_with(&open::reading(&file))
        .await
        .unwrap();
    let kept: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM secrets), (SELECT count(*) FROM heartbeat)")
            .fetch_one(&mut after)
            .await
            .unwrap();
    assert_eq!(kept, (3, 0), "the impossible write left a part of itself");
}

#[tokio::test]
async fn full_queue_refuses_at_once_and_keeps_what_it_took() {
    let (writer, _file, _folder) = writer_on_disk_of(1_000).await;
    let results = join_all((0..2_100).map(|_| writer.write(Beat))).await;
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(refused, 2_100 - 2_048);
    assert!(results.iter().take(2_048).all(Result::is_ok));
    writer.write(Beat).await.unwrap();
    writer.close().await;
}
