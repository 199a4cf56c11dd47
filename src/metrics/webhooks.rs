//! Vonage's requests to us.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::families::{self, CounterBy, SecondsBy};
use crate::{
    domain::answering::{Plan, Refusal},
    vonage::signature::{Fault, Verdict},
};

/// Vonage's requests to us.
#[derive(Debug)]
pub struct WebhookMetrics {
    verdicts: CounterBy,
    query_hash_mismatches: Counter,
    clock_skew: Gauge,
    answers: CounterBy,
    events: CounterBy,
    took: SecondsBy,
    commits: Histogram,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventResult {
    /// On disk.
    Kept,
    /// On disk before.
    Repeated,
    /// Refused: its token was used for another request.
    Replayed,
    /// The store failed or was too slow, and the sender was told so.
    Failed,
}

impl EventResult {
    const ALL: [Self; 4] = [Self::Kept, Self::Repeated, Self::Replayed, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Repeated => "repeated",
            Self::Replayed => "replayed",
            Self::Failed => "failed",
        }
    }
}

impl WebhookMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let verdicts = ["genuine", "unchecked", "missing"];
        let answers = ["connect", "apology"];
        Self {
            verdicts: CounterBy::new(
                registry,
                "webhook_verdicts",
                "Answer and event webhooks, by what was found of their signature",
                "verdict",
                verdicts.into_iter().chain(Fault::ALL.map(Fault::as_str)),
            ),
            query_hash_mismatches: families::counter(
                registry,
                "webhook_query_hash_mismatches",
                "Signed GET webhooks whose payload_hash is not that of their query; they are not refused for it",
            ),
            clock_skew: families::seconds_gauge(
                registry,
                "webhook_clock_skew",
                "How far our clock was ahead of Vonage's at the last genuine webhook",
            ),
            answers: CounterBy::new(
                registry,
                "answers",
                "Answers to callers: put through, an apology for a fault of ours, or why they were refused",
                "result",
                answers.into_iter().chain(Refusal::WORDS),
            ),
            events: CounterBy::new(
                registry,
                "events",
                "Events, by what became of them",
                "result",
                EventResult::ALL.map(EventResult::as_str),
            ),
            took: SecondsBy::new(
                registry,
                "webhook",
                "From a webhook's head to its answer",
                "webhook",
                ["answer", "event"],
            ),
            commits: families::seconds(
                registry,
                "store_commit",
                "From handing a webhook to the store until it was on disk",
            ),
        }
    }

    /// A webhook was checked.
    pub fn verdict(&self, verdict: &Verdict) {
        self.verdicts.count(match verdict {
            Verdict::Genuine(_) => "genuine",
            Verdict::Unchecked => "unchecked",
            Verdict::Missing => "missing",
            Verdict::Wrong(fault) => fault.as_str(),
        });
        if let Verdict::Genuine(genuine) = verdict {
            self.clock_skew.set(genuine.clock_skew.num_seconds());
            if genuine.other_query_hash {
                self.query_hash_mismatches.inc();
            }
        }
    }

    /// A caller was answered, this long after the request came.
    pub fn answered(&self, plan: &Plan, took: Duration) {
        self.answers.count(match plan {
            Plan::Connect(_) => "connect",
            Plan::Apologise => "apology",
            Plan::Refuse(refusal) => refusal.as_str(),
        });
        self.took.observe("answer", took);
    }

    /// An event was acknowledged or refused, this long after it came.
    pub fn event_answered(&self, took: Duration) {
        self.took.observe("event", took);
    }

    /// An event was handed to the store.
    pub fn event(&self, result: EventResult) {
        self.events.count(result.as_str());
    }

    /// A webhook got on disk in this time.
    pub fn committed(&self, took: Duration) {
        self.commits.observe(took.as_secs_f64());
    }
}
