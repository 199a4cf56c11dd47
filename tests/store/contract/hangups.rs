//! The queue of calls to hang up.

use std::sync::Arc;

use click_to_call::domain::{
    call::{Call, Closing},
    ids::CallId,
    store::{DueHangup, Redeemed, Store},
};

use super::redeemed_call;
use crate::records::{at, call, redemption};

async fn request(store: &Arc<dyn Store>, call: &Call, due: i64) -> Call {
    let requested = store.request_hangup(call.id, at(due), false, at(20)).await;
    requested.unwrap().unwrap()
}

async fn due_at(store: &Arc<dyn Store>, now: i64) -> Vec<DueHangup> {
    store.due_hangups(at(now), 100).await.unwrap()
}

async fn find(store: &Arc<dyn Store>, call: &Call) -> Call {
    store.find_call(call.id).await.unwrap().unwrap()
}

pub(crate) async fn hangup_comes_due(store: &Arc<dyn Store>) {
    let (mut call, _) = redeemed_call(&**store).await;
    assert_eq!(due_at(store, 1_000).await, []);
    let requested = request(store, &call, 35).await;
    call.hangup_due_at = Some(at(35));
    assert_eq!(requested, call);
    assert_eq!(due_at(store, 34).await, []);
    assert_eq!(due_at(store, 35).await, [DueHangup { call, attempts: 0 }]);
}

pub(crate) async fn earliest_due_time_wins(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    for (asked, kept) in [(35, 35), (50, 35), (21, 21)] {
        let requested = request(store, &call, asked).await;
        assert_eq!(requested.hangup_due_at, Some(at(kept)));
    }
}

pub(crate) async fn due_hangups_are_bounded_and_in_order(store: &Arc<dyn Store>) {
    let mut calls = Vec::new();
    for due in [33, 31, 34, 32] {
        let (call, _) = redeemed_call(&**store).await;
        calls.push(request(store, &call, due).await);
    }
    calls.sort_by_key(|call| call.hangup_due_at);
    let due: Vec<_> = due_at(store, 33)
        .await
        .into_iter()
        .map(|due| due.call)
        .collect();
    assert_eq!(due, calls[..3]);
    let due = store.due_hangups(at(33), 2).await.unwrap();
    let due: Vec<_> = due.into_iter().map(|due| due.call).collect();
    assert_eq!(due, calls[..2]);
}

pub(crate) async fn returning_visitor_takes_the_hangup_back(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    assert!(!store.cancel_hangup(call.id, at(20)).await.unwrap());
    request(store, &call, 35).await;
    assert!(store.cancel_hangup(call.id, at(34)).await.unwrap());
    assert_eq!(find(store, &call).await, call);
    assert_eq!(due_at(store, 1_000).await, []);
}

pub(crate) async fn due_hangup_can_not_be_taken_back(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    request(store, &call, 35).await;
    assert!(!store.cancel_hangup(call.id, at(35)).await.unwrap());
    assert_eq!(due_at(store, 35).await.len(), 1);
}

pub(crate) async fn attempted_hangup_can_not_be_taken_back(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    request(store, &call, 35).await;
    let put_off = store.settle_hangup(call.id, Some(at(40)), at(35)).await;
    put_off.unwrap();
    assert!(!store.cancel_hangup(call.id, at(36)).await.unwrap());
    assert_eq!(due_at(store, 40).await.len(), 1);
}

pub(crate) async fn attempts_are_counted(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    request(store, &call, 30).await;
    for attempts in 0..3 {
        let now = 30 + i64::from(attempts);
        let due = due_at(store, now).await;
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].attempts, attempts);
        let put_off = store
            .settle_hangup(call.id, Some(at(now + 1)), at(now))
            .await;
        put_off.unwrap();
        assert_eq!(due_at(store, now).await, []);
    }
}

pub(crate) async fn settled_hangup_is_final(store: &Arc<dyn Store>) {
    let (mut call, _) = redeemed_call(&**store).await;
    request(store, &call, 30).await;
    store.settle_hangup(call.id, None, at(31)).await.unwrap();
    call.hung_up_at = Some(at(31));
    assert_eq!(find(store, &call).await, call);
    assert_eq!(due_at(store, 1_000).await, []);
    assert_eq!(request(store, &call, 40).await, call);
    assert_eq!(due_at(store, 1_000).await, []);
}

pub(crate) async fn hangup_that_is_not_due_is_not_settled(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    let requested = request(store, &call, 35).await;
    for retry_at in [None, Some(at(50))] {
        store
            .settle_hangup(call.id, retry_at, at(34))
            .await
            .unwrap();
        assert_eq!(find(store, &call).await, requested);
    }
}

pub(crate) async fn closed_call_is_not_hung_up(store: &Arc<dyn Store>) {
    let (mut call, _) = redeemed_call(&**store).await;
    let closed = store.close_call(call.id, Closing::Settled, at(25)).await;
    closed.unwrap();
    call.closed = Some((at(25), Closing::Settled));
    assert_eq!(request(store, &call, 30).await, call);
}

pub(crate) async fn void_spares_a_redeemed_ticket(store: &Arc<dyn Store>) {
    let (call, first) = redeemed_call(&**store).await;
    let requested = store.request_hangup(call.id, at(20), true, at(20)).await;
    let requested = requested.unwrap().unwrap();
    assert_eq!(requested.voided_at, None);
    assert_eq!(requested.hangup_due_at, Some(at(20)));
    let retry = store.redeem_ticket(&first).await.unwrap();
    assert_eq!(retry, Redeemed::Yes(requested));
}

pub(crate) async fn due_hangup_without_a_leg_voids_the_ticket(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    request(store, &call, 35).await;
    assert_eq!(due_at(store, 34).await, []);
    assert_eq!(find(store, &call).await.voided_at, None);
    assert_eq!(due_at(store, 36).await, []);
    let over = find(store, &call).await;
    assert_eq!((over.voided_at, over.hangup_due_at), (Some(at(36)), None));
    let late = store.redeem_ticket(&redemption(&call)).await.unwrap();
    assert!(matches!(late, Redeemed::HungUp(_)), "{late:?}");
}

pub(crate) async fn settled_hangup_without_a_leg_voids_the_ticket(store: &Arc<dyn Store>) {
    let mut call = call();
    store.insert_call(&call).await.unwrap();
    request(store, &call, 35).await;
    store.settle_hangup(call.id, None, at(36)).await.unwrap();
    call.voided_at = Some(at(36));
    assert_eq!(find(store, &call).await, call);
}

pub(crate) async fn leg_of_a_void_ticket_is_hung_up(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let voided = store.request_hangup(call.id, at(5), true, at(5)).await;
    voided.unwrap();
    assert_eq!(due_at(store, 5).await, []);

    let late = redemption(&call);
    store.redeem_ticket(&late).await.unwrap();
    let due = due_at(store, 10).await;
    assert_eq!(due.len(), 1);
    assert_eq!((&due[0].call.leg, due[0].attempts), (&Some(late.leg), 0));
    store.settle_hangup(call.id, None, at(11)).await.unwrap();
    assert_eq!(find(store, &call).await.hung_up_at, Some(at(11)));
    assert_eq!(due_at(store, 1_000).await, []);
}

pub(crate) async fn missing_call_is_no_fault(store: &Arc<dyn Store>) {
    let nothing = CallId::random();
    let requested = store.request_hangup(nothing, at(1), true, at(1)).await;
    assert_eq!(requested.unwrap(), None);
    assert!(!store.cancel_hangup(nothing, at(1)).await.unwrap());
    store.settle_hangup(nothing, None, at(1)).await.unwrap();
}
