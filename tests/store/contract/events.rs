//! Keeping events: each once, none lost, whatever the order.

use std::sync::Arc;

use click_to_call::domain::{
    event::{EventKind, NewEvent, StoredEvent},
    store::{Appended, Redeemed, Store},
};
use futures_util::future::join_all;

use super::redeemed_call;
use crate::records::{
    at, call, event, forged, random_digest, redemption, replay_key, status_of, telephone_call,
};

/// The same event under a token of its own.
fn signed_anew(event: &NewEvent) -> NewEvent {
    NewEvent {
        replay: Some(replay_key()),
        ..event.clone()
    }
}

/// Another event in all but what is given.
fn with_other_bytes(event: &NewEvent) -> NewEvent {
    NewEvent {
        digest: random_digest(),
        ..signed_anew(event)
    }
}

async fn append(store: &Arc<dyn Store>, event: &NewEvent) -> Appended {
    store.append_event(event).await.unwrap()
}

pub(crate) async fn event_is_kept_once(store: &Arc<dyn Store>) {
    let complete = event();
    let no_leg = NewEvent {
        leg: None,
        ..event()
    };
    let no_status = NewEvent {
        status: None,
        ..event()
    };
    let no_time = NewEvent {
        timestamp: None,
        ..event()
    };
    for event in [complete, no_leg, no_status, no_time] {
        assert_eq!(append(store, &event).await, Appended::New(None));
        let repeat = signed_anew(&event);
        assert_eq!(append(store, &repeat).await, Appended::Repeat);
        let unsigned = NewEvent {
            replay: None,
            ..event
        };
        assert_eq!(append(store, &unsigned).await, Appended::Repeat);
    }
}

pub(crate) async fn same_leg_status_and_timestamp_is_the_same_event(store: &Arc<dyn Store>) {
    let first = event();
    append(store, &first).await;
    let same = with_other_bytes(&first);
    assert_eq!(append(store, &same).await, Appended::Repeat);
    let mut other = with_other_bytes(&first);
    other.status = Some("answered".to_owned());
    assert_eq!(append(store, &other).await, Appended::New(None));
    let mut other = with_other_bytes(&first);
    other.timestamp = Some("2026-01-05T08:00:11.000Z".to_owned());
    assert_eq!(append(store, &other).await, Appended::New(None));
}

pub(crate) async fn events_without_full_identity_differ_by_their_bytes(store: &Arc<dyn Store>) {
    let full = event();
    let no_leg = NewEvent {
        leg: None,
        ..full.clone()
    };
    let no_status = NewEvent {
        status: None,
        ..full.clone()
    };
    let no_timestamp = NewEvent {
        timestamp: None,
        ..full
    };
    for partial in [no_leg, no_status, no_timestamp] {
        for _ in 0..2 {
            let next = with_other_bytes(&partial);
            assert_eq!(append(store, &next).await, Appended::New(None));
        }
    }
}

pub(crate) async fn same_signed_request_is_a_repeat(store: &Arc<dyn Store>) {
    let first = event();
    append(store, &first).await;
    assert_eq!(append(store, &first).await, Appended::Repeat);
    let same_token = NewEvent {
        replay: first.replay,
        ..event()
    };
    assert_eq!(append(store, &same_token).await, Appended::Repeat);
}

pub(crate) async fn forged_event_is_not_kept(store: &Arc<dyn Store>) {
    let first = event();
    append(store, &first).await;
    let forgery = NewEvent {
        replay: first.replay.as_ref().map(forged),
        ..event()
    };
    assert_eq!(append(store, &forgery).await, Appended::Replayed);
    let honest = signed_anew(&forgery);
    assert_eq!(append(store, &honest).await, Appended::New(None));
}

pub(crate) async fn repeated_event_still_uses_up_its_token(store: &Arc<dyn Store>) {
    let first = event();
    append(store, &first).await;
    let repeat = signed_anew(&first);
    assert_eq!(append(store, &repeat).await, Appended::Repeat);
    let forgery = NewEvent {
        replay: repeat.replay.as_ref().map(forged),
        ..event()
    };
    assert_eq!(append(store, &forgery).await, Appended::Replayed);
}

pub(crate) async fn event_belongs_to_the_call_of_its_leg(store: &Arc<dyn Store>) {
    let (call, redemption) = redeemed_call(&**store).await;
    let (other, _) = redeemed_call(&**store).await;
    let mut event = status_of(&redemption.leg, "ringing");
    event.conversation = other.conversation;
    assert_eq!(append(store, &event).await, Appended::New(Some(call.id)));
}

pub(crate) async fn event_belongs_to_the_call_of_its_conversation(store: &Arc<dyn Store>) {
    let (call, redemption) = redeemed_call(&**store).await;
    let far_leg = NewEvent {
        conversation: redemption.conversation,
        ..event()
    };
    assert_eq!(append(store, &far_leg).await, Appended::New(Some(call.id)));

    let telephone = telephone_call();
    store.open_call(&telephone, None).await.unwrap();
    let no_leg = NewEvent {
        leg: None,
        conversation: telephone.conversation,
        ..event()
    };
    let appended = append(store, &no_leg).await;
    assert_eq!(appended, Appended::New(Some(telephone.id)));
}

pub(crate) async fn events_before_their_call_are_listed_with_it(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let redemption = redemption(&call);
    let near = status_of(&redemption.leg, "started");
    let far = NewEvent {
        conversation: redemption.conversation.clone(),
        was_answered: true,
        status: Some("completed".to_owned()),
        ..event()
    };
    assert_eq!(append(store, &near).await, Appended::New(None));
    assert_eq!(append(store, &far).await, Appended::New(None));
    assert_eq!(store.list_call_events(&call).await.unwrap(), []);

    let Redeemed::Yes(call) = store.redeem_ticket(&redemption).await.unwrap() else {
        panic!("a fresh ticket was not redeemed");
    };
    let expected = [near, far].map(|event| StoredEvent {
        kind: event.kind,
        leg: event.leg,
        status: event.status,
        was_answered: event.was_answered,
    });
    assert_eq!(store.list_call_events(&call).await.unwrap(), expected);
}

pub(crate) async fn event_without_any_id_is_kept(store: &Arc<dyn Store>) {
    for kind in [EventKind::Rtc, EventKind::Error, EventKind::Unreadable] {
        let bare = NewEvent {
            kind,
            leg: None,
            conversation: None,
            status: None,
            timestamp: None,
            replay: None,
            raw: vec![0xff, 0x00],
            ..event()
        };
        assert_eq!(append(store, &bare).await, Appended::New(None));
        assert_eq!(append(store, &bare).await, Appended::Repeat);
    }
}

pub(crate) async fn events_are_listed_in_order_of_arrival(store: &Arc<dyn Store>) {
    let (call, redemption) = redeemed_call(&**store).await;
    let statuses = ["completed", "answered", "ringing", "started"];
    for (place, status) in statuses.into_iter().enumerate() {
        let mut event = status_of(&redemption.leg, status);
        // Of the leg, of the conversation, of both: the order is one.
        if place % 2 == 1 {
            event.conversation.clone_from(&redemption.conversation);
        }
        // A clock that was set back changes nothing.
        event.received_at = at(100) - chrono::TimeDelta::seconds(i64::try_from(place).unwrap());
        append(store, &event).await;
    }
    let listed = store.list_call_events(&call).await.unwrap();
    let listed: Vec<_> = listed.iter().filter_map(|e| e.status.as_deref()).collect();
    assert_eq!(listed, statuses);
}

pub(crate) async fn thousand_concurrent_events_are_all_kept(store: &Arc<dyn Store>) {
    let (call, redemption) = redeemed_call(&**store).await;
    let appends = (0..1_000).map(|number| {
        let store = Arc::clone(store);
        let event = status_of(&redemption.leg, &format!("status-{number}"));
        tokio::spawn(async move { store.append_event(&event).await.unwrap() })
    });
    for appended in join_all(appends).await {
        assert_eq!(appended.unwrap(), Appended::New(Some(call.id)));
    }
    let listed = store.list_call_events(&call).await.unwrap();
    let mut statuses: Vec<_> = listed.into_iter().filter_map(|e| e.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses.len(), 1_000);
}

pub(crate) async fn concurrent_copies_of_an_event_are_kept_once(store: &Arc<dyn Store>) {
    for _ in 0..20 {
        let event = event();
        let appends = (0..16).map(|_| {
            let (store, copy) = (Arc::clone(store), signed_anew(&event));
            tokio::spawn(async move { store.append_event(&copy).await.unwrap() })
        });
        let mut new = 0;
        for appended in join_all(appends).await {
            match appended.unwrap() {
                Appended::New(_) => new += 1,
                Appended::Repeat => {}
                Appended::Replayed => panic!("a copy was taken for a forgery"),
            }
        }
        assert_eq!(new, 1);
    }
}
