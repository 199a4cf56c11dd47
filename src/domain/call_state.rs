//! What state a call is in: a pure function of what we did and of the **set** of its events.
//!
//! Vonage delivers events late, twice and out of order, so nothing here looks at order or
//! counts: any permutation and repetition of the same events gives the same state. What is over stays over, whatever
//! else comes; the reason may still become a better one (the caller's leg can end before we hear that the desk had answered).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    call::{Call, Closing},
    event::{EventKind, StoredEvent},
    ids::LegId,
};

/// How far a call is, seen from its visitor: the state of the **far** end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The button was pressed; Vonage has not asked yet.
    Requested,
    /// Vonage was told whom to call.
    Connecting,
    /// The far telephone rings.
    Ringing,
    /// Somebody picked up.
    Answered,
    /// Over.
    Ended,
}

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The two had talked.
    Completed,
    /// The far end was engaged.
    Busy,
    /// It rang for as long as it may.
    NoAnswer,
    /// The far end declined.
    Declined,
    /// The number can't be reached.
    Unreachable,
    /// Vonage gave up for another reason.
    Failed,
    /// The visitor hung up before anybody answered.
    Cancelled,
    /// The ticket was not used in time.
    Expired,
    /// The last event never came.
    Lost,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Completed,
        Self::Busy,
        Self::NoAnswer,
        Self::Declined,
        Self::Unreachable,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::Lost,
    ];

    /// The word that clients and metrics have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Declined => "declined",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Lost => "lost",
        }
    }
}

/// The state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallState {
    /// How far it is.
    #[serde(rename = "state")]
    pub phase: Phase,
    /// Why it is over; only then.
    pub reason: Option<EndReason>,
}

/// What the events say of one leg.
#[derive(Debug, Default, Clone, Copy)]
struct Leg {
    ringing: bool,
    answered: bool,
    /// Its end says that it had been picked up.
    talked: bool,
    /// The status that ended it; of several the most telling one.
    end: Option<LegEnd>,
}

/// Ends of a leg, the most telling last: a leg that was busy is often reported `completed` as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum LegEnd {
    Completed,
    Cancelled,
    Failed,
    NoAnswer,
    Declined,
    Busy,
}

impl Leg {
    fn note(&mut self, event: &StoredEvent) {
        let Some(status) = event.status.as_deref() else {
            return;
        };
        let end = match status {
            "ringing" => {
                self.ringing = true;
                None
            }
            "answered" | "human" | "machine" => {
                self.answered = true;
                None
            }
            "completed" => {
                self.talked |= event.was_answered;
                Some(LegEnd::Completed)
            }
            "cancelled" => Some(LegEnd::Cancelled),
            "failed" => Some(LegEnd::Failed),
            "unanswered" | "timeout" => Some(LegEnd::NoAnswer),
            "rejected" => Some(LegEnd::Declined),
            "busy" => Some(LegEnd::Busy),
            // `started`, and whatever Vonage invents next: the leg exists, which its entry says already.
            _ => None,
        };
        self.end = self.end.max(end);
    }
}

impl Leg {
    /// Somebody picked up: an event said so, or the only end we know of tells of a conversation.
    fn was_answered(self) -> bool {
        self.answered || self.talked && self.end == Some(LegEnd::Completed)
    }
}

/// The state of `call` at `now`, given its events in any order.
pub fn state_of(call: &Call, events: &[StoredEvent], now: DateTime<Utc>) -> CallState {
    let mut near = Leg::default();
    let mut far: BTreeMap<&LegId, Leg> = BTreeMap::new();
    let mut error = false;
    for event in events {
        match (event.kind, &event.leg) {
            (EventKind::Status, Some(leg)) if Some(leg) == call.leg.as_ref() => near.note(event),
            (EventKind::Status, Some(leg)) => far.entry(leg).or_default().note(event),
            (EventKind::Error, _) => error = true,
            _ => {}
        }
    }

    let answered = far.values().copied().any(Leg::was_answered);
    let far_end = far.values().filter_map(|leg| leg.end).max();
    let told = match far_end {
        _ if answered => Some(EndReason::Completed),
        Some(LegEnd::Busy) => Some(EndReason::Busy),
        Some(LegEnd::Declined) => Some(EndReason::Declined),
        Some(LegEnd::NoAnswer) => Some(EndReason::NoAnswer),
        Some(LegEnd::Failed) => Some(EndReason::Unreachable),
        Some(LegEnd::Cancelled | LegEnd::Completed) => Some(EndReason::Cancelled),
        None => None,
    };

    let closed = call.closed.map(|(_, closing)| closing);
    let expired = call.redeemed_at.is_none() && call.ticket_expires_at <= now;
    let ended = if call.voided_at.is_some() {
        Some(EndReason::Cancelled)
    } else if error {
        Some(told.unwrap_or(EndReason::Failed))
    } else if near.end.is_some() || call.hung_up_at.is_some() {
        Some(told.unwrap_or(EndReason::Cancelled))
    } else if far_end.is_some() {
        // A line has one telephone, and connecting to it is the last thing the call does.
        told
    } else if let Some(closing) = closed {
        Some(match closing {
            Closing::Lost => EndReason::Lost,
            Closing::Settled => told.unwrap_or(EndReason::Lost),
        })
    } else if expired {
        Some(EndReason::Expired)
    } else {
        None
    };

    let phase = if ended.is_some() {
        Phase::Ended
    } else if answered {
        Phase::Answered
    } else if far.values().any(|leg| leg.ringing) {
        Phase::Ringing
    } else if call.redeemed_at.is_some() {
        Phase::Connecting
    } else {
        Phase::Requested
    };
    CallState {
        phase,
        reason: ended,
    }
}

#[cfg(test)]
mod tests {
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
}
