//! Traces for an OpenTelemetry collector: a span for each request, and one for each request to Vonage that it caused.
//!
//! They say what the log says, so what is never logged is never in them. A `traceparent` that comes with a request is
//! not taken up: anybody could write what they like into our traces.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};
use url::Url;

/// Time for one batch to reach the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the last batch, when the process ends.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// Sends spans to a collector, in batches from a thread of its own.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// For the collector at this address (OTLP over HTTP). To be made where no runtime is: the client blocks.
    pub(super) fn start(collector: &Url) -> anyhow::Result<Self> {
        let address = collector
            .join("v1/traces")
            .context("telemetry.otlp_endpoint has no place for a path")?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .context("traces can't be sent")?;
        let resource = Resource::builder()
            .with_service_name("click-to-call")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    /// What hands it our spans, whatever the log leaves out.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let ours = Targets::new().with_target("click_to_call", LevelFilter::INFO);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("click-to-call"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(ours)
    }

    /// Sends what is left.
    pub(super) fn stop(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_BATCH) {
            tracing::warn!(%error, "the last traces did not reach the collector");
        }
    }
}
