//! Calls and hang-ups.

use chrono::TimeDelta;
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use super::families::{self, CounterBy};
use crate::domain::{call_state::EndReason, upkeep::HangupResult};

/// Calls and hang-ups.
#[derive(Debug)]
pub struct CallMetrics {
    permitted: Counter,
    ended: CounterBy,
    open: Gauge,
    oldest_open: Gauge,
    hangups: CounterBy,
    due_hangups: Gauge,
    oldest_hangup: Gauge,
}

impl CallMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            permitted: families::counter(registry, "calls_permitted", "Tickets given to visitors"),
            ended: CounterBy::new(
                registry,
                "calls_ended",
                "Calls that reached the answer webhook and are over, by how they ended",
                "outcome",
                EndReason::ALL.map(EndReason::as_str),
            ),
            open: families::gauge(registry, "open_calls", "Calls that are not over"),
            oldest_open: families::seconds_gauge(
                registry,
                "oldest_open_call_age",
                "Since when the oldest call that is not over has been put through; 0: there is none",
            ),
            hangups: CounterBy::new(
                registry,
                "hangups",
                "Tries to hang a call up from here: done; too early in the call; put off after a failure; given up",
                "result",
                HangupResult::ALL.map(HangupResult::as_str),
            ),
            due_hangups: families::gauge(
                registry,
                "due_hangups",
                "Calls that should have been hung up by now",
            ),
            oldest_hangup: families::seconds_gauge(
                registry,
                "oldest_due_hangup_age",
                "How long the oldest of them has been due",
            ),
        }
    }

    /// A visitor got a ticket.
    pub fn permitted(&self) {
        self.permitted.inc();
    }

    /// A call is over.
    pub fn ended(&self, reason: EndReason) {
        self.ended.count(reason.as_str());
    }

    /// So many calls are open, the oldest since so long.
    pub fn set_open(&self, number: usize, oldest: Option<TimeDelta>) {
        self.open.set(families::shown(number));
        self.oldest_open.set(whole_seconds(oldest));
    }

    /// A hang-up was tried.
    pub fn hangup(&self, result: HangupResult) {
        self.hangups.count(result.as_str());
    }

    /// So many hang-ups are due, the oldest since so long.
    pub fn set_due_hangups(&self, number: usize, oldest: Option<TimeDelta>) {
        self.due_hangups.set(families::shown(number));
        self.oldest_hangup.set(whole_seconds(oldest));
    }
}

fn whole_seconds(time: Option<TimeDelta>) -> i64 {
    time.map_or(0, |time| time.num_seconds().max(0))
}
