//! Requests and problems.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use super::families::{self, CounterBy};
use crate::routes::error::ProblemKind;

type RouteAndStatus = (
    [(&'static str, String); 1],
    [(&'static str, &'static str); 1],
);

/// Requests and problems.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: Family<RouteAndStatus, Counter>,
    problems: CounterBy,
    streams: Gauge,
}

/// A visitor's event stream. Ends with its value.
#[derive(Debug)]
pub struct OpenStream(Gauge);

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register(
            "http_requests",
            "Requests answered, by pattern of their route and class of the answer's status",
            requests.clone(),
        );
        Self {
            requests,
            problems: CounterBy::new(
                registry,
                "problems",
                "Problems answered, by their type",
                "problem",
                ProblemKind::ALL.map(ProblemKind::slug),
            ),
            streams: families::gauge(
                registry,
                "event_streams",
                "Streams of call events that visitors have open",
            ),
        }
    }

    /// A request to this route (its pattern, `None`: to no route) got an answer of this status.
    pub fn request(&self, route: Option<String>, status: u16) {
        let class = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let route = route.unwrap_or_else(|| "unmatched".to_owned());
        self.requests
            .get_or_create(&([("route", route)], [("status", class)]))
            .inc();
    }

    /// A problem was answered.
    pub fn problem(&self, kind: ProblemKind) {
        self.problems.count(kind.slug());
    }

    /// A stream was opened.
    pub fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}
