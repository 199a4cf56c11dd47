//! What happens when the server fails under a running store: nothing is acknowledged that is not there,
//! and it recovers by itself.

use std::sync::Arc;

use click_to_call::domain::store::{Appended, Store, StoreError};
use futures_util::future::{join, join_all};

use super::{cut_connections, execute, number, open_new, open_new_in, serve, serve_on};
use crate::{
    cluster::Cluster,
    records::{call, event, redemption},
};

async fn assert_writes_fail(store: &Arc<dyn Store>) {
    for result in [
        store.append_event(&event()).await.map(|_| ()),
        store.insert_call(&call()).await,
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
    store.ping().await.unwrap();
}

#[tokio::test]
async fn stopped_server_is_taken_up_again_when_it_is_back() {
    let cluster = Cluster::start(&[]);
    let (store, _) = open_new_in(&cluster).await;
    let kept = call();
    store.insert_call(&kept).await.unwrap();
    for mode in ["fast", "immediate"] {
        cluster.stop_server(mode);
        assert_writes_fail(&store).await;
        let read = store.find_call(kept.id).await;
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
        cluster.start_server();
        assert_new(&store).await;
        let found = store.find_call(kept.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&kept));
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_and_double_nothing() {
    let (store, database) = open_new().await;
    let mut admin = Cluster::shared().admin(&database).await;
    let mut kept = 0;
    for _ in 0..20 {
        let events: Vec<_> = (0..50).map(|_| event()).collect();
        let appending = join_all(events.iter().map(|event| store.append_event(event)));
        let (results, ()) = tokio::join!(appending, cut_connections(&mut admin));
        for (result, event) in results.iter().zip(&events) {
            // Every attempt may have met a cut; Vonage sends again then.
            let appended = match result {
                Ok(appended) => *appended,
                Err(_refused) => store.append_event(event).await.unwrap(),
            };
            // A repeat of what had been committed when the connection broke.
            assert!(matches!(appended, Appended::New(None) | Appended::Repeat));
        }
        kept += 50;
        let found = number(&mut admin, "SELECT count(*) FROM events").await;
        assert_eq!(found, kept);
    }
    store.close().await;
}

/// Commits wait for a standby that never comes: they are on disk, and nobody has been told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_cut_in_mid_commit_is_no_loss_and_no_double() {
    let cluster = Cluster::start(&[]);
    let (store, database) = open_new_in(&cluster).await;
    let call = call();
    store.insert_call(&call).await.unwrap();
    assert_new(&store).await;
    let mut admin = cluster.admin(&database).await;
    execute(
        &mut admin,
        "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
    )
    .await;
    // And not a reload, which takes hold at some later moment.
    cluster.stop_server("fast");
    cluster.start_server();
    let mut admin = cluster.admin(&database).await;

    let held_up =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'calls'";
    for which in ["event", "redemption"] {
        let (store, call) = (Arc::clone(&store), call.clone());
        let writing = tokio::spawn(async move {
            match which {
                "event" => store.append_event(&event()).await.map(|_| ()),
                _ => store.redeem_ticket(&redemption(&call)).await.map(|_| ()),
            }
        });
        while number(&mut admin, held_up).await == 0 {
            assert!(!writing.is_finished(), "the commit did not wait");
        }
        cut_connections(&mut admin).await;
        if which == "redemption" {
            // What is begun anew locks the call's row, and so commits once more.
            execute(&mut admin, "ALTER SYSTEM RESET synchronous_standby_names").await;
            cluster.reload();
        }
        writing.await.unwrap().unwrap();
    }
    let found = "SELECT count(*) FROM events";
    assert_eq!(number(&mut admin, found).await, 2);
    let redeemed = "SELECT count(*) FROM calls WHERE leg IS NOT NULL";
    assert_eq!(number(&mut admin, redeemed).await, 1);
    store.close().await;
}

#[tokio::test]
async fn database_that_turns_read_only_is_refused_in_words() {
    let (store, database) = open_new().await;
    let mut admin = Cluster::shared().admin(&database).await;
    let set = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    execute(&mut admin, &set).await;
    cut_connections(&mut admin).await;
    assert_writes_fail(&store).await;
    let error = store.append_event(&event()).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    let reset = format!("ALTER DATABASE {database} RESET default_transaction_read_only");
    // The admin's own session is of before, and so may still write.
    execute(&mut admin, &reset).await;
    assert_new(&store).await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_acknowledges_nothing_that_is_not_there() {
    const LIMIT_KIB: &str = "16384";
    let cluster = Cluster::start(&[]);
    let database = cluster.create_database().await;
    let url = cluster.url(&database);
    serve(&url).await.unwrap().close().await;
    cluster.stop_server("fast");
    cluster.start_server_with_file_limit(LIMIT_KIB);
    let store = serve(&url).await.unwrap();
    let mut acknowledged = 0;
    let refused = loop {
        let mut large = event();
        // Nothing that could be compressed.
        large.raw = (0..2_000)
            .flat_map(|_| *uuid::Uuid::new_v4().as_bytes())
            .collect();
        match store.append_event(&large).await {
            Ok(appended) => assert_eq!(appended, Appended::New(None)),
            Err(_full) => break large,
        }
        acknowledged += 1;
        assert!(acknowledged < 2_000, "the limit does not hold");
    };
    let mut admin = cluster.admin(&database).await;
    let found = "SELECT count(*) FROM events";
    assert_eq!(number(&mut admin, found).await, acknowledged);

    cluster.stop_server("fast");
    cluster.start_server_with_file_limit("unlimited");
    let appended = store.append_event(&refused).await.unwrap();
    assert_eq!(appended, Appended::New(None));
    let mut admin = cluster.admin(&database).await;
    assert_eq!(number(&mut admin, found).await, acknowledged + 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_that_can_not_be_kept_fails_alone() {
    let (store, database) = open_new().await;
    let mut admin = Cluster::shared().admin(&database).await;
    execute(
        &mut admin,
        "ALTER TABLE events ADD CONSTRAINT none_of_these CHECK (status <> 'unlucky')",
    )
    .await;
    let mut events: Vec<_> = (0..100).map(|_| event()).collect();
    events[40].status = Some("unlucky".to_owned());
    let results = join_all(events.iter().map(|event| store.append_event(event))).await;
    for (place, result) in results.into_iter().enumerate() {
        assert_eq!(result.is_err(), place == 40, "{result:?}");
    }
    let kept = "SELECT count(*) FROM events";
    assert_eq!(number(&mut admin, kept).await, 99);
    store.close().await;
}

#[tokio::test]
async fn zero_characters_are_kept_as_something_else() {
    let (store, _) = open_new().await;
    let mut odd = event();
    odd.status = Some("ring\0ing".to_owned());
    assert_eq!(store.append_event(&odd).await.unwrap(), Appended::New(None));
    assert_eq!(store.append_event(&odd).await.unwrap(), Appended::Repeat);
    let mut call = call();
    store.insert_call(&call).await.unwrap();
    let mut odd_redemption = redemption(&call);
    odd_redemption.leg = odd.leg.clone().unwrap();
    odd_redemption.region_url = Some("https://\0".to_owned());
    store.redeem_ticket(&odd_redemption).await.unwrap();
    call = store.find_call(call.id).await.unwrap().unwrap();
    assert_eq!(call.region_url.as_deref(), Some("https://\u{fffd}"));
    let events = store.list_call_events(&call).await.unwrap();
    assert_eq!(events[0].status.as_deref(), Some("ring\u{fffd}ing"));
    store.close().await;
}

#[tokio::test]
async fn stuck_server_is_not_waited_for() {
    let (store, database) = open_new().await;
    let call = call();
    store.insert_call(&call).await.unwrap();
    let mut admin = Cluster::shared().admin(&database).await;
    execute(&mut admin, "BEGIN").await;
    execute(&mut admin, "LOCK TABLE calls").await;
    let refused = store.redeem_ticket(&redemption(&call)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    execute(&mut admin, "ROLLBACK").await;
    store.redeem_ticket(&redemption(&call)).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_connections_are_opened_than_are_set() {
    const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    const OPEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'calls'";
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let store = serve_on(&cluster.url(&database), 3).await.unwrap();
    let mut admin = cluster.admin(&database).await;
    // Within its transaction the other would see the same activity for ever.
    let mut watcher = cluster.admin(&database).await;
    execute(&mut admin, "BEGIN").await;
    execute(&mut admin, "LOCK TABLE calls").await;
    let calls: Vec<_> = (0..12).map(|_| call()).collect();
    let inserting = join_all(calls.iter().map(|call| store.insert_call(call)));
    let freeing = async {
        while number(&mut watcher, WAITING).await < 3 {
            tokio::task::yield_now().await;
        }
        execute(&mut admin, "ROLLBACK").await;
    };
    let (inserted, ()) = join(inserting, freeing).await;
    for result in inserted {
        result.unwrap();
    }
    assert_eq!(number(&mut watcher, OPEN).await, 3);
    store.close().await;
}
