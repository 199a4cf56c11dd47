//! Sessions, the Vonage users behind them, and their tokens.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::families::{self, CounterBy};
use crate::domain::sessions::UserSource;

/// Sessions and users.
#[derive(Debug)]
pub struct VisitorMetrics {
    sessions: CounterBy,
    ready: Gauge,
    ready_events: CounterBy,
    users_deleted: Counter,
}

/// What happens to users made ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyEvent {
    /// A visitor got one.
    Taken,
    /// A visitor found none.
    Missed,
    /// One was made.
    Made,
    /// One could not be made.
    Failed,
    /// One had waited too long.
    Dropped,
}

impl ReadyEvent {
    const ALL: [Self; 5] = [
        Self::Taken,
        Self::Missed,
        Self::Made,
        Self::Failed,
        Self::Dropped,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Missed => "missed",
            Self::Made => "made",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl VisitorMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            sessions: CounterBy::new(
                registry,
                "sessions",
                "Sessions opened or resumed, by where their Vonage user came from",
                "user",
                UserSource::ALL.map(UserSource::as_str),
            ),
            ready: families::gauge(
                registry,
                "ready_users",
                "Vonage users made ahead that wait for a visitor",
            ),
            ready_events: CounterBy::new(
                registry,
                "ready_user_events",
                "What happened to Vonage users made ahead",
                "event",
                ReadyEvent::ALL.map(ReadyEvent::as_str),
            ),
            users_deleted: families::counter(
                registry,
                "users_deleted",
                "Vonage users made ahead that were deleted because nobody needed them",
            ),
        }
    }

    /// A session was opened or resumed. `pooled`: its user would have come from the pool, had there been one.
    pub fn session(&self, source: UserSource, pooled: bool) {
        self.sessions.count(source.as_str());
        match source {
            UserSource::Ready => self.ready(ReadyEvent::Taken),
            UserSource::Made if pooled => self.ready(ReadyEvent::Missed),
            UserSource::Made | UserSource::Kept | UserSource::Shared => {}
        }
    }

    /// Something happened to a user made ahead.
    pub fn ready(&self, event: ReadyEvent) {
        self.ready_events.count(event.as_str());
    }

    /// So many users wait.
    pub fn set_ready(&self, number: u32) {
        self.ready.set(number.into());
    }

    /// So many users were deleted at Vonage.
    pub fn users_deleted(&self, number: u32) {
        self.users_deleted.inc_by(number.into());
    }
}

/// Signing.
#[derive(Debug, Clone)]
pub struct TokenMetrics {
    results: CounterBy,
    waiting: Gauge,
    waited: Histogram,
}

impl TokenMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            results: CounterBy::new(
                registry,
                "token_requests",
                "Tokens asked of the signing threads: signed; shed because too many waited; failed",
                "result",
                ["signed", "shed", "failed"],
            ),
            waiting: families::gauge(
                registry,
                "token_queue_length",
                "Tokens that wait to be signed",
            ),
            waited: families::seconds(
                registry,
                "token_queue",
                "How long a token waited before its signing began or it was shed",
            ),
        }
    }

    /// One was signed.
    pub fn signed(&self) {
        self.results.count("signed");
    }

    /// One was turned away unsigned.
    pub fn shed(&self) {
        self.results.count("shed");
    }

    /// One could not be signed.
    pub fn failed(&self) {
        self.results.count("failed");
    }

    /// One has left the queue.
    pub fn waited(&self, time: Duration) {
        self.waited.observe(time.as_secs_f64());
    }

    /// So many wait.
    pub fn set_waiting(&self, number: usize) {
        self.waiting.set(families::shown(number));
    }
}
