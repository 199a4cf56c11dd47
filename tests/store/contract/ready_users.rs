//! Vonage users that were made ahead.

use std::{collections::HashSet, sync::Arc};

use click_to_call::domain::{store::Store, visitor::VonageUser};

use crate::records::{HOME, at, user};

/// Users that end so many seconds after the start, kept.
async fn keep<const N: usize>(store: &Arc<dyn Store>, ends: [i64; N]) -> [VonageUser; N] {
    let users = ends.map(|end| VonageUser {
        expires_at: at(end),
        ..user()
    });
    for user in &users {
        store.insert_ready_user(user).await.unwrap();
    }
    users
}

pub(crate) async fn ready_user_is_taken_once(store: &Arc<dyn Store>) {
    let [ready] = keep(store, [100]).await;
    store.insert_ready_user(&ready).await.unwrap();
    assert_eq!(store.count_ready_users(HOME, at(0)).await.unwrap(), 1);
    let taken = store.take_ready_user(HOME, at(0)).await.unwrap();
    assert_eq!(taken, Some(ready));
    assert_eq!(store.take_ready_user(HOME, at(0)).await.unwrap(), None);
    assert_eq!(store.count_ready_users(HOME, at(0)).await.unwrap(), 0);
}

pub(crate) async fn first_to_end_is_taken_first(store: &Arc<dyn Store>) {
    let [late, early, between] = keep(store, [300, 100, 200]).await;
    for expected in [early, between, late] {
        assert_eq!(
            store.take_ready_user(HOME, at(0)).await.unwrap(),
            Some(expected)
        );
    }
}

pub(crate) async fn user_that_ends_too_early_is_not_taken(store: &Arc<dyn Store>) {
    let [_early, just] = keep(store, [99, 100]).await;
    assert_eq!(store.count_ready_users(HOME, at(100)).await.unwrap(), 1);
    assert_eq!(store.take_ready_user(HOME, at(101)).await.unwrap(), None);
    assert_eq!(
        store.take_ready_user(HOME, at(100)).await.unwrap(),
        Some(just)
    );
    assert_eq!(store.take_ready_user(HOME, at(100)).await.unwrap(), None);
}

pub(crate) async fn user_that_lives_elsewhere_is_not_taken(store: &Arc<dyn Store>) {
    let [ours] = keep(store, [200]).await;
    let other = VonageUser {
        home: "application us".to_owned(),
        expires_at: at(100),
        ..user()
    };
    store.insert_ready_user(&other).await.unwrap();
    for (home, expected) in [(HOME, ours), ("application us", other)] {
        assert_eq!(store.count_ready_users(home, at(0)).await.unwrap(), 1);
        let taken = store.take_ready_user(home, at(0)).await.unwrap();
        assert_eq!(taken, Some(expected));
        assert_eq!(store.take_ready_user(home, at(0)).await.unwrap(), None);
    }
}

pub(crate) async fn stale_ready_users_are_dropped_and_handed_out(store: &Arc<dyn Store>) {
    let [second, first, third, _fresh] = keep(store, [20, 10, 30, 40]).await;
    let dropped = store.drop_ready_users(at(40), 2).await.unwrap();
    let names = |users: &[VonageUser]| -> HashSet<String> {
        users.iter().map(|user| user.name.clone()).collect()
    };
    assert_eq!(names(&dropped), names(&[first, second]));
    assert_eq!(store.drop_ready_users(at(40), 2).await.unwrap(), [third]);
    assert_eq!(store.drop_ready_users(at(40), 2).await.unwrap(), []);
    assert_eq!(store.count_ready_users(HOME, at(0)).await.unwrap(), 1);
}

pub(crate) async fn many_takers_get_different_users(store: &Arc<dyn Store>) {
    let users = keep(store, [100; 8]).await;
    let takers: Vec<_> = (0..24)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.take_ready_user(HOME, at(0)).await.unwrap() })
        })
        .collect();
    let mut taken = HashSet::new();
    for taker in takers {
        if let Some(user) = taker.await.unwrap() {
            assert!(taken.insert(user.name), "two visitors got the same user");
        }
    }
    assert_eq!(taken, users.map(|user| user.name).into());
}
