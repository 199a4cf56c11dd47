//! Keeping, listing and closing calls.

use std::sync::Arc;

use click_to_call::domain::{
    call::{Call, Closing},
    ids::{CallId, VisitorId},
    store::Store,
};

use super::redeemed_call;
use crate::records::{at, call, forged, leg, replay_key, telephone_call, visitor};

pub(crate) async fn call_is_read_back_as_kept(store: &Arc<dyn Store>) {
    let visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    let fresh = Call {
        visitor: Some(visitor.id),
        ..call()
    };
    let over = Call {
        voided_at: Some(at(5)),
        hangup_due_at: Some(at(6)),
        hung_up_at: Some(at(7)),
        closed: Some((at(8), Closing::Lost)),
        ..telephone_call()
    };
    for call in [fresh, over] {
        store.insert_call(&call).await.unwrap();
        assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
    }
}

pub(crate) async fn same_call_is_kept_once(store: &Arc<dyn Store>) {
    let (redeemed, _) = redeemed_call(&**store).await;
    let first = Call {
        id: redeemed.id,
        ..call()
    };
    store.insert_call(&first).await.unwrap();
    assert_eq!(store.find_call(first.id).await.unwrap(), Some(redeemed));
}

pub(crate) async fn call_of_a_forgotten_visitor_is_kept_without_them(store: &Arc<dyn Store>) {
    let mut call = call();
    call.visitor = Some(VisitorId::random());
    store.insert_call(&call).await.unwrap();
    call.visitor = None;
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
}

pub(crate) async fn opened_call_has_its_leg(store: &Arc<dyn Store>) {
    let call = telephone_call();
    let opened = store.open_call(&call, Some(&replay_key())).await.unwrap();
    assert_eq!(opened.as_ref(), Some(&call));
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
}

pub(crate) async fn leg_opens_one_call(store: &Arc<dyn Store>) {
    let first = telephone_call();
    let key = replay_key();
    store.open_call(&first, Some(&key)).await.unwrap();
    let again = Call {
        leg: first.leg.clone(),
        ..telephone_call()
    };
    for replay in [Some(&key), Some(&replay_key()), None] {
        let found = store.open_call(&again, replay).await.unwrap();
        assert_eq!(found.as_ref(), Some(&first));
    }
    assert_eq!(store.find_call(again.id).await.unwrap(), None);

    let (redeemed, redemption) = redeemed_call(&**store).await;
    let again = Call {
        leg: Some(redemption.leg),
        ..telephone_call()
    };
    let found = store.open_call(&again, None).await.unwrap();
    assert_eq!(found, Some(redeemed));
}

pub(crate) async fn forged_request_opens_nothing(store: &Arc<dyn Store>) {
    let key = replay_key();
    store
        .open_call(&telephone_call(), Some(&key))
        .await
        .unwrap();
    let call = telephone_call();
    let opened = store.open_call(&call, Some(&forged(&key))).await.unwrap();
    assert_eq!(opened, None);
    assert_eq!(store.find_call(call.id).await.unwrap(), None);
}

pub(crate) async fn open_calls_are_listed_oldest_first(store: &Arc<dyn Store>) {
    let mut calls: Vec<_> = [30, 10, 40, 20]
        .map(|redeemed| Call {
            redeemed_at: Some(at(redeemed)),
            leg: Some(leg()),
            ..call()
        })
        .into();
    for call in &calls {
        store.insert_call(call).await.unwrap();
    }
    store.insert_call(&call()).await.unwrap();
    calls.sort_by_key(|call| call.redeemed_at);

    let open = store.list_open_calls(at(40), None, 10).await.unwrap();
    assert_eq!(open, calls[..3]);
    let open = store.list_open_calls(at(40), None, 2).await.unwrap();
    assert_eq!(open, calls[..2]);
    let open = store.list_open_calls(at(40), open.last(), 2).await.unwrap();
    assert_eq!(open, calls[2..3]);
    let open = store.list_open_calls(at(40), open.last(), 2).await.unwrap();
    assert_eq!(open, []);

    store
        .close_call(calls[0].id, Closing::Settled, at(50))
        .await
        .unwrap();
    let open = store.list_open_calls(at(40), None, 10).await.unwrap();
    assert_eq!(open, calls[1..3]);
}

pub(crate) async fn open_calls_of_one_moment_are_listed_each_once(store: &Arc<dyn Store>) {
    let mut kept: Vec<_> = (0..5)
        .map(|_| Call {
            redeemed_at: Some(at(10)),
            leg: Some(leg()),
            ..call()
        })
        .collect();
    for call in &kept {
        store.insert_call(call).await.unwrap();
    }
    let mut listed: Vec<Call> = Vec::new();
    for _ in 0..3 {
        let page = store.list_open_calls(at(40), listed.last(), 2).await;
        listed.extend(page.unwrap());
    }
    kept.sort_by_key(|call| call.id.0);
    assert_eq!(listed, kept);
}

pub(crate) async fn closing_is_final(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    let tries = [
        (Closing::Settled, at(100), true),
        (Closing::Lost, at(200), false),
    ];
    for (closing, when, is_first) in tries {
        let closed = store.close_call(call.id, closing, when).await.unwrap();
        assert_eq!(closed, is_first);
        let found = store.find_call(call.id).await.unwrap().unwrap();
        assert_eq!(found.closed, Some((at(100), Closing::Settled)));
    }
}

pub(crate) async fn missing_call_is_no_fault(store: &Arc<dyn Store>) {
    let nothing = CallId::random();
    assert_eq!(store.find_call(nothing).await.unwrap(), None);
    let closed = store.close_call(nothing, Closing::Lost, at(1)).await;
    assert!(!closed.unwrap());
    assert_eq!(store.find_call(nothing).await.unwrap(), None);
}
