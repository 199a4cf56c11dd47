//! Visitors.

use std::sync::Arc;

use click_to_call::domain::{
    store::Store,
    visitor::{Visitor, VonageUser},
};

use crate::records::{HOME, at, call, user, visitor};

pub(crate) async fn visitor_is_found_until_the_end(store: &Arc<dyn Store>) {
    let visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    let found = store.find_visitor(&visitor.session, at(3_599)).await;
    assert_eq!(found.unwrap().as_ref(), Some(&visitor));
    let found = store.find_visitor(&visitor.session, at(3_600)).await;
    assert_eq!(found.unwrap(), None);
}

pub(crate) async fn shared_user_is_read_back(store: &Arc<dyn Store>) {
    let visitor = Visitor {
        user: VonageUser {
            name: "supportuser".to_owned(),
            id: None,
            expires_at: at(86_400),
            home: HOME.to_owned(),
        },
        owns_user: false,
        ..visitor()
    };
    store.insert_visitor(&visitor).await.unwrap();
    let found = store.find_visitor(&visitor.session, at(1)).await;
    assert_eq!(found.unwrap(), Some(visitor));
}

pub(crate) async fn same_visitor_is_kept_once(store: &Arc<dyn Store>) {
    let visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    store.insert_visitor(&visitor).await.unwrap();
    let expired = store.list_expired_visitors(at(3_600), 10).await.unwrap();
    assert_eq!(expired, [visitor]);
}

pub(crate) async fn renewal_moves_the_end_only_forward(store: &Arc<dyn Store>) {
    let mut visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    for (given, kept) in [(at(7_200), at(7_200)), (at(60), at(7_200))] {
        let old_user = visitor.user.name;
        visitor.user = user();
        visitor.user.home = format!("home until {given}");
        visitor.owns_user = !visitor.owns_user;
        visitor.expires_at = given;
        let renewed = store.renew_visitor(&visitor, &old_user).await.unwrap();
        visitor.expires_at = kept;
        assert_eq!(renewed.as_ref(), Some(&visitor));
        let found = store.find_visitor(&visitor.session, at(7_199)).await;
        assert_eq!(found.unwrap().as_ref(), Some(&visitor));
    }
}

pub(crate) async fn first_of_two_renewals_wins(store: &Arc<dyn Store>) {
    let visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    let renewed = |user| Visitor {
        user,
        ..visitor.clone()
    };
    let (first, second) = (renewed(user()), renewed(user()));
    let old_user = &visitor.user.name;
    for renewal in [&first, &second, &first] {
        let now = store.renew_visitor(renewal, old_user).await.unwrap();
        assert_eq!(now.as_ref(), Some(&first));
    }
}

pub(crate) async fn expired_visitors_are_listed_longest_first(store: &Arc<dyn Store>) {
    let mut visitors: Vec<_> = [30, 10, 40, 20]
        .map(|end| Visitor {
            expires_at: at(end),
            ..visitor()
        })
        .into();
    for visitor in &visitors {
        store.insert_visitor(visitor).await.unwrap();
    }
    visitors.sort_by_key(|visitor| visitor.expires_at);
    let expired = store.list_expired_visitors(at(30), 10).await.unwrap();
    assert_eq!(expired, visitors[..3]);
    let expired = store.list_expired_visitors(at(30), 2).await.unwrap();
    assert_eq!(expired, visitors[..2]);
}

pub(crate) async fn forgotten_visitor_leaves_their_calls(store: &Arc<dyn Store>) {
    let visitor = visitor();
    store.insert_visitor(&visitor).await.unwrap();
    let mut call = call();
    call.visitor = Some(visitor.id);
    store.insert_call(&call).await.unwrap();
    assert_eq!(
        store.find_call(call.id).await.unwrap().as_ref(),
        Some(&call)
    );

    store.delete_visitor(visitor.id).await.unwrap();
    let found = store.find_visitor(&visitor.session, at(1)).await;
    assert_eq!(found.unwrap(), None);
    call.visitor = None;
    assert_eq!(store.find_call(call.id).await.unwrap(), Some(call));
}

pub(crate) async fn missing_visitor_is_no_fault(store: &Arc<dyn Store>) {
    let nobody = visitor();
    let renewed = store
        .renew_visitor(&nobody, &nobody.user.name)
        .await
        .unwrap();
    assert_eq!(renewed, None);
    store.delete_visitor(nobody.id).await.unwrap();
}
