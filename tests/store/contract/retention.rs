//! Deleting what is old.

use std::sync::Arc;

use click_to_call::domain::{
    call::Call,
    event::NewEvent,
    store::{Appended, ReplayKey, Store, SweepBefore, Swept},
    visitor::Visitor,
};
use futures_util::future::join_all;

use crate::records::{at, call, event, forged, replay_key, visitor};

pub(crate) async fn old_is_swept_and_new_stays(store: &Arc<dyn Store>) {
    let old = Call {
        created_at: at(-1),
        ..call()
    };
    let new = call();
    let old_event = NewEvent {
        replay: Some(ReplayKey {
            issued_at: at(-1),
            ..replay_key()
        }),
        received_at: at(-1),
        ..event()
    };
    let new_event = NewEvent {
        replay: Some(ReplayKey {
            issued_at: at(0),
            ..replay_key()
        }),
        received_at: at(0),
        ..event()
    };
    let visitor_until = |end| Visitor {
        expires_at: at(end),
        ..visitor()
    };
    let (gone, stays) = (visitor_until(-1), visitor_until(0));
    store.insert_visitor(&gone).await.unwrap();
    store.insert_visitor(&stays).await.unwrap();
    store.insert_call(&old).await.unwrap();
    store.insert_call(&new).await.unwrap();
    store.append_event(&old_event).await.unwrap();
    store.append_event(&new_event).await.unwrap();

    let before = SweepBefore {
        webhook_ids: at(0),
        history: at(0),
        visitors: at(0),
    };
    let swept = Swept {
        webhook_ids: 1,
        calls: 1,
        events: 1,
        visitors: 1,
    };
    assert_eq!(store.sweep(before).await.unwrap(), swept);
    assert_eq!(store.sweep(before).await.unwrap(), Swept::default());
    let left = store.list_expired_visitors(at(0), 10).await.unwrap();
    assert_eq!(left, [stays]);
    assert_eq!(store.find_call(old.id).await.unwrap(), None);
    assert_eq!(store.find_call(new.id).await.unwrap(), Some(new));
    let again = store.append_event(&new_event).await.unwrap();
    assert_eq!(again, Appended::Repeat);
    let again = store.append_event(&old_event).await.unwrap();
    assert_eq!(again, Appended::New(None));
}

pub(crate) async fn sweep_is_bounded(store: &Arc<dyn Store>) {
    let events: Vec<_> = (0..1_100).map(|_| event()).collect();
    let calls: Vec<_> = (0..1_100).map(|_| call()).collect();
    for kept in join_all(events.iter().map(|event| store.append_event(event))).await {
        kept.unwrap();
    }
    // No more at once than a pool of connections has.
    for calls in calls.chunks(10) {
        for kept in join_all(calls.iter().map(|call| store.insert_call(call))).await {
            kept.unwrap();
        }
    }
    let visitors: Vec<_> = (0..1_100)
        .map(|_| Visitor {
            expires_at: at(0),
            ..visitor()
        })
        .collect();
    for visitors in visitors.chunks(10) {
        for kept in join_all(visitors.iter().map(|one| store.insert_visitor(one))).await {
            kept.unwrap();
        }
    }
    let before = SweepBefore {
        webhook_ids: at(1_000),
        history: at(1_000),
        visitors: at(1_000),
    };
    for rows in [1_000, 100, 0] {
        let swept = Swept {
            webhook_ids: rows,
            calls: rows,
            events: rows,
            visitors: rows,
        };
        assert_eq!(store.sweep(before).await.unwrap(), swept);
    }
}

pub(crate) async fn swept_token_is_forgotten(store: &Arc<dyn Store>) {
    let first = event();
    store.append_event(&first).await.unwrap();
    let later = NewEvent {
        replay: first.replay.as_ref().map(forged),
        ..event()
    };
    let before = SweepBefore {
        webhook_ids: at(11),
        history: at(0),
        visitors: at(0),
    };
    let swept = store.sweep(before).await.unwrap();
    assert_eq!((swept.webhook_ids, swept.events), (1, 0));
    let appended = store.append_event(&later).await.unwrap();
    assert_eq!(appended, Appended::New(None));
}
