//! Redeeming tickets: one leg each, whatever comes at the same time.

use std::sync::Arc;

use click_to_call::domain::store::{Redeemed, Redemption, Store};
use futures_util::future::join_all;

use super::redeemed_call;
use crate::records::{at, call, conversation, forged, redemption, replay_key};

pub(crate) async fn first_leg_redeems(store: &Arc<dyn Store>) {
    let mut call = call();
    store.insert_call(&call).await.unwrap();
    let first = redemption(&call);
    let redeemed = store.redeem_ticket(&first).await.unwrap();
    call.redeemed_at = Some(at(10));
    call.leg = Some(first.leg);
    call.conversation = first.conversation;
    call.region_url = first.region_url;
    assert_eq!(redeemed, Redeemed::Yes(call.clone()));
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
}

pub(crate) async fn retry_of_the_leg_is_the_same_redemption(store: &Arc<dyn Store>) {
    let (call, first) = redeemed_call(&**store).await;
    let signed_anew = Redemption {
        replay: Some(replay_key()),
        at: at(15),
        ..first.clone()
    };
    for retry in [first, signed_anew] {
        let redeemed = store.redeem_ticket(&retry).await.unwrap();
        assert_eq!(redeemed, Redeemed::Yes(call.clone()));
    }
}

pub(crate) async fn second_leg_is_refused(store: &Arc<dyn Store>) {
    let (call, _) = redeemed_call(&**store).await;
    let second = store.redeem_ticket(&redemption(&call)).await.unwrap();
    assert_eq!(second, Redeemed::ByAnotherLeg);
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
}

pub(crate) async fn ticket_expires(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let late = Redemption {
        at: at(60),
        ..redemption(&call)
    };
    assert_eq!(store.redeem_ticket(&late).await.unwrap(), Redeemed::Expired);
    assert_eq!(
        store.find_call(call.id).await.unwrap().as_ref(),
        Some(&call)
    );
    let just_in_time = Redemption {
        at: at(59),
        ..redemption(&call)
    };
    let redeemed = store.redeem_ticket(&just_in_time).await.unwrap();
    assert!(matches!(redeemed, Redeemed::Yes(_)), "{redeemed:?}");
}

pub(crate) async fn retry_after_expiry_still_holds_the_ticket(store: &Arc<dyn Store>) {
    let (call, first) = redeemed_call(&**store).await;
    let late = Redemption {
        at: at(61),
        ..first
    };
    let redeemed = store.redeem_ticket(&late).await.unwrap();
    assert_eq!(redeemed, Redeemed::Yes(call));
}

pub(crate) async fn unknown_call_has_no_ticket(store: &Arc<dyn Store>) {
    let redeemed = store.redeem_ticket(&redemption(&call())).await.unwrap();
    assert_eq!(redeemed, Redeemed::Unknown);
}

pub(crate) async fn leg_redeems_one_ticket(store: &Arc<dyn Store>) {
    let (_, first) = redeemed_call(&**store).await;
    let other = call();
    store.insert_call(&other).await.unwrap();
    let second = Redemption {
        leg: first.leg,
        ..redemption(&other)
    };
    let redeemed = store.redeem_ticket(&second).await.unwrap();
    assert_eq!(redeemed, Redeemed::ByAnotherLeg);
    assert_eq!(store.find_call(other.id).await.unwrap(), Some(other));
}

pub(crate) async fn forged_redemption_changes_nothing(store: &Arc<dyn Store>) {
    let (_, first) = redeemed_call(&**store).await;
    let victim = call();
    store.insert_call(&victim).await.unwrap();
    let key = first.replay.unwrap();
    let forgery = Redemption {
        replay: Some(forged(&key)),
        ..redemption(&victim)
    };
    let redeemed = store.redeem_ticket(&forgery).await.unwrap();
    assert_eq!(redeemed, Redeemed::Replayed);
    assert_eq!(store.find_call(victim.id).await.unwrap(), Some(victim));
}

pub(crate) async fn void_ticket_notes_the_leg(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    let voided = store.request_hangup(call.id, at(5), true, at(5)).await;
    assert_eq!(voided.unwrap().unwrap().voided_at, Some(at(5)));

    let late = redemption(&call);
    let first = store.redeem_ticket(&late).await.unwrap();
    let Redeemed::HungUp(noted) = &first else {
        panic!("a void ticket was taken: {first:?}");
    };
    assert_eq!(noted.leg.as_ref(), Some(&late.leg));
    assert_eq!(noted.conversation, late.conversation);
    assert_eq!(noted.region_url, late.region_url);
    assert_eq!(noted.redeemed_at, None);
    assert_eq!(store.redeem_ticket(&late).await.unwrap(), first);
    let other = Redemption {
        conversation: Some(conversation()),
        ..redemption(&call)
    };
    let second = store.redeem_ticket(&other).await.unwrap();
    assert_eq!(second, Redeemed::ByAnotherLeg);
}

pub(crate) async fn void_wins_over_expiry(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    store
        .request_hangup(call.id, at(5), true, at(5))
        .await
        .unwrap();
    let late = Redemption {
        at: at(100),
        ..redemption(&call)
    };
    let redeemed = store.redeem_ticket(&late).await.unwrap();
    assert!(
        matches!(&redeemed, Redeemed::HungUp(call) if call.leg == Some(late.leg)),
        "{redeemed:?}"
    );
}

pub(crate) async fn exactly_one_of_many_legs_redeems(store: &Arc<dyn Store>) {
    for _ in 0..200 {
        let call = call();
        store.insert_call(&call).await.unwrap();
        let legs = (0..8).map(|_| {
            let (store, attempt) = (Arc::clone(store), redemption(&call));
            tokio::spawn(async move { (store.redeem_ticket(&attempt).await.unwrap(), attempt.leg) })
        });
        let mut winners = Vec::new();
        for outcome in join_all(legs).await {
            match outcome.unwrap() {
                (Redeemed::Yes(_), leg) => winners.push(leg),
                (Redeemed::ByAnotherLeg, _) => {}
                (other, _) => panic!("{other:?}"),
            }
        }
        let kept = store.find_call(call.id).await.unwrap().unwrap();
        assert_eq!(winners, kept.leg.into_iter().collect::<Vec<_>>());
    }
}

pub(crate) async fn void_and_redemption_exclude_each_other(store: &Arc<dyn Store>) {
    for _ in 0..100 {
        let call = call();
        store.insert_call(&call).await.unwrap();
        let (one, other) = (Arc::clone(store), Arc::clone(store));
        let (attempt, id) = (redemption(&call), call.id);
        let leg = attempt.leg.clone();
        let redeemed = tokio::spawn(async move { one.redeem_ticket(&attempt).await.unwrap() });
        let hung_up =
            tokio::spawn(async move { other.request_hangup(id, at(10), true, at(10)).await });
        let (redeemed, hung_up) = (redeemed.await.unwrap(), hung_up.await.unwrap());

        let voided = hung_up.unwrap().unwrap().voided_at.is_some();
        assert!(
            matches!(
                (&redeemed, voided),
                (Redeemed::Yes(_), false) | (Redeemed::HungUp(_), true)
            ),
            "{redeemed:?}, {voided}"
        );
        // Whoever came first: there is a leg, and it is going to be hung up.
        let due = store.due_hangups(at(10), 1_000).await.unwrap();
        let due = due.iter().find(|due| due.call.id == id).unwrap();
        assert_eq!(due.call.leg, Some(leg));
    }
}
