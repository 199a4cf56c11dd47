//! What happens when the file fails under a running store: nothing is acknowledged, and it recovers by itself.

use std::{fs, sync::Arc};

use click_to_call::domain::store::{Appended, Store, StoreError};
use futures_util::{
    FutureExt,
    future::{join, join_all},
};
use rusqlite::params;

use super::{database_in, execute, open_new, serve, stranger};
use crate::records::{at, call, event, forged, redemption, replay_key, visitor};

async fn assert_writes_fail(store: &Arc<dyn Store>) {
    for result in [
        store.append_event(&event()).await.map(|_| ()),
        store.ping().await,
    ] {
        assert!(
            matches!(result, Err(StoreError::Unavailable(_))),
            "{result:?}"
        );
    }
}

async fn assert_new(store: &Arc<dyn Store>) {
    let appended = store.append_event(&event()).await.unwrap();
    assert_eq!(appended, Appended::New(None));
}

#[tokio::test]
async fn locked_file_delays_nothing_longer_than_the_lock() {
    let (store, folder) = open_new().await;
    let kept = call();
    store.insert_call(&kept).await.unwrap();
    let stranger = stranger(&database_in(&folder));
    execute(&stranger, "BEGIN IMMEDIATE");
    assert_writes_fail(&store).await;
    // Readers go on.
    assert_eq!(store.find_call(kept.id).await.unwrap(), Some(kept));
    execute(&stranger, "ROLLBACK");
    assert_new(&store).await;
}

#[tokio::test]
async fn refused_event_is_new_when_it_comes_again() {
    let (store, folder) = open_new().await;
    let stranger = stranger(&database_in(&folder));
    execute(&stranger, "BEGIN IMMEDIATE");
    let event = event();
    let refused = store.append_event(&event).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    execute(&stranger, "ROLLBACK");
    let appended = store.append_event(&event).await.unwrap();
    assert_eq!(appended, Appended::New(None));
}

#[tokio::test]
async fn missing_file_is_not_replaced_by_an_empty_one() {
    let (store, folder) = open_new().await;
    let kept = call();
    store.insert_call(&kept).await.unwrap();
    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    fs::rename(&data, &away).unwrap();
    assert_writes_fail(&store).await;
    let read = store.find_call(kept.id).await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(!data.exists());

    fs::rename(&away, &data).unwrap();
    assert_new(&store).await;
    assert_eq!(store.find_call(kept.id).await.unwrap(), Some(kept));
}

#[tokio::test]
async fn restored_file_is_taken_up_while_running() {
    let (store, folder) = open_new().await;
    let saved = call();
    store.insert_call(&saved).await.unwrap();
    let path = database_in(&folder);
    let backup = folder.path().join("backup.db");
    stranger(&path)
        .execute("VACUUM INTO ?1", [backup.to_str().unwrap()])
        .unwrap();
    let lost = call();
    store.insert_call(&lost).await.unwrap();

    fs::rename(folder.path().join("data"), folder.path().join("away")).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::rename(&backup, &path).unwrap();
    assert_eq!(store.find_call(lost.id).await.unwrap(), None);
    assert_eq!(store.find_call(saved.id).await.unwrap(), Some(saved));
    let event = event();
    store.append_event(&event).await.unwrap();
    store.close().await;
    let store = serve(&path).await.unwrap();
    assert_eq!(store.append_event(&event).await.unwrap(), Appended::Repeat);
}

#[tokio::test]
async fn acknowledged_is_on_disk_without_a_clean_end() {
    let (store, folder) = open_new().await;
    let event = event();
    store.append_event(&event).await.unwrap();
    // What a killed process leaves behind: the file and its log, as they are at this moment.
    let left = folder.path().join("left");
    fs::create_dir(&left).unwrap();
    for name in ["click-to-call.db", "click-to-call.db-wal"] {
        fs::copy(database_in(&folder).with_file_name(name), left.join(name)).unwrap();
    }
    let revived = serve(&left.join("click-to-call.db")).await.unwrap();
    assert_eq!(
        revived.append_event(&event).await.unwrap(),
        Appended::Repeat
    );
}

#[tokio::test]
async fn closing_writes_what_has_queued() {
    let (store, folder) = open_new().await;
    let events: Vec<_> = (0..200).map(|_| event()).collect();
    for event in &events {
        assert!(store.append_event(event).now_or_never().is_none());
    }
    store.close().await;
    let wal = database_in(&folder).with_file_name("click-to-call.db-wal");
    assert!(!wal.exists(), "a clean end leaves one file");
    let store = serve(&database_in(&folder)).await.unwrap();
    for event in &events {
        let again = store.append_event(event).await.unwrap();
        assert_eq!(again, Appended::Repeat);
    }
}

#[tokio::test]
async fn damaged_row_is_named_and_spares_the_others() {
    let (store, folder) = open_new().await;
    let (damaged, sound) = (call(), call());
    store.insert_call(&damaged).await.unwrap();
    store.insert_call(&sound).await.unwrap();
    let stranger = stranger(&database_in(&folder));
    stranger
        .execute(
            "UPDATE calls SET closed_at = 1, closing = 'as of version 9' WHERE id = ?1",
            params![damaged.id.0],
        )
        .unwrap();

    let read = store.find_call(damaged.id).await;
    assert!(
        matches!(&read, Err(StoreError::Corrupt(what)) if what.contains("closing")),
        "{read:?}"
    );
    let (first, second) = (redemption(&damaged), redemption(&sound));
    let (first, second) = tokio::join!(store.redeem_ticket(&first), store.redeem_ticket(&second));
    assert!(matches!(first, Err(StoreError::Corrupt(_))), "{first:?}");
    second.unwrap();
}

#[tokio::test]
async fn body_is_kept_byte_for_byte() {
    let (store, folder) = open_new().await;
    let mut event = event();
    event.raw = (0..=255).collect();
    store.append_event(&event).await.unwrap();
    let stranger = stranger(&database_in(&folder));
    let kept: (Vec<u8>, String, i64) = stranger
        .query_row("SELECT raw, kind, received_at FROM events", [], |row| {
            row.try_into()
        })
        .unwrap();
    let received = at(10).timestamp_millis();
    assert_eq!(kept, (event.raw, "status".to_owned(), received));
}

#[tokio::test]
async fn session_of_another_visitor_is_not_taken_over() {
    let (store, _folder) = open_new().await;
    let first = visitor();
    store.insert_visitor(&first).await.unwrap();
    let mut second = visitor();
    second.session = first.session;
    let refused = store.insert_visitor(&second).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let found = store.find_visitor(&first.session, at(0)).await.unwrap();
    assert_eq!(found, Some(first));
}

#[tokio::test]
async fn of_events_that_come_together_the_first_of_its_kind_is_new() {
    let (store, _folder) = open_new().await;
    let known = call();
    store.insert_call(&known).await.unwrap();
    let redeemed = redemption(&known);
    let mut first = event();
    first.replay = Some(replay_key());
    let mut forgery = event();
    forgery.replay = first.replay.as_ref().map(forged);
    let mut same_status = event();
    same_status.leg.clone_from(&first.leg);
    same_status.status.clone_from(&first.status);
    same_status.timestamp.clone_from(&first.timestamp);
    let mut of_the_call = event();
    of_the_call.leg = Some(redeemed.leg.clone());
    let events = [&first, &first, &forgery, &same_status, &of_the_call];
    // All of them stand in the queue, in this order, before any is waited for.
    let appending = join_all(events.map(|event| store.append_event(event)));
    let (redemption, appended) = join(store.redeem_ticket(&redeemed), appending).await;
    redemption.unwrap();
    let appended: Vec<Appended> = appended.into_iter().map(Result::unwrap).collect();
    let of_its_call = Appended::New(Some(known.id));
    assert_eq!(
        appended,
        [
            Appended::New(None),
            Appended::Repeat,
            Appended::Replayed,
            Appended::Repeat,
            of_its_call
        ]
    );
}
