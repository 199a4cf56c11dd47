//! Our requests to Vonage.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::families::SecondsBy;

/// What Vonage is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Make a user.
    CreateUser,
    /// Look a user up.
    FindUser,
    /// Delete a user.
    DeleteUser,
    /// Hang a call up.
    HangUp,
    /// Whether a call is over.
    AskCall,
}

impl Operation {
    const ALL: [Self; 5] = [
        Self::CreateUser,
        Self::FindUser,
        Self::DeleteUser,
        Self::HangUp,
        Self::AskCall,
    ];

    /// A word for metrics and traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateUser => "create-user",
            Self::FindUser => "find-user",
            Self::DeleteUser => "delete-user",
            Self::HangUp => "hang-up",
            Self::AskCall => "ask-call",
        }
    }
}

/// Classes of answers; `none`: there was no answer.
const OUTCOMES: [&str; 5] = ["2xx", "404", "429", "4xx", "5xx"];
const NO_ANSWER: &str = "none";

/// Our requests to Vonage.
#[derive(Debug, Clone)]
pub struct VonageMetrics {
    requests: Family<[(&'static str, &'static str); 2], Counter>,
    took: SecondsBy,
}

impl VonageMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register(
            "vonage_requests",
            "Requests to Vonage, by what was asked and what was answered; none: no answer came",
            requests.clone(),
        );
        let metrics = Self {
            requests,
            took: SecondsBy::new(
                registry,
                "vonage_request",
                "How long Vonage took to answer, or we to give up",
                "operation",
                Operation::ALL.map(Operation::as_str),
            ),
        };
        for operation in Operation::ALL {
            for outcome in OUTCOMES.into_iter().chain([NO_ANSWER]) {
                drop(metrics.counter(operation, outcome));
            }
        }
        metrics
    }

    /// Vonage was asked, and answered with this status or not at all.
    pub fn asked(&self, operation: Operation, status: Option<u16>, took: Duration) {
        let outcome = match status {
            None => NO_ANSWER,
            Some(404) => "404",
            Some(429) => "429",
            Some(200..=299) => "2xx",
            Some(500..) => "5xx",
            Some(_) => "4xx",
        };
        self.counter(operation, outcome).inc();
        self.took.observe(operation.as_str(), took);
    }

    fn counter(&self, operation: Operation, outcome: &'static str) -> Counter {
        let labels = [("operation", operation.as_str()), ("outcome", outcome)];
        self.requests.get_or_create_owned(&labels)
    }
}
