//! From the first write to the last.

use std::sync::Arc;

use click_to_call::domain::store::{Appended, Store, StoreError};
use futures_util::{FutureExt, future::join_all};

use crate::records::{at, call, event, random_digest, visitor};

pub(crate) async fn ping_works_until_closed(store: &Arc<dyn Store>) {
    for _ in 0..3 {
        store.ping().await.unwrap();
    }
    store.close().await;
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable(_))
    ));
}

pub(crate) async fn first_secret_stays(store: &Arc<dyn Store>) {
    let offered = [random_digest(), random_digest(), random_digest()];
    let kept = offered.map(|fresh| store.server_secret("tickets", fresh));
    let kept: Vec<_> = join_all(kept)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(offered.contains(&kept[0]));
    assert!(kept.iter().all(|secret| *secret == kept[0]));
    let other = random_digest();
    assert_eq!(store.server_secret("other", other).await.unwrap(), other);
}

pub(crate) async fn cancelled_callers_lose_nothing(store: &Arc<dyn Store>) {
    let events: Vec<_> = (0..100).map(|_| event()).collect();
    let mut waiting = Vec::new();
    for (place, event) in events.iter().enumerate() {
        if place % 2 == 0 {
            // Started, then dropped: what a client does that hangs up.
            assert!(store.append_event(event).now_or_never().is_none());
        } else {
            let (store, event) = (Arc::clone(store), event.clone());
            waiting.push(tokio::spawn(
                async move { store.append_event(&event).await },
            ));
        }
    }
    for appended in join_all(waiting).await {
        assert_eq!(appended.unwrap().unwrap(), Appended::New(None));
    }
    for event in &events {
        let again = store.append_event(event).await.unwrap();
        assert_eq!(again, Appended::Repeat);
    }
}

pub(crate) async fn closed_store_refuses(store: &Arc<dyn Store>) {
    let call = call();
    store.insert_call(&call).await.unwrap();
    store.close().await;
    store.close().await;
    let refused = [
        store.append_event(&event()).await.map(|_| ()),
        store.insert_call(&call).await,
        store.find_call(call.id).await.map(|_| ()),
        store
            .find_visitor(&visitor().session, at(0))
            .await
            .map(|_| ()),
    ];
    for result in refused {
        assert!(matches!(result, Err(StoreError::Unavailable(_))));
    }
}
