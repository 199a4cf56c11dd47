//! What is counted and measured. Read with `GET /metrics` on a listener of its own; `docs/METRICS.md` says what each
//! number means.
//!
//! The registry is a value: two services in one process count apart. No label takes values from outside: routes are
//! patterns, and all others are words of closed lists, shown from the start so that a rate knows the first count.

mod calls;
mod families;
mod http;
mod visitors;
mod vonage;
mod webhooks;

use std::fmt;

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::text,
    metrics::{gauge::ConstGauge, info::Info},
    registry::{Registry, Unit},
};

pub use self::{
    calls::CallMetrics,
    http::{HttpMetrics, OpenStream},
    visitors::{ReadyEvent, TokenMetrics, VisitorMetrics},
    vonage::{Operation, VonageMetrics},
    webhooks::{EventResult, WebhookMetrics},
};

/// The `Content-Type` of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// Requests and problems.
    pub http: HttpMetrics,
    /// Sessions and users.
    pub visitors: VisitorMetrics,
    /// Signing.
    pub tokens: TokenMetrics,
    /// Vonage's requests to us.
    pub webhooks: WebhookMetrics,
    /// Calls and hang-ups.
    pub calls: CallMetrics,
    /// Our requests to Vonage.
    pub vonage: VonageMetrics,
}

impl Metrics {
    /// All at zero, in a process that started at `started`.
    pub fn new(started: DateTime<Utc>) -> Self {
        let mut registry = Registry::default();
        registry.register_with_unit(
            "process_start_time",
            "When the process started, in seconds since 1970",
            Unit::Seconds,
            ConstGauge::new(started.timestamp()),
        );
        let ours = registry.sub_registry_with_prefix("click_to_call");
        ours.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            http: HttpMetrics::new(ours),
            visitors: VisitorMetrics::new(ours),
            tokens: TokenMetrics::new(ours),
            webhooks: WebhookMetrics::new(ours),
            calls: CallMetrics::new(ours),
            vonage: VonageMetrics::new(ours),
            registry,
        }
    }

    /// All of them as `OpenMetrics` text.
    ///
    /// # Errors
    /// Never, unless the library is at fault.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
