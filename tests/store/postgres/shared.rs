//! What several servers on one database promise together.

use std::sync::Arc;

use click_to_call::domain::{
    call::Call,
    live::LiveCalls,
    store::{Appended, HANGUP_LEASE, Redeemed, Store, SweepBefore, TIDY_LEASE},
};
use futures_util::future::{join, join_all};
use tokio::task::JoinHandle;

use super::{cut_connections, execute, number, serve};
use crate::{
    cluster::Cluster,
    records::{
        at, call, event, forged, leg, redemption, replay_key, status_of, telephone_call, visitor,
    },
};

/// Two servers, and the database's name.
async fn two() -> (Arc<dyn Store>, Arc<dyn Store>, String) {
    let cluster = Cluster::shared();
    let database = cluster.create_database().await;
    let url = cluster.url(&database);
    let (one, two) = join(serve(&url), serve(&url)).await;
    (one.unwrap(), two.unwrap(), database)
}

/// Tells `live` of every change, until the store is closed.
fn follow(store: &Arc<dyn Store>, live: &LiveCalls) -> JoinHandle<()> {
    let (store, live) = (Arc::clone(store), live.clone());
    tokio::spawn(async move { store.follow_changes(&live).await })
}

async fn redeemed(store: &Arc<dyn Store>) -> Call {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let redeemed = store.redeem_ticket(&redemption(&call)).await.unwrap();
    let Redeemed::Yes(call) = redeemed else {
        panic!("a fresh ticket was not redeemed: {redeemed:?}");
    };
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticket_is_redeemed_on_one_of_them() {
    let (one, two, _) = two().await;
    for _ in 0..20 {
        let call = call();
        one.insert_call(&call).await.unwrap();
        let (first, second) = (redemption(&call), redemption(&call));
        let both = join(one.redeem_ticket(&first), two.redeem_ticket(&second)).await;
        let redeemed = [both.0.unwrap(), both.1.unwrap()];
        let yes = redeemed.iter().filter(|r| matches!(r, Redeemed::Yes(_)));
        assert_eq!(yes.count(), 1, "{redeemed:?}");
        assert!(redeemed.contains(&Redeemed::ByAnotherLeg), "{redeemed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leg_redeems_one_ticket_on_all_of_them() {
    let (one, two, _) = two().await;
    for _ in 0..20 {
        let (a, b) = (call(), call());
        one.insert_call(&a).await.unwrap();
        one.insert_call(&b).await.unwrap();
        let first = redemption(&a);
        let mut second = redemption(&b);
        second.leg = first.leg.clone();
        let both = join(one.redeem_ticket(&first), two.redeem_ticket(&second)).await;
        let redeemed = [both.0.unwrap(), both.1.unwrap()];
        let yes = redeemed.iter().filter(|r| matches!(r, Redeemed::Yes(_)));
        assert_eq!(yes.count(), 1, "{redeemed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leg_opens_one_call_on_all_of_them() {
    let (one, two, _) = two().await;
    for _ in 0..20 {
        let first = telephone_call();
        let mut second = telephone_call();
        second.leg = first.leg.clone();
        let both = join(one.open_call(&first, None), two.open_call(&second, None)).await;
        assert_eq!(both.0.unwrap(), both.1.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhook_is_kept_once_whichever_of_them_it_reaches() {
    let (one, two, database) = two().await;
    // Re-signed copies as well, which share the body only; many at once, so that batches cross.
    let events: Vec<_> = (0..50)
        .flat_map(|_| {
            let event = event();
            let mut signed_anew = event.clone();
            signed_anew.replay = Some(replay_key());
            [event.clone(), event, signed_anew]
        })
        .collect();
    let stores = [&one, &two];
    let appending = events
        .iter()
        .flat_map(|event| stores.map(|store| store.append_event(event)));
    let appended = join_all(appending).await;
    let new = appended
        .iter()
        .filter(|appended| *appended.as_ref().unwrap() == Appended::New(None));
    assert_eq!(new.count(), 50);
    let mut admin = Cluster::shared().admin(&database).await;
    assert_eq!(number(&mut admin, "SELECT count(*) FROM events").await, 50);
}

#[tokio::test]
async fn token_used_at_one_is_used_at_the_other() {
    let (one, two, _) = two().await;
    let first = event();
    one.append_event(&first).await.unwrap();
    let mut other = event();
    other.replay = first.replay.as_ref().map(forged);
    let appended = two.append_event(&other).await.unwrap();
    assert_eq!(appended, Appended::Replayed);
}

#[tokio::test]
async fn due_hangup_is_handed_to_one_until_its_lease_is_over() {
    let (one, two, _) = two().await;
    let call = redeemed(&one).await;
    one.request_hangup(call.id, at(20), false, at(20))
        .await
        .unwrap();
    assert_eq!(two.due_hangups(at(20), 10).await.unwrap().len(), 1);
    assert_eq!(two.due_hangups(at(21), 10).await.unwrap().len(), 1);
    let renewed = at(21) + HANGUP_LEASE;
    assert_eq!(one.due_hangups(at(22), 10).await.unwrap(), []);
    let before = renewed - chrono::TimeDelta::milliseconds(1);
    assert_eq!(one.due_hangups(before, 10).await.unwrap(), []);
    // The other one was killed.
    assert_eq!(one.due_hangups(renewed, 10).await.unwrap().len(), 1);
    assert_eq!(two.due_hangups(renewed, 10).await.unwrap(), []);
}

#[tokio::test]
async fn hangup_that_was_put_off_is_anybodys() {
    let (one, two, _) = two().await;
    let call = redeemed(&one).await;
    one.request_hangup(call.id, at(20), false, at(20))
        .await
        .unwrap();
    one.due_hangups(at(20), 10).await.unwrap();
    one.settle_hangup(call.id, Some(at(21)), at(20))
        .await
        .unwrap();
    let due = two.due_hangups(at(21), 10).await.unwrap();
    assert_eq!((due.len(), due[0].attempts), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_hangups_are_shared_out_without_overlap() {
    let (one, two, _) = two().await;
    for _ in 0..40 {
        let call = redeemed(&one).await;
        one.request_hangup(call.id, at(20), false, at(20))
            .await
            .unwrap();
    }
    let (mut taken, mut rounds) = (Vec::new(), 0);
    while taken.len() < 40 {
        let both = join(one.due_hangups(at(20), 8), two.due_hangups(at(20), 8)).await;
        for due in [both.0.unwrap(), both.1.unwrap()].concat() {
            taken.push(due.call.id);
            one.settle_hangup(due.call.id, None, at(20)).await.unwrap();
        }
        rounds += 1;
        assert!(rounds < 20, "only {} were handed out", taken.len());
    }
    taken.sort_by_key(|call| call.0);
    taken.dedup();
    assert_eq!(taken.len(), 40);
}

#[tokio::test]
async fn tidying_is_handed_to_one_until_its_lease_is_over() {
    let (one, two, _) = two().await;
    let visitor = visitor();
    one.insert_visitor(&visitor).await.unwrap();
    redeemed(&one).await;
    let now = at(5_000);
    let over = now + TIDY_LEASE;
    assert_eq!(one.list_expired_visitors(now, 10).await.unwrap().len(), 1);
    assert_eq!(two.list_expired_visitors(now, 10).await.unwrap(), []);
    assert_eq!(two.list_expired_visitors(over, 10).await.unwrap().len(), 1);
    assert_eq!(one.list_open_calls(now, None, 10).await.unwrap().len(), 1);
    assert_eq!(two.list_open_calls(now, None, 10).await.unwrap(), []);
    assert_eq!(two.list_open_calls(over, None, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sweeps_at_once_delete_everything_once() {
    let (one, two, _) = two().await;
    join_all((0..1_500).map(|_| async { one.append_event(&event()).await.unwrap() })).await;
    let before = SweepBefore {
        webhook_ids: at(1_000),
        history: at(1_000),
        visitors: at(1_000),
    };
    let (mut events, mut rounds) = (0, 0);
    while events < 1_500 {
        let both = join(one.sweep(before), two.sweep(before)).await;
        events += both.0.unwrap().events + both.1.unwrap().events;
        rounds += 1;
        assert!(rounds < 10, "{events} events were deleted");
    }
    assert_eq!(events, 1_500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_a_call_is_told_to_the_other() {
    let (one, two, _) = two().await;
    let live = LiveCalls::default();
    let call = call();
    one.insert_call(&call).await.unwrap();
    let mut watcher = live.watch(call.id).unwrap();
    let following = follow(&two, &live);
    // Listening has begun.
    watcher.changed().await;

    let redemption = redemption(&call);
    one.redeem_ticket(&redemption).await.unwrap();
    watcher.changed().await;
    one.append_event(&status_of(&redemption.leg, "ringing"))
        .await
        .unwrap();
    watcher.changed().await;
    one.request_hangup(call.id, at(20), false, at(20))
        .await
        .unwrap();
    watcher.changed().await;
    one.settle_hangup(call.id, None, at(21)).await.unwrap();
    watcher.changed().await;
    let closing = click_to_call::domain::call::Closing::Settled;
    one.close_call(call.id, closing, at(30)).await.unwrap();
    watcher.changed().await;

    // A leg that belongs to nobody is nobody's news.
    one.append_event(&status_of(&leg(), "ringing"))
        .await
        .unwrap();
    two.close().await;
    following.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_that_is_kept_while_its_ticket_is_redeemed_is_told() {
    let (one, two, database) = two().await;
    let live = LiveCalls::default();
    let call = call();
    one.insert_call(&call).await.unwrap();
    let mut watcher = live.watch(call.id).unwrap();
    let following = follow(&two, &live);
    watcher.changed().await;

    let redemption = redemption(&call);
    let event = status_of(&redemption.leg, "ringing");
    let key = event.replay.clone().unwrap();
    let mut other = Cluster::shared().admin(&database).await;
    let note = format!(
        "INSERT INTO webhook_ids VALUES ({}, '{}', '{}')",
        key.issued_at.timestamp_millis(),
        key.jti,
        "0".repeat(32)
    );
    execute(&mut other, "BEGIN").await;
    execute(&mut other, &note).await;
    let keeping = tokio::spawn({
        let (one, event) = (Arc::clone(&one), event.clone());
        async move { one.append_event(&event).await }
    });
    // It has seen the calls as they are, and waits to know whether its token is used.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut admin = Cluster::shared().admin(&database).await;
    while number(&mut admin, waiting).await == 0 {
        assert!(!keeping.is_finished(), "the event did not wait");
    }
    two.redeem_ticket(&redemption).await.unwrap();
    watcher.changed().await;
    execute(&mut other, "ROLLBACK").await;
    let appended = keeping.await.unwrap().unwrap();
    assert_eq!(appended, Appended::New(None));
    watcher.changed().await;
    two.close().await;
    following.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_listener_comes_back_and_wakes_every_watcher() {
    let (one, two, database) = two().await;
    let live = LiveCalls::default();
    let call = redeemed(&one).await;
    let mut watcher = live.watch(call.id).unwrap();
    let following = follow(&two, &live);
    watcher.changed().await;
    for _ in 0..3 {
        cut_connections(&mut Cluster::shared().admin(&database).await).await;
        watcher.changed().await;
    }
    // And hears again.
    one.request_hangup(call.id, at(20), false, at(20))
        .await
        .unwrap();
    watcher.changed().await;
    two.close().await;
    following.await.unwrap();
}
