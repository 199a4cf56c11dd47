//! The state is the same in any order and with any repetition.

use super::*;
use crate::domain::ids::CallId;
use chrono::TimeDelta;
use proptest::prelude::*;

const NEAR: &str = "near";
const FAR: &str = "far";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds)
}

fn redeemed() -> Call {
    Call {
        id: CallId::random(),
        visitor: None,
        user: Some("visitor-a".into()),
        line: "support".into(),
        language: "en".into(),
        context: None,
        created_at: at(0),
        ticket_expires_at: at(60),
        redeemed_at: Some(at(1)),
        leg: LegId::parse(NEAR),
        conversation: None,
        region_url: None,
        voided_at: None,
        hangup_due_at: None,
        hung_up_at: None,
        closed: None,
    }
}

fn event(leg: &str, status: &str, was_answered: bool) -> StoredEvent {
    StoredEvent {
        kind: EventKind::Status,
        leg: LegId::parse(leg),
        status: Some(status.into()),
        was_answered,
    }
}

fn phase(events: &[(&str, &str)]) -> (Phase, Option<EndReason>) {
    let events: Vec<_> = events
        .iter()
        .map(|(leg, status)| event(leg, status, false))
        .collect();
    let state = state_of(&redeemed(), &events, at(5));
    (state.phase, state.reason)
}

#[test]
fn the_far_leg_decides_what_the_visitor_sees() {
    assert_eq!(phase(&[]), (Phase::Connecting, None));
    assert_eq!(
        phase(&[(NEAR, "started"), (NEAR, "answered")]),
        (Phase::Connecting, None)
    );
    assert_eq!(phase(&[(FAR, "started")]), (Phase::Connecting, None));
    assert_eq!(phase(&[(FAR, "ringing")]), (Phase::Ringing, None));
    assert_eq!(phase(&[(FAR, "answered")]), (Phase::Answered, None));
    assert_eq!(
        phase(&[(FAR, "some-future-status")]),
        (Phase::Connecting, None)
    );
}

#[test]
fn every_end_has_its_reason() {
    for (status, reason) in [
        ("busy", EndReason::Busy),
        ("rejected", EndReason::Declined),
        ("unanswered", EndReason::NoAnswer),
        ("timeout", EndReason::NoAnswer),
        ("failed", EndReason::Unreachable),
        ("cancelled", EndReason::Cancelled),
    ] {
        let expected = (Phase::Ended, Some(reason));
        assert_eq!(phase(&[(FAR, status)]), expected, "{status}");
        assert_eq!(
            phase(&[(FAR, status), (FAR, "completed"), (NEAR, "completed")]),
            expected,
            "{status}"
        );
    }
    assert_eq!(
        phase(&[(FAR, "answered"), (FAR, "completed")]),
        (Phase::Ended, Some(EndReason::Completed))
    );
    assert_eq!(
        phase(&[(FAR, "ringing"), (NEAR, "completed")]),
        (Phase::Ended, Some(EndReason::Cancelled))
    );
}

#[test]
fn a_lost_answered_event_is_read_from_completed() {
    let state = state_of(&redeemed(), &[event(FAR, "completed", true)], at(5));
    assert_eq!(state.reason, Some(EndReason::Completed));
}

#[test]
fn a_telling_end_is_believed_before_an_inference() {
    let events = [event(FAR, "busy", false), event(FAR, "completed", true)];
    assert_eq!(
        state_of(&redeemed(), &events, at(5)).reason,
        Some(EndReason::Busy)
    );
}

#[test]
fn a_late_event_never_reopens_a_call() {
    let ended = phase(&[(FAR, "answered"), (FAR, "completed")]);
    assert_eq!(
        phase(&[
            (FAR, "answered"),
            (FAR, "completed"),
            (FAR, "started"),
            (FAR, "ringing")
        ]),
        ended
    );
}

#[test]
fn an_error_event_ends_a_call_that_nobody_answered() {
    let error = StoredEvent {
        kind: EventKind::Error,
        leg: None,
        status: None,
        was_answered: false,
    };
    let state = state_of(&redeemed(), &[error], at(5));
    assert_eq!(state.reason, Some(EndReason::Failed));
}

#[test]
fn our_own_part_counts_without_any_event() {
    let mut call = redeemed();
    call.redeemed_at = None;
    call.leg = None;
    assert_eq!(state_of(&call, &[], at(59)).phase, Phase::Requested);
    assert_eq!(
        state_of(&call, &[], at(60)).reason,
        Some(EndReason::Expired)
    );
    call.voided_at = Some(at(2));
    assert_eq!(
        state_of(&call, &[], at(3)).reason,
        Some(EndReason::Cancelled)
    );

    let mut call = redeemed();
    call.closed = Some((at(4000), Closing::Lost));
    assert_eq!(
        state_of(&call, &[event(FAR, "answered", true)], at(4000)).reason,
        Some(EndReason::Lost)
    );
}

fn any_event() -> impl Strategy<Value = StoredEvent> {
    let status = prop::sample::select(vec![
        "started",
        "ringing",
        "answered",
        "human",
        "machine",
        "busy",
        "cancelled",
        "unanswered",
        "rejected",
        "failed",
        "timeout",
        "completed",
        "disconnected",
        "new-in-2031",
    ]);
    let leg_event = (
        prop::sample::select(vec![NEAR, FAR, "far-2"]),
        status,
        any::<bool>(),
    )
        .prop_map(|(leg, status, was_answered)| event(leg, status, was_answered));
    let other = prop::sample::select(vec![
        EventKind::Error,
        EventKind::Rtc,
        EventKind::Other,
        EventKind::Unreadable,
    ])
    .prop_map(|kind| StoredEvent {
        kind,
        leg: LegId::parse(FAR),
        status: Some("completed".into()),
        was_answered: true,
    });
    prop_oneof![8 => leg_event, 1 => other]
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        events in prop::collection::vec(any_event(), 0..12),
        repeats in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        seed in any::<u64>(),
    ) {
        let call = redeemed();
        let expected = state_of(&call, &events, at(5));
        let mut shuffled = events.clone();
        for index in repeats {
            if !events.is_empty() {
                shuffled.push(index.get(&events).clone());
            }
        }
        shuffled.sort_by_key(|event| {
            use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
            BuildHasherDefault::<DefaultHasher>::default()
                .hash_one((seed, &event.leg, &event.status, event.was_answered))
        });
        prop_assert_eq!(state_of(&call, &shuffled, at(5)), expected);
    }

    #[test]
    fn what_is_over_stays_over(
        events in prop::collection::vec(any_event(), 0..12),
        more in prop::collection::vec(any_event(), 0..6),
    ) {
        let call = redeemed();
        let before = state_of(&call, &events, at(5));
        let after = state_of(&call, &[events, more].concat(), at(5));
        prop_assert!(before.phase != Phase::Ended || after.phase == Phase::Ended);
    }

    #[test]
    fn a_reason_is_given_exactly_when_it_is_over(events in prop::collection::vec(any_event(), 0..12)) {
        let state = state_of(&redeemed(), &events, at(5));
        prop_assert_eq!(state.phase == Phase::Ended, state.reason.is_some());
    }
}
