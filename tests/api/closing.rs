//! Calls that are over are closed, when their last events have had time to come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::TimeDelta;
use click_to_call::{
    domain::{
        call::Call,
        call_state::EndReason,
        closing::Closer,
        ids::{CallId, LegId},
        live::LiveCalls,
        provider::{ProvidedUser, Provider, ProviderError},
        store::Store,
    },
    store::{Access, connect},
};
use futures_util::future::join_all;

use crate::helpers::{Permitted, TestApp, Visitor, leg_event};

/// Vonage, out of reach. It need not be asked about a call whose events tell its end.
#[derive(Debug, Default)]
struct Away {
    asked: AtomicUsize,
    /// The one region that answers: every call of its is over.
    but_for: Option<&'static str>,
}

#[async_trait]
impl Provider for Away {
    async fn ensure_user(
        &self,
        _name: &str,
        _ttl: Option<Duration>,
    ) -> Result<ProvidedUser, ProviderError> {
        unreachable!()
    }

    async fn delete_user(&self, _id: &str) -> Result<(), ProviderError> {
        unreachable!()
    }

    async fn hang_up(&self, _leg: &LegId, _region_url: Option<&str>) -> Result<(), ProviderError> {
        unreachable!()
    }

    async fn is_over(&self, _leg: &LegId, region_url: Option<&str>) -> Result<bool, ProviderError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if region_url.is_some() && region_url == self.but_for {
            return Ok(true);
        }
        Err(ProviderError::Unavailable {
            reason: "away".to_owned(),
            retry_after: None,
        })
    }
}

/// The service's store, and a call that was put through.
async fn call_under_way(visitor: &Visitor<'_>) -> (Arc<dyn Store>, Permitted, CallId) {
    let app = visitor.app;
    let call = visitor.call().await;
    app.answer(&visitor.question(&call.ticket, "near")).await;
    let store = connect(&app.settings.database.url, Access::Beside).await;
    let id = call.id.parse().unwrap();
    (store.unwrap(), call, id)
}

async fn look(closer: &mut Closer, store: &dyn Store, app: &TestApp) -> (usize, Vec<EndReason>) {
    // The call may have been put through in this very millisecond.
    let now = app.clock.now() + TimeDelta::seconds(1);
    let live = LiveCalls::default();
    let away = Away::default();
    let look = closer.look(store, &away, &live, now).await.unwrap();
    assert_eq!(away.asked.into_inner(), 0);
    (look.open, look.closed)
}

#[tokio::test]
async fn a_call_that_is_over_is_closed_at_the_second_look() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (store, _, id) = call_under_way(&visitor).await;
    let mut closer = Closer::new(Duration::from_hours(1));
    assert_eq!(look(&mut closer, &*store, &app).await, (1, vec![]));
    assert_eq!(look(&mut closer, &*store, &app).await, (1, vec![]));

    app.post_event(&leg_event("near", "CON-near", "completed", 2))
        .await;
    assert_eq!(look(&mut closer, &*store, &app).await, (0, vec![]));
    // What comes late may still tell a better reason.
    for status in ["answered", "completed"] {
        app.post_event(&leg_event("desk", "CON-near", status, 1))
            .await;
    }
    let ended = vec![EndReason::Completed];
    assert_eq!(look(&mut closer, &*store, &app).await, (0, ended));
    assert_eq!(look(&mut closer, &*store, &app).await, (0, vec![]));
    let call = store.find_call(id).await.unwrap().unwrap();
    assert!(call.closed.is_some());
}

#[tokio::test]
async fn a_call_that_is_still_to_be_hung_up_is_not_closed() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (store, call, id) = call_under_way(&visitor).await;
    let leaving = serde_json::json!({ "leaving": true });
    visitor.hang_up(&call.id, leaving).await;
    app.post_event(&leg_event("desk", "CON-near", "busy", 1))
        .await;
    let mut closer = Closer::new(Duration::from_hours(1));
    for _ in 0..3 {
        assert_eq!(look(&mut closer, &*store, &app).await, (0, vec![]));
    }
    let call = store.find_call(id).await.unwrap().unwrap();
    assert_eq!(call.closed, None);
}

/// So many calls like this one, put through a second before it.
async fn insert_older(store: &dyn Store, call: &Call, count: usize) {
    let older = call.redeemed_at.unwrap() - TimeDelta::seconds(1);
    let crowd: Vec<_> = (0..count)
        .map(|number| Call {
            id: CallId::random(),
            leg: LegId::parse(&format!("leg-{number}")),
            conversation: None,
            redeemed_at: Some(older),
            ..call.clone()
        })
        .collect();
    for kept in join_all(crowd.iter().map(|call| store.insert_call(call))).await {
        kept.unwrap();
    }
}

#[tokio::test]
async fn while_vonage_is_away_a_few_calls_are_asked_about_and_the_rest_are_looked_at() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (store, _, id) = call_under_way(&visitor).await;
    let last = store.find_call(id).await.unwrap().unwrap();
    insert_older(&*store, &last, 10).await;
    app.post_event(&leg_event("near", "CON-near", "completed", 2))
        .await;
    let (away, live) = (Away::default(), LiveCalls::default());
    let mut closer = Closer::new(Duration::ZERO);
    let now = app.clock.now() + TimeDelta::seconds(1);
    let look = closer.look(&*store, &away, &live, now).await.unwrap();
    assert_eq!((look.open, look.closed.len()), (10, 1));
    assert_eq!(away.asked.into_inner(), 3);
}

#[tokio::test]
async fn calls_of_a_region_that_is_away_do_not_hold_up_those_of_another() {
    const OTHER: &str = "https://api-ap-3.vonage.com";
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (store, _, id) = call_under_way(&visitor).await;
    let last = store.find_call(id).await.unwrap().unwrap();
    insert_older(&*store, &last, 10).await;
    let elsewhere = Call {
        id: CallId::random(),
        leg: LegId::parse("elsewhere"),
        conversation: None,
        region_url: Some(OTHER.to_owned()),
        ..last
    };
    store.insert_call(&elsewhere).await.unwrap();
    let away = Away {
        but_for: Some(OTHER),
        ..Away::default()
    };
    let mut closer = Closer::new(Duration::ZERO);
    let now = app.clock.now() + TimeDelta::seconds(1);
    let live = LiveCalls::default();
    let look = closer.look(&*store, &away, &live, now).await.unwrap();
    assert_eq!(look.closed, [EndReason::Lost]);
    assert_eq!(away.asked.into_inner(), 4);
    let call = store.find_call(elsewhere.id).await.unwrap().unwrap();
    assert!(call.closed.is_some());
}

#[tokio::test]
async fn a_crowd_of_open_calls_hides_none_that_is_over() {
    let app = TestApp::spawn().await;
    let visitor = app.visitor().await;
    let (store, _, id) = call_under_way(&visitor).await;
    let last = store.find_call(id).await.unwrap().unwrap();
    insert_older(&*store, &last, 1_000).await;
    app.post_event(&leg_event("near", "CON-near", "completed", 2))
        .await;
    let mut closer = Closer::new(Duration::from_hours(1));
    let (open, _) = look(&mut closer, &*store, &app).await;
    assert_eq!(open, 1_000);
    let (_, ended) = look(&mut closer, &*store, &app).await;
    assert_eq!(ended.len(), 1);
}
