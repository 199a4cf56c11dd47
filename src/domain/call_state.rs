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
mod tests;
